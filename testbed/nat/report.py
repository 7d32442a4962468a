"""The matrix for programs (JSON), for a terminal, and as a page of its own (page.py)."""

import dataclasses
import json
import pathlib
import statistics
from typing import Any

from testbed.nat import page
from testbed.nat.check import Check
from testbed.nat.runner import Cell
from testbed.nat.scenario import Task

SIGNS = {"direct": "D", "relayed": "R", "failed": "–"}
LONGEST_REASON = 200


def progress(cell: Cell, number: int, total: int) -> str:
    result = cell.result
    what = result.outcome
    if result.first_octet_ms is not None:
        what += f", first octet after {result.first_octet_ms:.0f} ms ({result.path})"
    what += reason_text(dataclasses.asdict(result))
    if cell.deviates:
        what += f"  NOT AS EXPECTED ({' or '.join(cell.expected.outcomes)}) {result.why}"
    where = f"{cell.connecting.name} → {cell.listening.name}{'' if cell.relay else ' without a relay'}"
    return f"[{number}/{total}] {where}: {what}"


def reason_text(result: dict[str, Any]) -> str:
    return f", {result['reason_given']}" if result["reason_given"] else ""


def check_progress(check: Check, number: int, total: int) -> str:
    said = check.result.doctor
    what = f"mapping {said.get('mapping')}, filtering {said.get('filtering')}"
    if check.deviates:
        what += "  NOT AS EXPECTED: " + "; ".join(check.result.deviations)[-LONGEST_REASON:]
    return f"[{number}/{total}] profile {check.profile.name}: {what}"


def scenario_progress(task: Task, number: int, total: int) -> str:
    return f"[{number}/{total}] {task.scenario.name}: " + scenario_text(
        {**dataclasses.asdict(task.result), "deviates": task.deviates})


def scenario_text(scenario: dict[str, Any]) -> str:
    what: str = scenario["outcome"]
    if scenario["first_octet_ms"] is not None:
        what += f", first octet after {scenario['first_octet_ms']:.0f} ms"
        if scenario["like_ms"] is not None:
            what += f" ({scenario['like_ms']:.0f} in the network it is compared with)"
        what += f", {scenario['path']}" + reason_text(scenario)
        if scenario["stood_still_ms"] is not None:
            what += f", data stood still for {scenario['stood_still_ms']:.0f} ms"
    if scenario["deviates"]:
        what += "  NOT AS EXPECTED: " + "; ".join(
            sentence[-LONGEST_REASON:] for sentence in scenario["deviations"])
    return what


def summarize(checks: list[Check], cells: list[Cell], scenarios: list[Task],
              seconds: float, delay: float = 0) -> dict[str, Any]:
    """What is written as JSON. `deviations` counts the profiles, cells and scenarios that are not as
    expected.
    """
    return {
        "version": 1,
        "seconds": round(seconds, 1),
        "delay_ms": delay,
        "cells_per_minute": round(len(cells) * 60 / seconds, 1),
        "profiles": [{
            "name": check.profile.name, "text": check.profile.text,
            **dataclasses.asdict(check.result), "deviates": check.deviates} for check in checks],
        "deviations": sum(each.deviates for each in [*checks, *cells, *scenarios]),
        "first_octet_ms": times(cells),
        "cells": [{
            "connecting": cell.connecting.name, "listening": cell.listening.name,
            "relay": cell.relay,
            **dataclasses.asdict(cell.result),
            "expected": list(cell.expected.outcomes), "theory": cell.expected.theory,
            "reason": cell.expected.reason, "deviates": cell.deviates} for cell in cells],
        "scenarios": [{
            "name": task.scenario.name, "text": task.scenario.text,
            **dataclasses.asdict(task.result), "expected": list(task.scenario.outcomes),
            "deviates": task.deviates} for task in scenarios],
    }


def times(cells: list[Cell]) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {}
    for cell in cells:
        if cell.result.first_octet_ms is not None:
            # The path of the first octet; a session may have found a better one since.
            kind = cell.result.first_path or cell.result.outcome
            if not (cell.connecting.behaviour.udp and cell.listening.behaviour.udp):
                kind += ", UDP blocked"
            found.setdefault(kind, []).append(cell.result.first_octet_ms)
    return {kind: {"cells": len(values), "median": statistics.median(values),
                   "least": min(values), "most": max(values)}
            for kind, values in sorted(found.items())}


def text(summary: dict[str, Any]) -> str:
    lines = matrix_lines(summary) if summary["cells"] else []
    if summary["scenarios"]:
        lines += ["", "Scenarios", ""]
        width = max(len(scenario["name"]) for scenario in summary["scenarios"])
        lines += [f"{scenario['name']:{width}}  {scenario_text(scenario)}"
                  for scenario in summary["scenarios"]]
    lines += [f"NOT AS EXPECTED: profile {profile['name']}: {'; '.join(profile['deviations'])}"
              for profile in summary["profiles"] if profile["deviates"]]
    lines += ["", f"{len(summary['cells'])} cells and {len(summary['scenarios'])} scenarios in "
              f"{summary['seconds']} s ({summary['cells_per_minute']} cells a minute), "
              f"{summary['deviations']} not as expected"]
    return "\n".join(lines)


def matrix_lines(summary: dict[str, Any]) -> list[str]:
    names = [profile["name"] for profile in summary["profiles"]]
    width = max(len(name) for name in names)
    signs: dict[tuple[str, str], str] = {}
    for cell in summary["cells"]:
        if not cell["relay"]:
            continue
        key = cell["connecting"], cell["listening"]
        sign = "!" if cell["deviates"] else SIGNS[cell["outcome"]]
        signs[key] = sign if signs.get(key, sign) == sign else "!"
    lines = ["", f"{'connect ↓  listen →':{width + 4}}" + " ".join(
        f"{n + 1:2}" for n in range(len(names)))]
    for number, row in enumerate(names):
        lines.append(f"{number + 1:2} {row:{width}} " + " ".join(
            f" {signs.get((row, column), ' ')}" for column in names))
    lines += [""] + [f"{cell['connecting']} → {cell['listening']} without a relay: {cell['outcome']}"
                     for cell in summary["cells"] if not cell["relay"]]
    lines += ["", "D direct, R relayed, – no connection (as expected), ! not as expected", ""]
    for kind, figures in summary["first_octet_ms"].items():
        lines.append(f"first octet, {kind}: median {figures['median']:.0f} ms "
                     f"({figures['least']:.0f} to {figures['most']:.0f}, {figures['cells']} cells)")
    for cell in summary["cells"]:
        if cell["deviates"]:
            lines.append(f"NOT AS EXPECTED: {cell['connecting']} → {cell['listening']} is "
                         f"{cell['outcome']}, expected {' or '.join(cell['expected'])}. "
                         f"{cell['why'][-LONGEST_REASON:]}")
    return lines


def write(folder: pathlib.Path, summary: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "matrix.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    (folder / "matrix.html").write_text(page.render(summary), encoding="utf-8")
