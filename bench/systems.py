"""The systems under test. Each leads from a port in B to the service in A, except those of
bench.files, which carry files.

`open(stack)` starts it and returns a Route; `first_octet` is the command whose output begins when
a new session has been made from nothing, or None where there is no session to make.
"""

import dataclasses
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

from bench.files import file_systems
from bench.lab import ROOT
from bench.processes import Events, spawn, wait_for_port
from bench.service import request

BINARY = pathlib.Path(os.environ.get("PEERSOCK_BINARY", ROOT / "build" / "peersock"))
LOCAL = "127.0.0.1"
PRIVILEGE_SEPARATION = pathlib.Path("/run/sshd")


@dataclasses.dataclass
class Route:
    target: tuple
    # Processes that carry the data, by side; none where the client reaches the service itself.
    pids: dict


@dataclasses.dataclass
class Place:
    """A network with the servers that systems need; `directory` is for keys and the like."""

    lab: object
    service: object
    directory: pathlib.Path
    mailbox: str  # URL of our rendezvous server

    @property
    def address(self):
        return self.lab.a.addresses[0]

    def free_port(self):
        with self.lab.a.namespace.socket(kind=socket.SOCK_STREAM) as probe:
            probe.bind((self.address, 0))
            return probe.getsockname()[1]


def peersock_environment(directory):
    found = {k: v for k, v in os.environ.items() if not k.startswith("PEERSOCK_")}
    return {**found, "XDG_CONFIG_HOME": str(directory)}


def start_mailbox(stack, lab, directory):
    """peersock's rendezvous server; its URL."""
    server = Events(stack, lab.server, [BINARY, "mailbox", "--listen",
                                        f"{lab.server.addresses[0]}:0", "--json"],
                    env=peersock_environment(directory))
    return server.wait("mailbox_listening")["url"]


class Direct:
    name = "TCP, direct"
    key = "tcp"

    def __init__(self, place):
        self.place = place

    def missing(self):
        return None

    def open(self, _stack):
        return Route((self.place.address, self.place.service.port), {})


class Peersock:
    def __init__(self, place, engine, path, congestion=None):
        self.place = place
        self.name = f"peersock, {engine}, {path}"
        self.key = f"{engine}_{path}"
        self.chosen = {"PEERSOCK_ENGINE": engine, "PEERSOCK_PATH": path}
        if congestion:
            self.chosen["PEERSOCK_CONGESTION"] = congestion
        self.environment = {**peersock_environment(place.directory), **self.chosen}

    def missing(self):
        return None if BINARY.exists() else f"{BINARY} is not there; build it or set PEERSOCK_BINARY"

    def common(self, trace=False):
        return ["--rendezvous", self.place.mailbox, "--stun", "", "--turn", "", "--json",
                *(["--trace"] if trace else [])]

    def open(self, stack):
        lab = self.place.lab
        a = Events(stack, lab.a, [BINARY, "connect", f"{LOCAL}:{self.place.service.port}",
                                  *self.common()], env=self.environment)
        code = a.wait("code_made")["code"]
        b = Events(stack, lab.b, [BINARY, "listen", f"{LOCAL}:0", *self.common()],
                   env={**self.environment, "PEERSOCK_CODE": code})
        port = int(b.wait("listening")["address"].rpartition(":")[2])
        return Route((LOCAL, port), {"a": a.process.pid, "b": b.process.pid})

    def first_octet(self, stack, trace=False):
        source, sink = os.pipe()
        os.write(sink, b"x")
        os.close(sink)
        a = Events(stack, self.place.lab.a, [BINARY, "stdio-a", *self.common(trace)],
                   env=self.environment, stdin=source, stdout=subprocess.DEVNULL)
        os.close(source)
        code = a.wait("code_made")["code"]
        command = {"command": [str(BINARY), "stdio-b", *self.common(trace)],
                   "environment": {"PEERSOCK_CODE": code, **self.chosen,
                                   "XDG_CONFIG_HOME": self.environment["XDG_CONFIG_HOME"]},
                   "data": ""}
        return command, a


class Socat:
    name = "socat, OpenSSL"
    key = "socat"
    options = ["-b65536"]

    def __init__(self, place):
        self.place, self.directory = place, place.directory

    def missing(self):
        absent = [tool for tool in ("socat", "openssl") if shutil.which(tool) is None]
        return f"{' and '.join(absent)} not installed" if absent else None

    def _certificate(self):
        key, certificate = self.directory / "socat.key", self.directory / "socat.crt"
        if not certificate.exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                            "/CN=bench", "-addext", f"subjectAltName=IP:{self.place.address}",
                            "-keyout", key,
                            "-out", certificate], check=True, capture_output=True)
        return key, certificate

    def _serve(self, stack):
        key, certificate = self._certificate()
        place, port = self.place, self.place.free_port()
        server = spawn(stack, place.lab.a, [
            "socat", *self.options, f"OPENSSL-LISTEN:{port},bind={place.address},fork,reuseaddr,"
            f"backlog=2048,cert={certificate},key={key},verify=0,nodelay",
            f"TCP:{LOCAL}:{place.service.port},nodelay"], stderr=subprocess.DEVNULL)
        wait_for_port(port, server)
        return server, f"OPENSSL:{place.address}:{port},cafile={certificate},commonname=bench,nodelay"

    def open(self, stack):
        server, remote = self._serve(stack)
        port = self.place.free_port()
        client = spawn(stack, self.place.lab.b, [
            "socat", *self.options,
            f"TCP-LISTEN:{port},bind={LOCAL},fork,reuseaddr,backlog=2048,nodelay", remote],
            stderr=subprocess.DEVNULL)
        wait_for_port(port, client)
        return Route((LOCAL, port), {"a": server.pid, "b": client.pid})

    def first_octet(self, stack, trace=False):
        _, remote = self._serve(stack)
        return {"command": ["socat", *self.options, "-t5", "-", remote], "environment": {},
                "data": one_octet()}, None


class Ssh:
    def __init__(self, place, cipher=None):
        self.place, self.directory = place, place.directory
        self.cipher = cipher
        self.name = f"ssh -L, {'aes128-gcm' if cipher else 'default cipher'}"
        self.key = "ssh_gcm" if cipher else "ssh"
        # Where root is only mapped, sshd cannot change its user: it runs as the user it logs in.
        self.uid = int(os.environ.get("PEERSOCK_BENCH_UID", "0"))

    def missing(self):
        absent = [t for t in ("ssh", "/usr/sbin/sshd", "ssh-keygen") if shutil.which(t) is None]
        return f"{' and '.join(absent)} not installed" if absent else None

    def _keys(self):
        for name in ("host_key", "user_key"):
            if not (self.directory / name).exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                                self.directory / name], check=True)

    def _serve(self, stack):
        self._keys()
        port = self.place.free_port()
        config = self.directory / "sshd_config"
        config.write_text(f"""
ListenAddress {self.place.address}
Port {port}
HostKey {self.directory}/host_key
AuthorizedKeysFile {self.directory}/user_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
LogLevel ERROR
MaxStartups 1000
""")
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", config]
        if self.uid == 0 and not PRIVILEGE_SEPARATION.exists():
            # In our own mount namespace: the machine does not see it.
            subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
            PRIVILEGE_SEPARATION.mkdir(mode=0o755)
        if self.uid != 0:
            command = ["unshare", "--user", f"--map-user={self.uid}", "--", *command]
        server = spawn(stack, self.place.lab.a, command, stderr=subprocess.DEVNULL)
        wait_for_port(port, server)
        return server, ["ssh", "-F", "none", "-p", str(port), "-i", str(self.directory / "user_key"),
                        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                        "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                        "-o", "ExitOnForwardFailure=yes",
                        *(["-c", self.cipher] if self.cipher else [])]

    def _login(self):
        return f"{pwd.getpwuid(self.uid).pw_name}@{self.place.address}"

    def open(self, stack):
        server, ssh = self._serve(stack)
        port = self.place.free_port()
        client = spawn(stack, self.place.lab.b, [
            *ssh, "-N", "-L", f"{LOCAL}:{port}:{LOCAL}:{self.place.service.port}", self._login()],
            stderr=subprocess.DEVNULL)
        wait_for_port(port, client)
        return Route((LOCAL, port), {"a": server.pid, "b": client.pid})

    def first_octet(self, stack, trace=False):
        _, ssh = self._serve(stack)
        return {"command": [*ssh, "-W", f"{LOCAL}:{self.place.service.port}", self._login()],
                "environment": {}, "data": one_octet()}, None


def one_octet():
    return request(b"S", 1).decode("latin-1")


def all_systems(place):
    return [Direct(place),
            *(Peersock(place, engine, path) for engine in ("ngtcp2", "openssl")
              for path in ("auto", "nice")),
            Socat(place), Ssh(place), Ssh(place, cipher="aes128-gcm@openssh.com"),
            *file_systems(place)]


def make_directory(stack):
    return pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="peersock-bench-")))
