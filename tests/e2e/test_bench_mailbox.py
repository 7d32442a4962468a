"""The load on the rendezvous server is what it says, and its load generator sees what goes wrong.
No figure is judged: that is for people."""

import json
import os
import socket
import subprocess
import threading

import harness

GENERATOR = harness.BINARY.parent / "bench" / "mailbox-load"


def test_quick_run_measures_our_server_beside_the_reference(tmp_path):
    out = tmp_path / "figures.json"
    done = subprocess.run(
        [harness.ROOT / "scripts" / "bench-mailbox", "--quick", "--out", out,
         "--generator", GENERATOR], capture_output=True, text=True, timeout=400,
        env={**harness.clean_environment(), "PEERSOCK_BINARY": str(harness.BINARY)})
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text())

    assert result["version"] == 1
    assert {"cpu", "cores", "kernel", "peersock", "load_at_start"} <= set(result["machine"])
    assert result["failures"] == []
    assert {"peersock", "reference-0.4.1"} <= set(result["names"])
    (found,) = result["rounds"]
    assert set(found) == set(result["names"])
    for server, figures in found.items():
        for figure in ("empty_mib", "light_p50_ms", "alone_per_second", "beside_per_second",
                       "offered_per_second"):
            assert figures[figure] > 0, (server, figure)
        assert result["names"][server] in done.stdout
    assert "better by a factor" in done.stdout


def generate(port, *arguments, **options):
    done = subprocess.run([GENERATOR, *arguments, "--port", str(port)], capture_output=True,
                          text=True, timeout=120, **options)
    return done.returncode, json.loads(done.stdout)


def mailbox_port(world):
    return int(world.mailbox.rsplit(":", 1)[1].split("/")[0])


def test_every_exchange_is_checked_on_both_sides(world):
    code, found = generate(mailbox_port(world), "exchanges", "--seconds", "1", "--in-flight", "20",
                           "--sources", "3")
    assert code == 0
    assert found["failed"] == 0, found
    assert found["completed"] == found["started"] >= 20
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]


def test_idle_clients_that_are_not_let_in_are_reported(world):
    reading, writing = os.pipe()  # they stay until their input ends
    with open(reading, "rb") as stdin, open(writing, "wb"):
        code, found = generate(mailbox_port(world), "idle", "--count", "200", stdin=stdin)
    assert code == 1
    assert found["error"] == "the server refused: HTTP/1.1 503 Service Unavailable"


class Falsifier:
    """A proxy in front of our server that replaces octets in what the server says."""

    def __init__(self, world, old, new):
        self.target, self.old, self.new = mailbox_port(world), old, new
        self.port = world.serve(self.carry)

    def carry(self, near):
        with harness.connect(self.target) as far:
            far.settimeout(None)
            threading.Thread(target=self.forward, args=(near, far), daemon=True).start()
            while data := far.recv(65536):
                near.sendall(data.replace(self.old, self.new))

    @staticmethod
    def forward(near, far):
        try:
            while data := near.recv(65536):
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def falsified(world, old, new):
    proxy = Falsifier(world, old, new)
    code, found = generate(proxy.port, "exchanges", "--seconds", "0.2", "--in-flight", "2")
    assert code == 0
    assert found["completed"] == 0, found
    assert found["failed"] == found["started"] > 0
    return found["first_failure"]


def test_a_message_that_was_changed_is_no_exchange(world):
    # The end of the body of "pake"; the rest of it says who sent it.
    assert "is not what was due" in falsified(world, b"00aaaa", b"00aaab")


def test_a_message_of_somebody_else_is_no_exchange(world):
    assert "is not what was due" in falsified(world, b'a","type":"message"', b'c","type":"message"')


def test_an_error_of_the_server_is_no_exchange(world):
    assert falsified(world, b'"type":"claimed"', b'"type":"kaputte"') == 'the server said "kaputte" '
