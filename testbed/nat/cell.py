"""One cell of the matrix: two peersock processes behind two profiles, and what became of them."""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from testbed.nat.profiles import PROXY_PORT, Profile
from testbed.network import Host, Internet, Link, isolation
from testbed.network.internet import ROOT, end
from testbed.network.namespace import Namespace

RENDEZVOUS, RELAY, PROXY = "192.0.2.10", "192.0.2.11", "192.0.2.12"
RENDEZVOUS6, RELAY6 = "2001:db8:53::10", "2001:db8:53::11"
PORT, TURN_PORT, OPEN_PORT = 4000, 3478, 443
LIMIT = 45.0      # seconds that a session may take to come up, or to fail
HOPELESS = 8.0    # the same where a failure is expected (a server is given up after 5)
TOLD = 3.0        # seconds after which the peer has told what its addresses are
BETTER_PATH = 5.0  # seconds that a direct path may take after a relayed one
SETTLE = 20.0     # seconds in which a session has to know why it is relayed
SIZE = 200_000    # octets in each direction
SERVER_DELAY = 5.0  # ms of the servers' line where lines have delays, as in the simulation (sim/)
TURNSERVER = "/usr/bin/turnserver"
RENDEZVOUS_NAME, STUN_NAME, RELAY_NAME = "rendezvous.test", "stun.test", "turn.test"  # RFC 6761


def binary() -> pathlib.Path:
    return pathlib.Path(os.environ.get("PEERSOCK_BINARY", ROOT / "build" / "peersock"))


@dataclasses.dataclass
class Result:
    outcome: str = "failed"   # direct, relayed, failed
    why: str = ""             # for a failure: what was said, or what was waited for
    first_octet_ms: float | None = None
    first_path: str = ""      # direct or relayed
    direct_after_ms: float | None = None  # of a session that was relayed first
    path: str = ""            # types of the candidates, the listening side's first
    transport: str = ""
    family: int = 0           # 4 or 6, of the addresses of the path
    reason_given: str = ""    # why it is relayed, in the words of docs/spec/events.md
    stood_still_ms: float | None = None  # how long no data came in, of a session that data flowed in
    seconds: float = 0.0

    def take_path(self, program: "Program", patience: float) -> None:
        """Of the listening side, when it has been given `patience` seconds to find a better one, or
        the time to know why there is none.

        A relay of the peer's whose address shows in a check first looks direct until it is told of.
        """
        began = time.monotonic()

        def last() -> dict[str, Any]:
            return program.find("path_chosen")[-1]

        def told() -> bool:
            address = last()["remote_address"].rpartition(":")[0].strip("[]")
            return last()["remote_type"] != "prflx" or address not in (RELAY, RELAY6)

        program.wait_until(told, TOLD)
        program.wait_until(lambda: last()["kind"] == "direct", patience)
        waited = time.monotonic() - began
        program.wait_until(lambda: last()["reason"] != "still_checking", SETTLE)
        path = last()
        self.first_path = program.find("path_chosen")[0]["kind"]
        if path["kind"] == "relayed":
            self.first_path = "relayed"
        if self.first_path == "relayed" and path["kind"] == "direct":
            self.direct_after_ms = round(waited * 1000, 1)
        self.outcome, self.transport = path["kind"], path["transport"]
        self.path = f"{path['local_type']} – {path['remote_type']}"
        self.family = 6 if path["local_address"].startswith("[") else 4
        self.reason_given = path["reason"] or ""


class Program:
    """A peersock process, whose events are read when somebody waits."""

    def __init__(self, namespace: Namespace, *arguments: object, prefix: Sequence[str] = (),
                 **secrets: str) -> None:
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith("PEERSOCK_") and not k.lower().endswith("_proxy")}
        environment |= {"XDG_CONFIG_HOME": "/nonexistent", **secrets}
        self.events: list[dict[str, Any]] = []
        self._rest = b""
        self.process = namespace.start([*prefix, binary(), *arguments, "--json"], env=environment,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert self.process.stderr is not None
        self._pipe = self.process.stderr.fileno()
        self.ended = False

    def _read(self, limit: float) -> None:
        if not select.select([self._pipe], [], [], max(0.0, limit))[0]:
            return
        octets = os.read(self._pipe, 65536)
        self.ended = not octets
        *lines, self._rest = (self._rest + octets).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self.events.append(json.loads(line))

    def find(self, name: str) -> list[dict[str, Any]]:
        return [e for e in self.events if e.get("event") == name]

    def wait_until(self, condition: Callable[[], bool], limit: float) -> bool:
        """False when the time, or the process, has ended before."""
        last = time.monotonic() + limit
        while not condition():
            left = last - time.monotonic()
            if self.ended or left <= 0:
                return False
            self._read(left)
        return True

    def wait_for(self, name: str, limit: float = LIMIT) -> dict[str, Any]:
        if not self.wait_until(lambda: bool(self.find(name)), limit):
            raise Failed(self.story(name, limit))
        return self.find(name)[0]

    def story(self, wanted: str, limit: float) -> str:
        errors = [e["message"] for e in self.find("error") + self.find("warning")]
        return errors[0] if errors else f"no {wanted} within {limit:.0f} s"


class Failed(Exception):
    """The session did not come about; the text says why."""


def noise(seed: str, size: int = SIZE) -> bytes:
    return hashlib.shake_128(seed.encode()).digest(size)


def folder() -> "tempfile.TemporaryDirectory[str]":
    """For files of servers, where nobody else sees them and nothing outlives the run."""
    return tempfile.TemporaryDirectory(dir=isolation.private_folder())


class Servers:
    """A rendezvous server and coturn with TLS, as operators run them, both on 443 as well, and an
    HTTP proxy if a site needs one. coturn answers from two addresses, as RFC 5780 wants.
    """

    def __init__(self, internet: Internet, server: Host, folder: str, proxied: bool = False) -> None:
        self._internet, self._where, self._folder = internet, server.namespace, folder
        make_certificate(folder)
        self._turn = self._start_turn()
        start_mailbox(internet, server, [f"{RENDEZVOUS}:{PORT}", f"{RENDEZVOUS}:{OPEN_PORT}",
                                         f"[{RENDEZVOUS6}]:{PORT}"])
        awaited = [(RELAY, TURN_PORT), (RELAY, OPEN_PORT)]
        if proxied:
            proxy = self._where.start([sys.executable, "-m", "testbed.http_proxy", PROXY, PROXY_PORT,
                                       "--ports", OPEN_PORT], cwd=ROOT, stdout=subprocess.DEVNULL)
            internet.network.callback(end, proxy)
            awaited.append((PROXY, PROXY_PORT))
        self._wait_for(awaited)

    def restart_relay(self) -> None:
        """It forgets whom it has relayed for."""
        end(self._turn)
        self._turn = self._start_turn()
        self._wait_for([(RELAY, TURN_PORT)])

    def _start_turn(self) -> "subprocess.Popen[bytes]":
        folder = self._folder
        turn = self._where.start(
            # Where STUN is asked comes first: coturn 4.6 takes the next address of the family, and of
            # the last one itself, for the other one that RFC 5780 wants to hear of.
            [TURNSERVER, "-n", f"--listening-ip={RENDEZVOUS}", f"--listening-ip={RENDEZVOUS6}",
             f"--listening-ip={RELAY}", f"--listening-ip={RELAY6}",
             f"--relay-ip={RELAY}", f"--relay-ip={RELAY6}", f"--listening-port={TURN_PORT}",
             f"--aux-server={RELAY}:{OPEN_PORT}", "--lt-cred-mech", "--user=user:word",
             "--realm=test", f"--cert={folder}/certificate",
             f"--pkey={folder}/key", "--no-dtls", "--no-cli", "--relay-threads=1",
             "--log-file=stdout", f"--userdb={folder}/db", f"--pidfile={folder}/pid"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._internet.network.callback(end, turn)
        return turn

    def _wait_for(self, awaited: list[tuple[str, int]]) -> None:
        last = time.monotonic() + LIMIT
        for address, port in awaited:
            while not _answers(self._where, address, port):
                if self._turn.poll() is not None or time.monotonic() > last:
                    raise Failed("coturn or the proxy does not start")
                select.select([], [], [], 0.02)


def start_mailbox(internet: Internet, server: Host, addresses: list[str]) -> None:
    listen = [part for address in addresses for part in ("--listen", address)]
    mailbox = Program(server.namespace, "mailbox", *listen)
    internet.network.callback(end, mailbox.process)
    ready = "mailbox_listening"
    if not mailbox.wait_until(lambda: len(mailbox.find(ready)) == len(addresses), LIMIT):
        raise Failed(f"the rendezvous server does not start: {mailbox.events}")


def _answers(where: Namespace, address: str, port: int) -> bool:
    with where.socket(kind=socket.SOCK_STREAM) as probe:
        return probe.connect_ex((address, port)) == 0


def make_certificate(folder: str) -> None:
    """For the addresses of the relay, and its name."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=relay",
                    "-addext", f"subjectAltName=IP:{RELAY},IP:{RELAY6},DNS:{RELAY_NAME}", "-keyout",
                    f"{folder}/key", "-out", f"{folder}/certificate"], check=True,
                   capture_output=True)


def trusting(folder: str, names: Sequence[tuple[str, str]] = ()) -> list[str]:
    """In front of a program: it trusts the relay's certificate, and no other. If there are names
    (each with one of its addresses), it knows these, and no others.
    """
    mounts = 'mount --bind "$0/certificate" /etc/ssl/certs/ca-certificates.crt && '
    if names:
        lines = "".join(f"{address} {name}\n" for name, address in names)
        pathlib.Path(folder, "hosts").write_text(lines, encoding="ascii")
        mounts += 'mount --bind "$0/hosts" /etc/hosts && '
    return ["unshare", "--mount", "sh", "-c", mounts + 'exec "$@"', folder]


def settings(profile: Profile, with_relay: bool = True) -> list[object]:
    """What somebody behind this profile gives on the command line."""
    rendezvous, relay = (RENDEZVOUS, RELAY) if profile.ipv4 else (RENDEZVOUS6, RELAY6)
    host = f"[{rendezvous}]" if ":" in rendezvous else rendezvous
    # STUN at another address than TURN: two servers see more of a NAT than one.
    return ["--rendezvous", f"ws://{host}:{profile.port or PORT}/v1",
            "--stun", rendezvous, "--stun-port", TURN_PORT,
            *(["--turn", relay, "--turn-port", profile.port or TURN_PORT, "--turn-user", "user",
               "--turn-transport", profile.turn_transport] if with_relay else []),
            *(["--proxy", f"http://{PROXY}:{PROXY_PORT}"] if profile.proxy else [])]


class Service:
    """What is offered through the tunnel: it speaks first, and listens to the end."""

    def __init__(self, host: Host, size: int = SIZE) -> None:
        self.size = size  # in each direction
        self.listener = host.namespace.socket(kind=socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        self.received = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(LIMIT)
                connection.sendall(noise("service", self.size))
                connection.shutdown(socket.SHUT_WR)
                self.received = receive_all(connection)

    def finish(self) -> bytes:
        self._thread.join(LIMIT)
        self.listener.close()
        return self.received


def receive_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def _send(connection: socket.socket, octets: bytes) -> None:
    with contextlib.suppress(OSError):  # who receives sees it
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)


def exchange(host: Host, port: int, service: Service) -> float:
    """Moves data both ways; gives the time of the first octet. Raises Failed unless all is right."""
    service.start()
    with host.namespace.socket(kind=socket.SOCK_STREAM) as client:
        client.settimeout(LIMIT)
        try:
            client.connect(("127.0.0.1", port))
            first = client.recv(1)
            moment = time.monotonic()
            sender = threading.Thread(target=_send, args=(client, noise("client", service.size)))
            sender.start()
            rest = receive_all(client)
            sender.join()
        except OSError as error:
            raise Failed(f"the tunnel broke: {error}") from error
    size = service.size
    if first + rest != noise("service", size) or service.finish() != noise("client", size):
        raise Failed("octets were lost or changed")
    return moment


def run(connecting: Profile, listening: Profile, expected: str,
        patience: float | None = None, delay: float = 0, relay: bool = True) -> Result:
    """Builds the little world, runs the session, and takes everything down.

    `patience` is how long a direct path may take after a relayed one, in seconds; `delay` that of
    each site's line, in ms. Without `relay` nobody knows of one.
    """
    line, server_line = (Link(delay=delay), Link(delay=SERVER_DELAY)) if delay else (None, None)
    if patience is None:
        patience = BETTER_PATH if expected == "direct" else 0
    began = time.monotonic()
    result = Result()
    with Internet() as internet, folder() as files:
        server = internet.host("server", [RENDEZVOUS, RELAY, PROXY, RENDEZVOUS6, RELAY6],
                               server_line)
        try:
            Servers(internet, server, files, connecting.proxy or listening.proxy)
            left = connecting.build(internet, "left", 1, line)
            right = listening.build(internet, "right", 2, line)
            _session(internet, (connecting, left), (listening, right), expected, patience, result,
                     trusting(files), relay)
        except Failed as failed:
            result.outcome, result.why = "failed", str(failed)
    result.seconds = round(time.monotonic() - began, 3)
    return result


def _session(internet: Internet, connecting: tuple[Profile, Host], listening: tuple[Profile, Host],
             expected: str, patience: float, result: Result, prefix: Sequence[str],
             relay: bool) -> None:
    (left_profile, left), (right_profile, right) = connecting, listening
    service = Service(left)
    secrets = {"PEERSOCK_TURN_PASSWORD": "word"} if relay else {}
    a = Program(left.namespace, "connect", f"127.0.0.1:{service.port}", *settings(left_profile, relay), prefix=prefix, **secrets)
    internet.network.callback(end, a.process)
    limit = HOPELESS if expected == "failed" else LIMIT
    code = a.wait_for("code_made", limit)["code"]
    began = time.monotonic()
    b = Program(right.namespace, "listen", "127.0.0.1:0", *settings(right_profile, relay),
                prefix=prefix, PEERSOCK_CODE=code, **secrets)
    internet.network.callback(end, b.process)
    address = b.wait_for("listening", limit)["address"]
    moment = exchange(right, int(address.rsplit(":", 1)[1]), service)
    result.first_octet_ms = round((moment - began) * 1000, 1)
    result.take_path(b, patience)
