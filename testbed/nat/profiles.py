"""The ways to the Internet that are tried, each a line of boxes and what they do together."""

import dataclasses

from testbed.nat.theory import Behaviour
from testbed.network import (
    ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT, PRESERVED, RANDOM,
    SEQUENTIAL, Firewall, Host, Internet, KernelNat, Link, Nat, Site, strictest)
from testbed.network.internet import Stage

EIM = EIF = ENDPOINT_INDEPENDENT
ADM = ADF = ADDRESS_DEPENDENT
APDM = APDF = ADDRESS_AND_PORT_DEPENDENT
PROXY_PORT = 3128


@dataclasses.dataclass(frozen=True)
class Profile:
    name: str
    text: str
    stages: tuple[Stage, ...]  # from the inside to the outside; none: public addresses
    behaviour: Behaviour
    ipv6: bool = False
    ipv4: bool = True
    own_firewall: bool = False
    turn_transport: str = "auto"  # what somebody behind it has to set
    port: int = 0                 # the only one to the outside, for rendezvous and relay
    proxy: bool = False           # and only through the HTTP proxy

    def build(self, internet: Internet, name: str, number: int, link: Link | None = None) -> Host:
        if self.stages:
            return Site(internet, name, number, list(self.stages), link, ipv6=self.ipv6,
                        ipv4=self.ipv4).host(name)
        host = internet.host(name, [f"198.51.100.{number * 16}"], link)
        return host.firewall(Firewall()) if self.own_firewall else host


def _nat(name: str, text: str, *nats: Nat, ipv6: bool = False) -> Profile:
    return Profile(name, text, nats, Behaviour(
        strictest(n.mapping for n in nats), strictest(n.filtering for n in nats),
        all(n.paired for n in nats), ipv6=ipv6), ipv6=ipv6)


def _all() -> list[Profile]:
    home = Nat(EIM, APDF)
    return [
        Profile("public", "public address, nothing in front", (), Behaviour(reachable=True)),
        Profile("public-firewall", "public address, stateful firewall", (),
                Behaviour(EIM, APDF), own_firewall=True),
        _nat("eim-eif", "“full cone”", Nat(EIM, EIF)),
        _nat("eim-adf", "“restricted cone”", Nat(EIM, ADF)),
        _nat("eim-apdf", "“port-restricted cone”", home),
        _nat("eim-apdf-random", "the same, random ports", Nat(EIM, APDF, RANDOM)),
        _nat("eim-apdf-short", "mappings end after 30 s", Nat(EIM, APDF, timeout=30)),
        _nat("eim-apdf-hairpin", "the same, with hairpin", Nat(EIM, APDF, hairpin=True)),
        _nat("eim-apdf-pool", "four external addresses, each host has one of them",
             Nat(EIM, APDF, RANDOM, addresses=4)),
        _nat("adm-adf", "mapping by remote address", Nat(ADM, ADF, RANDOM)),
        _nat("adm-apdf", "the same, port-restricted", Nat(ADM, APDF, SEQUENTIAL)),
        _nat("apdm-eif", "“symmetric”, lets everybody in", Nat(APDM, EIF, RANDOM)),
        _nat("apdm-adf", "“symmetric”, filter by address", Nat(APDM, ADF, RANDOM)),
        _nat("apdm-apdf", "“symmetric”, random ports", Nat(APDM, APDF, RANDOM)),
        _nat("apdm-apdf-sequential", "“symmetric”, ports one after the other",
             Nat(APDM, APDF, SEQUENTIAL)),
        _nat("pool-arbitrary", "four external addresses, any for each mapping",
             Nat(APDM, ADF, RANDOM, addresses=4, paired=False)),
        _nat("cgn-eim", "home NAT behind a carrier's that follows RFC 6888", home,
             Nat(EIM, EIF, RANDOM)),
        _nat("cgn-apdm", "home NAT behind a carrier's “symmetric” one", home,
             Nat(APDM, APDF, RANDOM)),
        Profile("linux", "Linux masquerading", (KernelNat(),), Behaviour(EIM, APDF)),
        Profile("linux-random", "the same, fully-random ports", (KernelNat(random=True),),
                Behaviour(APDM, APDF)),
        Profile("linux-answers", "the same, with a router that answers early packets",
                (KernelNat(answers=True),), Behaviour(EIM, APDF)),
        _nat("dual-stack", "IPv4 behind a NAT, IPv6 behind a firewall", home, ipv6=True),
        Profile("ipv6-only", "IPv6 behind a firewall, no IPv4", (Firewall(),),
                Behaviour(EIM, APDF, ipv4=False, ipv6=True), ipv6=True, ipv4=False),
        Profile("udp-blocked", "no UDP", (Firewall(udp=False),), Behaviour(EIM, APDF, udp=False)),
        Profile("tcp-443", "nothing but TCP to port 443", (Firewall(False, (443,)),),
                Behaviour(EIM, APDF, udp=False, tcp=False), turn_transport="tls", port=443),
        Profile("proxy-only", "nothing but an HTTP proxy, which allows port 443",
                (Firewall(False, (PROXY_PORT,)),), Behaviour(EIM, APDF, udp=False, tcp=False),
                turn_transport="tls", port=443, proxy=True),
    ]


PROFILES = {profile.name: profile for profile in _all()}

# For every run of scripts/test: one of each kind.
CHOSEN = ("public", "eim-eif", "eim-apdf", "adm-adf", "apdm-apdf", "pool-arbitrary", "linux",
          "udp-blocked", "tcp-443", "proxy-only")

# Every behaviour that the box has (testbed probes each before it is believed).
EVERY_NAT = {
    f"{m}-{f}-{p}": Nat(mapping, filtering, p)
    for m, mapping in (("eim", EIM), ("adm", ADM), ("apdm", APDM))
    for f, filtering in (("eif", EIF), ("adf", ADF), ("apdf", APDF))
    for p in (PRESERVED, RANDOM, SEQUENTIAL)
}
