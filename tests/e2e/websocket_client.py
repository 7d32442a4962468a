"""A WebSocket client (RFC 6455) that is simple enough to misbehave."""

import base64
import json
import os
import socket

from harness import LIMIT
from testbed.conformance.websocket import (CLOSE, PING, PONG, TEXT, Frame, decode_frame,
                                           encode_frame)


class Refused(Exception):
    """The server answered something else than a WebSocket."""


def frame(opcode, payload):
    """One masked frame; the mask is zero, so the payload stands as it is."""
    return encode_frame(Frame(opcode, payload), mask=bytes(4))


class WebSocket:
    """`address` is (host, port), or the path of a Unix socket."""

    def __init__(self, address, headers=(), tls=None, limit=LIMIT, receive_buffer=None):
        unix = not isinstance(address, tuple)
        self.socket = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(limit)
        self.socket.connect(str(address) if unix else address)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /v1 HTTP/1.1", "Host: test", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.buffer = bytearray()
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.splitlines()[0]:
            raise Refused(head.splitlines()[0].decode())
        self.welcome = self.read()["welcome"]

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data

    def read_frame(self):
        while (found := decode_frame(self.buffer)) is None:
            self._more()
        one, used = found
        del self.buffer[:used]
        return one.opcode, one.payload

    def read(self):
        """The next message; pings are answered."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == PING:
                self.socket.sendall(frame(PONG, payload))
            elif opcode == CLOSE:
                raise ConnectionError("closed")
            else:
                return json.loads(payload)

    def hear(self, kind):
        """The next message of this type."""
        while (message := self.read())["type"] != kind:
            pass
        return message

    def say(self, **request):
        self.socket.sendall(frame(TEXT, json.dumps(request).encode()))

    def bind(self, side, appid="app"):
        self.say(type="bind", appid=appid, side=side)
        return self

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
