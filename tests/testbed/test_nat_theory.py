"""The table of what theory allows, at the places that everybody knows."""

import itertools

import pytest

from testbed.nat import theory
from testbed.nat.expectation import Table
from testbed.nat.profiles import ADF, ADM, APDF, APDM, CHOSEN, EIF, EIM, PROFILES
from testbed.nat.theory import Behaviour


@pytest.mark.parametrize("first, second, meets", [
    (Behaviour(EIM, APDF), Behaviour(EIM, APDF), True),    # hole punching
    (Behaviour(EIM, EIF), Behaviour(APDM, APDF), True),    # anybody gets in
    (Behaviour(EIM, ADF), Behaviour(APDM, APDF), True),    # the address is known, the port need not
    (Behaviour(EIM, APDF), Behaviour(APDM, APDF), False),  # the port had to be guessed
    (Behaviour(EIM, ADF), Behaviour(APDM, APDF, paired=False), False),  # nor is the address known
    (Behaviour(APDM, APDF), Behaviour(APDM, APDF), False),
    (Behaviour(ADM, EIF), Behaviour(ADM, ADF), True),
    (Behaviour(APDM, EIF), Behaviour(APDM, EIF), False),   # no answer ever comes from where it was
])
def test_known_pairs(first, second, meets):
    assert theory.udp_meets(first, second) is meets
    assert theory.udp_meets(second, first) is meets


def test_more_rounds_change_nothing(monkeypatch):
    pairs = list(itertools.product([p.behaviour for p in PROFILES.values()], repeat=2))
    usual = [theory.outcome(*pair)[0] for pair in pairs]
    monkeypatch.setattr(theory, "ROUNDS", theory.ROUNDS + 6)
    assert [theory.outcome(*pair)[0] for pair in pairs] == usual


def test_every_pair_has_an_expectation_with_a_reason():
    table = Table()
    for first, second in itertools.product(PROFILES.values(), repeat=2):
        expected = table.of(first, second)
        assert set(expected.outcomes) <= {"direct", "relayed", "failed"} and expected.outcomes
        assert expected.reason
        assert expected.outcomes == table.of(second, first).outcomes


def test_the_chosen_profiles_make_at_least_forty_pairs():
    assert len(CHOSEN) ** 2 >= 40


def test_a_network_without_udp_reaches_public_addresses_and_no_others():
    table = Table()
    for profile in PROFILES.values():
        expected = table.of(PROFILES["udp-blocked"], profile)
        reachable = profile.name == "public"
        assert expected.outcomes == (("direct",) if reachable else ("relayed",)), profile.name
        assert not expected.is_exception
