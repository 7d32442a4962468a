"""One round of one system: what is asked of it, in which order, and what comes out."""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys

from bench.lab import FAR_ROUND_TRIP_MS, ROOT
from bench.processes import Failure, cpu_seconds, memory_kib
from bench.service import pattern_digest

GIB = 1 << 30
MIB = 1 << 20


class Client:
    def __init__(self, stack, lab):
        self.process = subprocess.Popen(
            [*lab.b.enter, sys.executable, "-m", "bench.client"], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(self._stop)

    def _stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, operation, **arguments):
        print(json.dumps({"operation": operation, **arguments}), file=self.process.stdin,
              flush=True)
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the client has died"}
        if "error" in answer:
            raise Failure(f"{operation}: {answer['error']}")
        return answer


def percentile(samples, part):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def transfer(client, route, streams, octets):
    """Rate, and CPU time of the two sides for each GiB."""
    before = {side: cpu_seconds([pid]) for side, pid in route.pids.items()}
    answer = client.ask("transfer", target=route.target, streams=streams, octets=octets // streams)
    used = {side: cpu_seconds([pid]) - before[side] for side, pid in route.pids.items()}
    client.ask("transfer_close")
    found = {"mib_per_second": answer["octets"] / MIB / answer["seconds"]}
    if used:
        found["cpu_seconds_per_gib"] = sum(used.values()) / answer["octets"] * GIB
        found["cpu_sender"] = used["a"] / answer["octets"] * GIB
        found["cpu_receiver"] = used["b"] / answer["octets"] * GIB
    return found


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


def memory(route, field):
    return {f"{field}_{side}_mib": memory_kib([pid], name) / 1024
            for field, name in [(field, {"idle": "VmRSS", "peak": "VmHWM"}[field])]
            for side, pid in route.pids.items()}


def on_the_lan(system, client, sizes):
    found = {}
    with contextlib.ExitStack() as stack:
        route = system.open(stack)
        target = route.target
        pings = client.ask("ping", target=target, count=sizes.pings)["samples"]
        found["ping_p50_us"] = percentile(pings, 0.5) * 1e6
        found["ping_p99_us"] = percentile(pings, 0.99) * 1e6
        sequence = client.ask("sequence", target=target, count=sizes.sequence)
        found["connections_per_second"] = sizes.sequence / sequence["seconds"]
        found["connection_us"] = statistics.median(sequence["samples"]) * 1e6
        one = transfer(client, route, 1, sizes.octets)
        eight = transfer(client, route, 8, sizes.octets)
        found.update(one)
        found["eight_mib_per_second"] = eight["mib_per_second"]
        if "cpu_seconds_per_gib" in eight:
            found["eight_cpu_seconds_per_gib"] = eight["cpu_seconds_per_gib"]
        found.update(memory(route, "peak"))
    found.update(crowd(system, client, sizes.crowd))
    found.update(first_octet(system, client, "first_octet_ms"))
    return found


def first_octet(system, client, key):
    if not hasattr(system, "first_octet"):
        return {}
    with contextlib.ExitStack() as stack:
        command, _ = system.first_octet(stack)
        return {key: client.ask("first_octet", **command)["seconds"] * 1e3}


def on_the_far_link(system, client, sizes):
    """With 50 ms there and back the protocol's round trips stand out from the work they cost."""
    with contextlib.ExitStack() as stack:
        route = system.open(stack)
        samples = client.ask("sequence", target=route.target, count=sizes.far)["samples"]
        found = {"connection_round_trips": statistics.median(samples) * 1e3 / FAR_ROUND_TRIP_MS}
    found.update(first_octet(system, client, "far_first_octet_ms"))
    return found


def checksums(system, client, octets):
    """Both ways, over one pair of connections; True when all arrived as it was sent."""
    with contextlib.ExitStack() as stack:
        digests = client.ask("verify", target=system.open(stack).target, octets=octets)
    return digests["received"] == digests["sent"] == pattern_digest(octets)


def engine_alone(binary, mib):
    """The QUIC engine in memory, both sides in one thread; None where it was not built."""
    if shutil.which(binary) is None:
        return None
    out = subprocess.run([binary, str(mib)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)
