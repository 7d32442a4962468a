"""The run: arguments, networks, rounds, output."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import resource
import sys
import time

from bench import lab as laboratory
from bench import networks, report, series, systems
from bench.chart import chart
from bench.processes import Failure
from bench.service import Service
from bench.timeline import print_timeline
from testbed.network.internet import program

KERNEL_CONTROLS = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
NAMES = (*networks.TUNNELS, *networks.FILES)


def arguments(argv):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--networks", nargs="+", metavar="NAME", default=[],
                        help="only these: " + ", ".join(n.key for n in networks.NETWORKS)
                             + "; or " + ", ".join(networks.GROUPS))
    parser.add_argument("--systems", nargs="+", metavar="NAME", choices=NAMES, default=[],
                        help="these on every chosen network: " + ", ".join(NAMES))
    parser.add_argument("--rounds", type=int, help="on the LAN, every system in each (default 3)")
    parser.add_argument("--seconds", type=int, help="no flow longer than this")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: a self-test")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="write all as JSON")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="write a chart")
    parser.add_argument("--into", type=pathlib.Path, metavar="FILE",
                        help="put the tables between the marks of this document")
    parser.add_argument("--render", type=pathlib.Path, nargs="+", metavar="FILE",
                        help="measure nothing; print what --out has written, of several runs "
                             "each network as the last one has it")
    parser.add_argument("--engine", default=str(laboratory.ROOT / "build" / "bench" / "quic-memory"),
                        help="the benchmark of the QUIC engine (meson -Dbench=true)")
    parser.add_argument("--timeline", action="store_true",
                        help="show instead where the time to the first octet goes")
    options = parser.parse_args(argv)
    if options.quick:
        options.networks = options.networks or list(QUICK)
    if options.into and not report.has_marks(options.into.read_text()):
        parser.error(f"{options.into} has not the marks {' and '.join(report.MARKS)}")
    try:
        options.chosen = networks.chosen(options.networks)
    except KeyError as unknown:
        parser.error(f"there is no network {unknown}")
    return options


# One of each kind. What the others do is the same with other properties.
QUICK = ("lan", "connect", "loss1", "deep", "fair_shallow")
QUICK_SYSTEMS = {"lan": ("tcp", *networks.OURS, "socat", "ssh", *networks.FILES),
                 "connect": (networks.BEST,),
                 "loss1": (networks.BEST, "openssl_auto"), "deep": (networks.BEST,)}


class Sizes:
    def __init__(self, options):
        quick = options.quick
        self.rounds = options.rounds or (1 if quick else 3)
        self.pings = 200 if quick else 3000
        self.sequence = 20 if quick else 200
        self.crowd = 40 if quick else 1000
        self.far = 5 if quick else 20
        self.connects = 1 if quick else 5
        self.file = (2 if quick else 1024) << 20
        self.verify = (3 if quick else 128) * (1 << 20) + 1
        self.engine_mib = 16 if quick else 1024
        self.seconds = options.seconds or (1 if quick else None)

    def of(self, network):
        return min(network.seconds, self.seconds or network.seconds)


def main(argv):
    options = arguments(argv)
    if options.render:
        show(report.merged([json.loads(path.read_text()) for path in options.render]), options)
        return 0
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


def show(result, options):
    text = report.document(result)
    print(text)
    if options.into:
        options.into.write_text(report.put_between_marks(options.into.read_text(), text))
    if options.svg:
        options.svg.write_text(chart(result))


def raise_limits():
    """1,000 connections take 2,000 descriptors in a tunnel, more than the usual soft limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


def inside(options):
    raise_limits()
    bench = Bench(options, pathlib.Path(os.environ["PEERSOCK_BENCH_INSIDE"]))
    try:
        if options.timeline:
            return bench.timeline()
        bench.run()
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    show(bench.result, options)
    return 0 if all(bench.result["checksums"].values()) and not bench.result["failures"] else 1


class Bench:
    def __init__(self, options, directory):
        self.options, self.directory, self.sizes = options, directory, Sizes(options)
        self.began = time.monotonic()
        self.result = {"version": 2, "machine": report.machine(), "sizes": vars(self.sizes),
                       "names": {}, "networks": {}, "absent": {}, "checksums": {}, "failures": [],
                       "engine": {}, "figures": {}, "fairness": {}}

    @contextlib.contextmanager
    def _place(self, network):
        with contextlib.ExitStack() as stack:
            if not systems.BINARY.exists():
                raise Failure(f"{systems.BINARY} is not there; build it or set PEERSOCK_BINARY")
            if network.link and not program("linkbox").exists():
                raise Failure(f"{program('linkbox')} is not there; build with -Dbench=true")
            lab = laboratory.Lab(stack, network)
            place = systems.Place(lab, Service(stack, lab.a), self.directory,
                                  systems.start_mailbox(stack, lab, self.directory))
            yield place, series.Clients(stack, lab)

    def run(self):
        for network in self.options.chosen:
            seconds = self.sizes.of(network)
            self.result["networks"][network.key] = {"title": network.title, "seconds": seconds}
            with self._place(network) as (place, clients):
                self._say(f"{network.title}")
                if network.measure == "fairness":
                    self._fairness(network, place, clients, seconds)
                else:
                    self._network(network, place, clients, seconds)
            self._save()

    def _wanted(self, network):
        quick = QUICK_SYSTEMS.get(network.key, ()) if self.options.quick else ()
        chosen = self.options.systems or quick or network.systems
        if network.measure == "connect":  # not everything has sessions
            chosen = [key for key in chosen if key in network.systems]
        return chosen

    def _network(self, network, place, clients, seconds):
        wanted = self._wanted(network)
        tested = [system for system in systems.all_systems(place)
                  if system.key in wanted and self._is_there(system)]
        if network.key == "lan":
            self._engines()
            tested = [system for system in tested if self._verified(system, clients.first)]
        measure = getattr(series, network.measure)
        rounds = self.result["figures"].setdefault(network.key, [])
        for number in range(self.sizes.rounds if network.key == "lan" else 1):
            found = {}
            rounds.append(found)
            for system in tested:
                self._say(f"  {system.name}, round {number + 1}")
                try:
                    found[system.key] = measure(system, clients, self.sizes, seconds)
                except Failure as failure:
                    found[system.key] = {"failures": [str(failure)]}
                for failure in found[system.key].pop("failures", []):
                    self.result["failures"].append(f"{network.title}, {system.name}: {failure}")

    def _is_there(self, system):
        self.result["names"][system.key] = system.name
        if reason := system.missing():
            self.result["absent"][system.key] = reason
        return not reason

    def _verified(self, system, client):
        """Whether it works at all; ours must."""
        try:
            self.result["checksums"][system.key] = series.checksums(system, client,
                                                                    self.sizes.verify)
        except Failure as failure:
            if system.key in networks.OURS:
                raise
            self.result["absent"][system.key] = str(failure)
            return False
        return True

    def _engines(self):
        for engine in ("ngtcp2", "openssl"):
            alone = [series.engine_alone(self.options.engine, engine, self.sizes.engine_mib)
                     for _ in range(self.sizes.rounds)]
            if all(alone):
                self.result["engine"][engine] = alone
            else:
                self.result["absent"]["engine"] = "build it with -Dbench=true"

    def _fairness(self, network, place, clients, seconds):
        found = self.result["fairness"].setdefault(network.key, {})
        tcp = systems.Direct(place)
        pairs = [("tcp", "tcp", tcp, tcp)]
        if "bbr" in KERNEL_CONTROLS.read_text().split():
            pairs.append(("Linux bbr", "tcp", systems.Direct(
                dataclasses.replace(place, service=place.service.with_control("bbr"))), tcp))
        for control in networks.CONTROLS:
            ours, again = (systems.Peersock(place, "ngtcp2", "auto", control) for _ in range(2))
            pairs += [(control, "tcp", ours, tcp), (control, "ours", ours, again)]
        if self.options.quick:
            pairs = pairs[-2:]
        for control, beside, ours, other in pairs:
            self._say(f"  {control} beside {beside}")
            try:
                found[f"{control} beside {beside}"] = series.fairness(ours, other, clients, seconds)
            except Failure as failure:
                self.result["failures"].append(
                    f"{network.title}, {control} beside {beside}: {failure}")

    def timeline(self):
        for key in ("lan", "connect"):
            network, = networks.chosen([key])
            with self._place(network) as (place, clients):
                print_timeline(systems.Peersock(place, "ngtcp2", "auto"), clients.first,
                               network.title)
        return 0

    def _save(self):
        """After every network, so that a run that is ended early has not been in vain."""
        if self.options.out:
            self.options.out.write_text(json.dumps(self.result, indent=2) + "\n")

    def _say(self, text):
        print(f"{time.monotonic() - self.began:6.0f} s  {text}", file=sys.stderr, flush=True)
