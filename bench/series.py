"""What is asked of a system on a network, in which order, and what comes out."""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys

from bench.lab import ROOT
from bench.networks import ROUND_TRIP_MS
from bench.processes import Failure, cpu_seconds, memory_kib, stop
from bench.service import pattern_digest

GIB = 1 << 30
MIB = 1 << 20


class Client:
    """Asks in B. `begin` and `finish` are for two of them at once."""

    def __init__(self, stack, lab):
        self.process = lab.b.namespace.start(
            [sys.executable, "-m", "bench.client"], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        stack.callback(stop, self.process)

    def begin(self, operation, **arguments):
        print(json.dumps({"operation": operation, **arguments}), file=self.process.stdin,
              flush=True)

    def finish(self):
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the client has died"}
        if "error" in answer:
            raise Failure(answer["error"])
        return answer

    def ask(self, operation, **arguments):
        self.begin(operation, **arguments)
        try:
            return self.finish()
        except Failure as failure:
            raise Failure(f"{operation}: {failure}") from None


class Clients:
    """One for most things, another for what goes on beside it."""

    def __init__(self, stack, lab):
        self.first, self.second = Client(stack, lab), Client(stack, lab)


def percentile(samples, part):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def latencies(samples, prefix):
    return {f"{prefix}_p50_us": percentile(samples, 0.5) * 1e6,
            f"{prefix}_p99_us": percentile(samples, 0.99) * 1e6}


def bulk(client, route, seconds, streams=1, compare=True):
    """Rate, that of the slowest and quickest sixth of the time, and CPU time of both sides a GiB."""
    before = {side: cpu_seconds([pid]) for side, pid in route.pids.items()}
    answer = client.ask("flow", target=route.target, seconds=seconds, streams=streams,
                        compare=compare)
    used = {side: cpu_seconds([pid]) - before[side] for side, pid in route.pids.items()}
    return {**rates(answer, seconds), **cpu(used, answer["octets"])}


def rates(answer, seconds):
    bins = answer["bins"]
    width = max(1, len(bins) // 6)
    windows = [sum(bins[at:at + width]) / width / MIB
               for at in range(0, len(bins) - width + 1, width)]
    return {"mib_per_second": answer["octets"] / MIB / seconds,
            "slowest": min(windows), "quickest": max(windows)}


def cpu(used, octets):
    if not used or octets == 0:
        return {}
    return {"cpu_seconds_per_gib": sum(used.values()) / octets * GIB,
            "cpu_sender": used["a"] / octets * GIB, "cpu_receiver": used["b"] / octets * GIB}


def memory(route, field):
    return {f"{field}_{side}_mib": memory_kib([pid], name) / 1024
            for field, name in [(field, {"idle": "VmRSS", "peak": "VmHWM"}[field])]
            for side, pid in route.pids.items()}


def crowd(system, client, count):
    """Many at once, then the memory they take while they do nothing; on a session of their own.

    Where they can not come at once they come in groups, and the failure is told."""
    found = {}
    for group in (count, 20):
        with contextlib.ExitStack() as stack:
            route = system.open(stack)
            try:
                for _ in range(0, count, group):
                    taken = client.ask("crowd", target=route.target, count=group)["seconds"]
                if group == count:
                    found["crowd_ms"] = taken * 1e3
                return {**found, **memory(route, "idle")}
            except Failure as failure:
                found.setdefault("failures", []).append(str(failure))
            finally:
                client.ask("crowd_close")
    return found


def first_octet(system, client):
    """Of a session made from nothing, in milliseconds."""
    with contextlib.ExitStack() as stack:
        command, _ = system.first_octet(stack)
        return client.ask("first_octet", **command)["seconds"] * 1e3


def carry(system, client, octets, seconds):
    """The figures of a system that carries files."""
    answer = system.carry(client, octets, seconds)
    found = {"mib_per_second": answer["octets"] / MIB / answer["seconds"],
             "first_octet_ms": answer["first"] * 1e3}
    if answer["octets"] == octets:
        found |= cpu({"a": answer["cpu_sender"], "b": answer["cpu"]}, octets)
    return found


def beside(route, clients, seconds, gap):
    """An interactive connection alone, then beside a bulk one of the same session."""
    idle = clients.second.ask("ping", target=route.target, seconds=seconds / 4, gap=gap)
    clients.first.begin("flow", target=route.target, seconds=seconds)
    try:
        busy = clients.second.ask("ping", target=route.target, seconds=seconds, gap=gap)
    finally:
        answer = clients.first.finish()
    found = {**latencies(idle["samples"], "idle"), **latencies(busy["samples"], "beside")}
    found["beside_over_idle_ms"] = (found["beside_p99_us"] - found["idle_p99_us"]) / 1e3
    return {**{f"beside_{key}": value for key, value in rates(answer, seconds).items()}, **found}


# Each of the following measures one system on one network.


def lan(system, clients, sizes, seconds):
    client = clients.first
    if hasattr(system, "carry"):
        return carry(system, client, sizes.file, LONG)
    found = {}
    with contextlib.ExitStack() as stack:
        route = system.open(stack)
        target = route.target
        found |= latencies(client.ask("ping", target=target, count=sizes.pings)["samples"], "ping")
        sequence = client.ask("sequence", target=target, count=sizes.sequence)
        found["connections_per_second"] = sizes.sequence / sequence["seconds"]
        found["connection_us"] = statistics.median(sequence["samples"]) * 1e6
        found |= bulk(client, route, seconds, compare=False)
        eight = bulk(client, route, seconds, streams=8, compare=False)
        found |= {f"eight_{key}": value for key, value in eight.items()}
        found |= beside(route, clients, seconds, gap=0.002)
        found |= memory(route, "peak")
    found |= crowd(system, client, sizes.crowd)
    if hasattr(system, "first_octet"):
        found["first_octet_ms"] = first_octet(system, client)
    return found


LONG = 60.0  # seconds that a file may take


def connect(system, clients, sizes, _seconds):
    """Every host is as far from the others, the rendezvous server too."""
    taken = []
    for _ in range(sizes.connects):
        if hasattr(system, "carry"):
            taken.append(system.carry(clients.first, 1 << 16, LONG)["first"] * 1e3)
        else:
            taken.append(first_octet(system, clients.first))
    return {"first_octet_ms": statistics.median(taken),
            "first_octet_round_trips": statistics.median(taken) / ROUND_TRIP_MS}


def flow(system, clients, _sizes, seconds):
    with contextlib.ExitStack() as stack:
        return bulk(clients.first, system.open(stack), seconds)


def far(system, clients, sizes, seconds):
    if hasattr(system, "carry"):
        return carry(system, clients.first, sizes.file, seconds)
    with contextlib.ExitStack() as stack:
        route = system.open(stack)
        samples = clients.first.ask("sequence", target=route.target, count=sizes.far)["samples"]
        return {"connection_round_trips": statistics.median(samples) * 1e3 / ROUND_TRIP_MS,
                **bulk(clients.first, route, seconds)}


def interactive(system, clients, _sizes, seconds):
    with contextlib.ExitStack() as stack:
        return beside(system.open(stack), clients, seconds, gap=0.02)


def fairness(ours, other, clients, seconds):
    """Two flows at once over one bottleneck: what each gets after the first third of the time."""
    with contextlib.ExitStack() as stack:
        routes = ours.open(stack), other.open(stack)
        both = clients.first, clients.second
        for client, route in zip(both, routes):
            client.begin("flow", target=route.target, seconds=seconds)
        answers, failures = [], []
        for client in both:  # the second one's, too, when the first has failed
            try:
                answers.append(client.finish())
            except Failure as failure:
                failures.append(failure)
    if failures:
        raise failures[0]
    bins = [answer["bins"] for answer in answers]
    late = [each[len(each) // 3:] for each in bins]
    mine, theirs = (sum(each) / len(each) / MIB for each in late)
    return {"ours": mine, "other": theirs, "share": mine / ((mine + theirs) or 1)}


def checksums(system, client, octets):
    """Both ways, over one pair of connections; True when all arrived as it was sent."""
    if hasattr(system, "carry"):
        return system.carry(client, octets, LONG)["octets"] == octets  # what came is compared there
    with contextlib.ExitStack() as stack:
        digests = client.ask("verify", target=system.open(stack).target, octets=octets)
    return digests["received"] == digests["sent"] == pattern_digest(octets)


def engine_alone(binary, engine, mib):
    """The QUIC engine in memory, both sides in one thread; None where it was not built."""
    if shutil.which(binary) is None:
        return None
    out = subprocess.run([binary, str(mib), "0", engine], check=True, capture_output=True,
                         text=True).stdout
    return json.loads(out)
