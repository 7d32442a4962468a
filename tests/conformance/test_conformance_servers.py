"""The suite against our server and the reference server's versions: each does what the rules say,
except where testbed/conformance/differences.json explains why not."""

import functools
import json
import os
import pathlib
import re
import subprocess
import warnings

import pytest

from testbed.conformance import servers
from testbed.conformance.servers import ROOT

BINARY = os.environ.get("PEERSOCK_BINARY", str(ROOT / "build" / "peersock"))
ADJUSTABLE = pathlib.Path(BINARY).parent / "tests" / "conformance" / "conformance-server"
SHORT = {"prunes": "2", "pings": "1", "silence": "2"}
REFERENCES = {"reference-0.4.1": "trixie", "reference-0.8.0": "sid"}


@functools.cache
def reference_path(suite):
    name = f"PEERSOCK_MAILBOX_SERVER_{suite.upper()}"
    return pathlib.Path(os.environ.get(name) or subprocess.run(
        [ROOT / "scripts" / "lib" / "mailbox-server", suite], capture_output=True, text=True,
        check=True, timeout=600).stdout.strip())


def profile_of(name):
    """The profile to hold the package to: what the suite of Debian has now may be newer."""
    path = reference_path(REFERENCES[name])
    version = re.search(r"mailbox-server-[a-z]+-([0-9.]+)", str(path))[1]
    if name == f"reference-{version}":
        return name
    warnings.warn(f"Debian {REFERENCES[name]} has {version}, which differences.json does not know:"
                  " only what is required of every server was checked", stacklevel=1)
    return "unknown"


def run(url, profile, *arguments):
    done = subprocess.run(
        [ROOT / "scripts" / "conformance", url, "--as", profile, "--json", "-", *arguments],
        capture_output=True, text=True, timeout=500, check=False)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    bad = [c for c in result["cases"] if c["verdict"] == "fail"]
    assert done.returncode == 0 and not bad, json.dumps(bad, indent=1)
    return result


def given(facts):
    return [word for name, value in facts.items() for word in ("--given", f"{name}={value}")]


def unchecked(result):
    return {c["id"] for c in result["cases"] if c["verdict"] == "not checked"}


def every_rule(url, profile):
    result = run(url, profile)
    # What needs a server that was started for it is checked below, and nothing else is left out.
    assert all(name.startswith(("given.", "slow.")) for name in unchecked(result))
    assert result["totals"]["pass"] + result["totals"]["differs"] >= 200
    return result


def test_our_server_keeps_every_rule():
    with servers.peersock(BINARY) as url:
        result = every_rule(url, "peersock")
    assert result["totals"]["differs"] == 2


@pytest.mark.parametrize("name", REFERENCES)
def test_the_reference_server_differs_only_as_explained(name):
    with servers.reference(reference_path(REFERENCES[name])) as url:
        every_rule(url, profile_of(name))


CONFIGURATIONS = [
    ({"motd": "Good morning, é", "error": "Closed for today", "version": "0.99"},
     {"given.motd", "given.error", "given.version"}),
    ({"listing": "off"}, {"given.list-off"}),
    ({"bare": "yes"}, {"given.no-motd"}),
    (SHORT, {"slow.nameplate", "slow.mailbox", "slow.listener", "slow.crowded", "slow.ping",
             "slow.silence", "slow.alive"}),
]


def configured(url, profile, facts, wanted):
    result = run(url, profile, *given(facts), "--only", "given.*", "--only", "slow.*", "--jobs", "8")
    checked = {c["id"] for c in result["cases"]} - unchecked(result)
    assert checked == wanted


@pytest.mark.parametrize("facts,wanted", CONFIGURATIONS)
def test_our_server_as_it_was_configured(facts, wanted):
    with servers.adjustable(ADJUSTABLE, **facts) as url:
        configured(url, "peersock", facts, wanted)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("facts,wanted", CONFIGURATIONS)
def test_the_reference_server_as_it_was_configured(name, facts, wanted):
    facts = dict(facts)
    if name == "reference-0.4.1" and facts.pop("motd", None):  # it has no such option
        wanted = wanted - {"given.motd"}
    with servers.reference(reference_path(REFERENCES[name]), **facts) as url:
        configured(url, profile_of(name), facts, wanted)
