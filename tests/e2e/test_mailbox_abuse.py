"""A rendezvous server among clients that mean no good: its memory stays within bounds, and others
are served as if nothing was."""

import contextlib
import json
import os
import socket
import ssl
import threading

import pytest

from harness import LIMIT
from mailbox_house import make_certificate, start
from websocket_client import TEXT, Refused, WebSocket, frame

MIB = 1024


def serves_others(address):
    """Two clients meet and exchange messages."""
    with WebSocket(address) as a, WebSocket(address) as b:
        a.bind("a").say(type="allocate")
        nameplate = a.hear("allocated")["nameplate"]
        for client, side in ((a, None), (b, "b")):
            if side:
                client.bind(side)
            client.say(type="claim", nameplate=nameplate)
            client.say(type="open", mailbox=client.hear("claimed")["mailbox"])
        a.say(type="add", phase="p", body="00")
        b.hear("message")
        for client in (a, b):
            client.say(type="release")
            client.hear("released")
            client.say(type="close", mood="happy")
            client.hear("closed")


class Flood:
    """Sends octets as fast as they are taken, reading nothing, until the connection ends."""

    def __init__(self, client, octets):
        self.client = client
        self.octets = octets
        self.thread = threading.Thread(target=self.pour, daemon=True)
        self.thread.start()

    def pour(self):
        with contextlib.suppress(OSError):
            while True:
                self.client.socket.sendall(self.octets)

    def ends(self):
        self.thread.join(60)
        return not self.thread.is_alive()


def test_floods_of_requests_are_cut_and_cost_little(world):
    server, address = start(world, "--max-backlog", "20M", "--max-backlog-in-all", "40M")
    serves_others(address)
    before = server.resident_kib()
    request = frame(TEXT, json.dumps({"type": "ping", "ping": "x" * 2000}).encode())
    floods = [Flood(WebSocket(address, receive_buffer=4096), request * 50) for _ in range(4)]
    serves_others(address)
    for flood in floods:
        assert flood.ends()
    peak = server.resident_kib()
    # Twice what may wait in all, since the octets of a queued frame are held in both layers.
    assert peak - before < 90 * MIB, (before, peak)
    serves_others(address)
    server.wait_for("client_disconnected", reason="slow")


def test_clients_that_never_read_cost_no_more_than_the_backlog(world):
    server, address = start(world, "--max-mailbox-size", "8M", "--max-backlog", "10M",
                            "--max-backlog-in-all", "30M")
    serves_others(address)
    with WebSocket(address) as writer:
        writer.bind("a").say(type="open", mailbox="m")
        for number in range(15):
            writer.say(type="add", phase=str(number), body="x" * 500_000)
            writer.hear("message")
        before = server.resident_kib()
        readers = []
        for _ in range(15):
            reader = WebSocket(address, receive_buffer=4096)
            reader.bind("b").say(type="open", mailbox="m")
            readers.append(reader)
        serves_others(address)
        server.wait_for("client_disconnected", count=10)
        peak = server.resident_kib()
        assert peak - before < 80 * MIB, (before, peak)
        for reader in readers:
            reader.close()
    serves_others(address)


def test_half_messages_cost_no_more_than_one_message_each(world):
    server, address = start(world, "--max-message-size", "256K")
    serves_others(address)
    before = server.resident_kib()
    clients = [WebSocket(address) for _ in range(60)]
    for client in clients:
        # The head of a frame that says more than comes.
        client.socket.sendall(frame(TEXT, b"{" * 260_000)[:200_000])
    serves_others(address)
    peak = server.resident_kib()
    assert peak - before < 60 * 3 * 256 + 10 * MIB, (before, peak)
    for client in clients:
        client.close()
    server.wait_for("client_disconnected", count=60)
    serves_others(address)


def test_what_is_stored_is_bounded_and_given_back(world):
    server, address = start(world, "--max-stored", "32M", "--max-mailboxes", "500")
    serves_others(address)
    before = server.resident_kib()
    full = 0
    for number in range(40):
        with WebSocket(address) as client:
            client.bind(f"s{number}").say(type="open", mailbox=f"m{number}")
            for phase in range(4):
                client.say(type="add", phase=str(phase), body="x" * 500_000)
            client.say(type="ping", ping=1)
            while (message := client.read())["type"] != "pong":
                full += message["type"] == "error"
    assert full > 0
    peak = server.resident_kib()
    assert peak - before < 64 * MIB, (before, peak)
    for number in range(40):
        with WebSocket(address) as client:
            client.bind(f"s{number}").say(type="close", mailbox=f"m{number}")
            client.hear("closed")
    serves_others(address)


@pytest.mark.parametrize("secure,most", [(False, 4), (True, 40)])  # KiB
def test_many_idle_connections_cost_little_each(world, tmp_path, secure, most):
    certificate, key = make_certificate(tmp_path, "only")
    tls = ssl.create_default_context(cafile=certificate) if secure else None
    options = ("--tls-cert", certificate, "--tls-key", key) if secure else ()
    server, address = start(world, "--max-connections", "2000", "--max-connections-per-address",
                            "2000", *options)
    first = [WebSocket(address, tls=tls) for _ in range(20)]  # what is there once, whoever comes
    before = server.resident_kib()
    clients = [WebSocket(address, tls=tls) for _ in range(400)]
    peak = server.resident_kib()
    assert (peak - before) / len(clients) < most, (before, peak)
    with WebSocket(address, tls=tls) as client:
        client.bind("a").say(type="ping", ping=1)
        client.hear("pong")
    clients += first
    for client in clients:
        client.close()


def test_connections_that_say_nothing_are_cut(world):
    server, address = start(world, "--handshake-timeout", "1")
    silent = [socket.create_connection(address, timeout=LIMIT) for _ in range(50)]
    for number, connection in enumerate(silent):
        # On a busy machine the first of them are cut before the last has said its part.
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET /v1 HTTP/1.1\r\nHost: x\r\n"[:number])
    serves_others(address)
    for connection in silent:
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""
        connection.close()
    serves_others(address)
    assert not server.has("client_disconnected") or all(
        e["reason"] == "closed" for e in server.events if e["event"] == "client_disconnected")


@contextlib.contextmanager
def ended_by_the_server():
    try:
        yield
    except TimeoutError:
        raise
    except OSError:
        pass


@pytest.mark.parametrize("with_state", [False, True])
def test_random_octets_end_no_server(world, tmp_path, with_state):
    options = ("--state", tmp_path / "state.db") if with_state else ()
    server, address = start(world, *options)
    for size in (1, 10, 100, 1000, 100_000):
        # A server that ends the connection first makes shutdown() fail with ENOTCONN, which is no
        # ConnectionError. That it never answers is still seen: a time-out is re-raised.
        with socket.create_connection(address, timeout=LIMIT) as connection, ended_by_the_server():
            connection.sendall(os.urandom(size))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        with WebSocket(address) as client, ended_by_the_server():
            client.socket.sendall(os.urandom(size))
            client.socket.shutdown(socket.SHUT_WR)
            while client.socket.recv(65536):
                pass
    serves_others(address)
    assert server.process.poll() is None


def test_too_many_connections_are_told_so(world):
    _, address = start(world, "--max-connections", "3")
    clients = [WebSocket(address) for _ in range(3)]
    with pytest.raises(Refused, match="503"):
        WebSocket(address)
    for client in clients:
        client.close()
