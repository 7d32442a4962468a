"""The server's end of a WebSocket (RFC 6455), bare enough to break every rule of it."""

import contextlib
import socket
import struct

from testbed.conformance.websocket import (BINARY, CLOSE, PING, PONG, TEXT, Frame, accept_for,
                                           decode_frame, encode_frame)


class Gone(Exception):
    """The other end is gone, or has closed."""


class WebSocket:
    def __init__(self, connection):
        self.connection = connection
        self.buffer = bytearray()

    def _fill(self):
        try:
            data = self.connection.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self.buffer += data

    def read_request(self):
        """The client's HTTP request, up to the empty line."""
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return bytes(head)

    def accept(self, request):
        key = next(line.split(b":", 1)[1].strip() for line in request.split(b"\r\n")
                   if line.lower().startswith(b"sec-websocket-key:"))
        self.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept_for(key) + b"\r\n\r\n")

    def receive(self):
        """The next text or binary message; answers pings."""
        while True:
            while (found := decode_frame(self.buffer)) is None:
                self._fill()
            frame, used = found
            del self.buffer[:used]
            if frame.opcode == CLOSE:
                raise Gone
            if frame.opcode == PING:
                self.frame(PONG, frame.payload)
            if frame.opcode in (TEXT, BINARY):
                return frame.payload

    def frame(self, kind, octets, first=128):
        """`first` is the rest of the first octet: FIN, and bits that ought to be clear."""
        self.raw(encode_frame(Frame(kind, octets, bool(first & 128), reserved=first >> 4 & 7)))

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
