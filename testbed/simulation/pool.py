"""Several peersock-sim processes at once."""

import concurrent.futures
import dataclasses
import json
import pathlib
import subprocess
from collections.abc import Iterator

# A simulation is bounded in virtual time; this is for one that hangs in an instant of it.
LONGEST = 120  # seconds of real time for a seed


@dataclasses.dataclass(frozen=True)
class Task:
    scenario: str
    first_seed: int
    seeds: int


def names_of(program: pathlib.Path, patterns: list[str]) -> list[str]:
    command = [str(program), "--list"]
    for pattern in patterns:
        command += ["--scenario", pattern]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split()


def lost(task: Task, seed: int, reason: str) -> dict:
    """The result of a run that left none."""
    return {"scenario": task.scenario, "seed": seed, "passed": False, "outcome": "crashed",
            "connect_seconds": None, "digest": "", "violations": [reason]}


def _run(program: pathlib.Path, task: Task) -> list[dict]:
    """One process for all seeds of the task; after a crash another one goes on."""
    results: list[dict] = []
    while len(results) < task.seeds:
        seed = task.first_seed + len(results)
        command = [str(program), "--scenario", task.scenario, "--seed", str(seed),
                   "--seeds", str(task.seeds - len(results))]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=LONGEST * (task.seeds - len(results)))
            output, reason = done.stdout, f"status {done.returncode}: {done.stderr.strip()[-200:]}"
        except subprocess.TimeoutExpired as error:
            output, reason = (error.stdout or b"").decode(), "it did not end"
        got = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        results += got
        if len(results) < task.seeds:
            results.append(lost(task, task.first_seed + len(results), reason))
    return results


class Pool:
    def __init__(self, program: pathlib.Path, jobs: int) -> None:
        self._program, self._jobs = program, jobs

    def run(self, tasks: list[Task]) -> Iterator[dict]:
        """Results as they come, in no order."""
        with concurrent.futures.ThreadPoolExecutor(self._jobs) as executor:
            running = [executor.submit(_run, self._program, task) for task in tasks]
            for done in concurrent.futures.as_completed(running):
                yield from done.result()
