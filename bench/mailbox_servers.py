"""The rendezvous servers that are compared: ours, and the reference in each version that is here."""

import os
import pathlib
import re
import shutil
import socket
import subprocess

from bench.lab import ROOT
from bench.processes import Events, Failure, spawn, wait_for_port

BINARY = pathlib.Path(os.environ.get("PEERSOCK_BINARY", ROOT / "build" / "peersock"))
PYTHON = "/usr/bin/python3"
LOCAL = "127.0.0.1"
# What our server admits unless it is told otherwise.
OUR_CONNECTIONS = 2048
OUR_CONNECTIONS_PER_ADDRESS = 128


def clean_environment(**extra):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PEERSOCK_")}
    return {**environment, "XDG_CONFIG_HOME": "/nonexistent", **extra}


class Peersock:
    name = "peersock mailbox"
    key = "peersock"

    def start(self, stack, connections, per_address):
        """Its process id and port, once it listens."""
        limits = []
        if connections > OUR_CONNECTIONS:
            limits += ["--max-connections", str(connections)]
        if per_address > OUR_CONNECTIONS_PER_ADDRESS:
            limits += ["--max-connections-per-address", str(per_address)]
        server = Events(stack, None,
                        [BINARY, "mailbox", "--listen", f"{LOCAL}:0", *limits, "--json"],
                        env=clean_environment())
        url = server.wait("mailbox_listening")["url"]
        return server.process.pid, int(url.rsplit(":", 1)[1].split("/")[0])


class Reference:
    """magic-wormhole-mailbox-server, unpacked; its state is in memory, as ours is."""

    def __init__(self, path):
        self.path = path
        found = next(path.glob("magic_wormhole_mailbox_server-*"), None)
        version = re.search(r"-(\d+(?:\.\d+)*)", found.name).group(1) if found else "?"
        self.name = f"reference {version}"
        self.key = f"reference-{version}"

    def start(self, stack, _connections, _per_address):
        with socket.create_server((LOCAL, 0)) as probe:
            port = probe.getsockname()[1]
        server = spawn(stack, None, [PYTHON, "-m", "twisted", "wormhole-mailbox",
                                     f"--port=tcp:{port}:interface={LOCAL}",
                                     "--channel-db=:memory:"],
                       env=clean_environment(PYTHONPATH=str(self.path)), stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        wait_for_port(port, server)
        return server.pid, port


def reference_paths():
    """All versions in the cache; fetches the first one."""
    wanted = os.environ.get("PEERSOCK_MAILBOX_SERVER_PATH") or subprocess.run(
        [ROOT / "scripts" / "lib" / "mailbox-server"], capture_output=True, text=True, check=True,
        timeout=300).stdout.strip()
    package = pathlib.Path(wanted).parents[3]
    inside = pathlib.Path(wanted).relative_to(package)
    return [found / inside for found in package.parent.glob("mailbox-server-*")
            if (found / inside).is_dir()]


def all_servers():
    if not BINARY.exists():
        raise Failure(f"{BINARY} is not there; build it or set PEERSOCK_BINARY")
    if shutil.which(PYTHON) is None:
        raise Failure(f"{PYTHON} is not there")
    references = map(Reference, reference_paths())
    return [Peersock(), *sorted(references, key=lambda reference: reference.name)]
