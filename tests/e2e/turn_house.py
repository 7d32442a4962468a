"""coturn, for as long as a block runs."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time

from harness import LIMIT, reserved_port


@contextlib.contextmanager
def turn_server(folder, *arguments, answers_at, certificate=None):
    """Gives its port. User "user", password "word". `answers_at` is an address of it, or an address
    and a port: when somebody answers there, it works. With a certificate and its key it speaks TLS
    on that port as well."""
    with reserved_port("0.0.0.0") as port, reserved_port("0.0.0.0") as tls_port:  # noqa: S104
        tls = ["--no-tls"]
        if certificate:
            tls = [f"--cert={certificate[0]}", f"--pkey={certificate[1]}",
                   f"--tls-listening-port={tls_port}"]
        yield from running(folder, port, (*tls, *arguments), answers_at)


def running(folder, port, arguments, answers_at):
    program = shutil.which("turnserver") or "/usr/bin/turnserver"
    address = answers_at if isinstance(answers_at, tuple) else (answers_at, port)
    server = subprocess.Popen(
        [program, "-n", f"--listening-port={port}", "--lt-cred-mech", "--user=user:word",
         "--realm=test", "--no-dtls", "--no-cli", "--log-file=stdout",
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


def trusting(certificate):
    """What to put in front of a program so that it trusts nobody but this certificate. It needs a
    namespace for mounts."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"'
    return ("unshare", *user, "--mount", "sh", "-c", script, str(certificate))
