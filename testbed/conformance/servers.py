"""Servers on this machine to run the suite against: ours, and the reference server's versions.

Each is a context manager that gives the server's URL. `facts` are those of `--given` (main.FACTS),
and the server is started so that they are true.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = "/usr/bin/python3"
START_LIMIT = 300  # seconds; Twisted takes long on a machine that has much else to do


class Unstartable(Exception):
    """The server did not come up; the text has what it printed."""


@contextlib.contextmanager
def process(command, pattern, environment=None):
    """Runs a server, and gives what `pattern` finds in its output; ends it afterwards."""
    server = subprocess.Popen(
        [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
        env={**os.environ, **(environment or {})})
    timer = threading.Timer(START_LIMIT, server.kill)
    timer.start()
    try:
        printed = []
        for line in server.stdout:
            printed.append(line)
            if found := re.search(pattern, line):
                break
        else:
            raise Unstartable(f"{command[0]} did not start:\n{''.join(printed[-30:])}")
        timer.cancel()
        # What it prints from now on is nobody's business, but must not stop it.
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield found[1]
    finally:
        timer.cancel()
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextlib.contextmanager
def peersock(binary, *options):
    """`peersock mailbox`, as users run it."""
    command = [binary, "mailbox", "--listen", "127.0.0.1:0", *options]
    with process(command, r"(ws://\S+)") as url:
        yield url


@contextlib.contextmanager
def adjustable(binary, **facts):
    """Our server, in the test executable that can be told what is no option of the program."""
    options = []
    for name, flag in (("motd", "--motd"), ("error", "--signal-error"),
                       ("version", "--advertise-version")):
        if name in facts:
            options += [flag, facts[name]]
    if facts.get("listing") == "off":
        options.append("--no-list")
    if "prunes" in facts:
        half = float(facts["prunes"]) / 2
        options += ["--prune-after", half, "--prune-every", half]
    for name, flag in (("pings", "--ping-every"), ("silence", "--max-silence")):
        if name in facts:
            options += [flag, facts[name]]
    with process([binary, *options], r"(ws://\S+)") as url:
        yield url


@contextlib.contextmanager
def reference(path, **facts):
    """The reference server in the folder `path` (scripts/lib/mailbox-server prints it)."""
    half = float(facts.get("prunes", 960)) / 2
    options = ["--port=tcp:0:interface=127.0.0.1", "--channel-db=:memory:"]
    for name, flag in (("motd", "--motd"), ("error", "--signal-error"),
                       ("version", "--advertise-version")):
        if name in facts:
            options.append(f"{flag}={facts[name]}")
    if facts.get("listing") == "off":
        options.append("--disallow-list")
    for name, flag in (("pings", "autoPingInterval"), ("silence", "autoPingTimeout")):
        if name in facts:
            options.append(f"--websocket-protocol-option={flag}={facts[name]}")
    with process([PYTHON, HERE / "reference_main.py", half, half, *options],
                 r"Site starting on (\d+)", {"PYTHONPATH": str(path)}) as port:
        yield f"ws://127.0.0.1:{port}/v1"
