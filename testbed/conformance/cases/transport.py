"""HTTP, and the opening and closing of a WebSocket."""

from testbed.conformance import websocket as ws
from testbed.conformance.case import INFORMATIONAL, OBSERVED, TRANSPORT, case, rfc
from testbed.conformance.client import check, check_equal


@case("http.greeting", "GET / says what this is", OBSERVED, INFORMATIONAL)
def _(place):
    response, body = place.http("/")
    check_equal((response.status, body.strip()), (200, b"Wormhole Relay"), "GET / gave")


@case("http.elsewhere", "any other path is not found", OBSERVED, INFORMATIONAL)
def _(place):
    response, _ = place.http("/nothing-is-here")
    check_equal(response.status, 404, "the status was")


@case("http.no-upgrade", "a request without Upgrade is told so (426)", rfc("4.2.2"), INFORMATIONAL)
def _(place):
    response, _ = place.http(place.url.path)
    check_equal(response.status, 426, "the status was")


def handshake(place, **changed):
    """The status of a WebSocket handshake with some headers changed, or left out (None)."""
    headers = {**ws.upgrade_headers(b"AAAAAAAAAAAAAAAAAAAAAA=="), **changed}
    response, _ = place.http(place.url.path, {k: v for k, v in headers.items() if v is not None})
    return response.status


@case("handshake.no-key", "a handshake without a key is refused", rfc("4.2.1"))
def _(place):
    status = handshake(place, **{"Sec-WebSocket-Key": None})
    check(400 <= status < 500, f"the status was {status}")


@case("handshake.version", "a version of WebSocket that does not exist is refused", rfc("4.2.2"))
def _(place):
    status = handshake(place, **{"Sec-WebSocket-Version": "99"})
    check(400 <= status < 500, f"the status was {status}")


@case("handshake.origin", "a web page of any origin may connect", OBSERVED, INFORMATIONAL)
def _(place):
    place.connect(headers={"Origin": "https://somewhere.example"})


@case("handshake.subprotocol", "no subprotocol is chosen when none was offered", rfc("4.2.2"))
def _(place):
    headers = place.raw().response.headers
    check("sec-websocket-protocol" not in headers, f"chosen was {headers}")


@case("handshake.extension", "no extension is chosen when none was offered", rfc("9.1"))
def _(place):
    headers = place.raw().response.headers
    check("sec-websocket-extensions" not in headers, f"chosen was {headers}")


@case("handshake.compression", "compression is not used, though offered", OBSERVED, INFORMATIONAL)
def _(place):
    client = place.connect(headers={"Sec-WebSocket-Extensions": "permessage-deflate"})
    chosen = client.socket.response.headers.get("sec-websocket-extensions")
    check(chosen is None, f"the server chose {chosen}")


@case("frames.text", "the server sends text frames (the document says binary; clients insist on "
      "text)", OBSERVED)
def _(place):
    opcode, _ = place.raw().next_message()
    check_equal(opcode, ws.TEXT, "the opcode was")


@case("frames.takes-text", "the server takes text frames", OBSERVED)
def _(place):
    client = place.connect()
    client.socket.send_frame(ws.TEXT, b'{"type": "ping", "ping": 1}')
    check_equal([m["type"] for m in client.heard()], ["ack", "pong"], "the answer was")


@case("frames.takes-binary", "the server takes binary frames", TRANSPORT)
def _(place):
    client = place.connect()
    client.socket.send_frame(ws.BINARY, b'{"type": "ping", "ping": 1}')
    check_equal([m["type"] for m in client.heard()], ["ack", "pong"], "the answer was")


@case("close.handshake", "a close frame is answered by one with the same code", rfc("5.5.1"))
def _(place):
    socket = place.raw()
    socket.next_message()
    socket.send_frame(ws.CLOSE, (1000).to_bytes(2, "big"))
    try:
        message = socket.next_message()
    except ws.Ended as end:
        check_equal(end.code, 1000, "the server closed with the code")
    except ws.Silent:
        check(False, "the close frame was not answered")
    else:
        check(False, f"the close frame was answered by {message}")


@case("close.tcp", "after the close frames the server ends the TCP connection", rfc("7.1.1"))
def _(place):
    socket = place.raw()
    socket.next_message()
    socket.send_frame(ws.CLOSE, (1000).to_bytes(2, "big"))
    while True:
        try:
            socket.next_frame()
        except ws.Ended:
            return
        except ws.Silent:
            check(False, "the TCP connection stayed open")
