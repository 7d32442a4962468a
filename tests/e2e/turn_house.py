"""coturn, for as long as a block runs."""

import contextlib
import shutil
import socket
import subprocess
import threading
import time

from harness import LIMIT, reserved_port


@contextlib.contextmanager
def turn_server(folder, *arguments, answers_at):
    """Gives its port. User "user", password "word". `answers_at` is an address of it, or an address
    and a port: when somebody answers there, it works."""
    with reserved_port("0.0.0.0") as port:  # noqa: S104 - nobody listens there yet
        yield from running(folder, port, arguments, answers_at)


def running(folder, port, arguments, answers_at):
    program = shutil.which("turnserver") or "/usr/bin/turnserver"
    address = answers_at if isinstance(answers_at, tuple) else (answers_at, port)
    server = subprocess.Popen(
        [program, "-n", f"--listening-port={port}", "--lt-cred-mech", "--user=user:word",
         "--realm=test", "--no-tls", "--no-dtls", "--no-cli", "--log-file=stdout",
         f"--userdb={folder}/turndb", f"--pidfile={folder}/turn.pid", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + LIMIT
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(address, timeout=1).close()
                break
            assert server.poll() is None and time.monotonic() < end
            threading.Event().wait(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()
