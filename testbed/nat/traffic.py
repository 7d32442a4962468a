"""A connection through the tunnel on which data flows both ways for as long as one likes."""

import contextlib
import hashlib
import socket
import threading
import time
import types

from testbed.network import Host

CHUNK, PAUSE = 16_384, 0.01  # octets, and seconds after each: 1.6 MB/s at most
LIMIT = 60.0                 # seconds without anything


class _End:
    """One end of the connection: what it has sent and what it has received, as digests."""

    def __init__(self, name: str, stop: threading.Event, rest: threading.Event) -> None:
        self._name, self._stop, self._rest = name, stop, rest
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()
        self.octets_sent = self.octets_received = 0
        self.trouble = ""
        self.longest_pause = 0.0  # seconds in which nothing came in, since something has

    def send(self, connection: socket.socket) -> None:
        number = 0
        with self._noting():
            while not self._stop.is_set():
                if self._rest.is_set():
                    time.sleep(PAUSE)
                    continue
                number += 1
                chunk = hashlib.shake_128(f"{self._name} {number}".encode()).digest(CHUNK)
                connection.sendall(chunk)
                self.sent.update(chunk)
                self.octets_sent += len(chunk)
                time.sleep(PAUSE)
            connection.shutdown(socket.SHUT_WR)

    def receive(self, connection: socket.socket) -> None:
        with self._noting():
            before: float | None = None
            while chunk := connection.recv(65536):
                now = time.monotonic()
                if before is not None:
                    self.longest_pause = max(self.longest_pause, now - before)
                before = now
                self.received.update(chunk)
                self.octets_received += len(chunk)

    @contextlib.contextmanager
    def _noting(self):  # type: ignore[no-untyped-def]
        try:
            yield
        except OSError as error:
            self.trouble = f"the {self._name}'s connection broke: {error}"


class Traffic:
    """`port` is where the service is; `begin` is called with where the tunnel is."""

    def __init__(self, host: Host) -> None:
        self._stop, self._rest = threading.Event(), threading.Event()
        self._service, self._client = (_End(name, self._stop, self._rest)
                                       for name in ("service", "client"))
        self._listener = host.namespace.socket(kind=socket.SOCK_STREAM)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._listener.settimeout(LIMIT)
        self.port = self._listener.getsockname()[1]
        self._stack = contextlib.ExitStack()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Traffic":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        self._stop.set()
        self._listener.close()
        self._stack.close()

    def begin(self, host: Host, port: int) -> float:
        """Gives the time of the first octet. From now on data flows."""
        client = self._stack.enter_context(host.namespace.socket(kind=socket.SOCK_STREAM))
        client.connect(("127.0.0.1", port))
        server = self._stack.enter_context(self._listener.accept()[0])
        self._start(self._service, server)
        client.settimeout(LIMIT)
        client.recv(1, socket.MSG_PEEK)
        moment = time.monotonic()
        self._start(self._client, client)
        return moment

    def _start(self, end: _End, connection: socket.socket) -> None:
        connection.settimeout(LIMIT)
        for work in (end.send, end.receive):
            thread = threading.Thread(target=work, args=(connection,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def flow_for(self, seconds: float) -> None:
        time.sleep(seconds)

    def rest_for(self, seconds: float) -> None:
        """Nobody says anything for so long."""
        self._rest.set()
        time.sleep(seconds)
        self._rest.clear()

    @property
    def longest_pause(self) -> float:
        """Seconds in which one of the two got nothing."""
        return max(self._service.longest_pause, self._client.longest_pause)

    def finish(self) -> str:
        """Empty when every octet has arrived as it was sent, otherwise a sentence."""
        before = self._service.octets_received, self._client.octets_received
        self._stop.set()
        for thread in self._threads:
            thread.join(LIMIT)
        for one, other in ((self._service, self._client), (self._client, self._service)):
            if one.trouble:
                return one.trouble
            if one.sent.digest() != other.received.digest():
                return (f"{one.octets_sent} octets were sent, {other.octets_received} other ones "
                        "have arrived")
        return "" if min(before) > 0 else "no data has flowed"
