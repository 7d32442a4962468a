"""The matrix' profiles (testbed/nat/profiles.py) as sites of the simulation: the one place that says
what of one world is what of the other. The members are those of sim/scenario_json.cpp.
"""

from typing import Any

from testbed.nat.profiles import Profile
from testbed.network import (
    ADDRESS_AND_PORT_DEPENDENT, DEPENDENCIES, ENDPOINT_INDEPENDENT, PRESERVED, RANDOM, Firewall, Nat,
    strictest)
from testbed.network.internet import Stage

SHORT = dict(zip(DEPENDENCIES, ("ei", "ad", "apd")))
PUBLIC, NO_UDP = "public", "no-udp"

# What Linux' masquerading does (a test probes it), and a firewall that lets answers in: it changes no
# address, but a host behind it can be reached in the same cases as one behind such a NAT.
ANSWERS_ALONE = Nat(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, PRESERVED)
FULLY_RANDOM = Nat(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT, RANDOM)


class NotSimulated(Exception):
    """The simulation has nothing like it; the text says what is missing."""


def nat_json(nat: Nat) -> dict[str, Any]:
    return {"mapping": nat.mapping, "filtering": nat.filtering, "port": nat.port,
            "hairpin": nat.hairpin, "addresses": nat.addresses, "paired": nat.paired,
            "timeout_ms": nat.timeout * 1000, "udp": True, "tcp_port": 0}


def _as_nat(stage: Stage) -> Nat:
    if isinstance(stage, Nat):
        return stage
    if isinstance(stage, Firewall):
        if stage.tcp_ports is not None:
            raise NotSimulated("the relay can only be reached over TLS, which is not simulated")
        return ANSWERS_ALONE
    if stage.answers:
        raise NotSimulated("no simulated router answers packets that belong to nobody")
    return FULLY_RANDOM if stage.random else ANSWERS_ALONE


def _stage_json(stage: Stage) -> dict[str, Any]:
    return nat_json(_as_nat(stage)) | {"udp": not isinstance(stage, Firewall) or stage.udp}


def site_json(profile: Profile, delay: float) -> dict[str, Any]:
    """`delay` of its line, each way, in ms. Raises NotSimulated."""
    line = {"delay_ms": delay}
    stages = (Firewall(),) if profile.own_firewall else profile.stages
    return {"nats": [_stage_json(stage) for stage in stages], "up": line, "down": line,
            "ipv4": profile.ipv4, "ipv6": profile.ipv6}


def label(site: dict[str, Any]) -> str:
    """What all boxes of a site do together, as in `eim-apdf`."""
    nats = site["nats"]
    if not nats:
        return PUBLIC
    if not all(nat["udp"] for nat in nats):
        return NO_UDP
    mapping, filtering = (strictest(nat[what] for nat in nats) for what in ("mapping", "filtering"))
    return f"{SHORT[mapping]}m-{SHORT[filtering]}f"


LABELS = [PUBLIC, *(f"{SHORT[m]}m-{SHORT[f]}f" for m in DEPENDENCIES for f in DEPENDENCIES), NO_UDP]
