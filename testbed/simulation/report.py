"""What is said of results."""

import collections
import pathlib
import statistics


def summary(result: dict) -> str:
    """Why a run has failed, in one line."""
    reasons = "; ".join(result["violations"]) or f"expected {', '.join(result['expected'])}"
    return f"{result['scenario']} with seed {result['seed']}: {result['outcome']} ({reasons})"


def replay_command(program: pathlib.Path, result: dict) -> str:
    return (f"{program} --scenario {result['scenario']} --seed {result['seed']} --trace "
            "--pcap FOLDER")


def by_scenario(results: list[dict]) -> dict[str, dict]:
    groups = collections.defaultdict(list)
    for result in results:
        groups[result["scenario"]].append(result)
    table = {}
    for name, runs in sorted(groups.items()):
        times = [one["connect_seconds"] for one in runs if one["connect_seconds"] is not None]
        table[name] = {
            "runs": len(runs),
            "passed": sum(one["passed"] for one in runs),
            "outcomes": dict(collections.Counter(one["outcome"] for one in runs)),
            "median_connect_seconds": statistics.median(times) if times else None,
        }
    return table


def document(results: list[dict], seconds: float, jobs: int) -> dict:
    """What --json writes, and the page is made of."""
    return {
        "jobs": jobs,
        "wall_seconds": round(seconds, 3),
        "scenarios": by_scenario(results),
        "results": sorted(results, key=lambda one: (one["scenario"], one["seed"])),
    }


def speed(results: list[dict], seconds: float, jobs: int) -> str:
    """How quick that was. Processor time hardly depends on what else the machine does."""
    line = f"{len(results) / seconds:.1f} sessions a second of real time, {jobs} at once"
    spent = [one["cpu_seconds"] for one in results if "cpu_seconds" in one]
    return f"{line}; {1000 * statistics.mean(spent):.1f} ms of processor time each" if spent else line


def closing_line(results: list[dict], different: list[str]) -> str:
    passed = sum(one["passed"] for one in results)
    failed = len(results) - passed + len(different)
    return f"simulation: {passed} passed, {failed} failed"
