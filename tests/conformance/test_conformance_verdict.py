"""How findings become verdicts and reports, without any server."""

import json
import types
import xml.etree.ElementTree as ElementTree

import pytest

from testbed.conformance import case, main, profiles, report, runner, servers
from testbed.conformance.client import Failure, OtherWords
from testbed.conformance.verdict import Result, Verdict, judge, missing_fact

DATA = {"servers": {"peersock": "ours", "reference-0.4.1": "old", "reference-0.8.0": "new"},
        "differences": [{"cases": ["x"], "servers": {"reference-0.4.1": "was cut"},
                         "why": "because"}]}
KNOWN = profiles.Profiles(DATA, {"x", "y"})


def a_case(name="x", level=case.REQUIRED, steps=None, **needs):
    return case.Case(name, f"title of {name}", level, case.MAILBOXES, steps, needs)


@pytest.mark.parametrize("profile,failure,verdict", [
    ("unknown", None, Verdict.PASS),
    ("peersock", None, Verdict.PASS),
    ("unknown", "it was cut", Verdict.FAIL),
    ("peersock", "it was cut", Verdict.FAIL),
    ("reference-0.4.1", "it was cut", Verdict.DIFFERS),
    ("reference-0.4.1", "it said no", Verdict.FAIL),  # another difference than the known one
    ("reference-0.4.1", None, Verdict.FAIL),  # a known difference that is no longer one
    ("reference-0.8.0", "it was cut", Verdict.FAIL),
])
def test_a_required_case(profile, failure, verdict):
    assert judge(a_case(), failure, False, profile, KNOWN)[0] is verdict


@pytest.mark.parametrize("level", [case.EXPECTED, case.INFORMATIONAL])
def test_a_case_that_is_not_required(level):
    it = a_case(level=level)
    found = judge(it, "it was cut", False, "unknown", KNOWN)
    assert found[0] is Verdict.DIFFERS and "reference-0.4.1" in found[2]
    found = judge(it, "it exploded", False, "unknown", KNOWN)
    assert found[0] is Verdict.DIFFERS and level.value in found[2]
    # Of a server that is known, everything is known.
    assert judge(it, "it exploded", False, "peersock", KNOWN)[0] is Verdict.FAIL


def test_other_words_are_a_failure_of_known_servers_only():
    assert judge(a_case(), "other words", True, "unknown", KNOWN)[0] is Verdict.DIFFERS
    assert judge(a_case(), "other words", True, "peersock", KNOWN)[0] is Verdict.FAIL


def test_facts_decide_what_is_checked():
    assert missing_fact(a_case(), {}) is None
    assert "--given prunes" in missing_fact(a_case(prunes=None), {})
    assert missing_fact(a_case(prunes=None), {"prunes": "3"}) is None
    assert "listing=on" in missing_fact(a_case(listing="on"), {"listing": "off"})


@pytest.mark.parametrize("header,profile", [
    (None, "unknown"), ("nginx", "unknown"), ("Magic Wormhole Mailbox 0.8.0", "reference-0.8.0"),
    ("Magic Wormhole Mailbox 0.10.1", "reference-0.8.0"),
    ("Magic Wormhole Mailbox 0.7.0", "reference-0.4.1"),
    ("Magic Wormhole Mailbox 0.1", "unknown")])
def test_servers_are_recognised_by_their_header(header, profile):
    assert KNOWN.recognise(header) == profile


@pytest.mark.parametrize("entry", [
    {"cases": ["z"], "servers": {"peersock": "a"}, "why": "b"},
    {"cases": ["y"], "servers": {"nobody": "a"}, "why": "b"},
    {"cases": ["y", "y"], "servers": {"peersock": "a"}, "why": "b"}])
def test_mistakes_in_the_table_are_found(entry):
    with pytest.raises(ValueError, match="differences.json"):
        profiles.Profiles({**DATA, "differences": [entry]}, {"x", "y"})


def run(steps):
    target = types.SimpleNamespace(
        facts={}, profile="unknown", place=lambda: types.SimpleNamespace(leave=lambda: None))
    return runner.run_case(a_case(steps=steps), target, KNOWN)


def raises(error):
    def steps(place):
        raise error

    return steps


def test_what_a_case_raises_becomes_its_verdict():
    assert run(lambda place: None).verdict is Verdict.PASS
    assert run(raises(Failure("no"))).verdict is Verdict.FAIL
    assert run(raises(OtherWords("no"))).verdict is Verdict.DIFFERS
    odd = run(raises(KeyError("type")))
    assert odd.verdict is Verdict.FAIL and "KeyError" in odd.detail


RESULTS = [
    Result(a_case("good"), Verdict.PASS, seconds=0.5),
    Result(a_case("bad"), Verdict.FAIL, "it said \x1b[31m\0<&> instead"),
    Result(a_case("other"), Verdict.DIFFERS, "cut", "old"),
    Result(a_case("slow"), Verdict.NOT_CHECKED, "it needs --given prunes=…"),
]
TARGET = types.SimpleNamespace(url="ws://127.0.0.1/v1", profile="peersock", header="x",
                               facts={"listing": "on"})


def test_the_table_shows_all_and_steers_no_terminal():
    text = report.table(TARGET, RESULTS)
    assert text.splitlines()[-1] == "1 passed, 1 failed, 1 differ, 1 not checked"
    assert "\x1b" not in text and "\0" not in text
    for name in ("good", "bad", "other", "slow"):
        assert f" {name} " in text


def test_json_has_everything():
    found = json.loads(report.as_json(TARGET, RESULTS))
    assert found["totals"] == {"pass": 1, "fail": 1, "differs": 1, "not checked": 1}
    assert found["server"]["profile"] == "peersock"
    assert found["cases"][1]["verdict"] == "fail"
    assert found["cases"][2]["source"] == {"document": "server-protocol.md",
                                           "section": "Mailboxes"}


def test_junit_is_well_formed_and_counts():
    suite = ElementTree.fromstring(report.as_junit(TARGET, RESULTS))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    assert [c.get("name") for c in suite if c.find("failure") is not None] == ["bad"]


def test_every_case_says_what_it_is():
    cases = case.all_cases()
    assert len(cases) >= 200
    for it in cases:
        assert it.title and it.source.section, it.id
        assert set(it.needs) <= set(main.FACTS), it.id
    for level in case.Level:
        assert any(c.level is level for c in cases)


def test_the_page_shows_the_differences_as_they_are():
    page = (servers.ROOT / "docs" / "conformance.md").read_text()
    known = profiles.load({c.id for c in case.all_cases()})
    assert report.difference_list(known) in page, "run scripts/conformance --differences"
