"""Where `peersock mailbox` listens: addresses, Unix sockets, behind a proxy, in TLS."""

import os
import signal
import socket
import ssl
import stat

import pytest

from harness import LIMIT
from mailbox_house import address_of, make_certificate, refusal, start
from websocket_client import Refused, WebSocket

# --- where it listens

def test_it_listens_at_several_places(world, tmp_path):
    path = tmp_path / "socket"
    server = world.start("mailbox", "--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--listen",
                         f"unix:{path}", "--listen", "0")
    server.wait_for("mailbox_listening", count=5)
    urls = [e["url"] for e in server.events if e["event"] == "mailbox_listening"]
    assert urls[0].startswith("ws://127.0.0.1:") and urls[1].startswith("ws://[::1]:")
    assert urls[2] == f"unix:{path}"
    assert address_of(urls[3])[1] == address_of(urls[4])[1]  # both families share the port
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with WebSocket(path) as over_unix, WebSocket(address_of(urls[0])) as over_tcp:
        assert over_unix.welcome == {}
        over_unix.bind("a").say(type="open", mailbox="m")
        over_unix.say(type="add", phase="p", body="00")
        over_unix.hear("message")
        over_tcp.bind("b").say(type="open", mailbox="m")
        assert over_tcp.hear("message")["side"] == "a"
        assert server.wait_for("client_connected")["network"] == "unix"
    server.interrupt()
    assert server.exit_code() == 0
    assert not path.exists()


def test_a_unix_socket_gets_the_mode_that_a_proxy_needs(world, tmp_path):
    path = tmp_path / "socket"
    world.start("mailbox", "--listen", f"unix:{path}", "--unix-mode", "660").wait_for(
        "mailbox_listening")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660


def test_a_proxy_says_whom_it_speaks_for(world, tmp_path):
    path = tmp_path / "socket"
    server = world.start("mailbox", "--listen", f"unix:{path}", "--behind-proxy",
                         "--max-connections-per-address", "2")
    server.wait_for("mailbox_listening")

    def proxied(value):
        return WebSocket(path, headers=[f"X-Forwarded-For: {value}"])

    with proxied("203.0.113.9, 192.0.2.7") as first, proxied("192.0.2.7") as second:
        assert first.welcome["your-address"]["ipv4"] == "192.0.2.7"
        assert server.wait_for("client_connected")["network"] == "192.0.2.0/24"
        assert second.welcome["your-address"]["ipv4"] == "192.0.2.7"
        with pytest.raises(Refused, match="503"):
            proxied("192.0.2.7")
        with proxied("2001:db8:1:2::3") as third:
            assert third.welcome["your-address"]["ipv6"] == "2001:db8:1:2::3"
        first.close()
        server.wait_for("client_disconnected", count=2)
        with proxied("192.0.2.7"):
            pass
    assert "192.0.2.7" not in server.text()


def test_without_being_told_of_a_proxy_nobody_is_believed(world):
    _, address = start(world)
    with WebSocket(address, headers=["X-Forwarded-For: 192.0.2.7"]) as client:
        assert client.welcome["your-address"]["ipv4"] == "127.0.0.1"


# --- TLS

def test_wss_serves_and_reads_a_new_certificate_when_told(world, tmp_path):
    certificate, key = make_certificate(tmp_path, "first")
    server, address = start(world, "--tls-cert", certificate, "--tls-key", key)
    assert server.wait_for("mailbox_listening")["url"].startswith("wss://")

    def serves(trusted):
        with WebSocket(address, tls=ssl.create_default_context(cafile=trusted)) as client:
            client.bind("a").say(type="open", mailbox="m")
            body = "x" * 300_000
            client.say(type="add", phase="p", body=body)
            assert client.hear("message")["body"] == body

    old = certificate.with_suffix(".old")
    old.write_bytes(certificate.read_bytes())
    serves(old)
    new_certificate, new_key = make_certificate(tmp_path, "second")
    certificate.write_bytes(new_certificate.read_bytes())
    server.process.send_signal(signal.SIGHUP)
    assert str(key) in server.wait_for("warning")["message"]  # not the key of this certificate
    serves(old)
    key.write_bytes(new_key.read_bytes())
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("tls_reloaded")
    serves(new_certificate)
    with pytest.raises(ssl.SSLError):
        serves(old)


def test_clients_that_stall_in_tls_keep_nobody_waiting(world, tmp_path):
    certificate, key = make_certificate(tmp_path, "only")
    _, address = start(world, "--tls-cert", certificate, "--tls-key", key)
    hello = bytes.fromhex("1603010200010001fc0303")  # the begin of a ClientHello
    stalled = [socket.create_connection(address, timeout=LIMIT) for _ in range(60)]
    for connection in stalled:
        connection.sendall(hello)
    context = ssl.create_default_context(cafile=certificate)
    for side in "abc":
        with WebSocket(address, tls=context) as client:
            client.bind(side).say(type="ping", ping=1)
            client.hear("pong")
    for connection in stalled:
        connection.close()


def test_what_is_wrong_with_tls_names_the_file(world, tmp_path):
    certificate, key = make_certificate(tmp_path, "good")
    _, other = make_certificate(tmp_path, "other")
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    missing = tmp_path / "missing.pem"
    for options, parts in [
        (("--tls-cert", missing, "--tls-key", key), [str(missing), "can not be read"]),
        (("--tls-cert", certificate, "--tls-key", missing), [str(missing), "can not be read"]),
        (("--tls-cert", empty, "--tls-key", key), [str(empty), "no certificate"]),
        (("--tls-cert", certificate, "--tls-key", empty), [str(empty), "no private key"]),
        (("--tls-cert", certificate, "--tls-key", other),
         [str(other), "is not the key", str(certificate)]),
        (("--tls-cert", certificate), [str(certificate), "no private key"]),
        (("--tls-key", key), ["--tls-cert"]),
    ]:
        message = refusal(world, *options, code=2)
        for part in parts:
            assert part in message
