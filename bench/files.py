"""The systems that carry files, not connections: magic-wormhole and wormhole-william, each from A to
B over its own transit, with our rendezvous server between them.
"""

import contextlib
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
import threading

from bench.processes import Failure, spawn, wait_for_port
from bench.service import PATTERN_OCTETS, pattern

PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's packages
RELAY_PORT = 4001
RELAY_NAME = "transit.magic-wormhole.io"  # wormhole-william has it built in
CODE = re.compile(r"\b\d+(?:-[a-z]+){2,}\b")
LIMIT = 30.0
HOSTS = pathlib.Path("/etc/hosts")


def fast_directory():
    """A folder in memory where there is one: no figure holds a disk."""
    memory = pathlib.Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


class Wormhole:
    """`send` and `receive` are commands; what is common to both clients is here."""

    key = name = program = ""

    def __init__(self, place):
        self.place = place

    def missing(self):
        return None if shutil.which(self.program) else f"{self.program} is not installed"

    def _relay(self, stack):
        """Both clients want one, and do not use it when they reach each other."""
        server = self.place.lab.server
        names = self.place.directory / "hosts"
        names.write_text(f"127.0.0.1 localhost\n{server.addresses[0]} {RELAY_NAME}\n")
        if HOSTS.read_text() != names.read_text():
            # In our own mount namespace: the machine does not see it.
            subprocess.run(["mount", "--bind", names, HOSTS], check=True)
        relay = spawn(stack, server, [PYTHON, "-m", "twisted", "transitrelay",
                                      f"--port=tcp:{RELAY_PORT}:interface={server.addresses[0]}"],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(RELAY_PORT, relay)

    def carry(self, client, octets, seconds):
        """Sends a file of so many octets, or as much of it as comes in the time. What came is
        compared with what was sent."""
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(
                tempfile.TemporaryDirectory(prefix="peersock-bench-", dir=fast_directory())))
            self._relay(stack)
            sent, got = folder / "pattern", folder / "got"
            write_pattern(sent, octets)
            got.mkdir()
            before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
            sender = spawn(stack, self.place.lab.a, self.send(sent), stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, env=self.environment())
            code = read_code(sender)
            answer = client.ask("fetch", command=self.receive(code), directory=str(got),
                                environment={"LC_ALL": "C.UTF-8"}, octets=octets, seconds=seconds)
            compare(got, octets, answer)
            with contextlib.suppress(subprocess.TimeoutExpired):
                sender.wait(timeout=1 if answer["octets"] < octets else LIMIT)
            if sender.poll() is None:
                sender.kill()
                sender.wait()
            answer["cpu_sender"] = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
            return answer

    def environment(self):
        return {**os.environ, "LC_ALL": "C.UTF-8"}


class MagicWormhole(Wormhole):
    key = "magic_wormhole"
    name = "magic-wormhole"
    program = "wormhole"

    def _arguments(self):
        return [self.program, "--relay-url", self.place.mailbox, "--transit-helper",
                f"tcp:{self.place.lab.server.addresses[0]}:{RELAY_PORT}"]

    def send(self, file):
        return [*self._arguments(), "send", "--hide-progress", str(file)]

    def receive(self, code):
        return [*self._arguments(), "receive", "--hide-progress", "--accept-file", code]


class WormholeWilliam(Wormhole):
    key = "william"
    name = "wormhole-william"
    program = "wormhole-william"

    def send(self, file):
        return [self.program, "--relay-url", self.place.mailbox, "send", "--hide-progress",
                str(file)]

    def receive(self, code):
        return [self.program, "--relay-url", self.place.mailbox, "receive", "--hide-progress", code]


def write_pattern(path, octets):
    data = memoryview(pattern())
    with path.open("wb") as file:
        while octets > 0:
            octets -= file.write(data[:octets])


def read_code(process):
    """From what the sender prints; the rest of it is read and thrown away."""
    said = []
    guard = threading.Timer(LIMIT, process.kill)
    guard.start()
    for line in process.stdout:
        said.append(line.decode("utf-8", "replace").strip())
        if found := CODE.search(said[-1]):
            break
    guard.cancel()
    if not said or not found:
        raise Failure("no code: " + " ".join(said[-5:]))
    threading.Thread(target=drain, args=(process.stdout,), daemon=True).start()
    return found.group()


def drain(stream):
    with contextlib.suppress(OSError, ValueError):
        while stream.read(4096):
            pass


def compare(folder, octets, answer):
    """What is there, whole or only its beginning, is what was sent."""
    files = list(folder.iterdir())
    whole = answer["octets"] >= octets
    if whole and (len(files) != 1 or files[0].stat().st_size != octets):
        raise Failure(f"not one whole file: {[(f.name, f.stat().st_size) for f in files]}")
    for path in files:
        with path.open("rb") as file:
            while data := file.read(PATTERN_OCTETS):
                if data != pattern()[:len(data)]:
                    raise Failure("a wrong octet came")


def file_systems(place):
    return [MagicWormhole(place), WormholeWilliam(place)]
