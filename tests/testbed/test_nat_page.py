"""The page of the matrix in a browser: all of it is there, and it fits."""

import hashlib

import pytest

from browser import Browser
from testbed.nat import report
from testbed.nat.cell import Result
from testbed.nat.check import Check, Found
from testbed.nat.expectation import Table
from testbed.nat.profiles import PROFILES
from testbed.nat.runner import Cell
from testbed.nat.scenario import Measured, Task
from testbed.nat.scenarios import SCENARIOS

SIZES = {"phone": (390, 844, True), "desktop": (1280, 900, False)}


def made_up_cell(connecting, listening, table):
    """As the real ones look, without an hour of networks."""
    digest = hashlib.sha256(f"{connecting.name} {listening.name}".encode()).digest()
    expected = table.of(connecting, listening)
    result = Result(outcome=expected.outcomes[0])
    if result.outcome != "failed":
        result.first_octet_ms = 80 + digest[0] + (900 if digest[1] < 4 else 0)
        result.path, result.transport = "srflx – relay", "udp"
        result.reason_given = "both_nats_dependent" if result.outcome == "relayed" else ""
    if (connecting.name, listening.name) == ("linux", "eim-eif"):
        result = Result(why="<b>no listening within 45 s & nothing else</b> " + "x" * 300)
    return Cell(connecting, listening, expected, result=result)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Where the page is, and the summary that it shows."""
    table = Table()
    cells = [made_up_cell(a, b, table) for a in PROFILES.values() for b in PROFILES.values()]
    tasks = [Task(s, Measured(s.outcomes[0], 123.4, 100.0 if s.like else None, path="srflx – relay"))
             for s in SCENARIOS.values()]
    tasks[0].result.deviations = ["candidates <i>relay</i> – host, " + "y" * 300]
    checks = [Check(p, Found(doctor={"mapping": p.behaviour.mapping,
                                     "filtering": p.behaviour.filtering}))
              for p in PROFILES.values()]
    checks[0].result.deviations = ["doctor finds the <i>mapping</i> unknown, " + "z" * 300]
    summary = report.summarize(checks, cells, tasks, 250.0)
    folder = tmp_path_factory.mktemp("matrix")
    report.write(folder, summary)
    return folder / "matrix.html", summary


@pytest.fixture(params=SIZES)
def browser(request, written, tmp_path):
    with Browser(tmp_path, *SIZES[request.param]) as made:
        made.open(written[0])
        made.picture(tmp_path / f"{request.param}.png")
        yield made


def test_the_page_is_whole_and_fits(browser, written):
    summary = written[1]
    assert browser.beyond_the_window() == []
    # Figures that do not fit into their cells would be cut off.
    cut = ("[...document.querySelectorAll('.map > *')].filter("
           "e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)")
    assert browser.evaluate(cut) == []
    assert browser.evaluate("[...document.querySelectorAll('.map button')].map(e => e.className)") == [
        "wrong" if cell["deviates"] else cell["outcome"] for cell in summary["cells"]]
    shown = browser.evaluate(
        "[...document.querySelectorAll('.scenarios b')].map(e => e.textContent)")
    assert shown == [scenario["name"] for scenario in summary["scenarios"]]
    assert browser.evaluate("document.querySelectorAll('ol li').length") == len(PROFILES)
    assert browser.evaluate("document.querySelectorAll('ol .bad').length") == 1
    assert browser.complaints == []


def test_a_slower_cell_is_darker(browser, written):
    lightness = browser.evaluate(
        "[...document.querySelectorAll('.map button')].map(e => getComputedStyle(e)"
        ".backgroundColor.match(/[0-9.]+/g).reduce((sum, part) => sum + parseFloat(part), 0))")
    for outcome in ("direct", "relayed"):
        by_time = [light for _, light in sorted(
            (cell["first_octet_ms"], light) for cell, light in zip(written[1]["cells"], lightness)
            if cell["outcome"] == outcome and not cell["deviates"])]
        assert by_time == sorted(by_time, reverse=True) and by_time[-1] < 0.8 * by_time[0]


def test_a_touched_cell_says_why(browser, written):
    cells = written[1]["cells"]
    for number in (0, next(i for i, cell in enumerate(cells) if cell["deviates"]), len(cells) - 1):
        browser.evaluate(f"document.querySelectorAll('.map button')[{number}].click()")
        said = browser.evaluate("document.getElementById('about').textContent")
        cell = cells[number]
        assert said.startswith(f"{cell['connecting']} → {cell['listening']}: {cell['outcome']}")
        assert cell["reason"] in said and cell["why"][-300:] in said
        assert browser.evaluate("document.documentElement.scrollWidth") <= browser.evaluate(
            "window.innerWidth")
    assert browser.complaints == []


def test_what_a_relayed_cell_says_is_what_peersock_said(browser, written):
    number = next(i for i, cell in enumerate(written[1]["cells"]) if cell["outcome"] == "relayed")
    about = browser.evaluate(f"document.querySelectorAll('.map button')[{number}].dataset.about")
    assert "peersock says: both_nats_dependent" in about


def test_a_script_that_fails_would_be_seen(tmp_path):
    """The other tests rest on it."""
    page = tmp_path / "broken.html"
    page.write_text("<!doctype html><script>nothing()</script><img src='http://192.0.2.1/x'>")
    with Browser(tmp_path, *SIZES["phone"]) as browser:
        browser.open(page)
        assert len(browser.complaints) >= 2
