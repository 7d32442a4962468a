"""The matrix for programs (JSON), for a terminal, and as a page of its own (page.py)."""

import dataclasses
import json
import pathlib
import statistics
from typing import Any

from testbed.nat import page
from testbed.nat.profiles import Profile
from testbed.nat.runner import Cell

SIGNS = {"direct": "D", "relayed": "R", "failed": "–"}
LONGEST_REASON = 200


def progress(cell: Cell, number: int, total: int) -> str:
    result = cell.result
    what = result.outcome
    if result.first_octet_ms is not None:
        what += f", first octet after {result.first_octet_ms:.0f} ms ({result.path})"
    if cell.deviates:
        what += f"  NOT AS EXPECTED ({' or '.join(cell.expected.outcomes)}) {result.why}"
    return f"[{number}/{total}] {cell.connecting.name} → {cell.listening.name}: {what}"


def summarize(profiles: list[Profile], cells: list[Cell], seconds: float) -> dict[str, Any]:
    """What is written as JSON. `deviations` counts the cells that are not as expected."""
    return {
        "version": 1,
        "seconds": round(seconds, 1),
        "cells_per_minute": round(len(cells) * 60 / seconds, 1),
        "profiles": [{"name": p.name, "text": p.text} for p in profiles],
        "deviations": sum(cell.deviates for cell in cells),
        "first_octet_ms": times(cells),
        "cells": [{
            "connecting": cell.connecting.name, "listening": cell.listening.name,
            **dataclasses.asdict(cell.result),
            "expected": list(cell.expected.outcomes), "theory": cell.expected.theory,
            "reason": cell.expected.reason, "deviates": cell.deviates} for cell in cells],
    }


def times(cells: list[Cell]) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {}
    for cell in cells:
        if cell.result.first_octet_ms is not None:
            blocked = not (cell.connecting.behaviour.udp and cell.listening.behaviour.udp)
            kind = "without UDP" if blocked else cell.result.outcome
            found.setdefault(kind, []).append(cell.result.first_octet_ms)
    return {kind: {"cells": len(values), "median": statistics.median(values),
                   "least": min(values), "most": max(values)}
            for kind, values in sorted(found.items())}


def text(summary: dict[str, Any]) -> str:
    names = [profile["name"] for profile in summary["profiles"]]
    width = max(len(name) for name in names)
    signs: dict[tuple[str, str], str] = {}
    for cell in summary["cells"]:
        key = cell["connecting"], cell["listening"]
        sign = "!" if cell["deviates"] else SIGNS[cell["outcome"]]
        signs[key] = sign if signs.get(key, sign) == sign else "!"
    lines = ["", f"{'connect ↓  listen →':{width + 4}}" + " ".join(
        f"{n + 1:2}" for n in range(len(names)))]
    for number, row in enumerate(names):
        lines.append(f"{number + 1:2} {row:{width}} " + " ".join(
            f" {signs.get((row, column), ' ')}" for column in names))
    lines += ["", "D direct, R relayed, – no connection (as expected), ! not as expected", ""]
    for kind, figures in summary["first_octet_ms"].items():
        lines.append(f"first octet, {kind}: median {figures['median']:.0f} ms "
                     f"({figures['least']:.0f} to {figures['most']:.0f}, {figures['cells']} cells)")
    for cell in summary["cells"]:
        if cell["deviates"]:
            lines.append(f"NOT AS EXPECTED: {cell['connecting']} → {cell['listening']} is "
                         f"{cell['outcome']}, expected {' or '.join(cell['expected'])}. "
                         f"{cell['why'][-LONGEST_REASON:]}")
    lines.append(f"{len(summary['cells'])} cells in {summary['seconds']} s "
                 f"({summary['cells_per_minute']} a minute), {summary['deviations']} not as expected")
    return "\n".join(lines)


def write(folder: pathlib.Path, summary: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "matrix.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    (folder / "matrix.html").write_text(page.render(summary), encoding="utf-8")
