"""Which NATs and firewalls does peersock get through? Real programs in networks of namespaces.

Each cell joins `peersock connect` behind one profile (rows) with `peersock listen` behind another
(columns), over a rendezvous server and coturn on the Internet between them, and moves data both ways.
Before that each profile is probed, by the testbed and by `peersock doctor`. Scenarios are other
networks, each with what is expected of it.
"""

import argparse
import fnmatch
import pathlib
import signal
import sys
import time
from collections.abc import Iterable

from testbed import network
from testbed.nat import report, runner, table
from testbed.nat.check import Check
from testbed.nat.expectation import Table
from testbed.nat import scenarios as drawings
from testbed.nat.profiles import CHOSEN, PROFILES, Profile
from testbed.nat.scenario import Scenario, Task

LONGEST_DELAY = 500
EXIT_DEVIATION, EXIT_USAGE, EXIT_FORBIDDEN, EXIT_INTERRUPTED, EXIT_TERMINATED = 1, 2, 3, 130, 143


class Terminated(Exception):
    """Somebody has sent SIGTERM."""


def terminate(number: int, frame: object) -> None:
    raise Terminated


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/nat-matrix", description=__doc__,
        epilog="Exit codes: 0 every outcome is as expected (testbed/nat/expected.json), 1 one is "
        "not, 2 wrong usage, 3 this machine forbids network namespaces, 130 interrupted, 143 "
        "terminated.")
    made.add_argument("--profiles", metavar="NAMES",
                      help="names or patterns, with commas between; 'chosen' are those of "
                      "scripts/test, 'all' is every one; default: all, unless --scenarios is given")
    made.add_argument("--scenarios", metavar="NAMES",
                      help="the same for scenarios; default: all, unless --profiles is given")
    made.add_argument("--cells", metavar="PAIRS", help="these cells alone: CONNECTING/LISTENING, "
                      "names of profiles, with commas between pairs")
    made.add_argument("--without-relay", metavar="PAIRS", help="the same; nobody has a relay there")
    made.add_argument("--list", action="store_true", help="list profiles and scenarios, and end")
    made.add_argument("--jobs", type=int, default=8, metavar="N",
                      help="cells at once, most of which wait for something (default 8)")
    made.add_argument("--repeat", type=int, default=1, metavar="N", help="run each cell so often")
    made.add_argument("--patience", type=float, metavar="SECONDS",
                      help="how long a direct path between profiles may take after a relayed one; "
                      "default: 5 where one is expected, else 0")
    made.add_argument("--table", type=pathlib.Path, nargs="+", metavar="DIR",
                      help="run nothing; print the figures of docs/nat-traversal.md from the "
                      "matrix.json of these runs")
    made.add_argument("--delay", type=float, default=0, metavar="MS",
                      help="delay of each site's line in cells, each way; 10 makes them those of the "
                      "simulation, which scripts/simulate --agree compares (default 0)")
    made.add_argument("--out", type=pathlib.Path, metavar="DIR",
                      help="write matrix.json and matrix.html here")
    return made


def select(kind: str, known: Iterable[str], usual: Iterable[str], patterns: str) -> list[str]:
    """Names in the order of `known`."""
    names, chosen = list(known), set[str]()
    for pattern in patterns.split(","):
        found = list(usual) if pattern == "chosen" else fnmatch.filter(
            names, "*" if pattern == "all" else pattern)
        if not found:
            raise ValueError(f"no {kind} matches {pattern!r}; --list shows them")
        chosen.update(found)
    return [name for name in names if name in chosen]


Pair = tuple[Profile, Profile, bool]  # with a relay


def pairs_in(text: str | None, relay: bool) -> list[Pair]:
    """Of --cells or --without-relay."""
    found = []
    for pair in text.split(",") if text else []:
        connecting, _, listening = pair.strip().partition("/")
        for name in (connecting, listening):
            if name not in PROFILES:
                raise ValueError(f"there is no profile {name!r} in {pair!r}; --list shows them")
        found.append((PROFILES[connecting], PROFILES[listening], relay))
    return found


def selected_pairs(given: argparse.Namespace) -> list[Pair]:
    if (given.cells or given.without_relay) and (given.profiles or given.scenarios):
        raise ValueError("--cells and --without-relay go without --profiles and --scenarios")
    return pairs_in(given.cells, True) + pairs_in(given.without_relay, False)


def selected(given: argparse.Namespace) -> tuple[list[Profile], list[Scenario]]:
    everything = given.profiles is None and given.scenarios is None
    profiles = "all" if everything else given.profiles
    scenarios = "all" if everything else given.scenarios
    return ([PROFILES[name] for name in select("profile", PROFILES, CHOSEN, profiles)]
            if profiles is not None else [],
            [drawings.SCENARIOS[name] for name in select(
                "scenario", drawings.SCENARIOS, drawings.CHOSEN, scenarios)]
            if scenarios is not None else [])


def run_checks(profiles: list[Profile], jobs: int) -> list[Check]:
    """In the order of the profiles, whichever is done first."""
    done: list[Check] = []
    for check in runner.run([Check(profile) for profile in profiles], jobs):
        done.append(check)
        print(report.check_progress(check, len(done), len(profiles)), flush=True)
    return sorted(done, key=lambda check: profiles.index(check.profile))


def run_scenarios(scenarios: list[Scenario], jobs: int, repeat: int) -> list[Task]:
    tasks = sorted((Task(scenario) for _ in range(repeat) for scenario in scenarios),
                   key=lambda task: not task.scenario.long)
    done = []
    for task in runner.run(tasks, jobs):
        done.append(task)
        print(report.scenario_progress(task, len(done), len(tasks)), flush=True)
    return sorted(done, key=lambda task: scenarios.index(task.scenario))


def run(pairs: list[Pair], jobs: int, repeat: int,
        patience: float | None = None, delay: float = 0) -> list[runner.Cell]:
    table = Table()
    # Those that take their time come first, so that none of them is waited for at the end.
    tasks = sorted((runner.Cell(a, b, table.of(a, b, relay), patience, delay=delay, relay=relay)
                    for _ in range(repeat) for a, b, relay in pairs),
                   key=lambda c: "failed" not in c.expected.outcomes)
    done = []
    for cell in runner.run(tasks, jobs):
        done.append(cell)
        print(report.progress(cell, len(done), len(tasks)), flush=True)
    return done


def main(arguments: list[str]) -> int:
    given = parser().parse_args(arguments)
    if given.list:
        for profile in PROFILES.values():
            print(f"{profile.name:22} {profile.text}")
        for scenario in drawings.SCENARIOS.values():
            print(f"{scenario.name:22} scenario: {scenario.text}")
        return 0
    if given.table:
        try:
            print(table.render(given.table))
        except (OSError, ValueError, KeyError) as error:
            print(f"nat-matrix: no runs to read: {error}", file=sys.stderr)
            return EXIT_USAGE
        return 0
    try:
        pairs = selected_pairs(given)
        if pairs:
            used = {side.name for pair in pairs for side in pair[:2]}
            profiles, scenarios = [p for p in PROFILES.values() if p.name in used], []
        else:
            profiles, scenarios = selected(given)
            pairs = [(a, b, True) for a in profiles for b in profiles]
        if given.jobs < 1 or given.repeat < 1:
            raise ValueError("--jobs and --repeat are at least 1")
        if not 0 <= given.delay <= LONGEST_DELAY:
            raise ValueError(f"--delay is from 0 to {LONGEST_DELAY}")
    except ValueError as error:
        print(f"nat-matrix: {error}", file=sys.stderr)
        return EXIT_USAGE
    try:
        network.enter_isolation()
    except network.Forbidden as error:
        print(f"nat-matrix: {error}", file=sys.stderr)
        return EXIT_FORBIDDEN
    began = time.monotonic()
    signal.signal(signal.SIGTERM, terminate)
    try:
        checks = run_checks(profiles, given.jobs)
        cells = run(pairs, given.jobs, given.repeat, given.patience, given.delay)
        tasks = run_scenarios(scenarios, given.jobs, given.repeat)
    except KeyboardInterrupt:
        print("nat-matrix: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Terminated:
        print("nat-matrix: terminated", file=sys.stderr)
        return EXIT_TERMINATED
    summary = report.summarize(checks, cells, tasks, time.monotonic() - began, given.delay)
    print(report.text(summary))
    if given.out:
        report.write(given.out, summary)
        print(f"written: {given.out / 'matrix.json'}, {given.out / 'matrix.html'}")
    return EXIT_DEVIATION if summary["deviations"] else 0
