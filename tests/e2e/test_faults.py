"""What goes wrong in real life, each with its sentence and exit code."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import (BOTH_ENGINES, EVERY_PAIR, LIMIT, clean_environment, connect, echo, exchange,
                     noise, receive_all, with_engines)


def test_an_unreachable_mailbox_server(world):
    peer = world.start("listen", "127.0.0.1:0", "--rendezvous",
                       f"ws://127.0.0.1:{world.reserved_port()}/v1", "--stun", "", "--turn", "")
    assert peer.exit_code(60) == 3, peer.text()
    assert peer.error()["kind"] == "rendezvous"


def test_a_mailbox_server_that_never_answers(world):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        peer = world.start("listen", "127.0.0.1:0", "--rendezvous",
                           f"ws://127.0.0.1:{silent.getsockname()[1]}/v1",
                           "--stun", "", "--turn", "")
        assert peer.exit_code(90) == 3, peer.text()


def test_something_else_at_the_rendezvous_url(world):
    def web(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    peer = world.start("listen", "127.0.0.1:0", "--rendezvous",
                       f"ws://127.0.0.1:{world.serve(web)}/v1", "--stun", "", "--turn", "")
    assert peer.exit_code(60) == 3, peer.text()


def test_the_port_is_in_use(world):
    with socket.create_server(("127.0.0.1", 0)) as other:
        peer = world.peer("listen", f"127.0.0.1:{other.getsockname()[1]}")
        assert peer.exit_code() == 9, peer.text()
        assert str(other.getsockname()[1]) in peer.error()["message"]
        assert not peer.has("rendezvous_joined")


def test_nobody_comes(world):
    peer = world.peer("listen", "127.0.0.1:0", "--timeout", "1")
    assert peer.exit_code() == 7, peer.text()


@with_engines(*BOTH_ENGINES)
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_peer_is_noticed_within_fifteen_seconds(world, victim):
    connecting, listening, port = world.tunnel(world.serve(echo))
    killed, other = (connecting, listening) if victim == 0 else (listening, connecting)
    connection = connect(port)
    connection.sendall(b"x")
    assert connection.recv(1) == b"x"
    began = time.monotonic()
    killed.process.kill()
    assert other.exit_code(16) == 8, other.text()
    assert time.monotonic() - began < 15
    assert other.error()["kind"] == "connection_lost"
    connection.close()


@with_engines(*EVERY_PAIR)
@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_signals_end_both_sides(world, number, code):
    connecting, listening, port = world.tunnel(world.serve(echo))
    connection = connect(port)
    connection.sendall(b"x")
    assert connection.recv(1) == b"x"
    listening.process.send_signal(number)
    assert listening.exit_code() == code, listening.text()
    assert connecting.exit_code() == 0, connecting.text()
    assert connecting.has("peer_left")
    connection.settimeout(LIMIT)
    with pytest.raises(ConnectionResetError):
        receive_all(connection)
    connection.close()


def test_a_signal_while_waiting_for_the_peer(world):
    peer = world.peer("listen", "127.0.0.1:0")
    peer.wait_for("code_made")
    peer.interrupt()
    assert peer.exit_code() == 130


def start_stdio(world, data, stdout):
    """stdio-a whose output is `stdout`, fed by a stdio-b that sends `data`."""
    a = world.peer("stdio-a", stdout=stdout)
    code = a.wait_for("code_made")["code"]
    b = world.peer("stdio-b", code=code, stdin=subprocess.PIPE)
    try:
        b.process.stdin.write(data)
        b.process.stdin.close()
    except BrokenPipeError:
        pass
    return a, b


@with_engines(*BOTH_ENGINES)
def test_a_full_disk_is_reported_on_both_sides(world):
    with open("/dev/full", "wb") as full:
        a, b = start_stdio(world, noise(100_000), full)
    assert a.exit_code() == 9, a.text()
    assert a.error()["kind"] == "local_endpoint"
    assert b.exit_code() in (8, 9), b.text()


@with_engines(*EVERY_PAIR)
def test_a_closed_output_is_reported(world):
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as output:
        a = world.peer("stdio-a", stdout=output)
    os.close(reading)
    b = world.peer("stdio-b", code=a.wait_for("code_made")["code"], stdin=subprocess.PIPE)
    try:
        b.process.stdin.write(noise(1_000_000))
        b.process.stdin.close()
    except BrokenPipeError:
        pass
    assert a.exit_code() == 9, a.text()
    assert b.exit_code() in (8, 9), b.text()


@with_engines(*EVERY_PAIR)
def test_a_refused_target_ends_a_single_session_on_both_sides(world):
    b = world.peer("stdio-b")
    a = world.peer("connect", f"127.0.0.1:{world.reserved_port()}", code=b.wait_for("code_made")["code"])
    assert a.exit_code() == 9, a.text()
    assert b.exit_code() in (8, 9), b.text()


@with_engines(*BOTH_ENGINES)
def test_a_target_name_that_does_not_exist(world):
    b = world.peer("stdio-b")
    a = world.peer("connect", "no-such-host.invalid:80", code=b.wait_for("code_made")["code"])
    assert a.exit_code(40) == 9, a.text()
    assert "no-such-host.invalid" in a.error()["message"]


@with_engines(*BOTH_ENGINES)
def test_a_silent_stun_server_delays_nothing(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        stun = ("--stun", "127.0.0.1", "--stun-port", silent.getsockname()[1], "--turn", "",
                "--rendezvous", world.mailbox)
        a = world.start("connect", f"127.0.0.1:{world.serve(echo)}", *stun)
        code = a.wait_for("code_made")["code"]
        b = world.start("listen", "127.0.0.1:0", *stun, env=clean_environment(PEERSOCK_CODE=code))
        b.wait_for("authenticated", limit=10)
        port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
        assert exchange(port, b"hello") == b"hello"


@with_engines(*BOTH_ENGINES)
def test_a_stopped_reader_holds_up_nobody_else(world):
    """Memory stays bounded: what one connection may hold is QUIC's window and one buffer."""
    resume = threading.Event()

    def handler(connection):
        first = connection.recv(1)
        if first == b"s":
            resume.wait(60)
        else:
            connection.sendall(first)
            echo(connection)

    connecting, listening, port = world.tunnel(world.serve(handler))
    assert exchange(port, b"e" * 100_000) == b"e" * 100_000
    before = [side.resident_kib() for side in (connecting, listening)]
    with connect(port) as blocked:
        blocked.sendall(b"s")
        blocked.settimeout(0.5)
        sent = 0
        chunk = b"x" * 262_144
        with pytest.raises(TimeoutError):
            while sent < 1 << 30:
                sent += blocked.send(chunk)
        for _ in range(5):
            assert exchange(port, b"e" * 200_000) == b"e" * 200_000
        after = [side.resident_kib() for side in (connecting, listening)]
    resume.set()
    for was, now in zip(before, after):
        assert now - was < 40 * 1024, (was, now)


@with_engines(*BOTH_ENGINES)
def test_signals_at_the_very_end_do_no_harm(world):
    # What a session has left is undone in a few turns of the loop, and signals go on coming.
    for _ in range(10):
        a, b = world.pair(("stdio-a",), ("stdio-b",))
        a.wait_for("ended")
        end = time.monotonic() + LIMIT
        while a.process.poll() is None:
            assert time.monotonic() < end, a.text()
            a.process.send_signal(signal.SIGTERM)
        # Once nothing is left to undo, a signal ends a process as it does any other.
        assert a.process.returncode in (0, -signal.SIGTERM), a.text()
        assert b.exit_code() == 0, b.text()
