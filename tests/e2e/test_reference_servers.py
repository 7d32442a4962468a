"""Our client on the reference rendezvous servers, as Debian packages them."""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time

import pytest

from harness import LIMIT, ROOT, clean_environment, echo, exchange, reserved_port

PYTHON = "/usr/bin/python3"
ICE = ("--stun", "", "--turn", "")
# Debian suite, and the version of python3-magic-wormhole-mailbox-server that it has.
REFERENCES = [("trixie", "0.4.1"), ("sid", "0.8.0")]
AGREED = "4711-lab-name-blanket"


def package_of(suite):
    """The folder for PYTHONPATH."""
    prepared = os.environ.get(f"PEERSOCK_MAILBOX_SERVER_{suite.upper()}")
    return pathlib.Path(prepared or subprocess.run(
        [ROOT / "scripts" / "lib" / "mailbox-server", suite], capture_output=True, text=True,
        check=True, timeout=300).stdout.strip())


@pytest.fixture(scope="module", params=REFERENCES, ids=lambda reference: reference[1])
def reference(request):
    """URL of a running reference server."""
    suite, version = request.param
    package = package_of(suite)
    assert list(package.glob(f"magic_wormhole_mailbox_server-{version}*")), package
    with reserved_port() as port:
        yield from running(package, port)


def running(package, port):
    server = subprocess.Popen(
        [PYTHON, "-m", "twisted", "wormhole-mailbox", f"--port=tcp:{port}:interface=127.0.0.1",
         "--channel-db=:memory:"],
        env={**clean_environment(), "PYTHONPATH": str(package)}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + LIMIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < end
                threading.Event().wait(0.05)
        yield f"ws://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def start(world, url, *arguments, code=None):
    environment = clean_environment(**({"PEERSOCK_CODE": code} if code else {}))
    return world.start(*arguments, "--rendezvous", url, *ICE, env=environment)


def python_peer(url, code, mode):
    return subprocess.Popen(
        [PYTHON, pathlib.Path(__file__).with_name("wormhole_peer.py"), url, code, mode],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())


def said_by(peer):
    out, errors = peer.communicate(timeout=60)
    assert peer.returncode == 0, errors
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("maker", ["connect", "listen"])
def test_a_session_whichever_side_makes_the_code(world, reference, maker):
    sides = {"connect": f"127.0.0.1:{world.serve(echo)}", "listen": "127.0.0.1:0"}
    user = "listen" if maker == "connect" else "connect"
    first = start(world, reference, maker, sides[maker])
    second = start(world, reference, user, sides[user], code=first.wait_for("code_made")["code"])
    first.wait_for("authenticated")
    second.wait_for("authenticated")
    listener = first if maker == "listen" else second
    port = int(listener.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"
    first.interrupt()
    assert first.exit_code() == 130, first.text()
    assert second.exit_code() == 0, second.text()
    for side in (first, second):
        assert not side.has("warning"), side.text()


def test_the_python_library_uses_our_code(world, reference):
    ours = start(world, reference, "listen", "127.0.0.1:0")
    got = said_by(python_peer(reference, ours.wait_for("code_made")["code"], "connect"))
    assert got["versions"]["peersock"]["mode"] == "listen"
    assert got["message"]["ice"]["generation"] == 0
    assert ours.wait_for("peer_arrived")["mode"] == "connect"


def test_the_python_library_comes_first_with_an_agreed_code(world, reference):
    theirs = python_peer(reference, AGREED, "connect")
    ours = start(world, reference, "listen", "127.0.0.1:0", code=AGREED)
    assert ours.wait_for("peer_arrived")["mode"] == "connect"
    assert said_by(theirs)["versions"]["peersock"]["mode"] == "listen"


def test_a_wrong_code_ends_both_sides(world, reference):
    first = start(world, reference, "connect", f"127.0.0.1:{world.serve(echo)}")
    nameplate = first.wait_for("code_made")["code"].split("-")[0]
    second = start(world, reference, "listen", "127.0.0.1:0", code=f"{nameplate}-zoo-zoo-zoo")
    for side in (first, second):
        assert side.exit_code() == 5, side.text()
        assert side.error()["kind"] == "authentication"


def test_the_second_code_of_a_list_is_made_there(world, reference):
    urls = (f"ws://127.0.0.1:{world.reserved_port()}/v1", reference)
    options = [part for url in urls for part in ("--rendezvous", url)]
    first = world.start("connect", f"127.0.0.1:{world.serve(echo)}", *options, *ICE)
    code = first.wait_for("code_made")["code"]
    assert code.startswith("2-")
    second = world.start("listen", "127.0.0.1:0", *options, *ICE,
                         env=clean_environment(PEERSOCK_CODE=code))
    first.wait_for("authenticated")
    second.wait_for("authenticated")


def test_a_third_side_is_told_that_others_use_the_code(world, reference):
    """The second one holds the nameplate and never goes on, so that it is not free again."""
    first = start(world, reference, "connect", f"127.0.0.1:{world.serve(echo)}")
    code = first.wait_for("code_made")["code"]
    nameplate = code.split("-")[0]
    with Holder(reference, nameplate, "holder0000"):
        third = start(world, reference, "listen", "127.0.0.1:0", code=code)
        assert third.exit_code() == 4, third.text()
        assert third.error()["message"].startswith("Someone else used this code")


class Holder:
    """A side that claims the nameplate, and nothing more."""

    def __init__(self, url, nameplate, side):
        self.url, self.nameplate, self.side = url, nameplate, side

    def __enter__(self):
        host, port = self.url.removeprefix("ws://").split("/")[0].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=LIMIT)
        self.socket.sendall(f"GET /v1 HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        self.hear(b"\r\n\r\n")
        self.tell({"type": "bind", "appid": "peersock/tunnel/v1", "side": self.side})
        self.tell({"type": "claim", "nameplate": self.nameplate})
        self.hear(b'"claimed"')
        return self

    def hear(self, wanted):
        heard = b""
        while wanted not in heard:
            part = self.socket.recv(65536)
            assert part, heard
            heard += part

    def tell(self, request):
        octets = json.dumps(request).encode()
        assert len(octets) < 126
        self.socket.sendall(bytes([0x81, 0x80 | len(octets)]) + bytes(4) + octets)

    def __exit__(self, *_):
        self.socket.close()
