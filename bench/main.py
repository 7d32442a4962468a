"""The run: arguments, rounds, output."""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import sys

from bench import lab as laboratory
from bench import report, series, systems
from bench.processes import Failure
from bench.service import Service
from bench.timeline import print_timeline


def arguments(argv):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, help="rounds, every system in each (default 5)")
    parser.add_argument("--mib", type=int, help="size of a transfer (default 2048)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: a self-test")
    parser.add_argument("--only", action="append", metavar="SYSTEM",
                        help="tcp, peersock, socat, ssh, ssh_gcm or engine; may be repeated")
    parser.add_argument("--out", type=pathlib.Path, help="write everything as JSON")
    parser.add_argument("--engine", default=str(laboratory.ROOT / "build" / "bench" / "quic-memory"),
                        help="the benchmark of the QUIC engine (meson -Dbench=true)")
    parser.add_argument("--timeline", action="store_true",
                        help="show instead where the time to the first octet goes")
    return parser.parse_args(argv)


class Sizes:
    def __init__(self, options):
        quick = options.quick
        self.rounds = options.rounds or (1 if quick else 5)
        self.octets = (options.mib or (16 if quick else 2048)) << 20
        self.pings = 200 if quick else 5000
        self.sequence = 50 if quick else 1000
        self.crowd = 40 if quick else 500
        self.far = 5 if quick else 20
        self.verify = (3 if quick else 256) * (1 << 20) + 1


def main(argv):
    options = arguments(argv)
    if os.environ.get("PEERSOCK_BENCH_INSIDE"):
        with contextlib.suppress(BrokenPipeError):
            return inside(options)
        return 1
    if absent := laboratory.missing_tools():
        print(f"bench: install {', '.join(absent)} (iproute2, util-linux)", file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        directory = systems.make_directory(stack)
        environment = {**os.environ, "PEERSOCK_BENCH_INSIDE": str(directory),
                       "PEERSOCK_BENCH_UID": str(os.geteuid())}
        script = str(laboratory.ROOT / "scripts" / "bench")
        return laboratory.run_inside([sys.executable, script, *argv], environment)


def raise_limits():
    """500 connections take 1,000 descriptors in a tunnel, more than the usual soft limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


def inside(options):
    raise_limits()
    directory = pathlib.Path(os.environ["PEERSOCK_BENCH_INSIDE"])
    try:
        with contextlib.ExitStack() as stack:
            lab = laboratory.Lab(stack)
            bench = Bench(stack, lab, options, directory)
            if options.timeline:
                print_timeline(bench.peersock, bench.client, lab)
                return 0
            result = bench.run()
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    print(report.table(result))
    return 0 if all(result["checksums"].values()) and not result["failures"] else 1


class Bench:
    def __init__(self, stack, lab, options, directory):
        self.lab, self.options, self.sizes = lab, options, Sizes(options)
        self.client = series.Client(stack, lab)
        self.absent, self.systems = {}, []
        for system in systems.all_systems(lab, Service(), directory):
            if options.only and system.key not in options.only:
                continue
            if reason := system.missing():
                self.absent[system.key] = reason
            else:
                self.systems.append(system)
            if system.key == "peersock":
                if reason:
                    raise Failure(reason)
                self.peersock = system
                system.start_mailbox(stack)

    def run(self):
        result = {"version": 1, "machine": report.machine(), "sizes": vars(self.sizes),
                  "names": {}, "absent": self.absent,
                  "checksums": {}, "failures": [], "engine": [], "rounds": []}
        for system in list(self.systems):
            try:
                result["checksums"][system.key] = series.checksums(system, self.client,
                                                                   self.sizes.verify)
            except Failure as failure:
                if system.key == "peersock":
                    raise
                self.absent[system.key] = str(failure)
                self.systems.remove(system)
        result["names"] = {system.key: system.name for system in self.systems}
        for number in range(self.sizes.rounds):
            self._round(number, result)
        return result

    def _round(self, number, result):
        found = {system.key: {} for system in self.systems}
        result["rounds"].append(found)
        self._say(f"round {number + 1} of {self.sizes.rounds}")
        if not self.options.only or "engine" in self.options.only:
            alone = series.engine_alone(self.options.engine, self.sizes.octets >> 20)
            if alone:
                result["engine"].append(alone)
            else:
                self.absent["engine"] = "build it with -Dbench=true"
        for link, measure in (("lan", series.on_the_lan), ("far", series.on_the_far_link)):
            self.lab.use(link)
            for system in self.systems:
                self._say(f"  {link}: {system.name}")
                figures = measure(system, self.client, self.sizes)
                for failure in figures.pop("failures", []):
                    result["failures"].append(f"{system.name}, round {number + 1}: {failure}")
                found[system.key].update(figures)
        self.lab.use("lan")

    def _say(self, text):
        print(text, file=sys.stderr, flush=True)
