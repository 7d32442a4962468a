"""The figures for docs/nat-traversal.md are those of the runs."""

import json

import pytest

from testbed.nat import main, table


def figures(cells, median, least, most):
    return {"cells": cells, "median": median, "least": least, "most": most}


def cell(connecting, listening, theory, outcome):
    return {"connecting": connecting, "listening": listening, "theory": theory, "outcome": outcome,
            "reason": "so it is", "seconds": 4.0}


def scenario(name, first, like, still):
    return {"name": name, "first_octet_ms": first, "like_ms": like, "stood_still_ms": still}


@pytest.fixture
def runs(tmp_path):
    """Two runs of a small matrix."""
    made = []
    for number, outcome in enumerate(["direct", "relayed"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "matrix.json").write_text(json.dumps({
            "seconds": 90.0 + number, "deviations": number,
            "first_octet_ms": {"direct": figures(3 + number, 150.4 + 10 * number, 80, 300),
                               "relayed, UDP blocked": figures(2, 180, 90, 310 + number)},
            "cells": [cell("a", "b", "direct", outcome), cell("a", "c", "relayed", "direct")],
            "scenarios": [scenario("race", 1500 + number, 1000, None),
                          scenario("nat-reboots", 100, None, 4000 + 300 * number)]}))
        made.append(folder)
    return made


def test_the_rows_are_those_of_the_runs(runs):
    lines = table.render(runs).splitlines()
    for line in ("| direct | 3 to 4 | 150 to 160 | 80 | 300 |",
                 "| relayed, UDP blocked | 2 | 180 | 90 | 311 |",
                 "| `race` | 1500 to 1501 | 1000 |",
                 "| `nat-reboots` | 4.0 to 4.3 |",
                 "| `a` → `b` | relayed | 1 | so it is |",
                 "beyond ICE, by a search for the port: 1 cells of a run"):
        assert line in lines
    assert not [line for line in lines if line.startswith("| relayed |")]
    assert lines[-1].startswith("2 cells, 2 scenarios: 1.5 minutes, 1 not as expected")


def test_it_is_an_option_of_the_command(runs, capsys):
    assert main.main(["--table", *map(str, runs)]) == 0
    assert "| direct | 3 to 4 |" in capsys.readouterr().out
    assert main.main(["--table", "/nowhere"]) == main.EXIT_USAGE
