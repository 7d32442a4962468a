"""The expected table: what theory allows, and the exceptions that the repository admits."""

import dataclasses
import fnmatch
import json
import pathlib

from testbed.nat import theory
from testbed.nat.profiles import Profile

FILE = pathlib.Path(__file__).with_name("expected.json")


@dataclasses.dataclass(frozen=True)
class Expectation:
    outcomes: tuple[str, ...]
    reason: str
    theory: str  # what ICE alone can do

    @property
    def is_exception(self) -> bool:
        return self.outcomes != (self.theory,)


class Table:
    def __init__(self, path: pathlib.Path = FILE) -> None:
        self._exceptions = json.loads(path.read_text())["exceptions"]

    def of(self, connecting: Profile, listening: Profile, relay: bool = True) -> Expectation:
        found = self._with_relay(connecting, listening)
        if relay:
            return found

        def left(outcome: str) -> str:
            return "failed" if outcome == "relayed" else outcome

        return Expectation(tuple(map(left, found.outcomes)), f"{found.reason}; there is no relay",
                           left(found.theory))

    def _with_relay(self, connecting: Profile, listening: Profile) -> Expectation:
        allowed, why = theory.outcome(connecting.behaviour, listening.behaviour)
        for exception in self._exceptions:
            if exception.get("theory", allowed) != allowed:
                continue
            if _matches(exception["pair"], connecting.name, listening.name):
                return Expectation(tuple(exception["outcomes"]), exception["reason"], allowed)
        if allowed == "relayed" and theory.port_may_be_found(connecting.behaviour, listening.behaviour):
            return Expectation(("relayed", "direct"), f"{why}, until the port is found", allowed)
        return Expectation((allowed,), why, allowed)


def _matches(pair: list[str], first: str, second: str) -> bool:
    def fits(one: str, other: str) -> bool:
        return fnmatch.fnmatchcase(one, pair[0]) and fnmatch.fnmatchcase(other, pair[1])

    return fits(first, second) or fits(second, first)
