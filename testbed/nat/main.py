"""Which NATs and firewalls does peersock get through? Real programs in networks of namespaces.

Each cell joins `peersock connect` behind one profile (rows) with `peersock listen` behind another
(columns), over a rendezvous server and coturn on the Internet between them, and moves data both ways.
"""

import argparse
import fnmatch
import pathlib
import sys
import time

from testbed import network
from testbed.nat import report, runner
from testbed.nat.expectation import Table
from testbed.nat.profiles import CHOSEN, PROFILES, Profile

EXIT_DEVIATION, EXIT_USAGE, EXIT_FORBIDDEN, EXIT_INTERRUPTED = 1, 2, 3, 130


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/nat-matrix", description=__doc__,
        epilog="Exit codes: 0 every outcome is as expected (testbed/nat/expected.json), 1 one is "
        "not, 2 wrong usage, 3 this machine forbids network namespaces, 130 interrupted.")
    made.add_argument("--profiles", metavar="NAMES", default="*",
                      help="names or patterns, with commas between; 'chosen' are those of "
                      "scripts/test; default: all")
    made.add_argument("--list", action="store_true", help="list the profiles and end")
    made.add_argument("--jobs", type=int, default=4, metavar="N", help="cells at once (default 4)")
    made.add_argument("--repeat", type=int, default=1, metavar="N", help="run each cell so often")
    made.add_argument("--patience", type=float, metavar="SECONDS",
                      help="how long a direct path may take after a relayed one; default: 5 where one "
                      "is expected, else 0.5")
    made.add_argument("--out", type=pathlib.Path, metavar="DIR",
                      help="write matrix.json and matrix.html here")
    return made


def select(patterns: str) -> list[Profile]:
    chosen: list[str] = []
    for pattern in patterns.split(","):
        found = list(CHOSEN) if pattern == "chosen" else fnmatch.filter(PROFILES, pattern)
        if not found:
            raise ValueError(f"no profile matches {pattern!r}; --list shows them")
        chosen += [name for name in found if name not in chosen]
    return [PROFILES[name] for name in PROFILES if name in chosen]


def run(profiles: list[Profile], jobs: int, repeat: int,
        patience: float | None = None) -> list[runner.Cell]:
    table = Table()
    # Those that take their time come first, so that none of them is waited for at the end.
    tasks = sorted((runner.Cell(a, b, table.of(a, b), patience) for _ in range(repeat)
                    for a in profiles for b in profiles),
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
        return 0
    try:
        profiles = select(given.profiles)
        if given.jobs < 1 or given.repeat < 1:
            raise ValueError("--jobs and --repeat are at least 1")
    except ValueError as error:
        print(f"nat-matrix: {error}", file=sys.stderr)
        return EXIT_USAGE
    try:
        network.enter_isolation()
    except network.Forbidden as error:
        print(f"nat-matrix: {error}", file=sys.stderr)
        return EXIT_FORBIDDEN
    began = time.monotonic()
    try:
        cells = run(profiles, given.jobs, given.repeat, given.patience)
    except KeyboardInterrupt:
        print("nat-matrix: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    summary = report.summarize(profiles, cells, time.monotonic() - began)
    print(report.text(summary))
    if given.out:
        report.write(given.out, summary)
        print(f"written: {given.out / 'matrix.json'}, {given.out / 'matrix.html'}")
    return EXIT_DEVIATION if summary["deviations"] else 0
