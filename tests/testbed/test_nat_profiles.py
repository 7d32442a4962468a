"""Every NAT does what its name says: found out as RFC 5780 does it, before anything relies on it."""

import dataclasses

import pytest

from testbed.nat import profiles, stun
from testbed.network import (ADDRESS_AND_PORT_DEPENDENT, ENDPOINT_INDEPENDENT, PRESERVED, RANDOM,
                             KernelNat, Link, Nat, Site)

SERVERS = ["192.0.2.10", "192.0.2.11"]


def probe(internet, *stages, link=None):
    server = stun.Server(internet.host("server", SERVERS), internet.network)
    host = Site(internet, "site", 1, list(stages), link=link).host("host")
    return stun.Prober(host, server).probe()


@pytest.mark.parametrize("hairpin", [False, True], ids=["", "hairpin"])
@pytest.mark.parametrize("name", profiles.EVERY_NAT)
def test_the_box_behaves_as_it_was_told(internet, name, hairpin):
    nat = dataclasses.replace(profiles.EVERY_NAT[name], hairpin=hairpin)
    found = probe(internet, nat)
    # A filter that depends on the address lets nothing back in from the own external address, to
    # which nothing was sent: RFC 5780's hairpin test cannot see such a hairpin.
    seen = hairpin and nat.filtering == ENDPOINT_INDEPENDENT
    assert found == stun.Behaviour(nat.mapping, nat.filtering, nat.port, seen)


@pytest.mark.parametrize("name", [
    name for name, profile in profiles.PROFILES.items()
    if profile.behaviour.ipv4 and profile.name != "public"])
def test_a_profile_behaves_as_the_theory_takes_it(internet, name):
    profile = profiles.PROFILES[name]
    server = stun.Server(internet.host("server", SERVERS), internet.network)
    found = stun.Prober(profile.build(internet, "host", 1), server).probe()
    if not profile.behaviour.udp:
        assert found == stun.Behaviour()
        return
    assert (found.mapping, found.filtering) == (
        profile.behaviour.mapping, profile.behaviour.filtering)


def test_the_kernel_keeps_ports_or_draws_them(internet):
    server = stun.Server(internet.host("server", SERVERS), internet.network)
    for number, (nat, port) in enumerate([(KernelNat(), PRESERVED), (KernelNat(random=True), RANDOM)]):
        host = Site(internet, f"site {number}", number + 1, [nat]).host(f"host {number}")
        assert stun.Prober(host, server).probe().port == port


def test_two_in_a_row_are_as_strict_as_the_stricter(internet):
    found = probe(internet, Nat(), Nat(ADDRESS_AND_PORT_DEPENDENT, ENDPOINT_INDEPENDENT, RANDOM))
    assert (found.mapping, found.filtering) == (
        ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT)


def test_a_probe_through_a_slow_line_finds_the_same(internet):
    found = probe(internet, Nat(), link=Link(delay=10, jitter=2, duplicate=20))
    assert found.mapping == ENDPOINT_INDEPENDENT
