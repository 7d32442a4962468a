"""Single cells of the matrix, with a relay and without one: what is asked for, expected and shown."""

import pytest

from testbed.nat import main, page, report
from testbed.nat.cell import Result, settings
from testbed.nat.check import Check, Found
from testbed.nat.expectation import Table
from testbed.nat.profiles import PROFILES
from testbed.nat.runner import Cell


def test_pairs_are_those_of_the_command_line():
    given = main.parser().parse_args(["--cells", "linux/public, public/linux", "--without-relay",
                                      "linux/linux"])
    assert [(a.name, b.name, relay) for a, b, relay in main.selected_pairs(given)] == [
        ("linux", "public", True), ("public", "linux", True), ("linux", "linux", False)]


@pytest.mark.parametrize("arguments", [
    ["--cells", "linux"], ["--cells", "linux/windows"], ["--without-relay", "linux/linux/linux"],
    ["--cells", "linux/linux", "--profiles", "linux"],
    ["--without-relay", "linux/linux", "--scenarios", "all"]])
def test_what_is_no_pair_is_refused_in_a_sentence(arguments, capsys):
    assert main.main(arguments) == main.EXIT_USAGE
    assert capsys.readouterr().err.startswith("nat-matrix: ")


@pytest.mark.parametrize("connecting, listening, outcomes", [
    ("apdm-apdf", "apdm-apdf", ("failed",)), ("linux", "linux", ("direct",)),
    ("udp-blocked", "public", ("direct",)), ("ipv6-only", "linux", ("failed",)),
    ("apdm-apdf", "eim-apdf", ("failed", "direct"))])
def test_without_a_relay_what_would_be_relayed_fails(connecting, listening, outcomes):
    found = Table().of(PROFILES[connecting], PROFILES[listening], relay=False)
    assert found.outcomes == outcomes and found.reason.endswith("; there is no relay")
    assert "failed" not in Table().of(PROFILES[connecting], PROFILES[listening]).outcomes


def test_without_a_relay_none_is_named():
    assert "--turn" in settings(PROFILES["linux"])
    assert not [word for word in settings(PROFILES["linux"], False) if "turn" in str(word)]


def test_a_matrix_of_some_cells_is_shown():
    public, hard = PROFILES["public"], PROFILES["apdm-apdf"]
    cells = [Cell(hard, hard, Table().of(hard, hard, relay), relay=relay) for relay in (False, True)]
    cells[0].result = Result("failed", why="nothing was heard")
    cells[1].result = Result("relayed", first_octet_ms=123, reason_given="both_nats_dependent")
    summary = report.summarize([Check(public, Found()), Check(hard, Found())], cells, [], 1.0)
    assert [cell["relay"] for cell in summary["cells"]] == [False, True]
    shown = page.render(summary)
    assert shown.count("<button") == 1 and ">123</button>" in shown
    lines = report.text(summary).splitlines()
    assert " 2 apdm-apdf     R" in lines and "apdm-apdf → apdm-apdf without a relay: failed" in lines
    assert report.progress(cells[0], 1, 2).startswith("[1/2] apdm-apdf → apdm-apdf without a relay: failed")
