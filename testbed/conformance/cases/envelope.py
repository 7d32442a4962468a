"""What every message has: welcome, ack, server_tx, errors."""

import ipaddress
import time

from testbed.conformance.case import (
    CONNECTION, EXPECTED, INFORMATIONAL, OBSERVED, PERMISSION, TRANSPORT, TYPES, case, observed)
from testbed.conformance.client import check, check_equal


@case("welcome.first", "the first message is the welcome, before the client has said anything",
      CONNECTION)
def _(place):
    client = place.connect()
    check(isinstance(client.welcome.get("welcome"), dict), "the welcome has no object 'welcome'")


@case("welcome.once", "the welcome comes once", CONNECTION)
def _(place):
    client = place.join("a")
    check_equal(client.heard(), [], "afterwards came")


@case("welcome.members", "motd, error and current_cli_version are strings, permission-required is "
      "an object", CONNECTION)
def _(place):
    welcome = place.connect().welcome["welcome"]
    for name, kind in (("motd", str), ("error", str), ("current_cli_version", str),
                       ("permission-required", dict)):
        check(isinstance(welcome.get(name, kind()), kind), f"{name} is {welcome.get(name)!r}")


@case("welcome.your-address", "the welcome tells the client's address and port",
      observed("0.8.0"), EXPECTED)
def _(place):
    client = place.connect()
    said = client.welcome["welcome"].get("your-address")
    check(isinstance(said, dict), "the welcome has no your-address")
    host = said.get("ipv4", said.get("ipv6"))
    check(isinstance(said.get("port"), int) and host is not None, f"your-address is {said}")
    # Behind a NAT it is another, so only a server on this machine can be held to it.
    own = ipaddress.ip_address(client.socket.local[0])
    if own.is_loopback:
        check_equal((ipaddress.ip_address(host), said["port"]), (own, client.socket.local[1]),
                    "your-address is")


@case("permission.unasked", "who submits a permission that is not required can still bind",
      PERMISSION)
def _(place):
    client = place.connect()
    client.send("submit-permissions", method="none")
    client.heard()
    client.bind("a")


@case("time.server-tx", "every message of the server has server_tx, seconds since the epoch",
      TRANSPORT)
def _(place):
    client = place.connect()
    client.send("ping", ping=1)
    client.send("bind", appid=place.app, side="a")
    client.send("list")
    client.send("claim", nameplate="4")
    client.send("nonsense")
    for message in [client.welcome, *client.heard()]:
        sent = message.get("server_tx")
        check(isinstance(sent, float), f"{message.get('type')} has the server_tx {sent!r}")
        check(abs(sent - time.time()) < 86400, f"server_tx is {sent}, a day or more from now")


@case("ack.id", "each request is answered by an ack with its id", TRANSPORT)
def _(place):
    client = place.connect()
    client.send("bind", id="first", appid=place.app, side="a")
    client.send("list", id="second")
    acks = [m.get("id") for m in client.heard() if m.get("type") == "ack"]
    check_equal(acks, ["first", "second"], "the acks were for")


@case("ack.first", "the ack comes before the answer", TRANSPORT)
def _(place):
    client = place.join("a")
    client.send("list", id="x")
    check_equal([m.get("type") for m in client.heard()], ["ack", "nameplates"], "the order was")


@case("ack.no-id", "a request without an id is acknowledged with null", OBSERVED, INFORMATIONAL)
def _(place):
    client = place.join("a")
    client.send("list")
    check_equal([(m["id"], "id" in m) for m in client.heard() if m.get("type") == "ack"],
                [(None, True)], "the acks were")


@case("ack.refused", "a request that is refused is acknowledged all the same", TRANSPORT)
def _(place):
    client = place.join("a")
    client.send("nonsense", id="x")
    check_equal([m.get("type") for m in client.heard()], ["ack", "error"], "the answer was")


@case("ack.no-type", "a message without a type is not acknowledged", OBSERVED, INFORMATIONAL)
def _(place):
    client = place.connect()
    client.send(id="x")
    check_equal([m.get("type") for m in client.heard()], ["error"], "the answer was")


@case("answer.id", "a direct answer carries the id of its request (so the document; no server does)",
      TRANSPORT, INFORMATIONAL)
def _(place):
    check_equal(place.join("a").answer("nameplates", "list", id="x").get("id"), "x", "the id was")


@case("answer.server-rx", "a direct answer carries server_rx (so the document; no server does)",
      TRANSPORT, INFORMATIONAL)
def _(place):
    answer = place.join("a").answer("nameplates", "list", id="x")
    check("server_rx" in answer, "nameplates has no server_rx")


@case("error.orig", "an error carries the whole request", CONNECTION)
def _(place):
    request = {"type": "claim", "id": "x", "extra": {"more": [1, None, "é"]}}
    error = place.join("a").refused("claim requires 'nameplate'", **request)
    check_equal(error.get("orig"), request, "orig was")


@case("error.harmless", "an error leaves the connection as it is", OBSERVED)
def _(place):
    client = place.join("a")
    client.refused("claim requires 'nameplate'", "claim")
    client.claim("4")


@case("request.no-type", "a message without a type is refused", CONNECTION)
def _(place):
    place.connect().refused("missing 'type'", hello=1)


@case("request.unknown-type", "a type that does not exist is refused", TRANSPORT)
def _(place):
    place.join("a").refused("unknown type", "nonsense")


@case("request.number-type", "a type that is a number is refused", OBSERVED, INFORMATIONAL)
def _(place):
    place.join("a").refused("unknown type", 5)


@case("request.unknown-keys", "keys that nobody knows are ignored", TRANSPORT)
def _(place):
    client = place.connect()
    check_equal(client.ask("bind", appid=place.app, side="a", colour="blue", deep={"a": [{}]}), [],
                "bind was answered by")
    client.answer("claimed", "claim", nameplate="4", colour=["blue"])


@case("ping.echo", "pong carries what ping had, of any type", TYPES)
def _(place):
    client = place.connect()
    for value in (0, 17, -1.5, "text é", None, True, [1, "two"], {"three": {}}):
        check_equal(client.answer("pong", "ping", ping=value).get("pong"), value, "pong was")


@case("ping.unbound", "ping needs no bind", CONNECTION)
def _(place):
    place.connect().answer("pong", "ping", ping=1)


@case("ping.nothing", "ping without 'ping' is refused", CONNECTION)
def _(place):
    place.connect().refused("ping requires 'ping'", "ping")
