"""Paths over a real TURN server."""

import socket

import pytest

from harness import BOTH_ENGINES, clean_environment, echo, exchange, noise, with_engines
from mailbox_house import make_certificate
from turn_house import trusting, turn_server


def own_address():
    """The address that peersock gathers candidates from: loopback only if there is no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


ADDRESS = own_address()


@pytest.fixture
def turn(tmp_path):
    """coturn on this machine; gives its port. User "user", password "word"."""
    with turn_server(tmp_path, f"--listening-ip={ADDRESS}", f"--relay-ip={ADDRESS}",
                     "--allow-loopback-peers", answers_at=ADDRESS) as port:
        yield port


@pytest.fixture
def tls(tmp_path):
    """The same with TLS; gives its port, and what makes a program trust it."""
    certificate = make_certificate(tmp_path, "turn", f"IP:{ADDRESS}")
    with turn_server(tmp_path, f"--listening-ip={ADDRESS}", f"--relay-ip={ADDRESS}",
                     "--allow-loopback-peers", answers_at=ADDRESS, certificate=certificate) as port:
        yield port, trusting(certificate[0])


def start_pair(world, turn, password, *arguments, prefix=(), **environment):
    settings = ("--rendezvous", world.mailbox, "--stun", "", "--turn", ADDRESS,
                "--turn-port", turn, "--turn-user", "user", *arguments)
    secret = {"PEERSOCK_TURN_PASSWORD": password, **environment}
    a = world.start("connect", f"127.0.0.1:{world.serve(echo)}", *settings,
                    env=clean_environment(**secret), prefix=prefix)
    code = a.wait_for("code_made")["code"]
    b = world.start("listen", "127.0.0.1:0", *settings,
                    env=clean_environment(PEERSOCK_CODE=code, **secret), prefix=prefix)
    return a, b


@with_engines(*BOTH_ENGINES)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_session_that_insists_on_the_relay(world, turn, transport):
    a, b = start_pair(world, turn, "word", "--relay", "only", "--turn-transport", transport)
    b.wait_for("authenticated")
    for side in (a, b):
        path = side.wait_for("path_chosen")
        assert (path["kind"], path["datagram_path"]) == ("relayed", "nice")
        assert path["relay_transport"] == (transport if path["local_type"] == "relay" else None)
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    data = noise(500_000)
    assert exchange(port, data) == data


@pytest.mark.netns
@with_engines(*BOTH_ENGINES)
def test_a_session_over_a_relay_in_tls(world, tls):
    turn, prefix = tls
    a, b = start_pair(world, turn, "word", "--relay", "only", "--turn-transport", "tls",
                      prefix=prefix)
    paths = [side.wait_for("path_chosen") for side in (a, b)]
    assert {path["relay_transport"] for path in paths} <= {"tls", None}
    assert "tls" in [path["relay_transport"] for path in paths]
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    data = noise(500_000)
    assert exchange(port, data) == data


def test_a_relay_that_nobody_vouches_for_is_not_used(world, tls):
    turn, _ = tls
    a, b = start_pair(world, turn, "word", "--turn-transport", "tls")
    b.wait_for("authenticated")
    assert "can not be trusted" in a.wait_for("warning")["message"]
    assert b.wait_for("path_chosen")["kind"] == "direct"


@with_engines(*BOTH_ENGINES)
def test_a_session_that_avoids_the_relay(world, turn):
    _, b = start_pair(world, turn, "word", "--relay", "never")
    b.wait_for("authenticated")
    assert b.wait_for("path_chosen")["kind"] == "direct"


@with_engines(*BOTH_ENGINES)
def test_a_relay_that_refuses_the_password_delays_nothing(world, turn):
    _, b = start_pair(world, turn, "wrong")
    b.wait_for("authenticated", limit=10)
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"


def test_without_a_usable_relay_the_error_says_so(world, turn):
    a, b = start_pair(world, turn, "wrong", "--relay", "only")
    for side in (a, b):
        assert side.exit_code(60) == 6, side.text()
        assert side.error()["kind"] == "no_path"
