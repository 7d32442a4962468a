"""Runs many cells, or scenarios, at once, each in a process of its own with which its world ends."""

import dataclasses
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from testbed.nat import cell
from testbed.nat.expectation import Expectation
from testbed.nat.profiles import Profile
from testbed.network import isolation

LIMIT = 120.0  # seconds for one task, whatever happens in it


@dataclasses.dataclass
class Cell:
    connecting: Profile
    listening: Profile
    expected: Expectation
    patience: float | None = None  # seconds that a direct path may take after a relayed one
    result: cell.Result = dataclasses.field(default_factory=cell.Result)
    delay: float = 0  # of each site's line, in ms
    relay: bool = True  # there is one, and both know it

    @property
    def deviates(self) -> bool:
        return self.result.outcome not in self.expected.outcomes or self.is_unexplained

    @property
    def is_unexplained(self) -> bool:
        """peersock has to say why a path is relayed."""
        return self.result.outcome == "relayed" and self.result.reason_given in ("", "still_checking")

    def perform(self) -> cell.Result:
        return cell.run(self.connecting, self.listening, self.expected.outcomes[0], self.patience,
                        self.delay, self.relay)

    def broken(self, why: str) -> cell.Result:
        return cell.Result(why=why)

    def from_json(self, given: dict[str, Any]) -> cell.Result:
        return cell.Result(**given)


class Task(Protocol):
    """What is run in a process of its own; its result, a dataclass, comes back as JSON."""

    result: Any

    def perform(self) -> Any: ...
    def broken(self, why: str) -> Any: ...
    def from_json(self, given: dict[str, Any]) -> Any: ...


AnyTask = TypeVar("AnyTask", bound=Task)


class _Worker(Generic[AnyTask]):
    def __init__(self, task: AnyTask) -> None:
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

    def finish(self) -> AnyTask:
        os.close(self.pipe)
        os.waitpid(self.process, 0)
        if self._octets:
            self.task.result = self.task.from_json(json.loads(self._octets))
        else:
            self.task.result = self.task.broken("its process was killed")
        return self.task

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)


def _work(task: Task, out: int, parent: int) -> None:
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us says when to stop
        isolation.die_with_parent(parent)
        result = task.perform()
        status = 0
    except BaseException:  # noqa: BLE001 - anything at all belongs into the report
        result = task.broken(traceback.format_exc())
    with open(out, "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(result), file)
    os._exit(status)


def run(tasks: Iterable[AnyTask], jobs: int) -> Iterator[AnyTask]:
    """Yields each when it is done. Stopped early, it leaves no process behind."""
    waiting, running = list(tasks), {}
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
