"""The magic-wormhole clients that people have, on a network of their own.

wormhole-william has its transit relay built in by name, and every client tries all addresses that it
finds. So everything runs in a network namespace with nothing but loopback, where that name leads to
a relay of ours: what is not loopback is not there.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import threading
import time

from harness import LIMIT, ROOT, clean_environment

PYTHON = "/usr/bin/python3"
# Clients leave 127.0.0.1 out of what they offer when there is anything else.
ADDRESS = "10.77.0.1"
RELAY_PORT = 4001
RELAY_NAME = "transit.magic-wormhole.io"
PATIENCE = 60.0  # seconds for one client to do its work, on a machine that does much else
CODE = re.compile(r"\b\d+(?:-[a-z]+){2,}\b")

SET_UP = """
ip link set dev lo up
ip address add "$1/32" dev lo
mount --bind "$2" /etc/hosts
echo ready
exec sleep infinity
"""


class Loopback:
    """A network namespace with nothing but loopback; `enter` goes before a command."""

    def __init__(self, stack, directory):
        hosts = directory / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {RELAY_NAME}\n")
        own = ["--net", "--mount"]
        if os.geteuid() != 0:
            own += ["--user", "--map-root-user"]
        keeper = subprocess.Popen(["unshare", *own, "sh", "-ec", SET_UP, "sh", ADDRESS, str(hosts)],
                                  stdout=subprocess.PIPE, text=True)
        stack.callback(keeper.wait)
        stack.callback(keeper.kill)
        stack.callback(keeper.stdout.close)
        assert keeper.stdout.readline() == "ready\n"
        self.enter = ["nsenter", f"--target={keeper.pid}", "--net", "--mount"]
        if os.geteuid() != 0:
            self.enter += ["--user", "--preserve-credentials"]


class Program:
    """A process in a namespace; all that it prints is kept, in lines."""

    def __init__(self, stack, loopback, command, directory, answers="", env=None):
        # Entering a mount namespace also goes to its root.
        self.process = subprocess.Popen(
            [*loopback.enter, "env", "-C", str(directory), *map(str, command)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=clean_environment(LC_ALL="C.UTF-8", **(env or {})))
        self.command = command
        self.lines = []
        self._changed = threading.Condition()
        self._finished = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        stack.callback(self._stop)
        with contextlib.suppress(BrokenPipeError):  # who has ended already needs no answers
            self.process.stdin.write(answers.encode())
            self.process.stdin.close()

    def _read(self):
        for raw in self.process.stdout:
            with self._changed:
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\r\n"))
                self._changed.notify_all()
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def find(self, pattern, limit=PATIENCE):
        """The first match of the pattern in a line, once there is one."""
        end = time.monotonic() + limit
        with self._changed:
            while True:
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found.group()
                if self._finished or not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise AssertionError(f"no {pattern!r} from {self}:\n{self.text()}")

    def code(self):
        return self.find(CODE)

    def exit_code(self):
        code = self.process.wait(timeout=PATIENCE)
        self._reader.join(timeout=5)
        return code

    def succeed(self):
        assert self.exit_code() == 0, f"{self} failed:\n{self.text()}"
        return self

    def text(self):
        return "\n".join(self.lines)

    def _stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(timeout=5)
        self.process.stdout.close()

    def __str__(self):
        return " ".join(map(str, self.command))


class MagicWormhole:
    """The reference client, of this release of Debian or of the other one."""

    wrong_code = "password|confirmation failed"

    def __init__(self, command, path=None):
        self.command = command
        self.env = {"PYTHONPATH": str(path)} if path else {}

    def arguments(self, url):
        return [*self.command, "--relay-url", url,
                "--transit-helper", f"tcp:{ADDRESS}:{RELAY_PORT}"]

    def send(self, url, *what):
        return [*self.arguments(url), "send", "--hide-progress", *what]

    def receive(self, url, code):
        return [*self.arguments(url), "receive", "--hide-progress", "--accept-file", code]

    def version(self):
        done = subprocess.run([*self.command, "--version"], capture_output=True, text=True,
                              timeout=PATIENCE, check=True, env=clean_environment(**self.env))
        return done.stdout.split()[-1]


class WormholeWilliam:
    """The client in Go. Its transit relay cannot be chosen."""

    wrong_code = "decrypt message failed"
    env = {}

    def send(self, url, *what):
        return ["wormhole-william", "--relay-url", url, "send", "--hide-progress", *what]

    def receive(self, url, code):
        return ["wormhole-william", "--relay-url", url, "receive", "--hide-progress", code]


def other_wormhole_path():
    path = os.environ.get("PEERSOCK_OTHER_WORMHOLE_PATH") or subprocess.run(
        [ROOT / "scripts" / "lib" / "other-wormhole"], capture_output=True, text=True, check=True,
        timeout=300).stdout.strip()
    return pathlib.Path(path)


class Clients:
    """Each client by name; the other release's is looked for when it is first asked for."""

    NAMES = ("magic-wormhole", "magic-wormhole-other", "wormhole-william")

    def __init__(self):
        self._made = {}

    def __getitem__(self, name):
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    @staticmethod
    def _make(name):
        if name == "magic-wormhole":
            return MagicWormhole(["/usr/bin/wormhole"])
        if name == "magic-wormhole-other":
            return MagicWormhole([PYTHON, "-m", "wormhole"], other_wormhole_path())
        return WormholeWilliam()


class Transfer:
    """From one client to another. It is begun a second time, with another code, when both say that
    the code was wrong and exactly one of them is wormhole-william: its SPAKE2 (gospake2 0.2.1)
    makes another key than the reference implementation once in some 230 conversations. Between the
    two libraries alone, without any network, 13 of 3,000 ended so.
    """

    def __init__(self, island, sender, receiver, *what, directory=None):
        self.island = island
        self.names = (sender, receiver)
        self.what = what
        self.directory = directory
        self.sending = self.receiving = None

    def offer(self, *options):
        self.sending = self.island.send(self.names[0], *options, *self.what)
        return self

    def code(self):
        return self.sending.code()

    def take(self, code=None):
        self.receiving = self.island.receive(self.names[1], code or self.code(), self.directory)
        return self

    def succeed(self):
        """The receiving program, when both have succeeded."""
        if self._disagreed_by_chance():
            self.offer().take()
        self.receiving.succeed()
        self.sending.succeed()
        return self.receiving

    def _disagreed_by_chance(self):
        programs = list(zip(self.names, (self.sending, self.receiving)))
        failed = all([program.exit_code() != 0 for _, program in programs])
        return failed and self.names.count("wormhole-william") == 1 and all(
            re.search(self.island.clients[name].wrong_code, program.text())
            for name, program in programs)


class Island:
    """The namespace with a transit relay and our rendezvous server in it."""

    def __init__(self, world, directory):
        self.world = world
        self.directory = directory
        self.clients = Clients()
        self.loopback = Loopback(world.stack, directory)
        relay = self.run([PYTHON, "-m", "twisted", "transitrelay",
                          f"--port=tcp:{RELAY_PORT}:interface={ADDRESS}"])
        server = world.start("mailbox", "--listen", "127.0.0.1:0", prefix=self.loopback.enter)
        self.url = server.wait_for("mailbox_listening", limit=LIMIT)["url"]
        relay.find(f"starting on {RELAY_PORT}")

    def run(self, command, directory=None, answers="", env=None):
        return Program(self.world.stack, self.loopback, command, directory or self.directory,
                       answers, env)

    def send(self, name, *what):
        client = self.clients[name]
        return self.run(client.send(self.url, *what), env=client.env)

    def receive(self, name, code, directory=None):
        """Files go to `directory`; what is asked is answered with yes."""
        client = self.clients[name]
        return self.run(client.receive(self.url, code), directory, "y\n", client.env)

    def folder(self, name):
        path = self.directory / name
        path.mkdir()
        return path
