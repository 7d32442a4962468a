"""A profile means the same in the simulation: what its boxes do together is what the theory takes it
for, which test_nat_profiles.py has found by probing the real ones.
"""

import dataclasses

import pytest

from testbed.nat.profiles import CHOSEN, PROFILES
from testbed.network import Nat, strictest
from testbed.simulation.sites import (
    LABELS, NO_UDP, PUBLIC, NotSimulated, label, nat_json, site_json)

# What the simulation does not have; docs/simulation.md says so.
NOT_SIMULATED = {"tcp-443", "proxy-only", "linux-answers"}


def test_what_cannot_be_simulated_is_known():
    missing = set()
    for name, profile in PROFILES.items():
        try:
            site_json(profile, 10)
        except NotSimulated as reason:
            assert str(reason)
            missing.add(name)
    assert missing == NOT_SIMULATED
    assert len(set(CHOSEN) - missing) >= 5


@pytest.mark.parametrize("name", sorted(set(PROFILES) - NOT_SIMULATED))
def test_a_site_does_what_its_profile_does(name):
    behaviour = PROFILES[name].behaviour
    site = site_json(PROFILES[name], 12.5)
    nats = site["nats"]
    assert [] == nats if behaviour.reachable else nats
    if nats:
        assert strictest(nat["mapping"] for nat in nats) == behaviour.mapping
        assert strictest(nat["filtering"] for nat in nats) == behaviour.filtering
        assert all(nat["paired"] for nat in nats) == behaviour.paired
        assert all(nat["udp"] for nat in nats) == behaviour.udp
    assert (site["ipv4"], site["ipv6"]) == (behaviour.ipv4, behaviour.ipv6)
    assert site["up"] == site["down"] == {"delay_ms": 12.5}


def test_nothing_of_a_nat_is_left_out():
    """Whatever differs in a description differs for the simulation too."""
    usual = Nat()
    for field, other in {"mapping": "address-dependent", "filtering": "endpoint-independent",
                         "port": "random", "hairpin": True, "timeout": 30.0, "addresses": 4,
                         "paired": False}.items():
        assert nat_json(dataclasses.replace(usual, **{field: other})) != nat_json(usual), field
    assert {field.name for field in dataclasses.fields(Nat)} == {
        "mapping", "filtering", "port", "hairpin", "timeout", "addresses", "paired"}


def test_labels_are_those_of_all_boxes_together():
    names = {name: label(site_json(PROFILES[name], 10)) for name in set(PROFILES) - NOT_SIMULATED}
    assert names["public"] == PUBLIC
    assert names["cgn-apdm"] == names["linux-random"] == names["apdm-apdf-sequential"] == "apdm-apdf"
    assert names["cgn-eim"] == names["dual-stack"] == names["linux"] == "eim-apdf"
    assert names["adm-adf"] == "adm-adf"
    assert names["udp-blocked"] == NO_UDP
    assert names["ipv6-only"] == "eim-apdf"
    blocked = site_json(PROFILES["cgn-eim"], 10)
    blocked["nats"][1]["udp"] = False
    assert label(blocked) == NO_UDP
    assert len(LABELS) == 11 and set(names.values()) <= set(LABELS)
