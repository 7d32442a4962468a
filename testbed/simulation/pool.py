"""Several peersock-sim processes at once, each of which runs one simulation after the other."""

import contextlib
import dataclasses
import json
import os
import pathlib
import queue
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from typing import IO

# A simulation is bounded in virtual time; this is for one that hangs in an instant of it.
LONGEST = 120.0  # seconds of real time
ENDING = 10.0    # seconds that a process may take to end when there is nothing left to run
REASON = 200     # characters of what a process said last


@dataclasses.dataclass(frozen=True)
class Run:
    scenario: str
    seed: int


def names_of(program: pathlib.Path, patterns: list[str]) -> list[str]:
    command = [str(program), "--list"]
    for pattern in patterns:
        command += ["--scenario", pattern]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split()


def lost(run: Run, reason: str) -> dict:
    """The result of a run that left none."""
    return {"scenario": run.scenario, "seed": run.seed, "passed": False, "outcome": "crashed",
            "expected": [], "connect_seconds": None, "first_octet_seconds": None,
            "octets_per_second": None, "digest": "", "violations": [reason], "network": None}


class _Process:
    """A process that is told what to run, line by line."""

    def __init__(self, command: Sequence[str]) -> None:
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen([*command, "--stdin"], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._said)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in: IO[bytes] = self._process.stdin
        self._out = self._process.stdout.fileno()
        self._rest = b""

    def run(self, run: Run, longest: float) -> dict:
        """Raises Gone with the reason when the process has left no result."""
        try:
            self._in.write(f"{run.scenario} {run.seed}\n".encode())
            self._in.flush()
        except BrokenPipeError:
            raise Gone(self._end()) from None
        last = time.monotonic() + longest
        while True:
            line = self._line(last)
            if line.startswith(b"{"):
                return json.loads(line)

    def _line(self, last: float) -> bytes:
        while b"\n" not in self._rest:
            if not select.select([self._out], [], [], max(0.0, last - time.monotonic()))[0]:
                self.kill()
                raise Gone("it did not end")
            octets = os.read(self._out, 1 << 16)
            if not octets:
                raise Gone(self._end())
            self._rest += octets
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _end(self) -> str:
        status = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        self.close()
        return f"status {status}: {said[-REASON:]}"

    def kill(self) -> None:
        self._process.kill()
        self.close()

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._in.close()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._said.close()


class Gone(Exception):
    """The process has ended, or had to be."""


class Pool:
    def __init__(self, program: pathlib.Path, jobs: int, file: pathlib.Path | None = None,
                 longest: float = LONGEST) -> None:
        self._command = [str(program), *(["--file", str(file)] if file else [])]
        self._jobs, self._longest = jobs, longest

    def run(self, runs: Sequence[Run]) -> Iterator[dict]:
        """Results as they come. A process that crashes is followed by another one."""
        waiting: queue.SimpleQueue[Run] = queue.SimpleQueue()
        done: queue.SimpleQueue[dict] = queue.SimpleQueue()
        for run in runs:
            waiting.put(run)
        stopped = threading.Event()
        threads = [threading.Thread(target=self._work, args=(waiting, done, stopped))
                   for _ in range(min(self._jobs, len(runs)))]
        for thread in threads:
            thread.start()
        try:
            for _ in runs:
                yield done.get()
        finally:
            stopped.set()
            for thread in threads:
                thread.join()

    def _work(self, waiting: "queue.SimpleQueue[Run]", done: "queue.SimpleQueue[dict]",
              stopped: threading.Event) -> None:
        process: _Process | None = None
        while not stopped.is_set():
            try:
                run = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                process = process or _Process(self._command)
                done.put(process.run(run, self._longest))
            except Gone as gone:
                process = None
                done.put(lost(run, str(gone)))
            except Exception as error:  # whoever waits for the result must get one
                process = None
                done.put(lost(run, repr(error)))
        if process:
            process.close()
