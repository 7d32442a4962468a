"""Real processes under test: start them, follow their JSON events, stop them.

Nothing here sleeps: every wait is for an event, an exit or a socket, with a limit.
"""

import contextlib
import hashlib
import itertools
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PEERSOCK_BINARY", ROOT / "build" / "peersock"))
LIMIT = 20.0  # seconds that any single step may take

# Both ends of hundreds of connections are in this process, and the usual limit is 1024.
_MOST_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))


def clean_environment(**extra):
    """Keeps a user's own settings out of the tests."""
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith("PEERSOCK_") and not k.lower().endswith("_proxy")}
    environment["XDG_CONFIG_HOME"] = "/nonexistent"
    environment.update(extra)
    return environment


class Peersock:
    """One peersock process. Its stderr is read line by line as it comes."""

    def __init__(self, *arguments, env=None, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                 json_events=True, pass_fds=(), prefix=()):
        self.arguments = [str(a) for a in arguments]
        if json_events and "--json" not in self.arguments:
            self.arguments.append("--json")
        self.lines = []
        self.events = []
        self._changed = threading.Condition()
        self._finished = False
        self.process = subprocess.Popen(
            [*prefix, str(BINARY), *self.arguments], stdin=stdin, stdout=stdout,
            stderr=subprocess.PIPE, env=env if env is not None else clean_environment(),
            pass_fds=pass_fds)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for raw in self.process.stderr:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            with self._changed:
                self.lines.append(line)
                if line.startswith("{"):
                    with contextlib.suppress(ValueError):
                        self.events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def wait_for(self, name, count=1, limit=LIMIT, **members):
        """The count-th event of this name (and with these members); fails with everything printed
        if it does not come."""
        end = time.monotonic() + limit
        with self._changed:
            while True:
                found = [e for e in self.events
                         if e.get("event") == name and members.items() <= e.items()]
                if len(found) >= count:
                    return found[count - 1]
                if self._finished or not self._changed.wait(max(0.0, end - time.monotonic())):
                    if self._finished or time.monotonic() >= end:
                        raise AssertionError(f"no event {name!r} from {self}:\n{self.text()}")

    def wait_for_line(self, part, limit=LIMIT):
        end = time.monotonic() + limit
        with self._changed:
            while True:
                for line in self.lines:
                    if part in line:
                        return line
                if self._finished or not self._changed.wait(max(0.0, end - time.monotonic())):
                    if self._finished or time.monotonic() >= end:
                        raise AssertionError(f"no line with {part!r} from {self}:\n{self.text()}")

    def has(self, name):
        with self._changed:
            return any(e.get("event") == name for e in self.events)

    def text(self):
        return "\n".join(self.lines)

    def exit_code(self, limit=LIMIT):
        code = self.process.wait(timeout=limit)
        self._reader.join(timeout=5)
        return code

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def error(self):
        """The error event; there must be exactly one kind of story."""
        found = [e for e in self.events if e.get("event") == "error"]
        assert found, f"no error event from {self}:\n{self.text()}"
        return found[-1]

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(timeout=5)
        self.process.stderr.close()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()

    def __str__(self):
        return f"peersock {' '.join(self.arguments)}"


SESSION_MODES = ("connect", "listen", "stdio-a", "stdio-b")

# QUIC engines of the side that starts first and of the other.
BOTH_ENGINES = ("openssl+openssl", "ngtcp2+ngtcp2")
EVERY_PAIR = (*BOTH_ENGINES, "openssl+ngtcp2", "ngtcp2+openssl")


def with_engines(*pairs):
    """Runs a test, or a module's, once for each pair. Without, both sides have the default engine."""
    return pytest.mark.parametrize("world", [pair.split("+") for pair in pairs], indirect=True,
                                   ids=pairs)


class World:
    """Everything that one test starts; all of it is gone afterwards."""

    def __init__(self, engines=None):
        """`engines` are the QUIC engines of the first side, the second, the first again …"""
        self.stack = contextlib.ExitStack()
        self._mailbox = None
        self._engines = itertools.cycle(engines or [None])

    def start(self, *arguments, **options):
        peer = Peersock(*arguments, *self._engine_for(*arguments[:1]), **options)
        self.stack.callback(peer.stop)
        return peer

    @property
    def mailbox(self):
        """URL of an embedded rendezvous server, started on first use."""
        if self._mailbox is None:
            server = self.start("mailbox", "--listen", "127.0.0.1:0")
            self._mailbox = server.wait_for("mailbox_listening")["url"]
        return self._mailbox

    def common(self):
        return ("--rendezvous", self.mailbox, "--stun", "", "--turn", "")

    def peer(self, *arguments, code=None, env=None, **options):
        """A side of a session on loopback. The code goes by the environment, not by argv."""
        environment = clean_environment(**(env or {}))
        if code is not None:
            environment["PEERSOCK_CODE"] = code
        return self.start(*arguments, *self.common(), env=environment, **options)

    def _engine_for(self, mode=None):
        """What the next side is to be told about its QUIC engine."""
        engine = next(self._engines) if mode in SESSION_MODES else None
        return ("--engine", engine) if engine else ()

    def pair(self, first, second, first_options=None, second_options=None):
        """Starts a side that makes the code and one that uses it; waits for the proof."""
        a = self.peer(*first, **(first_options or {}))
        code = a.wait_for("code_made")["code"]
        b = self.peer(*second, code=code, **(second_options or {}))
        a.wait_for("authenticated")
        b.wait_for("authenticated")
        return a, b

    def tunnel(self, target_port, *listen_extra, connect_extra=()):
        """connect + listen on a free port; returns both and the port to connect to."""
        c, l = self.pair(("connect", f"127.0.0.1:{target_port}", *connect_extra),
                         ("listen", "127.0.0.1:0", *listen_extra))
        address = l.wait_for("listening")["address"]
        return c, l, int(address.rsplit(":", 1)[1])

    def serve(self, handler):
        """A threaded TCP server on loopback that calls handler(socket) for each connection."""
        return Server(self.stack, handler).port

    def reserved_port(self):
        return self.stack.enter_context(reserved_port())

    def close(self):
        self.stack.close()


class Server:
    def __init__(self, stack, handler):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.handler = handler
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        stack.callback(self.listener.close)
        # Closing alone does not wake a thread that is in accept.
        stack.callback(self.listener.shutdown, socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            self.handler(connection)


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def connect(port, limit=LIMIT):
    return socket.create_connection(("127.0.0.1", port), timeout=limit)


def receive_all(connection):
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)


def exchange(port, data):
    """Sends all, half-closes, and returns what comes back."""
    with connect(port) as connection:
        sender = threading.Thread(
            target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        result = receive_all(connection)
        sender.join()
        return result


def noise(size, seed=1):
    """Octets that do not compress and are the same for the same seed."""
    out = bytearray()
    block = str(seed).encode()
    while len(out) < size:
        block = hashlib.sha512(block).digest()
        out += block * 64 if size > 1 << 20 else block
    return bytes(out[:size])


@contextlib.contextmanager
def reserved_port(host="127.0.0.1"):
    """A TCP port where connections are refused until a program that was told of it listens there.

    It is bound all the time, which keeps the kernel from giving it to anybody else, and does not
    listen, which lets in whoever binds it with SO_REUSEADDR.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, 0))
        yield held.getsockname()[1]
