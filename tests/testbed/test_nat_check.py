"""Profiles are checked before they are used: by a probe, and by what `peersock doctor` says of them."""

import dataclasses

import pytest

from testbed.nat import check
from testbed.nat.check import Check, Found
from testbed.nat.profiles import APDF, APDM, EIF, EIM, PROFILES
from testbed.nat.theory import Behaviour


def found(profile, **doctor):
    """What is found when all is as it should be."""
    own = profile.behaviour
    nat = {"mapping": own.mapping, "filtering": own.filtering} if own.udp else dict.fromkeys(
        ("mapping", "filtering"))
    said = {"address": "192.0.2.1:1" if own.udp else None,
            "hairpin": check.hairpin_of(profile) or "unknown"}
    return Found(nat, {**said, **nat, **doctor},
                 {name: check.way_by_theory(profile, peer) for name, peer in check.PEERS.items()})


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_as_it_should_be_is_no_deviation(name):
    assert check.judge(PROFILES[name], found(PROFILES[name])) == []


@pytest.mark.parametrize("name, said, wrong", [
    ("eim-apdf", {"mapping": APDM}, "doctor finds the mapping address-and-port-dependent"),
    ("eim-apdf", {"filtering": "unknown"}, "doctor finds the filtering unknown"),
    ("eim-apdf", {"hairpin": "works"}, "doctor finds the hairpin works, not fails"),
    ("eim-apdf-hairpin", {"hairpin": "fails"}, "doctor finds the hairpin fails, not works"),
    ("udp-blocked", {"address": "192.0.2.1:1"}, "UDP gets out"),
])
def test_what_is_wrong_is_said(name, said, wrong):
    profile = PROFILES[name]
    assert wrong in " ".join(check.judge(profile, found(profile, **said)))


def test_what_doctor_says_of_peers_is_held_against_theory():
    profile = PROFILES["apdm-apdf"]
    ways = found(profile).ways
    assert list(ways.values()) == ["direct", "direct", "direct", "search", "relayed"]
    wrong = found(profile)
    wrong.ways["port-restricted"] = "relayed"
    assert "port-restricted for relayed, not search" in " ".join(check.judge(profile, wrong))


# The others are checked by every run of scripts/nat-matrix.
@pytest.mark.parametrize("name", ["eim-apdf-hairpin", "pool-arbitrary", "ipv6-only"])
def test_a_profile_is_what_it_says(isolated, name):
    assert Check(PROFILES[name]).perform().deviations == []


def test_one_that_is_not_is_found_out(isolated):
    """By both, with real packets."""
    wrong = dataclasses.replace(PROFILES["eim-apdf"], behaviour=Behaviour(EIM, EIF))
    said = Check(wrong).perform().deviations
    for who in ("the probe", "doctor"):
        assert f"{who} finds the filtering {APDF}, not {EIF}" in said
