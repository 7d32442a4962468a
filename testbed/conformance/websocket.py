"""A WebSocket client (RFC 6455) that has every octet in its hands, and can therefore misbehave.

Blocking sockets, no threads. `WebSocket` keeps to the protocol unless it is asked not to: frames
may be sent unmasked, in pieces, with reserved bits, or as bare octets.
"""

import base64
import dataclasses
import hashlib
import os
import socket
import ssl
import struct
import time
import urllib.parse

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
MAX_HEAD = 64 * 1024
MAX_FRAME = 64 * 1024 * 1024


class BadUrl(ValueError):
    """Not a URL of a rendezvous server; the text says why."""


class Unreachable(Exception):
    """There is no WebSocket to be had there; the text is a sentence."""


class Ended(Exception):
    """The other side ended the connection. `code` is that of its close frame, if it sent one."""

    def __init__(self, code=None):
        super().__init__("the server cut the connection" if code is None else
                         f"the server closed the connection with code {code}")
        self.code = code


class Silent(Exception):
    """Nothing came within the limit."""


class Violation(Exception):
    """The other side broke RFC 6455; the text says how."""


@dataclasses.dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True
    masked: bool = False
    reserved: int = 0


@dataclasses.dataclass(frozen=True)
class Url:
    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def __str__(self):
        return f"{'wss' if self.secure else 'ws'}://{self.authority}{self.path}"


def parse_url(text):
    """ws:// or wss://; without a path it is /v1, where rendezvous servers have theirs."""
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadUrl(f"{text!r} is no URL: {error}") from None
    if parts.scheme not in ("ws", "wss"):
        raise BadUrl(f"{text!r} must begin with ws:// or wss://")
    if not parts.hostname or parts.username or parts.fragment or port == 0:
        raise BadUrl(f"{text!r} must be ws://HOST[:PORT][/PATH]")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise BadUrl(f"{text!r} has characters that a URL cannot have")
    secure = parts.scheme == "wss"
    path = (parts.path if parts.path not in ("", "/") else "/v1") + (
        f"?{parts.query}" if parts.query else "")
    return Url(secure, parts.hostname, port or (443 if secure else 80), path)


def encode_frame(frame, mask=None):
    """The octets of a frame. `mask`: 4 octets, or None for an unmasked one."""
    head = bytes([(0x80 if frame.fin else 0) | frame.reserved << 4 | frame.opcode])
    bit, size = (0x80 if mask else 0), len(frame.payload)
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    return head + (mask + apply_mask(frame.payload, mask) if mask else frame.payload)


def apply_mask(payload, mask):
    size = len(payload)
    pattern = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")


def decode_frame(octets):
    """(frame, octets used), or None when the frame is not complete yet. Raises Violation."""
    if len(octets) < 2:
        return None
    size, at = octets[1] & 0x7F, 2
    for marker, width in ((126, 2), (127, 8)):
        if octets[1] & 0x7F == marker:
            if len(octets) < at + width:
                return None
            size, at = int.from_bytes(octets[at:at + width], "big"), at + width
    if size > MAX_FRAME:
        raise Violation(f"a frame of {size} octets")
    masked = bool(octets[1] & 0x80)
    mask, at = (bytes(octets[at:at + 4]), at + 4) if masked else (None, at)
    if len(octets) < at + size:
        return None
    payload = bytes(octets[at:at + size])
    return Frame(octets[0] & 0x0F, apply_mask(payload, mask) if masked else payload,
                 bool(octets[0] & 0x80), masked, octets[0] >> 4 & 7), at + size


def accept_for(key):
    return base64.b64encode(hashlib.sha1(key + ACCEPT_GUID).digest())


def connect_tcp(url, limit, tls=None):
    """A connected socket, through TLS when the URL asks for it. Raises Unreachable."""
    plain = None
    try:
        plain = socket.create_connection((url.host, url.port), timeout=limit)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not url.secure:
            return plain
        context = tls or ssl.create_default_context()
        secured, plain = context.wrap_socket(plain, server_hostname=url.host), None
        return secured
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"{url}: its certificate is not trusted ({error.verify_message}); "
                          "--ca FILE names another authority") from None
    except ssl.SSLError as error:
        reason = error.reason or str(error)
        raise Unreachable(f"{url}: there is no TLS on that port ({reason}); maybe it is ws://"
                          ) from None
    except (TimeoutError, socket.timeout):
        raise Unreachable(f"{url}: no answer within {limit:g} s") from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{url}: {getattr(error, 'strerror', None) or error}") from None
    finally:
        if plain is not None and url.secure:
            plain.close()


class Stream:
    """A socket with a buffer in front of it and one limit for each wait."""

    def __init__(self, connected, limit):
        self.socket = connected
        self.limit = limit
        self.buffer = bytearray()
        self.ended = False

    def send(self, octets):
        try:
            self.socket.settimeout(self.limit)
            self.socket.sendall(octets)
        except (TimeoutError, socket.timeout):
            raise Silent(f"the server took no octets for {self.limit:g} s") from None
        except OSError:
            # What it said before it went is still to be read.
            self.ended = True

    def fill(self, end):
        """Waits for more octets until the moment `end`. Raises Silent, Ended."""
        left = end - time.monotonic()
        if left <= 0:
            raise Silent("the server said nothing in time")
        try:
            self.socket.settimeout(left)
            octets = self.socket.recv(65536)
        except (TimeoutError, socket.timeout):
            raise Silent("the server said nothing in time") from None
        except OSError:
            octets = b""
        if not octets:
            self.ended = True
            raise Ended
        self.buffer += octets

    def head(self):
        """An HTTP response's head, as text. Raises Silent, Ended, Violation."""
        end = time.monotonic() + self.limit
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > MAX_HEAD or (
                    self.buffer and not b"HTTP/1.".startswith(self.buffer[:7])):
                raise Violation("what answers there does not speak HTTP")
            self.fill(end)
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        return head.decode("latin-1")

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Response:
    """The head of an HTTP response."""

    def __init__(self, head):
        first, *lines = head.split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[1].isdigit():
            raise Violation("what answers there does not speak HTTP")
        self.status = int(words[1])
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()


def upgrade_headers(key):
    return {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key.decode()}


def http(url, path, limit, tls=None, headers=(), method="GET"):
    """(Response, body as far as it came) of one request. Raises what Stream raises."""
    stream = Stream(connect_tcp(url, limit, tls), limit)
    try:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {url.authority}"]
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        stream.send("\r\n".join([*lines, "", ""]).encode())
        response = Response(stream.head())
        size = int(response.headers.get("content-length", 0) or 0)
        end = time.monotonic() + limit
        while len(stream.buffer) < min(size, MAX_HEAD):
            stream.fill(end)
        return response, bytes(stream.buffer)
    finally:
        stream.close()


class WebSocket:
    """One connection, after its handshake. `limit`: seconds that any wait may take."""

    def __init__(self, url, limit=10.0, tls=None, headers=()):
        self.stream = Stream(connect_tcp(url, limit, tls), limit)
        self.local = self.stream.socket.getsockname()
        self.answers_pings = True
        self._parts = None
        key = base64.b64encode(os.urandom(16))
        try:
            self.response = self._upgrade(url, key, headers)
        except BaseException:
            self.stream.close()
            raise

    def _upgrade(self, url, key, headers):
        asked = {**upgrade_headers(key), **dict(headers)}
        lines = [f"GET {url.path} HTTP/1.1", f"Host: {url.authority}"]
        lines += [f"{name}: {value}" for name, value in asked.items()]
        self.stream.send("\r\n".join([*lines, "", ""]).encode())
        try:
            response = Response(self.stream.head())
        except Silent:
            raise Unreachable(f"{url}: no answer to the WebSocket handshake within "
                              f"{self.stream.limit:g} s") from None
        except (Ended, Violation) as error:
            raise Unreachable(f"{url}: {error}") from None
        if response.status != 101:
            raise Unreachable(f"{url}: HTTP status {response.status} instead of a WebSocket; "
                              "is this the path of the rendezvous server?")
        if response.headers.get("sec-websocket-accept") != accept_for(key).decode():
            raise Unreachable(f"{url}: the WebSocket handshake was answered with a wrong key")
        return response

    def send_octets(self, octets):
        self.stream.send(octets)

    def send_frame(self, opcode, payload, fin=True, reserved=0, masked=True):
        self.stream.send(encode_frame(Frame(opcode, payload, fin, masked, reserved),
                                      os.urandom(4) if masked else None))

    def send_text(self, text):
        self.send_frame(TEXT, text.encode())

    def next_frame(self, limit=None):
        """The next frame as it is. Raises Silent, Ended, Violation."""
        end = time.monotonic() + (self.stream.limit if limit is None else limit)
        while (found := decode_frame(self.stream.buffer)) is None:
            self.stream.fill(end)
        frame, used = found
        del self.stream.buffer[:used]
        if frame.masked:
            raise Violation("the server masked a frame")
        if frame.reserved:
            raise Violation("the server set reserved bits, though no extension was agreed on")
        return frame

    def next_message(self, limit=None):
        """(opcode, payload) of the next whole message; pings are answered on the way, and do not
        prolong the limit."""
        end = time.monotonic() + (self.stream.limit if limit is None else limit)
        while True:
            frame = self.next_frame(end - time.monotonic())
            if frame.opcode == PING and self.answers_pings:
                self.send_frame(PONG, frame.payload)
            elif frame.opcode == CLOSE:
                raise Ended(int.from_bytes(frame.payload[:2], "big") or None)
            elif frame.opcode in (TEXT, BINARY, CONTINUATION):
                if whole := self._assemble(frame):
                    return whole

    def _assemble(self, frame):
        if (self._parts is None) == (frame.opcode == CONTINUATION):
            raise Violation("the server sent a continuation that fits nothing, or none")
        if self._parts is None:
            self._parts = (frame.opcode, [])
        self._parts[1].append(frame.payload)
        if not frame.fin:
            return None
        opcode, pieces = self._parts
        self._parts = None
        return opcode, b"".join(pieces)

    def close(self):
        """Says goodbye, and goes without waiting for the answer."""
        try:
            self.send_frame(CLOSE, struct.pack("!H", 1000))
        except Silent:
            pass
        self.stream.close()

    def reset(self):
        """Goes without a word: TCP RST."""
        self.stream.close(reset=True)
