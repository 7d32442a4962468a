"""What the plots show, out of the results of runs: no drawing."""

import collections
import dataclasses
import math
import re
from typing import Any

from testbed.simulation.sites import LABELS, label

KINDS = {"direct": "direct", "relayed": "relayed", "no_path": "failed", "lost": "lost"}
NAMES = {"direct": "direct", "relayed": "relayed", "failed": "no path", "lost": "ended early",
         "wrong": "broken"}
FEWEST_PAIRS = 4  # of a family that is drawn as a map

Result = dict[str, Any]


def kind_of(result: Result) -> str:
    """Of outcomes, as the pages colour them."""
    return KINDS.get(result["outcome"], "wrong")


def quantile(values: list[float], share: float) -> float:
    """Of sorted values; between two of them in proportion."""
    at = share * (len(values) - 1)
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


@dataclasses.dataclass
class Group:
    """Runs that belong together."""

    runs: list[Result] = dataclasses.field(default_factory=list)

    @property
    def kinds(self) -> dict[str, int]:
        """How many runs ended in which way, in the order of `NAMES`."""
        counted = collections.Counter(map(kind_of, self.runs))
        return {kind: counted[kind] for kind in NAMES if counted[kind]}

    @property
    def main_kind(self) -> str:
        return max(self.kinds, key=lambda kind: self.kinds[kind])

    @property
    def success(self) -> float:
        """The share of runs in which all data arrived."""
        return sum(self.kinds.get(kind, 0) for kind in ("direct", "relayed")) / len(self.runs)

    @property
    def failed(self) -> bool:
        """Any of them is not as expected."""
        return not all(run["passed"] for run in self.runs)

    @property
    def connected(self) -> "Group":
        """The runs that have a time to connect."""
        return Group([run for run in self.runs if run["connect_seconds"] is not None])

    def times(self, kind: str = "") -> list[float]:
        """To connect, in seconds, sorted; of all, or of those that ended in this way."""
        return sorted(run["connect_seconds"] for run in self.runs
                      if run["connect_seconds"] is not None and kind in ("", kind_of(run)))


@dataclasses.dataclass
class Family:
    """Scenarios of one kind behind many pairs of NATs."""

    name: str
    whole: Group
    labels: list[str]
    pairs: dict[tuple[str, str], Group]  # of the listening and the connecting side

    def both_orders(self) -> dict[tuple[str, str], Group]:
        found: dict[tuple[str, str], Group] = {}
        for pair, group in self.pairs.items():
            first, second = sorted(pair, key=LABELS.index)
            found.setdefault((first, second), Group()).runs.extend(group.runs)
        return found


def families(results: list[Result]) -> list[Family]:
    """Those of which enough pairs were run."""
    groups: dict[str, dict[tuple[str, str], Group]] = {}
    for result in results:
        if result["network"] is None:
            continue
        pair = label(result["network"]["listener"]), label(result["network"]["connector"])
        name = result["scenario"].partition("/")[0]
        groups.setdefault(name, {}).setdefault(pair, Group()).runs.append(result)
    found = []
    for name, pairs in groups.items():
        if len(pairs) >= FEWEST_PAIRS:
            used = {side for pair in pairs for side in pair}
            whole = Group([run for group in pairs.values() for run in group.runs])
            found.append(Family(name, whole, [one for one in LABELS if one in used], pairs))
    return found


@dataclasses.dataclass
class Throughput:
    """What arrives at a rate of loss, in octets a second."""

    loss: float  # percent of datagrams that are lost on the way, one way
    values: list[float]


@dataclasses.dataclass(frozen=True, order=True)
class Way:
    """What the runs of one curve have in common; without the engine, those of one figure."""

    octets: int
    round_trip: float  # ms, between the two hosts
    rate: int          # kbit/s, 0: no limit
    engine: str


def _lines(network: dict[str, Any]) -> list[dict[str, Any]]:
    return [network[side][way] for side in ("listener", "connector") for way in ("up", "down")]


def loss_of(network: dict[str, Any]) -> float:
    """One way, in percent: a datagram goes up one line and down another."""
    def there(sender: str, receiver: str) -> float:
        kept = (1 - network[sender]["up"]["loss"] / 100) * (1 - network[receiver]["down"]["loss"] / 100)
        return (1 - kept) * 100

    return round((there("listener", "connector") + there("connector", "listener")) / 2, 6)


def is_steady(network: dict[str, Any]) -> bool:
    """Nothing but delay, rate and loss, and nothing else to do for anybody."""
    lines = _lines(network)
    return (not any(line[what] for line in lines
                    for what in ("jitter_ms", "duplicate", "reorder", "black_hole"))
            and not any(line["bursts"]["begin"] for line in lines)
            and not network["happenings"] and not network["idle_ms"]
            and network["pairs"] == network["sessions"] == 1)


def throughput(results: list[Result]) -> dict[Way, list[Throughput]]:
    """Curves of more than one rate of loss, of sessions on direct paths."""
    curves: dict[Way, dict[float, list[float]]] = {}
    for result in results:
        network, value = result["network"], result["octets_per_second"]
        if value is None or result["outcome"] != "direct" or not is_steady(network):
            continue
        lines = _lines(network)
        way = Way(network["octets"], sum(line["delay_ms"] for line in lines),
                  min(line["rate_kbit"] for line in lines), network["engine"])
        curves.setdefault(way, {}).setdefault(loss_of(network), []).append(value)
    return {way: [Throughput(loss, sorted(values)) for loss, values in sorted(points.items())]
            for way, points in sorted(curves.items()) if len(points) > 1}


def others(results: list[Result]) -> dict[str, Group]:
    """The scenarios that are in no family."""
    drawn = {family.name for family in families(results)}
    found: dict[str, Group] = {}
    for result in results:
        if result["scenario"].partition("/")[0] not in drawn:
            found.setdefault(result["scenario"], Group()).runs.append(result)
    return dict(sorted(found.items(), key=lambda item: _by_numbers(item[0])))


def _by_numbers(name: str) -> list[Any]:
    """To sort by: `loss-2` comes before `loss-10`."""
    return [(float(part), "") if number else (0.0, part)
            for part in re.split(r"(\d+(?:\.\d+)?)", name)
            for number in [part[:1].isdecimal()]]
