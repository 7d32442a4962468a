"""bind, and what is refused before it."""

from testbed.conformance.case import APPS, CONNECTION, OBSERVED, case
from testbed.conformance.client import check_equal


@case("bind.silent", "bind is answered by the ack alone", CONNECTION)
def _(place):
    client = place.connect()
    client.send("bind", appid=place.app, side="a", id="x")
    check_equal([m.get("type") for m in client.heard()], ["ack"], "the answer was")


@case("bind.version", "bind may tell the client's program and version", OBSERVED)
def _(place):
    client = place.connect()
    check_equal(client.ask("bind", appid=place.app, side="a", client_version=["peersock", "1"]), [],
                "bind was answered by")
    client.claim("4")


@case("bind.no-appid", "bind without an appid is refused", CONNECTION)
def _(place):
    place.connect().refused("bind requires 'appid'", "bind", side="a")


@case("bind.no-side", "bind without a side is refused", CONNECTION)
def _(place):
    place.connect().refused("bind requires 'side'", "bind", appid=place.app)


@case("bind.twice", "a second bind is refused", CONNECTION)
def _(place):
    client = place.join("a")
    client.refused("already bound", "bind", appid=place.app, side="a")
    client.refused("already bound", "bind", appid=place.another_app(), side="b")


@case("bind.after-refusal", "after a bind that was refused, one that is right works", OBSERVED)
def _(place):
    client = place.connect()
    client.refused("bind requires 'side'", "bind", appid=place.app)
    client.bind("a").claim("4")


@case("bind.unicode", "an appid may have any characters", APPS)
def _(place):
    app = place.app + "/ä中😀 '\"\\\n"
    a, b = place.join("a", app), place.join("b", app)
    check_equal(a.claim("4"), b.claim("4"), "the second side's mailbox was")


def first(name, **request):
    @case(f"unbound.{name}", f"{name} before bind is refused", CONNECTION)
    def _(place):
        client = place.connect()
        client.refused("must bind first", **request)
        client.bind("a")


first("list", type="list")
first("allocate", type="allocate")
first("claim", type="claim", nameplate="4")
first("release", type="release", nameplate="4")
first("open", type="open", mailbox="unbound")
first("add", type="add", phase="0", body="00")
first("close", type="close", mailbox="unbound")
first("unknown", type="nonsense")
