"""The rendezvous with real parties: the Python reference client, and links that break."""

import json
import pathlib
import socket
import subprocess
import threading

import pytest

from harness import LIMIT, clean_environment, connect, echo, exchange

PYTHON = "/usr/bin/python3"


def python_peer(url, code, mode):
    done = subprocess.run(
        [PYTHON, pathlib.Path(__file__).with_name("wormhole_peer.py"), url, code, mode],
        capture_output=True, text=True, timeout=60, check=False, env=clean_environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_python_reference_completes_the_exchange_with_our_client(world):
    ours = world.peer("listen", "127.0.0.1:0")
    code = ours.wait_for("code_made")["code"]
    got = python_peer(world.mailbox, code, "connect")
    # Ours to theirs: key, version, and a numbered message.
    assert got["versions"]["peersock"]["mode"] == "listen"
    assert got["versions"]["peersock"]["version"] == 1
    assert got["message"]["ice"]["generation"] == 0
    assert len(got["message"]["ice"]["pwd"]) >= 22
    # Theirs to ours.
    assert ours.wait_for("peer_arrived")["mode"] == "connect"


def test_a_wrong_code_of_the_python_reference_is_refused(world):
    ours = world.peer("listen", "127.0.0.1:0")
    nameplate = ours.wait_for("code_made")["code"].split("-")[0]
    done = subprocess.run(
        [PYTHON, pathlib.Path(__file__).with_name("wormhole_peer.py"), world.mailbox,
         f"{nameplate}-zoo-zoo-zoo", "connect"],
        capture_output=True, text=True, timeout=60, check=False, env=clean_environment())
    assert done.returncode != 0
    assert "WrongPasswordError" in done.stderr
    assert ours.exit_code() == 5, ours.text()


def test_a_file_goes_through_our_server_with_the_reference_client(world, tmp_path):
    sender = subprocess.Popen(
        ["/usr/bin/wormhole", "--relay-url", world.mailbox, "send", "--text", "hello there"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
        cwd=tmp_path)
    code = None
    for line in sender.stderr:
        if "wormhole receive" in line:
            code = line.split()[-1]
            break
    assert code
    received = subprocess.run(
        ["/usr/bin/wormhole", "--relay-url", world.mailbox, "receive", code],
        capture_output=True, text=True, timeout=60, check=True, env=clean_environment(),
        cwd=tmp_path)
    assert "hello there" in received.stdout
    sender.stderr.close()
    sender.stdout.close()
    assert sender.wait(LIMIT) == 0


class Cutter:
    """A TCP proxy in front of the rendezvous server that closes each connection after so many
    octets from the server, the first few times."""

    def __init__(self, world, octets, cuts):
        self.target = int(world.mailbox.rsplit(":", 1)[1].split("/")[0])
        self.octets = octets
        self.cuts = cuts
        self.port = world.serve(self.carry)
        self.url = f"ws://127.0.0.1:{self.port}/v1"

    def carry(self, near):
        limit = self.octets if self.cuts > 0 else None
        self.cuts -= 1
        with connect(self.target) as far:
            far.settimeout(None)
            threading.Thread(target=self.forward, args=(near, far, None), daemon=True).start()
            self.forward(far, near, limit)

    @staticmethod
    def forward(source, sink, limit):
        carried = 0
        try:
            while data := source.recv(65536):
                if limit is not None and carried + len(data) > limit:
                    sink.sendall(data[:limit - carried])
                    break
                carried += len(data)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.mark.parametrize("octets", [0, 100, 250, 400, 600, 900, 1300, 1800, 2500])
def test_a_mailbox_link_that_is_cut_in_the_middle_is_taken_up_again(world, octets):
    cutter = Cutter(world, octets, cuts=1)
    target = world.serve(echo)
    ice = ("--stun", "", "--turn", "")
    a = world.start("connect", f"127.0.0.1:{target}", "--rendezvous", cutter.url, *ice)
    code = a.wait_for("code_made", limit=40)["code"]
    b = world.start("listen", "127.0.0.1:0", "--rendezvous", world.mailbox, *ice,
                    env=clean_environment(PEERSOCK_CODE=code))
    b.wait_for("authenticated", limit=40)
    a.wait_for("authenticated", limit=40)
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"
