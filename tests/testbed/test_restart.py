"""A session outlives its path: real NATs, real relays, real address changes, data all the while."""

import dataclasses
import hashlib
import socket
import threading
import time

import pytest

from testbed.nat.cell import (LIMIT, PORT, RELAY, RELAY6, RENDEZVOUS, RENDEZVOUS6, TURN_PORT, Program,
                              Servers)
from testbed.network import (ADDRESS_AND_PORT_DEPENDENT, ENDPOINT_INDEPENDENT, PRESERVED, RANDOM, Host,
                             Internet, Nat, Site)
from testbed.network.internet import end

BLOCK, BEAT = 1000, 0.02   # octets, seconds
SECONDS = 11.0             # that data flows
BEFORE = 2.0               # until something happens to the path
WORST = 10.0               # seconds that data may stand still

EIM = ENDPOINT_INDEPENDENT
APDF = ADDRESS_AND_PORT_DEPENDENT


def octets(name: str) -> bytes:
    return hashlib.shake_128(name.encode()).digest(BLOCK * int(SECONDS / BEAT))


class Flow(threading.Thread):
    """Sends at a steady pace and receives, on one socket; knows when what came."""

    def __init__(self, connection: socket.socket, sends: str, receives: str) -> None:
        super().__init__(daemon=True)
        self._connection, self._sends, self._receives = connection, octets(sends), octets(receives)
        self._received = bytearray()
        self._times: list[float] = []
        self.problem = "nothing ended"
        connection.settimeout(LIMIT)
        self.start()

    def run(self) -> None:
        sender = threading.Thread(target=self._send, daemon=True)
        sender.start()
        try:
            while part := self._connection.recv(65536):
                self._times.append(time.monotonic())
                self._received += part
            self.problem = "" if self._received == self._receives else "octets were lost or changed"
        except OSError as error:
            self.problem = f"the connection broke: {error}"
        sender.join()
        self._connection.close()

    def _send(self) -> None:
        pause = threading.Event()
        try:
            for at in range(0, len(self._sends), BLOCK):
                self._connection.sendall(self._sends[at:at + BLOCK])
                pause.wait(BEAT)
            self._connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.problem = f"the connection broke: {error}"

    def longest_pause(self) -> float:
        return max(b - a for a, b in zip(self._times, self._times[1:]))


def start_servers(internet: Internet, folder: object) -> Servers:
    return Servers(internet, internet.host("server", [RENDEZVOUS, RELAY, RENDEZVOUS6, RELAY6]),
                   str(folder))


@dataclasses.dataclass
class Session:
    connecting: Program
    listening: Program
    flows: tuple[Flow, Flow]

    def finish(self, what: str) -> None:
        """Everything has arrived; tells how long data stood still."""
        for flow in self.flows:
            flow.join(LIMIT + SECONDS)
        story = self.connecting.events + self.listening.events
        assert [flow.problem for flow in self.flows] == ["", ""], story
        pause = max(flow.longest_pause() for flow in self.flows)
        print(f"\n{what}: data stood still for {pause:.2f} s")
        assert pause < WORST, story
        for side in (self.connecting, self.listening):
            assert side.wait_until(lambda: len(side.find("path_chosen")) > 1, 1.0), side.events
            assert side.find("path_restarted"), side.events
            assert not side.find("error"), side.events


def start(internet: Internet, left: Host, right: Host, engine: str, *arguments: object) -> Session:
    listener = left.namespace.socket(kind=socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.settimeout(LIMIT)
    common = ["--rendezvous", f"ws://{RENDEZVOUS}:{PORT}/v1", "--stun", RELAY, "--stun-port", TURN_PORT,
              "--turn", RELAY, "--turn-port", TURN_PORT, "--turn-user", "user", "--engine", engine,
              *arguments]
    a = Program(left.namespace, "connect", f"127.0.0.1:{listener.getsockname()[1]}", *common,
                PEERSOCK_TURN_PASSWORD="word")
    internet.network.callback(end, a.process)
    code = a.wait_for("code_made")["code"]
    b = Program(right.namespace, "listen", "127.0.0.1:0", *common, PEERSOCK_TURN_PASSWORD="word",
                PEERSOCK_CODE=code)
    internet.network.callback(end, b.process)
    address = b.wait_for("listening")["address"]
    client = right.namespace.socket(kind=socket.SOCK_STREAM)
    client.connect(("127.0.0.1", int(address.rsplit(":", 1)[1])))
    served, _ = listener.accept()
    listener.close()
    session = Session(a, b, (Flow(client, "up", "down"), Flow(served, "down", "up")))
    threading.Event().wait(BEFORE)
    return session


ENGINES = pytest.mark.parametrize("engine", ["openssl", "ngtcp2"])


@ENGINES
@pytest.mark.parametrize("port", [PRESERVED, RANDOM])
def test_a_nat_reboots(internet, tmp_path, engine, port):
    start_servers(internet, tmp_path)
    sites = [Site(internet, name, number, [Nat(EIM, APDF, port)])
             for number, name in enumerate(["left", "right"], 1)]
    session = start(internet, *(site.host(site.name) for site in sites), engine)
    sites[1].reboot()
    if port == PRESERVED:
        # The next packet makes the same mapping again, as if nothing had been.
        for flow in session.flows:
            flow.join(LIMIT)
        assert [flow.problem for flow in session.flows] == ["", ""]
        return
    session.finish(f"NAT reboot, {engine}")


@ENGINES
def test_a_host_gets_another_address(internet, tmp_path, engine):
    start_servers(internet, tmp_path)
    left = Site(internet, "left", 1, [Nat(EIM, APDF, RANDOM)]).host("left")
    site = Site(internet, "right", 2, [Nat(EIM, APDF, RANDOM)])
    right = site.host("right")
    session = start(internet, left, right, engine)
    right.namespace.ip([f"address del {right.addresses[0]}/24 dev eth0",
                        "address add 10.2.0.99/24 dev eth0",
                        f"route add default via {site.gateway}"])
    session.finish(f"another address, {engine}")
    assert session.listening.find("path_restarted")[0]["reason"] == "network"


@ENGINES
def test_a_relay_dies_and_comes_back(internet, tmp_path, engine):
    servers = start_servers(internet, tmp_path)
    hosts = [Site(internet, name, number, [Nat(APDF, APDF, RANDOM)]).host(name)
             for number, name in enumerate(["left", "right"], 1)]
    session = start(internet, *hosts, engine)
    assert session.listening.find("path_chosen")[-1]["kind"] == "relayed"
    servers.restart_relay()
    session.finish(f"relay restarted, {engine}")
    assert session.listening.find("path_chosen")[-1]["kind"] == "relayed"
