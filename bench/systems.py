"""The systems under test. Each leads from a port in B to the service in A.

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

from bench.lab import HOST_A, ROOT
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


def free_port():
    with socket.create_server((HOST_A, 0)) as probe:
        return probe.getsockname()[1]


class Direct:
    name = "TCP, direct"
    key = "tcp"

    def __init__(self, lab, service, _directory):
        self.service = service

    def missing(self):
        return None

    def open(self, _stack):
        return Route((HOST_A, self.service.port), {})


class Peersock:
    name = "peersock"
    key = "peersock"

    def __init__(self, lab, service, directory):
        self.lab, self.service = lab, service
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PEERSOCK_")}
        self.environment["XDG_CONFIG_HOME"] = str(directory)
        self.mailbox = None

    def missing(self):
        return None if BINARY.exists() else f"{BINARY} is not there; build it or set PEERSOCK_BINARY"

    def start_mailbox(self, stack):
        server = Events(stack, [BINARY, "mailbox", "--listen", f"{HOST_A}:0", "--json"],
                        env=self.environment)
        self.mailbox = server.wait("mailbox_listening")["url"]

    def common(self, trace=False):
        return ["--rendezvous", self.mailbox, "--stun", "", "--turn", "", "--json",
                *(["--trace"] if trace else [])]

    def open(self, stack):
        a = Events(stack, [BINARY, "connect", f"{LOCAL}:{self.service.port}", *self.common()],
                   env=self.environment)
        code = a.wait("code_made")["code"]
        b = Events(stack, [*self.lab.b.enter, BINARY, "listen", f"{LOCAL}:0", *self.common()],
                   env={**self.environment, "PEERSOCK_CODE": code})
        port = int(b.wait("listening")["address"].rpartition(":")[2])
        return Route((LOCAL, port), {"a": a.process.pid, "b": b.process.pid})

    def first_octet(self, stack, trace=False):
        source, sink = os.pipe()
        os.write(sink, b"x")
        os.close(sink)
        a = Events(stack, [BINARY, "stdio-a", *self.common(trace)], env=self.environment,
                   stdin=source, stdout=subprocess.DEVNULL)
        os.close(source)
        code = a.wait("code_made")["code"]
        command = {"command": [str(BINARY), "stdio-b", *self.common(trace)],
                   "environment": {"PEERSOCK_CODE": code,
                                   "XDG_CONFIG_HOME": self.environment["XDG_CONFIG_HOME"]},
                   "data": ""}
        return command, a


class Socat:
    name = "socat, OpenSSL"
    key = "socat"
    options = ["-b65536"]

    def __init__(self, lab, service, directory):
        self.lab, self.service, self.directory = lab, service, directory

    def missing(self):
        absent = [tool for tool in ("socat", "openssl") if shutil.which(tool) is None]
        return f"{' and '.join(absent)} not installed" if absent else None

    def _certificate(self):
        key, certificate = self.directory / "socat.key", self.directory / "socat.crt"
        if not certificate.exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                            "/CN=bench", "-addext", f"subjectAltName=IP:{HOST_A}", "-keyout", key,
                            "-out", certificate], check=True, capture_output=True)
        return key, certificate

    def _serve(self, stack):
        key, certificate = self._certificate()
        port = free_port()
        server = spawn(stack, ["socat", *self.options,
                               f"OPENSSL-LISTEN:{port},bind={HOST_A},fork,reuseaddr,backlog=2048,"
                               f"cert={certificate},key={key},verify=0,nodelay",
                               f"TCP:{LOCAL}:{self.service.port},nodelay"])
        wait_for_port(HOST_A, port, server)
        return server, f"OPENSSL:{HOST_A}:{port},cafile={certificate},commonname=bench,nodelay"

    def open(self, stack):
        server, remote = self._serve(stack)
        port = free_port()
        client = spawn(stack, [*self.lab.b.enter, "socat", *self.options,
                               f"TCP-LISTEN:{port},bind={LOCAL},fork,reuseaddr,backlog=2048,"
                               "nodelay", remote])
        wait_for_port(LOCAL, port, client)
        return Route((LOCAL, port), {"a": server.pid, "b": client.pid})

    def first_octet(self, stack, trace=False):
        _, remote = self._serve(stack)
        return {"command": ["socat", *self.options, "-t5", "-", remote], "environment": {},
                "data": one_octet()}, None


class Ssh:
    def __init__(self, lab, service, directory, cipher=None):
        self.lab, self.service, self.directory = lab, service, directory
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
        port = free_port()
        config = self.directory / "sshd_config"
        config.write_text(f"""
ListenAddress {HOST_A}
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
        server = spawn(stack, command, stderr=subprocess.DEVNULL)
        wait_for_port(HOST_A, port, server)
        return server, ["ssh", "-F", "none", "-p", str(port), "-i", str(self.directory / "user_key"),
                        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                        "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                        "-o", "ExitOnForwardFailure=yes",
                        *(["-c", self.cipher] if self.cipher else [])]

    def _login(self):
        return f"{pwd.getpwuid(self.uid).pw_name}@{HOST_A}"

    def open(self, stack):
        server, ssh = self._serve(stack)
        port = free_port()
        client = spawn(stack, [*self.lab.b.enter, *ssh, "-N", "-L",
                               f"{LOCAL}:{port}:{LOCAL}:{self.service.port}", self._login()],
                       stderr=subprocess.DEVNULL)
        wait_for_port(LOCAL, port, client)
        return Route((LOCAL, port), {"a": server.pid, "b": client.pid})

    def first_octet(self, stack, trace=False):
        _, ssh = self._serve(stack)
        return {"command": [*ssh, "-W", f"{LOCAL}:{self.service.port}", self._login()],
                "environment": {}, "data": one_octet()}, None


def one_octet():
    return request(b"S", 1).decode("latin-1")


def all_systems(lab, service, directory):
    return [Direct(lab, service, directory), Peersock(lab, service, directory),
            Socat(lab, service, directory), Ssh(lab, service, directory),
            Ssh(lab, service, directory, cipher="aes128-gcm@openssh.com")]


def make_directory(stack):
    return pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="peersock-bench-")))
