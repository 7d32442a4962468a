"""Runs many cells at once, each in a process of its own with which its world ends."""

import dataclasses
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator

from testbed.nat import cell
from testbed.nat.expectation import Expectation
from testbed.nat.profiles import Profile
from testbed.network import isolation

LIMIT = 120.0  # seconds for one cell, whatever happens in it


@dataclasses.dataclass
class Cell:
    connecting: Profile
    listening: Profile
    expected: Expectation
    patience: float | None = None  # seconds that a direct path may take after a relayed one
    result: cell.Result = dataclasses.field(default_factory=cell.Result)

    @property
    def deviates(self) -> bool:
        return self.result.outcome not in self.expected.outcomes


class _Worker:
    def __init__(self, task: Cell) -> None:
        self.task, self.began, self._octets = task, time.monotonic(), b""
        self.pipe, theirs = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            _work(task, theirs, parent)
        os.close(theirs)

    def read(self) -> bool:
        """True at the end."""
        octets = os.read(self.pipe, 65536)
        self._octets += octets
        return not octets

    def finish(self) -> Cell:
        os.close(self.pipe)
        os.waitpid(self.process, 0)
        if self._octets:
            self.task.result = cell.Result(**json.loads(self._octets))
        else:
            self.task.result = cell.Result(why="the cell's process was killed")
        return self.task

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)


def _work(task: Cell, out: int, parent: int) -> None:
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us says when to stop
        isolation.die_with_parent(parent)
        result = cell.run(task.connecting, task.listening, task.expected.outcomes[0],
                          task.patience)
        status = 0
    except BaseException:  # noqa: BLE001 - anything at all belongs into the report
        result = cell.Result(why=traceback.format_exc())
    with open(out, "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(result), file)
    os._exit(status)


def run(cells: Iterable[Cell], jobs: int) -> Iterator[Cell]:
    """Yields each cell when it is done. Stopped early, it leaves no process behind."""
    waiting, running = list(cells), {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                worker = _Worker(waiting.pop(0))
                running[worker.pipe] = worker
            for pipe in select.select(list(running), [], [], 1.0)[0]:
                if running[pipe].read():
                    yield running.pop(pipe).finish()
            for worker in running.values():
                if time.monotonic() - worker.began > LIMIT:
                    worker.kill()
    finally:
        for worker in running.values():
            worker.kill()
            worker.finish()
