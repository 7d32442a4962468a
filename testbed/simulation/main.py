"""The command line of scripts/simulate."""

import argparse
import pathlib
import sys
import time

from testbed.simulation.known_failures import is_known, remarks
from testbed.simulation.pool import Pool, Task, names_of
from testbed.simulation.report import closing_line, replay_command, summary, write_json

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="simulate", description="Runs scenarios of docs/simulation.md, in virtual time.")
    parser.add_argument("--scenario", action="append", metavar="NAME",
                        help="a name, or the beginning of names and a star; may be repeated")
    parser.add_argument("--seeds", type=int, default=1, help="of each scenario (1)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (2)")
    parser.add_argument("--twice", action="store_true",
                        help="once more in other processes: the digests must be the same")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes all results")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build-sim/sim/peersock-sim")
    parser.add_argument("--list", action="store_true", help="names the scenarios")
    return parser.parse_args(argv)


def tasks(names: list[str], first: int, seeds: int) -> list[Task]:
    chunk = max(1, min(25, seeds // 4))
    return [Task(name, seed, min(chunk, first + seeds - seed))
            for name in names for seed in range(first, first + seeds, chunk)]


def progress(done: int, total: int, failed: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total}, {failed} failed ", end="", file=sys.stderr, flush=True)


def run_all(program: pathlib.Path, wanted: list[Task], jobs: int) -> list[dict]:
    total = sum(task.seeds for task in wanted)
    results: list[dict] = []
    for result in Pool(program, jobs).run(wanted):
        results.append(result)
        progress(len(results), total, sum(not one["passed"] for one in results))
        if not result["passed"]:
            print(f"{summary(result)}\n  again: {replay_command(program, result)}", flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return results


def differences(first: list[dict], second: list[dict]) -> list[str]:
    def digests(results: list[dict]) -> dict[tuple[str, int], str]:
        return {(one["scenario"], one["seed"]): one["digest"] for one in results}

    again = digests(second)
    return [f"{name} with seed {seed}: the digest is {digest}, and {again.get((name, seed))} in "
            "another run" for (name, seed), digest in sorted(digests(first).items())
            if again.get((name, seed)) != digest]


def main(argv: list[str]) -> int:
    args = arguments(argv)
    if not args.program.exists():
        print(f"simulate: {args.program} is not there: configure with -Dsim=true and build "
              "(docs/simulation.md)", file=sys.stderr)
        return 2
    names = names_of(args.program, args.scenario or ["*"])
    if not names:
        print("simulate: no scenario has this name; --list shows them all", file=sys.stderr)
        return 2
    if args.list:
        print("\n".join(names))
        return 0
    wanted = tasks(names, args.first_seed, args.seeds)
    began = time.monotonic()
    results = run_all(args.program, wanted, args.jobs)
    seconds = time.monotonic() - began
    different = differences(results, run_all(args.program, wanted, args.jobs)) if args.twice else []
    for line in [*remarks(results), *different]:
        print(line)
    if args.json:
        write_json(args.json, results, seconds, args.jobs)
    print(f"{len(results) / seconds:.1f} sessions a second of real time, {args.jobs} at once")
    print(closing_line(results, different))
    return 1 if different or any(not one["passed"] and not is_known(one) for one in results) else 0
