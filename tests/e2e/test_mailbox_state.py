"""`peersock mailbox --state`: the server is killed in the middle of things, and nothing is lost."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import threading

import pytest

from harness import LIMIT, clean_environment, connect, echo, exchange
from mailbox_house import address_of, get, refusal
from websocket_client import WebSocket

ICE = ("--stun", "", "--turn", "")


class Fragile:
    """A server at one port that can be killed, and comes back with what it had."""

    def __init__(self, world, folder, *options):
        self.world = world
        self.state = folder / "state.db"
        self.port = world.reserved_port()
        self.url = f"ws://127.0.0.1:{self.port}/v1"
        self.address = ("127.0.0.1", self.port)
        self.options = options
        self.server = None
        self.start()

    def start(self):
        self.server = self.world.start("mailbox", "--listen", f"127.0.0.1:{self.port}", "--state",
                                       self.state, *self.options)
        self.server.wait_for("mailbox_listening")
        return self.server.wait_for("state_restored")

    def kill(self):
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait(LIMIT)

    def restart(self):
        self.kill()
        return self.start()


def test_a_killed_server_has_everything_it_said_it_had(world, tmp_path):
    mailbox = Fragile(world, tmp_path)
    with WebSocket(mailbox.address) as client:
        client.bind("a").say(type="allocate")
        nameplate = client.hear("allocated")["nameplate"]
        client.say(type="claim", nameplate=nameplate)
        box = client.hear("claimed")["mailbox"]
        client.say(type="open", mailbox=box)
        said = []
        for number in range(50):
            client.say(type="add", phase=str(number), body=f"{number:02x}" * 1000, id=number)
            said.append(client.hear("message"))
    restored = mailbox.restart()
    assert restored["mailboxes"] == restored["nameplates"] == 1
    assert restored["messages"] == 50
    with WebSocket(mailbox.address) as client:
        client.bind("b").say(type="list")
        assert client.hear("nameplates")["nameplates"] == [{"id": nameplate}]
        client.say(type="claim", nameplate=nameplate)
        assert client.hear("claimed")["mailbox"] == box
        client.say(type="open", mailbox=box)
        heard = [client.hear("message") for _ in said]
        for message in heard + said:
            del message["server_tx"]
        assert heard == said
        client.say(type="release")
        client.hear("released")
        client.say(type="close", mood="happy")
        client.hear("closed")
    with WebSocket(mailbox.address) as client:
        client.bind("a").say(type="release", nameplate=nameplate)
        client.hear("released")
        client.say(type="close", mailbox=box)
        client.hear("closed")
    restored = mailbox.restart()
    assert restored["mailboxes"] == restored["nameplates"] == restored["messages"] == 0


def test_crowding_claims_and_closed_sides_survive(world, tmp_path):
    mailbox = Fragile(world, tmp_path)
    with WebSocket(mailbox.address) as a, WebSocket(mailbox.address) as b, \
            WebSocket(mailbox.address) as c:
        for client, side in ((a, "a"), (b, "b")):
            client.bind(side).say(type="claim", nameplate="4")
            client.hear("claimed")
        a.say(type="release")
        a.hear("released")
        c.bind("c")
        for client in (a, b):
            client.say(type="open", mailbox="crowd")
            client.say(type="ping", ping=1)
            client.hear("pong")
        c.say(type="open", mailbox="crowd")
        assert c.hear("error")["error"] == "crowded"
    mailbox.restart()
    with WebSocket(mailbox.address) as a:
        a.bind("a").say(type="claim", nameplate="4")
        assert a.hear("error")["error"] == "reclaimed"
        a.say(type="open", mailbox="crowd")
        assert a.hear("error")["error"] == "crowded"


class KillingProxy:
    """Carries one client's connections to the server, and has that killed and started again after
    so many octets from the server."""

    def __init__(self, world, mailbox, octets):
        self.mailbox = mailbox
        self.left = octets
        self.restarted = threading.Event()
        self.url = f"ws://127.0.0.1:{world.serve(self.carry)}/v1"

    def carry(self, near):
        try:
            far = connect(self.mailbox.port)
        except OSError:
            return
        with far:
            far.settimeout(None)
            threading.Thread(target=self.forward, args=(near, far), daemon=True).start()
            self.forward(far, near, counted=True)

    def forward(self, source, sink, counted=False):
        try:
            while data := source.recv(65536):
                if counted and not self.restarted.is_set():
                    data, self.left = data[:self.left], self.left - len(data)
                    if self.left <= 0:
                        sink.sendall(data)
                        self.mailbox.restart()
                        self.restarted.set()
                        break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.mark.parametrize("octets", [1, 150, 300, 500, 700, 1000, 1400, 1900, 2500])
def test_an_exchange_of_two_peersocks_goes_on_over_a_kill(world, tmp_path, octets):
    mailbox = Fragile(world, tmp_path)
    proxy = KillingProxy(world, mailbox, octets)
    a = world.start("connect", f"127.0.0.1:{world.serve(echo)}", "--rendezvous", mailbox.url, *ICE)
    code = a.wait_for("code_made")["code"]
    b = world.start("listen", "127.0.0.1:0", "--rendezvous", proxy.url, *ICE,
                    env=clean_environment(PEERSOCK_CODE=code))
    assert proxy.restarted.wait(40)
    b.wait_for("authenticated", limit=60)
    a.wait_for("authenticated", limit=60)
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"


def test_a_code_that_waits_outlives_its_server(world, tmp_path):
    mailbox = Fragile(world, tmp_path)
    a = world.start("connect", f"127.0.0.1:{world.serve(echo)}", "--rendezvous", mailbox.url, *ICE)
    code = a.wait_for("code_made")["code"]
    for _ in range(2):
        assert mailbox.restart()["nameplates"] == 1
    b = world.start("listen", "127.0.0.1:0", "--rendezvous", mailbox.url, *ICE,
                    env=clean_environment(PEERSOCK_CODE=code))
    b.wait_for("authenticated", limit=60)
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"


def test_the_reference_client_goes_on_over_a_kill(world, tmp_path):
    mailbox = Fragile(world, tmp_path)
    sender = subprocess.Popen(
        ["/usr/bin/wormhole", "--relay-url", mailbox.url, "send", "--text", "hello there"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
        cwd=tmp_path)
    try:
        code = None
        for line in sender.stderr:
            if "wormhole receive" in line:
                code = line.split()[-1]
                break
        assert code
        assert mailbox.restart()["nameplates"] == 1
        received = subprocess.run(
            ["/usr/bin/wormhole", "--relay-url", mailbox.url, "receive", code],
            capture_output=True, text=True, timeout=120, check=True, env=clean_environment(),
            cwd=tmp_path)
        assert "hello there" in received.stdout
        assert sender.wait(60) == 0
    finally:
        sender.kill()
        sender.wait()
        sender.stderr.close()
        sender.stdout.close()


def test_an_ordinary_end_keeps_the_state_too(world, tmp_path):
    mailbox = Fragile(world, tmp_path)
    with WebSocket(mailbox.address) as client:
        client.bind("a").say(type="claim", nameplate="4")
        client.hear("claimed")
    mailbox.server.interrupt()
    assert mailbox.server.exit_code() == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state.db"]  # nothing beside it
    assert mailbox.start()["nameplates"] == 1


def test_the_file_is_private_and_can_be_copied_while_the_server_runs(world, tmp_path):
    mailbox = Fragile(world, tmp_path)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with WebSocket(mailbox.address) as client:
        client.bind("a").say(type="claim", nameplate="4")
        client.hear("claimed")
        with sqlite3.connect(mailbox.state) as live, \
                sqlite3.connect(tmp_path / "copy.db") as copy:
            live.backup(copy)
    copied = world.start("mailbox", "--listen", "127.0.0.1:0", "--state", tmp_path / "copy.db")
    assert copied.wait_for("state_restored")["nameplates"] == 1


# --- files that can not be used

def edit(path, *statements):
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def state_file(world, tmp_path):
    """A good one that nobody uses."""
    mailbox = Fragile(world, tmp_path)
    with WebSocket(mailbox.address) as client:
        client.bind("a").say(type="open", mailbox="m")
        client.say(type="add", phase="p", body="x" * 100_000)
        client.hear("message")
    mailbox.server.interrupt()
    assert mailbox.server.exit_code() == 0
    return mailbox.state


def test_a_file_of_another_server_is_left_alone(world, tmp_path):
    mailbox = Fragile(world, tmp_path)
    message = refusal(world, "--state", mailbox.state, code=9)
    assert str(mailbox.state) in message and "another server" in message


def test_a_file_that_another_program_holds_is_said_to_be_locked(world, tmp_path):
    path = state_file(world, tmp_path)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("BEGIN EXCLUSIVE")
    message = refusal(world, "--state", path, code=9)
    assert str(path) in message and "locked by another program" in message
    database.close()


def test_something_else_is_left_as_it_is(world, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("my diary\n" * 1000)
    foreign = tmp_path / "foreign.db"
    edit(foreign, "CREATE TABLE recipes (name TEXT)")
    for path in text, foreign:
        before = path.read_bytes()
        message = refusal(world, "--state", path, code=9)
        assert str(path) in message and "holds something else" in message
        assert path.read_bytes() == before


def test_a_file_of_another_version_is_left_as_it_is(world, tmp_path):
    path = state_file(world, tmp_path)
    edit(path, "PRAGMA user_version = 2")
    message = refusal(world, "--state", path, code=9)
    assert str(path) in message and "has the format 2" in message and "knows 1" in message


def test_a_damaged_file_is_called_damaged(world, tmp_path):
    path = state_file(world, tmp_path)
    octets = bytearray(path.read_bytes())
    for at in range(4096 * 2, len(octets), 512):
        octets[at:at + 64] = os.urandom(64)
    path.write_bytes(octets)
    message = refusal(world, "--state", path, code=9)
    assert str(path) in message and "is damaged" in message
    path.write_bytes(octets[:5000])  # cut off
    assert "is damaged" in refusal(world, "--state", path, code=9)


def test_a_file_that_can_not_be_made_is_named(world, tmp_path):
    for path in tmp_path / "no-folder" / "state.db", tmp_path:
        message = refusal(world, "--state", path, code=9)
        assert str(path) in message and "can not be opened" in message


def test_names_that_mean_something_to_sqlite_are_just_names(world, tmp_path):
    for name in ":memory:", "file:x?mode=memory":
        server = world.start("mailbox", "--listen", "127.0.0.1:0", "--state", name,
                             prefix=("env", "-C", tmp_path))
        server.wait_for("mailbox_listening")
        assert (tmp_path / name).is_file()


# --- disks

def in_a_small_disk(folder, options):
    """A command line that runs the rest with a file system of its own at `folder`."""
    script = f'mount -t tmpfs -o {options} none "{folder}" && exec "$@"'
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", "-m", *user, "--propagation", "private", "sh", "-c", script, "sh")


@pytest.mark.netns
def test_a_disk_that_can_not_be_written_is_said_to_be_so(world, tmp_path):
    read_only = in_a_small_disk(tmp_path, "ro")
    message = refusal(world, "--state", tmp_path / "state.db", code=9, prefix=read_only)
    assert "Read-only file system" in message
    full = in_a_small_disk(tmp_path, "size=8k")
    message = refusal(world, "--state", tmp_path / "state.db", code=9, prefix=full)
    assert "no room left on its disk" in message


@pytest.mark.netns
def test_a_disk_that_fills_up_stops_nobody_and_is_reported(world, tmp_path):
    server = world.start("mailbox", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state",
                         tmp_path / "state.db", prefix=in_a_small_disk(tmp_path, "size=2m"))
    address = address_of(server.wait_for("mailbox_listening")["url"])
    admin = server.wait_for("admin_listening")["url"]
    inside = pathlib.Path(f"/proc/{server.process.pid}/root{tmp_path}")
    with WebSocket(address) as client:
        client.bind("a").say(type="open", mailbox="m")
        client.say(type="add", phase="first", body="x")
        client.hear("message")
        assert get(f"{admin}/healthz")[0] == 200
        with open(inside / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
        for number in range(3):
            client.say(type="add", phase=str(number), body="y" * 500_000)
            assert client.hear("message")["phase"] == str(number)
        assert "no room left" in server.wait_for("state_failing")["message"]
        assert get(f"{admin}/healthz")[0] == 503
        (inside / "filler").unlink()
        client.say(type="close")  # so that all fits again
        client.hear("closed")
        client.say(type="claim", nameplate="4")
        client.hear("claimed")
        server.wait_for("state_kept", limit=40)
        assert get(f"{admin}/healthz")[0] == 200
        # SQLite itself would follow the path out of the name space.
        for name in "state.db", "state.db-wal":
            shutil.copy(inside / name, tmp_path / name)
    with sqlite3.connect(tmp_path / "state.db") as database:
        assert database.execute("SELECT count(*) FROM nameplates").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (0,)
