"""The server's end of a WebSocket (RFC 6455), bare enough to break every rule of it."""

import base64
import contextlib
import hashlib
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Gone(Exception):
    """The other end is gone, or has closed."""


class WebSocket:
    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def _fill(self):
        try:
            data = self.connection.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self.buffer += data

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def read_request(self):
        """The client's HTTP request, up to the empty line."""
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return head

    def accept(self, request):
        key = next(line.split(b":", 1)[1].strip() for line in request.split(b"\r\n")
                   if line.lower().startswith(b"sec-websocket-key:"))
        token = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + token + b"\r\n\r\n")

    def receive(self):
        """The next text or binary message; answers pings."""
        while True:
            first, second = self._take(2)
            length = second & 127
            if length == 126:
                length = struct.unpack(">H", self._take(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self._take(8))[0]
            mask = self._take(4) if second & 128 else bytes(4)
            octets = bytes(o ^ mask[i % 4] for i, o in enumerate(self._take(length)))
            kind = first & 15
            if kind == CLOSE:
                raise Gone
            if kind == PING:
                self.frame(PONG, octets)
            if kind in (TEXT, BINARY):
                return octets

    def frame(self, kind, octets, first=128):
        """`first` is the rest of the first octet: FIN, and bits that ought to be clear."""
        if len(octets) < 126:
            length = bytes([len(octets)])
        elif len(octets) < 65536:
            length = b"\x7e" + struct.pack(">H", len(octets))
        else:
            length = b"\x7f" + struct.pack(">Q", len(octets))
        self.raw(bytes([first | kind]) + length + octets)

    def raw(self, octets):
        try:
            self.connection.sendall(octets)
        except OSError as error:
            raise Gone from error

    def abort(self):
        """Ends with a TCP reset, without a word."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        # Wakes the thread that reads; it closes the socket.
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        raise Gone
