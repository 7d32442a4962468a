"""The load on a rendezvous server: idle clients and code exchanges, ours beside the reference."""

import argparse
import contextlib
import json
import math
import pathlib
import statistics
import subprocess
import sys

from bench import report
from bench.lab import ROOT
from bench.main import raise_limits
from bench.mailbox_servers import all_servers
from bench.processes import Failure, cpu_seconds, memory_kib, stop

GENERATOR = ROOT / "build" / "bench" / "mailbox-load"
# No more than a server of ours takes from one address, with room for what is about to end.
CONNECTIONS_PER_SOURCE = 100
PATIENCE = 180.0

# key of a figure, its title, digits after the point
FIGURES = [
    ("empty_mib", "resident without clients, MiB", 1),
    ("idle_kib", "memory of an idle client, KiB", 1),
    ("light_p50_ms", "ten exchanges a second: p50, ms", 1),
    ("light_p99_ms", "ten exchanges a second: p99, ms", 1),
    ("alone_per_second", "highest rate: exchanges a second", 0),
    ("alone_cpu", "highest rate: server's CPU, s per 1,000", 2),
    ("alone_generator_cpu", "highest rate: generator's CPU, s per 1,000", 2),
    ("beside_per_second", "highest rate beside the idle: exchanges a second", 0),
    ("beside_cpu", "highest rate beside the idle: server's CPU, s per 1,000", 2),
    ("offered_per_second", "offered beside the idle: done, a second", 0),
    ("offered_lost", "offered beside the idle: lost, of 100", 1),
    ("offered_cpu", "offered beside the idle: server's CPU, s per 1,000", 2),
    ("offered_p50_ms", "offered beside the idle: p50, ms", 1),
    ("offered_p99_ms", "offered beside the idle: p99, ms", 1),
]
# Figures in which less is better.
COSTS = {"empty_mib", "idle_kib", "light_p50_ms", "light_p99_ms", "alone_cpu", "beside_cpu",
         "offered_cpu", "offered_p50_ms", "offered_p99_ms"}


def arguments(argv):
    parser = argparse.ArgumentParser(prog="scripts/bench-mailbox", description=__doc__)
    parser.add_argument("--rounds", type=int, help="rounds, every server in each (default 3)")
    parser.add_argument("--idle", type=int, help="idle clients (default 5000)")
    parser.add_argument("--rate", type=int, help="exchanges offered a second (default 500)")
    parser.add_argument("--seconds", type=float, help="of each measurement (default 10)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: a self-test")
    parser.add_argument("--only", action="append", metavar="SERVER",
                        help="peersock, reference-0.4.1, ...; may be repeated")
    parser.add_argument("--out", type=pathlib.Path, help="write everything as JSON")
    parser.add_argument("--generator", type=pathlib.Path, default=GENERATOR,
                        help="the load generator (meson -Dbench=true)")
    return parser.parse_args(argv)


class Sizes:
    def __init__(self, options):
        quick = options.quick
        self.rounds = options.rounds or (1 if quick else 3)
        self.idle = options.idle or (50 if quick else 5000)
        self.rate = options.rate or (20 if quick else 500)
        self.seconds = options.seconds or (1.0 if quick else 10.0)
        self.light_rate = 10
        self.in_flight = 4 if quick else 64
        # What may be under way when more is offered than a server does.
        self.offered_in_flight = max(self.in_flight, 2 * self.rate)

    def connections(self):
        # Those that have been left but not yet closed count as well.
        return self.idle + 4 * self.offered_in_flight


class Generator:
    """Runs bench/mailbox_load_main.cpp against one port."""

    def __init__(self, program, port, sizes):
        sources = math.ceil(sizes.connections() / CONNECTIONS_PER_SOURCE)
        self.common = ["--port", str(port), "--sources", str(sources)]
        self.program = program

    def exchanges(self, seconds, rate, in_flight):
        done = subprocess.run(
            [self.program, "exchanges", *self.common, "--seconds", str(seconds),
             "--rate", str(rate), "--in-flight", str(in_flight)],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise Failure(f"the load generator failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def idlers(self, count):
        """While they are there; a Failure if one of them was not let in, or did not stay."""
        process = subprocess.Popen(
            [self.program, "idle", *self.common, "--count", str(count)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        try:
            said = json.loads(process.stdout.readline() or "{}")
            if said.get("connected") != count:
                raise Failure(f"{count} idle clients: {said.get('error', 'nothing came')}")
            yield
            process.stdin.close()
            if process.wait(timeout=PATIENCE) != 0:
                raise Failure(f"of the idle clients: {process.stdout.read().strip()}")
        finally:
            stop(process)


class Measurement:
    """All figures of one server, which is started afresh."""

    def __init__(self, server, sizes, generator):
        self.server, self.sizes = server, sizes
        self.program = generator
        self.figures = {}
        self.failures = []

    def run(self):
        sizes = self.sizes
        with contextlib.ExitStack() as stack:
            self.pid, port = self.server.start(stack, sizes.connections(), CONNECTIONS_PER_SOURCE)
            self.generator = Generator(self.program, port, sizes)
            self._exchanges(1.0, 0, sizes.in_flight)  # whatever is loaded or filled only once
            empty = self._resident()
            self.figures["empty_mib"] = empty / 1024
            found = self._exchanges(sizes.seconds, sizes.light_rate, sizes.in_flight)
            self.figures["light_p50_ms"] = found["p50_ms"]
            self.figures["light_p99_ms"] = found["p99_ms"]
            self._at_most("alone")
        # A fresh process, so that no memory that others have left is used again.
        with contextlib.ExitStack() as stack:
            self.pid, port = self.server.start(stack, sizes.connections(), CONNECTIONS_PER_SOURCE)
            self.generator = Generator(self.program, port, sizes)
            self._exchanges(1.0, 0, 1)
            before = self._resident()
            with self.generator.idlers(sizes.idle):
                self.figures["idle_kib"] = (self._resident() - before) / sizes.idle
                self._at_most("beside")
                self._offered()
        return self.figures, self.failures

    def _resident(self):
        return memory_kib([self.pid], "VmRSS")

    def _exchanges(self, seconds, rate, in_flight):
        before = cpu_seconds([self.pid])
        found = self.generator.exchanges(seconds, rate, in_flight)
        done = max(found["completed"], 1)
        found["cpu"] = (cpu_seconds([self.pid]) - before) * 1000 / done
        found["generator_cpu"] = found["own_cpu_seconds"] * 1000 / done
        found["per_second"] = found["completed"] / max(found["seconds"], seconds)
        return found

    def _at_most(self, name):
        found = self._exchanges(self.sizes.seconds, 0, self.sizes.in_flight)
        self.figures[f"{name}_per_second"] = found["per_second"]
        self.figures[f"{name}_cpu"] = found["cpu"]
        self.figures[f"{name}_generator_cpu"] = found["generator_cpu"]
        if found["failed"]:
            self.failures.append(f"{name}: {found['failed']} exchanges failed, the first: "
                                 f"{found['first_failure']}")

    def _offered(self):
        sizes = self.sizes
        found = self._exchanges(sizes.seconds, sizes.rate, sizes.offered_in_flight)
        lost = found["failed"] + found["missed"]
        self.figures["offered_per_second"] = found["per_second"]
        self.figures["offered_cpu"] = found["cpu"]
        self.figures["offered_p50_ms"] = found["p50_ms"]
        self.figures["offered_p99_ms"] = found["p99_ms"]
        self.figures["offered_lost"] = 100 * lost / max(found["started"] + found["missed"], 1)


def run(options):
    sizes = Sizes(options)
    if not options.generator.exists():
        raise Failure(f"{options.generator} is not there; build it with -Dbench=true")
    servers = [s for s in all_servers() if not options.only or s.key in options.only]
    result = {"version": 1, "machine": report.machine(), "sizes": vars(sizes),
              "names": {s.key: s.name for s in servers}, "failures": [], "rounds": []}
    for number in range(sizes.rounds):
        found = {}
        result["rounds"].append(found)
        for server in servers:
            print(f"round {number + 1} of {sizes.rounds}: {server.name}", file=sys.stderr,
                  flush=True)
            found[server.key], failures = Measurement(server, sizes, options.generator).run()
            result["failures"] += [f"{server.name}, round {number + 1}, {f}" for f in failures]
    return result


def ratios(result):
    """How many times better ours is, by the medians."""
    ours = result["names"].get("peersock")
    others = {key: name for key, name in result["names"].items() if key != "peersock"}
    if not ours or not others:
        return []
    rows = []
    for key, title, _ in FIGURES:
        if key not in COSTS and not key.endswith("per_second"):
            continue
        middle = {server: statistics.median(found[server][key] for found in result["rounds"])
                  for server in result["names"]}
        factors = []
        for other, name in others.items():
            less, more = middle["peersock"], middle[other]
            if key not in COSTS:
                less, more = more, less
            factors.append(f"{name} {more / less:.1f}" if less > 0 else f"{name} -")
        rows.append(f"    {title}: {', '.join(factors)}")
    return ["ours is better by a factor of", *rows]


def figures(result, title):
    servers = result["names"]
    rows = [[title, *servers.values()]]
    for key, text, digits in FIGURES:
        rows.append([text, *(report.cell([found[server][key] for found in result["rounds"]
                                          if key in found.get(server, {})], digits)
                             for server in servers)])
    return rows


def table(result):
    facts, sizes = result["machine"], result["sizes"]
    title = f"{sizes['idle']} idle clients, {sizes['rate']} exchanges a second offered"
    return "\n".join([
        f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, "
        f"load at the start {facts['load_at_start']:.1f}",
        f"{facts['peersock']}; Python {facts['python']}",
        f"{sizes['rounds']} rounds of {sizes['seconds']:.0f} s, median (least-most); "
        f"{sizes['in_flight']} exchanges under way for the highest rate", "",
        report.grid(figures(result, title)), "", *ratios(result),
        *(f"FAILED: {failure}" for failure in result["failures"])])


def main(argv):
    options = arguments(argv)
    raise_limits()
    try:
        result = run(options)
    except KeyboardInterrupt:
        print("bench-mailbox: interrupted", file=sys.stderr)
        return 130
    except Failure as failure:
        print(f"bench-mailbox: {failure}", file=sys.stderr)
        return 1
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(table(result))
    return 1 if result["failures"] else 0
