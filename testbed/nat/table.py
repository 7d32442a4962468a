"""The figures of docs/nat-traversal.md from several runs of the whole matrix."""

import json
import pathlib
import statistics
from collections.abc import Iterable
from typing import Any

KINDS = ("direct", "relayed", "direct, UDP blocked", "relayed, UDP blocked")


def render(folders: list[pathlib.Path]) -> str:
    runs = [json.loads((folder / "matrix.json").read_text()) for folder in folders]
    return "\n".join(["first octet of each pair, by its first path, ms:", "", *_times(runs), "",
                      "scenarios, first octet, ms:", "", *_compared(runs), "",
                      "data stood still, s:", "", *_still(runs), "",
                      "not what theory allows:", "", *_exceptions(runs), "", *_pace(runs)])


def _span(values: Iterable[float], digits: int = 0) -> str:
    shown = sorted({f"{value:.{digits}f}" for value in values}, key=float)
    return shown[0] if len(shown) == 1 else f"{shown[0]} to {shown[-1]}"


def _times(runs: list[dict[str, Any]]) -> list[str]:
    lines = ["| path | cells | median of a run | least | most |", "|---|---|---|---|---|"]
    for kind in KINDS:
        rows = [run["first_octet_ms"][kind] for run in runs if kind in run["first_octet_ms"]]
        if rows:
            lines.append(f"| {kind} | {_span(r['cells'] for r in rows)} | "
                         f"{_span(r['median'] for r in rows)} | {min(r['least'] for r in rows):.0f} | "
                         f"{max(r['most'] for r in rows):.0f} |")
    return lines


def _scenarios(runs: list[dict[str, Any]], member: str) -> dict[str, list[dict[str, Any]]]:
    """Those of which this is known, in the order of the first run."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        for scenario in run["scenarios"]:
            if scenario[member] is not None:
                found.setdefault(scenario["name"], []).append(scenario)
    return found


def _compared(runs: list[dict[str, Any]]) -> list[str]:
    lines = ["| scenario | with | without |", "|---|---|---|"]
    for name, rows in _scenarios(runs, "like_ms").items():
        lines.append(f"| `{name}` | {_span(r['first_octet_ms'] for r in rows)} | "
                     f"{_span(r['like_ms'] for r in rows)} |")
    return lines


def _still(runs: list[dict[str, Any]]) -> list[str]:
    lines = ["| scenario | seconds |", "|---|---|"]
    for name, rows in _scenarios(runs, "stood_still_ms").items():
        lines.append(f"| `{name}` | {_span((r['stood_still_ms'] / 1000 for r in rows), 1)} |")
    return lines


def _exceptions(runs: list[dict[str, Any]]) -> list[str]:
    """Every pair that was relayed in any of the runs although theory lets it go direct; and how many
    went direct that ICE alone could not join.
    """
    worse: dict[str, list[str]] = {}
    better = []
    for run in runs:
        found = 0
        for cell in run["cells"]:
            found += cell["theory"] == "relayed" and cell["outcome"] == "direct"
            if cell["outcome"] != cell["theory"] and cell["theory"] == "direct":
                row = f"| `{cell['connecting']}` → `{cell['listening']}` | {cell['outcome']} |"
                worse.setdefault(row, []).append(cell["reason"])
        better.append(found)
    lines = ["| pair | outcome | in so many runs | why |", "|---|---|---|---|"]
    lines += [f"{row} {len(reasons)} | {reasons[0]} |"
              for row, reasons in sorted(worse.items(), key=lambda item: item[1][0])]
    return [*lines, "", f"beyond ICE, by a search for the port: {_span(better)} cells of a run"]


def _pace(runs: list[dict[str, Any]]) -> list[str]:
    return [f"{len(run['cells'])} cells, {len(run['scenarios'])} scenarios: "
            f"{run['seconds'] / 60:.1f} minutes, {run['deviations']} not as expected, "
            f"median of a cell {statistics.median(c['seconds'] for c in run['cells']):.1f} s"
            for run in runs if run["cells"]]
