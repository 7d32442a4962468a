"""As much of STUN (RFC 8489) as discovering a NAT's behaviour (RFC 5780) takes: requests, a server
with two addresses and two ports, and the tests."""

import contextlib
import dataclasses
import ipaddress
import os
import select
import socket
import struct

from testbed.network import (ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT,
                             PRESERVED, RANDOM, SEQUENTIAL, Host)

COOKIE = 0x2112A442
REQUEST, RESPONSE = 0x0001, 0x0101
CHANGE_REQUEST, XOR_MAPPED_ADDRESS = 0x0003, 0x0020
CHANGE_ADDRESS, CHANGE_PORT = 0x04, 0x02
PORTS = (3478, 3479)

Address = tuple[str, int]


def request(transaction: bytes, change: int = 0) -> bytes:
    attribute = struct.pack("!HHI", CHANGE_REQUEST, 4, change)
    return struct.pack("!HHI", REQUEST, len(attribute), COOKIE) + transaction + attribute


def parse_request(message: bytes) -> tuple[bytes, int] | None:
    if len(message) != 28 or struct.unpack_from("!H", message)[0] != REQUEST:
        return None
    return message[8:20], struct.unpack_from("!I", message, 24)[0]


def response(transaction: bytes, mapped: Address) -> bytes:
    number = int(ipaddress.IPv4Address(mapped[0])) ^ COOKIE
    attribute = struct.pack("!HHBBHI", XOR_MAPPED_ADDRESS, 8, 0, 1, mapped[1] ^ COOKIE >> 16, number)
    return struct.pack("!HHI", RESPONSE, len(attribute), COOKIE) + transaction + attribute


def parse_response(message: bytes) -> tuple[bytes, Address] | None:
    if len(message) != 32 or struct.unpack_from("!H", message)[0] != RESPONSE:
        return None
    port, number = struct.unpack_from("!HI", message, 26)
    return message[8:20], (str(ipaddress.IPv4Address(number ^ COOKIE)), port ^ COOKIE >> 16)


class Server:
    """Answers when it is told to look, so that nothing but the tests need run."""

    def __init__(self, host: Host, stack: contextlib.ExitStack) -> None:
        self.addresses = [a for a in host.addresses if ":" not in a][:2]
        self._sockets: dict[Address, socket.socket] = {}
        for address in self.addresses:
            for port in PORTS:
                made = stack.enter_context(host.namespace.socket())
                made.bind((address, port))
                self._sockets[address, port] = made

    def serve(self, also: socket.socket, limit: float) -> bool:
        """Answers what comes until `also` has something; False when the time is over before."""
        while True:
            ready = select.select([also, *self._sockets.values()], [], [], limit)[0]
            if not ready:
                return False
            for (address, port), made in self._sockets.items():
                if made in ready:
                    self._answer(made, address, port)
            if also in ready:
                return True

    def _answer(self, made: socket.socket, address: str, port: int) -> None:
        message, source = made.recvfrom(2048)
        parsed = parse_request(message)
        if parsed is None:
            return
        transaction, change = parsed
        if change & CHANGE_ADDRESS:
            address = self.addresses[1 - self.addresses.index(address)]
        if change & CHANGE_PORT:
            port = sum(PORTS) - port
        self._sockets[address, port].sendto(response(transaction, source), source)


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """What was found out (RFC 5780 section 4). None: without UDP, nothing can be."""

    mapping: str | None = None
    filtering: str | None = None
    port: str | None = None
    hairpin: bool | None = None


class Prober:
    """The tests, from a host behind the NAT.

    No time says that an answer will not come, on a machine that does much else. So what is asked
    next, and must be answered, tells when the box has got as far: `late` is how many seconds later
    than that an answer may still come, as packets overtake each other on some lines. `patience` is
    for what must be answered unless there is no UDP at all.
    """

    def __init__(self, host: Host, server: Server, late: float = 0.15,
                 patience: float = 3.0) -> None:
        self._host, self._server, self._late, self._patience = host, server, late, patience

    def probe(self) -> Behaviour:
        mapping, ports = self._mapping()
        if mapping is None:
            return Behaviour()
        return Behaviour(mapping, self._filtering(), self._port(ports), self._hairpin())

    def _socket(self) -> socket.socket:
        made = self._host.namespace.socket()
        made.bind(("0.0.0.0", 0))  # noqa: S104 - in a namespace
        return made

    def _ask(self, made: socket.socket, target: Address) -> Address | None:
        transaction = os.urandom(12)
        made.sendto(request(transaction), target)
        while self._server.serve(made, self._patience):
            parsed = parse_response(made.recvfrom(2048)[0])
            if parsed is not None and parsed[0] == transaction:
                return parsed[1]
        return None

    def _is_let_in(self, made: socket.socket, target: Address, change: int) -> bool:
        """Whether the answer from somewhere else than the target arrives."""
        changed, plain = os.urandom(12), os.urandom(12)
        made.sendto(request(changed, change), target)
        made.sendto(request(plain), target)
        limit = self._patience
        while self._server.serve(made, limit):
            parsed = parse_response(made.recvfrom(2048)[0])
            if parsed is not None and parsed[0] == changed:
                return True
            if parsed is not None and parsed[0] == plain:
                limit = self._late
        return False

    def _mapping(self) -> tuple[str | None, list[tuple[int, int]]]:
        """And pairs of own and mapped ports."""
        first, second = self._server.addresses
        with self._socket() as made:
            own = made.getsockname()[1]
            targets = [(first, PORTS[0]), (first, PORTS[1]), (second, PORTS[0]), (second, PORTS[1])]
            answers: list[Address] = []
            for target in targets:
                answer = self._ask(made, target)
                if answer is None:
                    return None, []
                answers.append(answer)
        ports = [(own, port) for _, port in answers]
        if len(set(answers)) == 1:
            return ENDPOINT_INDEPENDENT, ports
        if answers[0] == answers[1] and answers[2] == answers[3]:
            return ADDRESS_DEPENDENT, ports
        return ADDRESS_AND_PORT_DEPENDENT, ports

    def _filtering(self) -> str:
        target = self._server.addresses[0], PORTS[0]
        for change, found in ((CHANGE_ADDRESS | CHANGE_PORT, ENDPOINT_INDEPENDENT),
                              (CHANGE_PORT, ADDRESS_DEPENDENT)):
            with self._socket() as made:
                self._ask(made, target)
                if self._is_let_in(made, target, change):
                    return found
        return ADDRESS_AND_PORT_DEPENDENT

    def _port(self, ports: list[tuple[int, int]]) -> str:
        if ports[0][0] == ports[0][1]:
            return PRESERVED
        drawn = [ports[0][1]]
        for _ in range(3):
            with self._socket() as made:
                answer = self._ask(made, (self._server.addresses[0], PORTS[0]))
                drawn.append(answer[1] if answer else 0)
        steps = [(b - a) % 65536 for a, b in zip(drawn[1:], drawn[2:])]
        return SEQUENTIAL if all(step == 1 for step in steps) else RANDOM

    def _hairpin(self) -> bool:
        target = self._server.addresses[0], PORTS[0]
        with self._socket() as first, self._socket() as second:
            mapped, transaction = self._ask(first, target), os.urandom(12)
            if mapped is None:
                return False
            self._ask(second, target)
            second.sendto(request(transaction), mapped)
            self._ask(second, target)
            while self._server.serve(first, self._late):
                parsed = parse_request(first.recvfrom(2048)[0])
                if parsed is not None and parsed[0] == transaction:
                    return True
        return False
