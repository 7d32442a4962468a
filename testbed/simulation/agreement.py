"""Do the two worlds agree? Cells of the matrix of namespaces (scripts/nat-matrix) once more, simulated."""

import collections
import dataclasses
import json
import pathlib
import tempfile
from typing import Any

from testbed.nat.cell import SIZE
from testbed.nat.profiles import PROFILES
from testbed.simulation.pool import Pool, Run
from testbed.simulation.sites import NotSimulated, site_json

# The band for the first octet, in ms. What a simulation does not have takes time in the other world:
# processes start, and processors compute. Nothing there is quicker but by what a clock rounds.
EARLIER = 25.0
LATER = 500.0
LATER_SHARE = 0.25  # of the simulated time, besides


@dataclasses.dataclass
class Compared:
    connecting: str
    listening: str
    relay: bool
    real: list[str]
    simulated: list[str]
    real_ms: float | None = None       # the best of several: other work only makes it later
    simulated_ms: list[float] = dataclasses.field(default_factory=list)
    differences: list[str] = dataclasses.field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.connecting} → {self.listening}{'' if self.relay else ' without a relay'}"

    def judge(self) -> None:
        missing = sorted(set(self.simulated) - set(self.real))
        if missing:
            self.differences.append(f"{' or '.join(self.real)} in namespaces, {' or '.join(missing)} "
                                    "in the simulation")
        elif self.real_ms is not None and self.simulated_ms:
            first = min(self.simulated_ms) - EARLIER
            last = max(self.simulated_ms) * (1 + LATER_SHARE) + LATER
            if not first <= self.real_ms <= last:
                self.differences.append(f"first octet after {self.real_ms:.0f} ms in namespaces, which "
                                        f"should be between {first:.0f} and {last:.0f} ms")


@dataclasses.dataclass
class Agreement:
    cells: list[Compared]
    left_out: dict[str, str]  # pairs that cannot be simulated, and why

    @property
    def differing(self) -> list[Compared]:
        return [cell for cell in self.cells if cell.differences]


class Unusable(Exception):
    """The matrix cannot be compared; the text says why."""


def read_matrix(path: pathlib.Path) -> dict[str, Any]:
    try:
        matrix = json.loads(path.read_text(encoding="utf-8"))
        delay, cells = matrix.get("delay_ms", 0), matrix["cells"]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise Unusable(f"{path} is no result of scripts/nat-matrix ({error})") from error
    if not delay or not cells:
        raise Unusable(f"{path} has no cells with delays: run scripts/nat-matrix --delay 10")
    return matrix


def outcomes(cell: dict[str, Any]) -> set[str]:
    """A session that found a better path later has been on two."""
    if cell["outcome"] == "failed":
        return {"no_path"}
    # It may have taken no time that anybody waited for.
    moved = cell["direct_after_ms"] is not None
    return {cell["outcome"], cell["first_path"]} if moved else {cell["outcome"]}


def has_relay(cell: dict[str, Any]) -> bool:
    return bool(cell.get("relay", True))


def name_of(cell: dict[str, Any]) -> str:
    return f"{cell['connecting']}/{cell['listening']}" + ("" if has_relay(cell) else "/without-relay")


def scenario(cell: dict[str, Any], delay: float) -> dict[str, Any]:
    """Raises NotSimulated. The connecting side makes the code, as in the cells (testbed/nat/cell.py)."""
    connecting, listening = PROFILES[cell["connecting"]], PROFILES[cell["listening"]]
    return {"name": name_of(cell), "listener": site_json(listening, delay),
            "connector": site_json(connecting, delay), "first": "connector", "octets": SIZE,
            "relay": has_relay(cell), "relay_tcp": has_relay(cell)}


def compare(matrix: dict[str, Any], program: pathlib.Path, jobs: int, seeds: int) -> Agreement:
    real: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    scenarios: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for cell in matrix["cells"]:
        name = name_of(cell)
        real[name].append(cell)
        try:
            scenarios[name] = scenario(cell, matrix["delay_ms"])
        except NotSimulated as reason:
            left_out[name] = str(reason)
    simulated = collections.defaultdict(list)
    for result in _simulate(list(scenarios.values()), program, jobs, seeds):
        simulated[result["scenario"]].append(result)
    return Agreement([_compared(real[name], simulated[name]) for name in scenarios], left_out)


def _simulate(scenarios: list[dict[str, Any]], program: pathlib.Path, jobs: int,
              seeds: int) -> list[dict[str, Any]]:
    runs = [Run(one["name"], seed) for one in scenarios for seed in range(1, seeds + 1)]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "scenarios.json"
        file.write_text(json.dumps(scenarios), encoding="utf-8")
        return list(Pool(program, jobs, file).run(runs))


def _compared(real: list[dict[str, Any]], simulated: list[dict[str, Any]]) -> Compared:
    times = [cell["first_octet_ms"] for cell in real if cell["first_octet_ms"] is not None]
    made = Compared(
        real[0]["connecting"], real[0]["listening"], has_relay(real[0]),
        sorted(set().union(*map(outcomes, real))), sorted({one["outcome"] for one in simulated}),
        min(times, default=None),
        [one["first_octet_seconds"] * 1000 for one in simulated if one["first_octet_seconds"]])
    made.differences += [violation for one in simulated for violation in one["violations"]]
    made.judge()
    return made


def text(agreement: Agreement) -> str:
    width = max((len(cell.label) for cell in agreement.cells), default=0)
    lines = [f"{'connecting → listening':{width}}  first octet, ms: namespaces, simulation"]
    for cell in agreement.cells:
        times = "–" if not cell.simulated_ms else f"{min(cell.simulated_ms):.0f}"
        if cell.simulated_ms and max(cell.simulated_ms) - min(cell.simulated_ms) >= 1:
            times += f" to {max(cell.simulated_ms):.0f}"
        real = "–" if cell.real_ms is None else f"{cell.real_ms:.0f}"
        lines.append(f"{cell.label:{width}}  {real:>6}  {times:<12} "
                     f"{' or '.join(cell.simulated)}")
        lines += [f"  NOT THE SAME: {difference}" for difference in cell.differences]
    for reason, names in _by_reason(agreement.left_out).items():
        lines.append(f"left out, because {reason}: {', '.join(names)}")
    same = len(agreement.cells) - len(agreement.differing)
    return "\n".join([*lines, f"agreement: {same} of {len(agreement.cells)} cells are the same in "
                              f"both worlds, {len(agreement.left_out)} cannot be compared"])


def _by_reason(left_out: dict[str, str]) -> dict[str, list[str]]:
    reasons = collections.defaultdict(list)
    for name, reason in left_out.items():
        reasons[reason].append(name.replace("/", " → "))
    return reasons


def as_json(agreement: Agreement) -> dict[str, Any]:
    return {"band": {"earlier_ms": EARLIER, "later_ms": LATER, "later_share": LATER_SHARE},
            "cells": [dataclasses.asdict(cell) for cell in agreement.cells],
            "left_out": agreement.left_out}
