"""Whether a profile is what its name says, found out before anything relies on it: by an RFC 5780
probe that is the testbed's own, and by `peersock doctor`, whose word on peers is held against theory.
"""

import dataclasses
import time
from typing import Any

from testbed.nat import cell, stun, theory
from testbed.nat.profiles import Profile
from testbed.network import (ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT,
                             Internet, Nat)
from testbed.network.internet import end

DOCTOR = 15.0  # seconds; it takes ten at most
SERVERS = [cell.RENDEZVOUS, cell.RELAY]

# The kinds of peer that doctor speaks of (docs/spec/events.md).
PEERS = {
    "open": theory.Behaviour(),
    "full-cone": theory.Behaviour(),
    "address-restricted": theory.Behaviour(ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT),
    "port-restricted": theory.Behaviour(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT),
    "symmetric": theory.Behaviour(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT),
}


@dataclasses.dataclass
class Found:
    """`probe` is what the testbed has found (none: IPv6 only), `doctor` what peersock says."""

    probe: dict[str, Any] | None = None
    doctor: dict[str, Any] = dataclasses.field(default_factory=dict)
    ways: dict[str, str] = dataclasses.field(default_factory=dict)
    deviations: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0


@dataclasses.dataclass
class Check:
    """One profile in the hands of the runner."""

    profile: Profile
    result: Found = dataclasses.field(default_factory=Found)

    @property
    def deviates(self) -> bool:
        return bool(self.result.deviations)

    def perform(self) -> Found:
        began = time.monotonic()
        found = Found()
        try:
            if self.profile.behaviour.ipv4:
                found.probe = dataclasses.asdict(probe(self.profile))
            found.doctor, found.ways = ask_doctor(self.profile)
            found.deviations = judge(self.profile, found)
        except cell.Failed as failed:
            found.deviations = [str(failed)]
        found.seconds = round(time.monotonic() - began, 3)
        return found

    def broken(self, why: str) -> Found:
        return Found(deviations=[why])

    def from_json(self, given: dict[str, Any]) -> Found:
        return Found(**given)


def probe(profile: Profile) -> stun.Behaviour:
    with Internet() as internet:
        server = stun.Server(internet.host("server", SERVERS), internet.network)
        return stun.Prober(profile.build(internet, "host", 1), server).probe()


def ask_doctor(profile: Profile) -> tuple[dict[str, Any], dict[str, str]]:
    """Its word on the NAT, of the family that the profile is about, and on each kind of peer."""
    with Internet() as internet, cell.folder() as files:
        server = internet.host("server", [*SERVERS, cell.PROXY, cell.RENDEZVOUS6, cell.RELAY6])
        cell.Servers(internet, server, files, profile.proxy)
        host = profile.build(internet, "host", 1)
        doctor = cell.Program(host.namespace, "doctor", *cell.settings(profile),
                              prefix=cell.trusting(files), PEERSOCK_TURN_PASSWORD="word")
        internet.network.callback(end, doctor.process)
        code = doctor.wait_for("ended", DOCTOR)["exit_code"]
        if code != 0:
            raise cell.Failed(f"doctor says: {doctor.story('verdict', DOCTOR)}")
        family = "ipv4" if profile.behaviour.ipv4 else "ipv6"
        nat = next((e for e in doctor.find("doctor_nat") if e["family"] == family), {})
        return ({name: nat.get(name) for name in ("address", "translated", "mapping", "filtering",
                                                  "hairpin", "problem")},
                {e["nat"]: e["way"] for e in doctor.find("doctor_peer")})


def way_by_theory(profile: Profile, peer: theory.Behaviour) -> str:
    """In the words of doctor, where a relay can be reached."""
    own = profile.behaviour
    if own.udp and theory.udp_meets(own, peer):
        return "direct"
    if not own.udp and own.tcp and peer is PEERS["open"]:
        return "direct"  # over TCP
    return "search" if theory.port_may_be_found(own, peer) else "relayed"


def hairpin_of(profile: Profile) -> str | None:
    """In the words of doctor, where silence tells something (docs/spec/events.md)."""
    nat = profile.stages[0] if len(profile.stages) == 1 else None
    if not isinstance(nat, Nat) or nat.mapping != ENDPOINT_INDEPENDENT:
        return None
    return "works" if nat.hairpin else "fails"


def judge_nat(profile: Profile, found: Found) -> list[str]:
    own = profile.behaviour
    if not own.udp:
        seen = found.doctor["address"] or (found.probe or {}).get("mapping")
        return ["UDP gets out"] if seen else []
    expected = {"mapping": own.mapping, "filtering": own.filtering}
    wrong = []
    for who, said, wanted in (("the probe", found.probe, expected),
                              ("doctor", found.doctor, expected | {"hairpin": hairpin_of(profile)})):
        wrong += [f"{who} finds the {what} {said[what]}, not {value}"
                  for what, value in wanted.items()
                  if said is not None and value is not None and said[what] != value]
    return wrong


def judge(profile: Profile, found: Found) -> list[str]:
    own = profile.behaviour
    wrong = judge_nat(profile, found)
    for name, peer in PEERS.items():
        expected = way_by_theory(profile, peer)
        if found.ways.get(name) != expected:
            wrong.append(f"doctor takes peers of the kind {name} for {found.ways.get(name)}, "
                         f"not {expected}")
    return wrong
