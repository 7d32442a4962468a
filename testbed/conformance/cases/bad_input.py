"""Input that is no request. The reference server cuts the connection, which clients must survive;
an error tells more. What counts for all servers is that nobody else is disturbed."""

from testbed.conformance import websocket as ws
from testbed.conformance.case import INFORMATIONAL, case, ours
from testbed.conformance.client import check_equal

DIFFERS = ours("Where it differs")


def no_request(name, what, text):
    @case(f"bad.{name}", f"{what} is answered by an error", DIFFERS, INFORMATIONAL)
    def _(place):
        client = place.join("a")
        client.refused_octets(text.encode())
        client.usable()


no_request("not-json", "text that is not JSON", "{this is not JSON")
no_request("empty", "an empty message", "")
no_request("array", "a JSON array", '["type", "ping"]')
no_request("string", "a JSON string", '"type"')
no_request("null", "null", "null")


@case("bad.binary", "a binary frame that is not UTF-8 is answered by an error", DIFFERS,
      INFORMATIONAL)
def _(place):
    client = place.join("a")
    client.refused_octets(b'\xff\xfe{"type": "list"}', ws.BINARY)
    client.usable()


def mistyped(name, what, prepare, **request):
    @case(f"bad.{name}", f"{what} is refused by an error", DIFFERS, INFORMATIONAL)
    def _(place):
        client = place.connect()
        prepare(place, client)
        answer = client.ask(**request)
        check_equal([m.get("type") for m in answer], ["error"], "the answer was")
        client.usable()


def nothing(place, client):
    pass


def bound(place, client):
    client.bind("a")


def opened(place, client):
    client.bind("a").open(place.mailbox())


mistyped("appid", "an appid that is a number", nothing, type="bind", appid=5, side="a")
mistyped("side", "a side that is a number", nothing, type="bind", appid="conformance", side=5)
mistyped("nameplate", "a nameplate that is a number", bound, type="claim", nameplate=5)
mistyped("release", "the release of a nameplate that is a number", bound, type="release",
         nameplate=5)
mistyped("mailbox", "a mailbox that is a number", bound, type="open", mailbox=5)
mistyped("close", "the closing of a mailbox that is a number", bound, type="close", mailbox=5)
mistyped("phase", "a phase that is a number", opened, type="add", phase=5, body="00")
mistyped("body-number", "a body that is a number", opened, type="add", phase="0", body=5)
mistyped("body-object", "a body that is an object", opened, type="add", phase="0", body={"a": 1})
mistyped("message-id", "a message id that is an object", opened, type="add", phase="0", body="00",
         id={"a": 1})


@case("bad.alone", "bad input does not disturb other connections", ours("Where it differs"))
def _(place):
    a, b = place.met("a", "b")
    for text in ("", "{", "[]", "5", '{"type": "open", "mailbox": 5}',
                 '{"type": "add", "phase": {}, "body": []}'):
        place.join("c").send_text(text)
    a.says("0", "00")
    check_equal(b.hears(), [("a", "0", "00")], "the other side heard")
