"""The command line of scripts/simulate."""

import argparse
import json
import pathlib
import sys
import time

from testbed.simulation import agreement, page
from testbed.simulation.pool import Pool, Run, names_of
from testbed.simulation.report import closing_line, document, replay_command, speed, summary

ROOT = pathlib.Path(__file__).resolve().parents[2]
AGREEING_SEEDS = 3  # of each cell that is compared


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="simulate", description="Runs scenarios of docs/simulation.md, in virtual time.",
        epilog="Exit codes: 0 everything is as expected, 1 something is not, 2 wrong usage.")
    parser.add_argument("--scenario", action="append", metavar="NAME",
                        help="a name, or the beginning of names and a star; may be repeated")
    parser.add_argument("--seeds", type=int, metavar="N",
                        help=f"of each scenario (1; {AGREEING_SEEDS} with --agree)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (2)")
    parser.add_argument("--twice", action="store_true",
                        help="once more in another order: the digests must be the same")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes all results")
    parser.add_argument("--html", type=pathlib.Path, metavar="FILE",
                        help="writes a page with plots of the results")
    parser.add_argument("--render", type=pathlib.Path, metavar="RESULT",
                        help="runs nothing: the page is made of what --json has written")
    parser.add_argument("--agree", type=pathlib.Path, metavar="MATRIX",
                        help="simulates the cells of a matrix.json of scripts/nat-matrix --delay 10, "
                        "and compares what has come of them")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/sim/peersock-sim")
    parser.add_argument("--list", action="store_true", help="names the scenarios")
    given = parser.parse_args(argv)
    if given.render and not given.html:
        parser.error("--render wants --html FILE, where the page goes")
    if given.agree and (given.html or given.twice or given.scenario):
        parser.error("--agree goes with --jobs, --seeds and --json alone")
    if given.jobs < 1 or (given.seeds is not None and given.seeds < 1):
        parser.error("--jobs and --seeds are at least 1")
    return given


def progress(done: int, total: int, failed: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total}, {failed} failed ", end="", file=sys.stderr, flush=True)


def run_all(program: pathlib.Path, wanted: list[Run], jobs: int) -> list[dict]:
    results: list[dict] = []
    for result in Pool(program, jobs).run(wanted):
        results.append(result)
        progress(len(results), len(wanted), sum(not one["passed"] for one in results))
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


def agree(given: argparse.Namespace) -> int:
    found = agreement.compare(agreement.read_matrix(given.agree), given.program, given.jobs,
                              given.seeds or AGREEING_SEEDS)
    print(agreement.text(found))
    if given.json:
        write(given.json, json.dumps(agreement.as_json(found), indent=1, ensure_ascii=False) + "\n")
    return 1 if found.differing or not found.cells else 0


def simulate(given: argparse.Namespace, names: list[str]) -> int:
    seeds = range(given.first_seed, given.first_seed + (given.seeds or 1))
    wanted = [Run(name, seed) for name in names for seed in seeds]
    began = time.monotonic()
    results = run_all(given.program, wanted, given.jobs)
    seconds = time.monotonic() - began
    # In another order, so that what an earlier run leaves behind in a process would show.
    again = run_all(given.program, wanted[::-1], given.jobs) if given.twice else results
    different = differences(results, again)
    for line in different:
        print(line)
    made = document(results, seconds, given.jobs)
    if given.json:
        write(given.json, json.dumps(made, indent=1) + "\n")
    if given.html:
        write(given.html, page.render(made))
    print(speed(results, seconds, given.jobs))
    print(closing_line(results, different))
    return 1 if different or not all(one["passed"] for one in results) else 0


def read_results(path: pathlib.Path) -> dict:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not document.get("results"):
        raise Refused(f"{path} has no results: it is not what --json writes")
    return document


def write(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def main(argv: list[str]) -> int:
    given = arguments(argv)
    try:
        if given.render:
            write(given.html, page.render(read_results(given.render)))
            return 0
        if not given.program.exists():
            raise Refused(f"{given.program} is not there: configure with -Dsim=true and build "
                          "(docs/simulation.md)")
        if given.agree:
            return agree(given)
        names = names_of(given.program, given.scenario or ["*"])
        if not names:
            raise Refused("no scenario has this name; --list shows them all")
        if given.list:
            print("\n".join(names))
            return 0
        return simulate(given, names)
    except (Refused, agreement.Unusable, OSError, ValueError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 2


class Refused(Exception):
    """Wrong usage, in a sentence."""
