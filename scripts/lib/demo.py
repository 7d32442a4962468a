"""The demonstration behind scripts/demo: demo.py PEERSOCK [--size MIB] [--verbose]

Everything happens on loopback, in one temporary folder, and ends with this
process. Whatever goes wrong ends in one sentence and exit code 1.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Iterator

STEP_TIMEOUT = 30.0  # seconds that any single step may take
MIB = 1 << 20

Event = dict[str, Any]


class DemoError(Exception):
    """One sentence for the user."""


def clean_environment(home: Path) -> dict[str, str]:
    """No settings of the user's, no proxy: only what the demonstration says."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PEERSOCK_") and not name.lower().endswith("_proxy")
    }
    return kept | {"XDG_CONFIG_HOME": str(home), "PYTHONUNBUFFERED": "1"}


class Process:
    """A child whose lines can be waited for; it ends when the block does."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], verbose: bool) -> None:
        self.name = name
        self._verbose = verbose
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._seen: list[str] = []
        self._child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        for stop in (self._child.terminate, self._child.kill):
            stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(5)
                return

    def _read(self) -> None:
        assert self._child.stdout
        for line in self._child.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def lines(self, awaited: str) -> Iterator[str]:
        """Its lines from here on, until the one awaited is found or time is up."""
        deadline = time.monotonic() + STEP_TIMEOUT
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise DemoError(f"{self.name} did not say '{awaited}' within {STEP_TIMEOUT:.0f} s{self._last()}") from None
            if line is None:
                raise DemoError(f"{self.name} ended (exit code {self._child.wait()}) before '{awaited}'{self._last()}")
            if self._verbose:
                print(f"  {self.name}: {line}", file=sys.stderr)
            self._seen.append(line)
            yield line

    def _last(self) -> str:
        return f"; its last line was: {self._seen[-1]}" if self._seen else ""

    def wait_for(self, name: str) -> Event:
        """The next event of this name; the others before it are dropped."""
        for line in self.lines(name):
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and event.get("event") == name:
                    return event
        raise AssertionError("lines() ends by raising")


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


def make_file(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // MIB):
            block = secrets.token_bytes(MIB)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def fetch(port: int, name: str) -> tuple[str, int, float]:
    """(checksum, bytes, seconds) of an HTTP GET through the tunnel."""
    began = time.monotonic()
    digest, received = hashlib.sha256(), 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STEP_TIMEOUT)
    try:
        connection.request("GET", f"/{name}")
        response = connection.getresponse()
        if response.status != 200:
            raise DemoError(f"the web server answered {response.status} through the tunnel")
        while block := response.read(256 * 1024):
            digest.update(block)
            received += len(block)
    except (OSError, http.client.HTTPException) as error:
        raise DemoError(f"fetching through the tunnel failed after {received} bytes: {error}") from None
    finally:
        connection.close()
    return digest.hexdigest(), received, time.monotonic() - began


def describe_path(event: Event) -> str:
    way = event.get("kind", "direct")
    ends = [f"{event.get(side + '_type', '?')} {event.get(side + '_address', '')}".strip() for side in ("local", "remote")]
    return f"{way}, {event.get('transport', 'udp')}, {ends[0]} to {ends[1]}"


def demonstrate(peersock: str, size: int, verbose: bool) -> None:
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="peersock-demo-")))
        environment = clean_environment(home)

        def start(name: str, *command: str, **extra: str) -> Process:
            return stack.enter_context(Process(name, list(command), environment | extra, verbose))

        def start_peer(name: str, *arguments: str, **extra: str) -> Process:
            # No STUN, no TURN: everything is on this machine.
            return start(name, peersock, *arguments, "--rendezvous", rendezvous, "--stun", "", "--turn", "", "--json", **extra)

        served = home / "served"
        served.mkdir()
        checksum = make_file(served / "random", size)
        print(f"made a random file of {size // MIB} MiB, SHA-256 {checksum[:16]}...")

        web = start(
            "the web server", sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(served)
        )
        for line in web.lines("Serving HTTP"):
            if match := re.search(r"Serving HTTP on \S+ port (\d+)", line):
                web_port = int(match.group(1))
                break
        print(f"a web server offers it on port {web_port}")

        mailbox = start("the rendezvous server", peersock, "mailbox", "--listen", "127.0.0.1:0", "--json")
        rendezvous = mailbox.wait_for("mailbox_listening")["url"]
        print(f"a rendezvous server listens on {rendezvous}")

        near = start_peer("peersock connect", "connect", f"127.0.0.1:{web_port}")
        code = near.wait_for("code_made")["code"]
        print(f"the first peer is ready to connect to the web server; its code is {code}")

        entered = time.monotonic()
        far = start_peer("peersock listen", "listen", "0", PEERSOCK_CODE=code)
        # The order of these is the program's own affair.
        facts = wait_for_all(far, "path_chosen", "authenticated", "listening")
        connected = time.monotonic() - entered
        port = port_of(facts["listening"]["address"])
        print(f"the second peer typed it and listens on port {port}")

        received_checksum, received, seconds = fetch(port, "random")
        if (received, received_checksum) != (size, checksum):
            raise DemoError(f"{received} of {size} bytes came through, with SHA-256 {received_checksum}: not the same file")

        print("the file that came through the tunnel is the same, byte for byte")
        print()
        print(f"path             {describe_path(facts['path_chosen'])}")
        print(f"time to connect  {connected * 1000:.0f} ms from the code to a proven peer")
        print(f"rate             {size / MIB / seconds:.0f} MiB/s ({size // MIB} MiB in {seconds:.2f} s)")


def wait_for_all(process: Process, *names: str) -> dict[str, Event]:
    """The first event of each name, in whatever order they come."""
    found: dict[str, Event] = {}
    for line in process.lines(", ".join(names)):
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and event.get("event") in names:
                found.setdefault(event["event"], event)
        if len(found) == len(names):
            return found
    raise AssertionError("lines() ends by raising")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("peersock")
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="size of the file (default: 64)")
    parser.add_argument("--verbose", action="store_true", help="show what every process says")
    arguments = parser.parse_args()
    # A polite end runs the clean-up too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        demonstrate(str(Path(arguments.peersock).resolve()), arguments.size * MIB, arguments.verbose)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except (OSError, KeyError, ValueError) as error:
        print(f"demo: something unexpected came up: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
