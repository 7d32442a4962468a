"""What theory allows: can ICE (RFC 8445) find a direct path between two NATs?

The exchange of checks between two sockets is played through on abstract NATs: each side knows the
other's address as STUN has shown it, sends checks there, learns the addresses that checks come from
(peer-reflexive candidates), and a check succeeds when its answer comes from where it was sent to.
Nothing here shares code with the box that does it to packets (testbed/natbox).
"""

import dataclasses
import itertools

from testbed.network import (ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT)

ROUNDS = 6  # more change nothing: tests/testbed shows it

External = tuple[str, int, int]  # side, address, port


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """What a side's way to the Internet does, all boxes together."""

    mapping: str = ENDPOINT_INDEPENDENT
    filtering: str = ENDPOINT_INDEPENDENT
    paired: bool = True
    udp: bool = True
    ipv4: bool = True
    ipv6: bool = False
    reachable: bool = False  # anybody may open a TCP connection to it
    tcp: bool = True         # to any port


class _Side:
    def __init__(self, name: str, behaviour: Behaviour) -> None:
        self.name, self.behaviour = name, behaviour
        self.mappings: dict[object, External] = {}
        self.allowed: dict[External, set[object]] = {}
        self.known: list[External] = []
        self._ports = itertools.count(1)

    @staticmethod
    def _reduce(dependence: str, remote: External) -> object:
        if dependence == ENDPOINT_INDEPENDENT:
            return None
        return remote[:2] if dependence == ADDRESS_DEPENDENT else remote

    def send(self, remote: External) -> External:
        key = self._reduce(self.behaviour.mapping, remote)
        if key not in self.mappings:
            port = next(self._ports)
            self.mappings[key] = (self.name, 0 if self.behaviour.paired else port, port)
        external = self.mappings[key]
        self.allowed.setdefault(external, set()).add(
            self._reduce(self.behaviour.filtering, remote))
        return external

    def receives(self, external: External, source: External) -> bool:
        return self._reduce(self.behaviour.filtering, source) in self.allowed.get(external, ())


def udp_meets(first: Behaviour, second: Behaviour) -> bool:
    a, b = _Side("a", first), _Side("b", second)
    server: External = ("stun", 0, 3478)
    a.known, b.known = [b.send(server)], [a.send(server)]
    for _ in range(ROUNDS):
        for sender, receiver in ((a, b), (b, a)):
            for target in list(sender.known):
                source = sender.send(target)
                if not receiver.receives(target, source):
                    continue
                if source not in receiver.known:
                    receiver.known.append(source)
                answered_from = receiver.send(source)
                if answered_from == target and sender.receives(source, answered_from):
                    return True
    return False


def port_may_be_found(first: Behaviour, second: Behaviour) -> bool:
    """Whether a search for ports (docs/spec/port-search.md) has a chance: one side has one known
    endpoint, of the other one only the port is not known.
    """
    one_endpoint = [side.mapping == ENDPOINT_INDEPENDENT for side in (first, second)]
    return (all(side.udp and side.ipv4 for side in (first, second))
            and one_endpoint[0] != one_endpoint[1])


def outcome(first: Behaviour, second: Behaviour) -> tuple[str, str]:
    """`direct` or `relayed`, and why in one sentence: a relay is reached from everywhere."""
    if first.udp and second.udp:
        if first.ipv6 and second.ipv6:
            return "direct", "both have IPv6, and two stateful firewalls open for each other"
        if first.ipv4 and second.ipv4:
            if udp_meets(first, second):
                return "direct", "checks reach a mapping that lets them in and answers from it"
            return "relayed", "neither mapping can be told to the other before it is made"
        return "relayed", "no family of addresses in common"
    for active, passive in ((first, second), (second, first)):
        if active.tcp and passive.reachable and active.ipv4 and passive.ipv4:
            return "direct", "one side may open TCP connections to the other"
    return "relayed", "no UDP on one side"
