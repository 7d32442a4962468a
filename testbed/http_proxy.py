"""An HTTP proxy that knows CONNECT and nothing else, as sites have them.

  python3 -m testbed.http_proxy ADDRESS PORT [--user NAME:PASSWORD] [--ports 443,...]

Prints `ready PORT`, then a line for each request: the status of its answer, and where it wanted to go.
"""

import argparse
import base64
import contextlib
import socket
import socketserver
import threading

LONGEST_HEAD = 16384
PATIENCE = 30.0  # seconds for a request, and for a connection to its target


class Proxy(socketserver.ThreadingTCPServer):
    """`user` is "name:password" or empty; `ports` are the only ones to go to, or all."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], user: str = "",
                 ports: tuple[int, ...] = ()) -> None:
        self.secret = base64.b64encode(user.encode()).decode() if user else ""
        self.ports = ports
        self.seen: list[tuple[int, str]] = []
        super().__init__(address, _Request)

    def note(self, status: int, target: str) -> None:
        self.seen.append((status, target))
        print(status, target, flush=True)


class _Request(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            head = self._head()
            status, target = self._judge(head)
            if status != 200:
                self._answer(status, target)
                return
            host, port = target.rsplit(":", 1)
            try:
                far = socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE)
            except OSError:
                self._answer(502, target)
                return
            with far:
                self._answer(200, target)
                _join(self.request, far)

    def _head(self) -> str:
        head = b""
        while not head.endswith(b"\r\n\r\n") and len(head) < LONGEST_HEAD:
            octet = self.request.recv(1)
            if not octet:
                break
            head += octet
        return head.decode("latin-1")

    def _judge(self, head: str) -> tuple[int, str]:
        lines = head.split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not head.endswith("\r\n\r\n"):
            return 400, "nowhere"
        method, target, _ = words
        proxy = self.server
        assert isinstance(proxy, Proxy)
        if proxy.secret and f"Proxy-Authorization: Basic {proxy.secret}" not in lines:
            return 407, target
        if method != "CONNECT":
            return 405, target
        port = target.rsplit(":", 1)[-1]
        if not port.isdigit() or (proxy.ports and int(port) not in proxy.ports):
            return 403, target
        return 200, target

    def _answer(self, status: int, target: str) -> None:
        assert isinstance(self.server, Proxy)
        self.server.note(status, target)
        more = 'Proxy-Authenticate: Basic realm="test"\r\n' if status == 407 else ""
        self.request.sendall(f"HTTP/1.1 {status} Answer\r\n{more}\r\n".encode())


def _join(near: socket.socket, far: socket.socket) -> None:
    near.settimeout(None)
    far.settimeout(None)
    other = threading.Thread(target=_carry, args=(far, near), daemon=True)
    other.start()
    _carry(near, far)
    other.join()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while octets := source.recv(65536):
            sink.sendall(octets)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--user", default="")
    parser.add_argument("--ports", default="")
    options = parser.parse_args()
    ports = tuple(int(port) for port in options.ports.split(",") if port)
    with Proxy((options.address, options.port), options.user, ports) as proxy:
        print("ready", proxy.server_address[1], flush=True)
        proxy.serve_forever()


if __name__ == "__main__":
    main()
