"""A relayed session finds the port of an endpoint-dependent NAT, and loses nothing on the way."""

import contextlib
import dataclasses
import socket
import tempfile
import threading
import time

import pytest

from testbed.nat import cell, profiles
from testbed.nat.expectation import Table
from testbed.nat.profiles import APDF, APDM, EIM
from testbed.network import PRESERVED, RANDOM, SEQUENTIAL, Nat, Site

SEARCH = 25.0  # seconds that a search takes at most, with what comes before


class Echo:
    """A service that gives back what it gets."""

    def __init__(self, host):
        self.listener = host.namespace.socket(kind=socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            connection, _ = self.listener.accept()
            while octets := connection.recv(65536):
                connection.sendall(octets)


class Session:
    """Two programs behind two NATs, and a connection through them that never rests."""

    def __init__(self, internet, folder, hard, easy, *options):
        server = internet.host("server", [cell.RENDEZVOUS, cell.RELAY, cell.RENDEZVOUS6,
                                          cell.RELAY6])
        cell.Servers(internet, server, folder)
        left = Site(internet, "left", 1, [hard]).host("left")
        right = Site(internet, "right", 2, [easy]).host("right")
        self.echo = Echo(left)
        settings = cell.settings(profiles.PROFILES["eim-apdf"])
        self.a = cell.Program(left.namespace, "connect", f"127.0.0.1:{self.echo.port}", *settings,
                              PEERSOCK_TURN_PASSWORD="word")
        internet.network.callback(cell.end, self.a.process)
        code = self.a.wait_for("code_made")["code"]
        self.b = cell.Program(right.namespace, "listen", "127.0.0.1:0", *settings, *options,
                              PEERSOCK_TURN_PASSWORD="word", PEERSOCK_CODE=code)
        internet.network.callback(cell.end, self.b.process)
        port = int(self.b.wait_for("listening")["address"].rsplit(":", 1)[1])
        self.client = right.namespace.socket(kind=socket.SOCK_STREAM)
        self.client.settimeout(20)
        self.client.connect(("127.0.0.1", port))
        self.sent = 0

    def kinds(self, program):
        return [event["kind"] for event in program.find("path_chosen")]

    def talk_until(self, condition, limit):
        """Says something new every moment, and hears it come back in order."""
        last = time.monotonic() + limit
        while not condition() and time.monotonic() < last:
            said = cell.noise(str(self.sent))[:50_000]
            self.sent += 1
            self.client.sendall(said)
            heard = b""
            while len(heard) < len(said):
                octets = self.client.recv(65536)
                assert octets, "the connection ended"
                heard += octets
            assert heard == said
            for program in (self.a, self.b):
                program.wait_until(lambda: False, 0.02)
        return condition()

    def both_are(self, kind):
        return all(self.kinds(program)[-1:] == [kind] for program in (self.a, self.b))


@pytest.fixture
def session(internet):
    with tempfile.TemporaryDirectory() as folder:
        def make(hard, *options, easy=Nat(EIM, APDF)):
            return Session(internet, folder, hard, easy, *options)
        yield make


@pytest.mark.parametrize("ports", [PRESERVED, SEQUENTIAL])
def test_a_port_that_can_be_told_is_found_at_once(session, ports):
    made = session(Nat(APDM, APDF, ports))
    assert made.talk_until(lambda: made.both_are("direct"), 8)
    assert made.kinds(made.a) == made.kinds(made.b) == ["relayed", "direct"]


def test_a_random_port_is_found_in_time(session):
    # 98 of 100 searches find it; the boxes draw the same ports in every run.
    made = session(Nat(APDM, APDF, RANDOM))
    assert made.talk_until(lambda: made.both_are("direct"), SEARCH)


def test_a_path_that_breaks_is_left_for_the_relay(session, internet):
    made = session(Nat(APDM, APDF, SEQUENTIAL))
    assert made.talk_until(lambda: made.both_are("direct"), 8)
    internet.router.nft("""
        table inet cut {
          chain forward {
            type filter hook forward priority 0;
            ip saddr 198.51.100.16/28 ip daddr 198.51.100.32/28 drop
            ip saddr 198.51.100.32/28 ip daddr 198.51.100.16/28 drop
          }
        }
        """)
    assert made.talk_until(lambda: made.both_are("relayed"), 20)
    spoken = made.sent
    assert made.talk_until(lambda: made.sent >= spoken + 20, 20)


def test_who_wants_no_search_has_none(session):
    made = session(Nat(APDM, APDF, SEQUENTIAL), "--port-search", "off")
    assert not made.talk_until(lambda: "direct" in made.kinds(made.a) + made.kinds(made.b), 6)


def test_the_matrix_takes_either_outcome():
    hard, easy = (profiles.PROFILES[name] for name in ("apdm-apdf", "eim-apdf"))
    expected = Table().of(hard, easy)
    assert expected.theory == "relayed"
    assert set(expected.outcomes) == {"relayed", "direct"}
    both = Table().of(hard, dataclasses.replace(hard, name="another"))
    assert both.outcomes == ("relayed",)
