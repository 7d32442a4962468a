"""The suite's WebSocket client: its codec against the examples of RFC 6455, and its connections
against servers that go wrong."""

import socket
import threading

import pytest

from testbed.conformance import websocket as ws

# RFC 6455 section 5.7.
EXAMPLES = [
    (ws.Frame(ws.TEXT, b"Hello"), None, "810548656c6c6f"),
    (ws.Frame(ws.TEXT, b"Hello", masked=True), bytes.fromhex("37fa213d"),
     "818537fa213d7f9f4d5158"),
    (ws.Frame(ws.TEXT, b"Hel", fin=False), None, "010348656c"),
    (ws.Frame(ws.CONTINUATION, b"lo"), None, "80026c6f"),
    (ws.Frame(ws.PING, b"Hello"), None, "890548656c6c6f"),
]


@pytest.mark.parametrize("frame,mask,octets", EXAMPLES)
def test_the_examples_of_the_rfc(frame, mask, octets):
    assert ws.encode_frame(frame, mask).hex() == octets
    assert ws.decode_frame(bytes.fromhex(octets)) == (frame, len(octets) // 2)


@pytest.mark.parametrize("size,head", [(0, "8200"), (125, "827d"), (126, "827e007e"),
                                       (65535, "827effff"), (65536, "827f0000000000010000")])
def test_lengths_take_one_three_or_nine_octets(size, head):
    payload = bytes(range(256)) * 257
    octets = ws.encode_frame(ws.Frame(ws.BINARY, payload[:size]))
    assert octets[:len(head) // 2].hex() == head
    assert ws.decode_frame(octets) == (ws.Frame(ws.BINARY, payload[:size]), len(octets))


def test_a_frame_that_is_not_complete_is_waited_for():
    octets = ws.encode_frame(ws.Frame(ws.TEXT, b"x" * 70000), b"mask")
    for end in (0, 1, 2, 9, 10, 13, 14, len(octets) - 1):
        assert ws.decode_frame(octets[:end]) is None
    assert ws.decode_frame(octets + b"\x89\x00")[1] == len(octets)


def test_reserved_bits_and_masks_are_seen():
    frame, _ = ws.decode_frame(ws.encode_frame(ws.Frame(0x3, b"ab", False, True, 5), b"\0\1\2\3"))
    assert (frame.opcode, frame.payload, frame.fin, frame.masked, frame.reserved) == (
        0x3, b"ab", False, True, 5)


def test_a_monstrous_length_is_refused():
    with pytest.raises(ws.Violation):
        ws.decode_frame(bytes.fromhex("827fffffffffffffffff"))


def test_the_key_of_the_rfc():
    # RFC 6455 section 1.3.
    assert ws.accept_for(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("text,url", [
    ("ws://host", ws.Url(False, "host", 80, "/v1")),
    ("ws://host:4000/", ws.Url(False, "host", 4000, "/v1")),
    ("wss://host/other?a=b", ws.Url(True, "host", 443, "/other?a=b")),
    ("ws://[::1]:4000/v1", ws.Url(False, "::1", 4000, "/v1")),
])
def test_good_urls(text, url):
    assert ws.parse_url(text) == url
    assert ws.parse_url(str(url)) == url


@pytest.mark.parametrize("text", ["", "host:4000", "http://host/v1", "ws://", "ws:///v1",
                                  "ws://host:0/v1", "ws://host:65536/v1", "ws://host:x/v1",
                                  "ws://[::1/v1", "ws://me@host/v1", "ws://host/v1#part",
                                  "ws://host/a b", "ws://höst/v1", "ws://host/\r\nX: y"])
def test_bad_urls(text):
    with pytest.raises(ws.BadUrl):
        ws.parse_url(text)


def upgraded(connection, after=b""):
    """Does the server's half of the handshake."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(4096)
        if not part:
            raise ConnectionError("the client went in the middle of its request")
        head += part
    key = [line[19:] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: ")][0]
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + ws.accept_for(key)
                       + b"\r\n\r\n" + after)


def client_of(serve, after, stays=True):
    """A WebSocket to a server that sends these octets, and then stays silent or goes."""
    gone = threading.Event()

    def handler(connection):
        upgraded(connection, after)
        if stays:
            gone.wait(20)

    port = serve(handler)
    return ws.WebSocket(ws.parse_url(f"ws://127.0.0.1:{port}"), 5), gone


def test_messages_are_put_together_and_pings_answered(serve):
    octets = b"".join(ws.encode_frame(f) for f in (
        ws.Frame(ws.TEXT, b"Hel", fin=False), ws.Frame(ws.PING, b"?"),
        ws.Frame(ws.CONTINUATION, b"lo"), ws.Frame(ws.BINARY, b"again")))
    got = []
    answered = threading.Event()

    def handler(connection):
        upgraded(connection, octets)
        got.append(connection.recv(100))
        answered.set()

    client = ws.WebSocket(ws.parse_url(f"ws://127.0.0.1:{serve(handler)}"), 5)
    assert client.next_message() == (ws.TEXT, b"Hello")
    assert client.next_message() == (ws.BINARY, b"again")
    assert answered.wait(5)
    assert ws.decode_frame(got[0])[0] == ws.Frame(ws.PONG, b"?", masked=True)
    client.close()


@pytest.mark.parametrize("frame", [
    ws.Frame(ws.TEXT, b"x", masked=True), ws.Frame(ws.TEXT, b"x", reserved=4),
    ws.Frame(ws.CONTINUATION, b"x")])
def test_a_server_that_breaks_the_rules_is_found_out(serve, frame):
    mask = b"mask" if frame.masked else None
    client, gone = client_of(serve, ws.encode_frame(frame, mask))
    with pytest.raises(ws.Violation):
        client.next_message()
    gone.set()


def test_the_end_is_told_with_its_code_or_without(serve):
    client, _ = client_of(serve, ws.encode_frame(ws.Frame(ws.CLOSE, b"\x03\xf0")), stays=False)
    with pytest.raises(ws.Ended) as end:
        client.next_message()
    assert end.value.code == 1008
    client, _ = client_of(serve, b"", stays=False)
    with pytest.raises(ws.Ended) as end:
        client.next_message()
    assert end.value.code is None


def test_silence_ends_at_the_limit(serve):
    client, gone = client_of(serve, b"\x81")
    with pytest.raises(ws.Silent):
        client.next_message(0.1)
    gone.set()


def test_pings_do_not_prolong_a_wait(serve):
    stop = threading.Event()

    def handler(connection):
        upgraded(connection)
        while not stop.wait(0.05):
            connection.sendall(ws.encode_frame(ws.Frame(ws.PING, b"")))

    client = ws.WebSocket(ws.parse_url(f"ws://127.0.0.1:{serve(handler)}"), 5)
    with pytest.raises(ws.Silent):
        client.next_message(0.5)
    stop.set()


def test_a_wrong_key_is_refused(serve):
    def handler(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: no\r\n\r\n")
        connection.recv(1)

    with pytest.raises(ws.Unreachable, match="wrong key"):
        ws.WebSocket(ws.parse_url(f"ws://127.0.0.1:{serve(handler)}"), 5)


def test_reset_sends_rst(serve):
    results = []
    done = threading.Event()

    def handler(connection):
        upgraded(connection)
        try:
            results.append(connection.recv(1))
        except ConnectionResetError:
            results.append("reset")
        done.set()

    ws.WebSocket(ws.parse_url(f"ws://127.0.0.1:{serve(handler)}"), 5).reset()
    assert done.wait(5) and results == ["reset"]


def test_no_descriptor_is_left_when_a_connection_fails(serve, monkeypatch):
    made = []
    real = socket.create_connection

    def remember(*arguments, **options):
        made.append(real(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(socket, "create_connection", remember)
    port = serve(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"))
    for scheme in ("ws", "wss"):
        with pytest.raises(ws.Unreachable):
            ws.WebSocket(ws.parse_url(f"{scheme}://127.0.0.1:{port}"), 5)
    assert len(made) == 2
    assert all(s.fileno() == -1 for s in made)
