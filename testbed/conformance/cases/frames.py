"""Frames of all shapes, and those that RFC 6455 forbids."""

from testbed.conformance import websocket as ws
from testbed.conformance.case import case, rfc
from testbed.conformance.client import check, check_equal

PING = b'{"type": "ping", "ping": 1}'
ANSWER = ["ack", "pong"]


def types(messages):
    return [m.get("type") for m in messages]


@case("frames.fragments", "a message in three fragments is one message", rfc("5.4"))
def _(place):
    client = place.connect()
    client.socket.send_frame(ws.TEXT, PING[:5], fin=False)
    client.socket.send_frame(ws.CONTINUATION, PING[5:9], fin=False)
    client.socket.send_frame(ws.CONTINUATION, PING[9:])
    check_equal(types(client.heard()), ANSWER, "the answer was")


@case("frames.fragments-ping", "a ping between the fragments of a message is answered", rfc("5.4"))
def _(place):
    client = place.connect()
    client.socket.send_frame(ws.TEXT, PING[:5], fin=False)
    client.socket.send_frame(ws.PING, b"now")
    pong = client.socket.next_frame()
    check_equal((pong.opcode, pong.payload), (ws.PONG, b"now"), "the answer was")
    client.socket.send_frame(ws.CONTINUATION, PING[5:])
    check_equal(types(client.heard()), ANSWER, "the answer was")


@case("frames.ping", "a WebSocket ping is answered by a pong with the same octets", rfc("5.5.2"))
def _(place):
    socket = place.connect().socket
    for octets in (b"", b"abc", bytes(range(125))):
        socket.send_frame(ws.PING, octets)
        pong = socket.next_frame()
        check_equal((pong.opcode, pong.payload), (ws.PONG, octets), "the answer was")


@case("frames.pong", "a WebSocket pong that nobody asked for is ignored", rfc("5.5.3"))
def _(place):
    client = place.connect()
    client.socket.send_frame(ws.PONG, b"hello")
    client.usable()


@case("frames.octets", "a frame that comes octet by octet is understood", rfc("5.2"))
def _(place):
    client = place.connect()
    for octet in ws.encode_frame(ws.Frame(ws.TEXT, PING), b"mask"):
        client.socket.send_octets(bytes([octet]))
    check_equal(types(client.heard()), ANSWER, "the answer was")


@case("frames.many", "many frames in one segment are answered one by one, in order", rfc("5.2"))
def _(place):
    client = place.connect()
    pings = [b'{"type": "ping", "ping": %d}' % i for i in range(50)]
    client.socket.send_octets(b"".join(ws.encode_frame(ws.Frame(ws.TEXT, p), b"mask")
                                       for p in pings))
    pongs = [m["pong"] for m in client.heard() if m.get("type") == "pong"]
    check_equal(pongs, list(range(50)), "the answers were")


@case("frames.long", "messages whose length takes two or eight octets are understood", rfc("5.2"))
def _(place):
    client = place.connect()
    for size in (125, 126, 65535, 65536, 300000):
        text = "x" * size
        pong = client.answer("pong", "ping", ping=text)
        check_equal(len(pong.get("pong")), size, "the length was")


def forbidden(name, title, source, *frames):
    """A frame that RFC 6455 forbids ends the connection, and no other."""

    @case(name, title, source)
    def _(place):
        witness, client = place.connect(), place.connect()
        for frame in frames:
            client.socket.send_octets(frame)
        client.is_cut()
        witness.usable()


forbidden("forbidden.unmasked", "an unmasked frame ends the connection", rfc("5.1"),
          ws.encode_frame(ws.Frame(ws.TEXT, PING)))
forbidden("forbidden.opcode", "a reserved opcode ends the connection", rfc("5.2"),
          ws.encode_frame(ws.Frame(0x3, PING), b"mask"))
forbidden("forbidden.reserved-bits", "reserved bits without an extension end the connection",
          rfc("5.2"), ws.encode_frame(ws.Frame(ws.TEXT, PING, reserved=4), b"mask"))
forbidden("forbidden.long-control", "a control frame of more than 125 octets ends the connection",
          rfc("5.5"), ws.encode_frame(ws.Frame(ws.PING, b"x" * 126), b"mask"))
forbidden("forbidden.control-fragment", "a control frame in fragments ends the connection",
          rfc("5.5"), ws.encode_frame(ws.Frame(ws.PING, b"x", fin=False), b"mask"))
forbidden("forbidden.utf8", "text that is not UTF-8 ends the connection", rfc("8.1"),
          ws.encode_frame(ws.Frame(ws.TEXT, b'{"type": "ping", "ping": "\xff"}'), b"mask"))
forbidden("forbidden.lone-continuation", "a continuation of nothing ends the connection",
          rfc("5.4"), ws.encode_frame(ws.Frame(ws.CONTINUATION, PING), b"mask"))


@case("frames.half", "a frame that never ends disturbs nobody else", rfc("5.2"))
def _(place):
    stalled, other = place.connect(), place.connect()
    whole = ws.encode_frame(ws.Frame(ws.TEXT, PING), b"mask")
    stalled.socket.send_octets(whole[:-1])
    other.usable()
    stalled.socket.send_octets(whole[-1:])
    check(types(stalled.heard()) == ANSWER, "the end of the frame was not understood")
