"""Whole conversations, as clients have them, and connections that come and go."""

import json

from testbed.conformance.case import CLIENT, CONCEPTS, CONNECTION, OBSERVED, Source, case
from testbed.conformance.client import check_equal


@case("exchange.whole", "two clients meet, exchange keys, versions and messages, and leave nothing",
      Source(CLIENT, "Version exchange"), listing="on")
def _(place):
    a, b = place.join("a"), place.join("b")
    nameplate = a.allocate()
    mailbox = a.claim(nameplate)
    a.open(mailbox)
    a.says("pake", "7b7d")
    check_equal(b.open(b.claim(nameplate)), [("a", "pake", "7b7d")], "the second side heard")
    b.says("pake", "7b227d")
    check_equal(a.hears(), [("b", "pake", "7b227d")], "the first side heard")
    for client, other in ((a, b), (b, a)):
        client.release()
        for phase in ("version", "0", "1"):
            client.says(phase, "00" * 40)
            check_equal(other.hears(), [(client.side, phase, "00" * 40)], "the other side heard")
    for client in (a, b):
        client.close(mood="happy")
    witness = place.join("c")
    check_equal(witness.list(), [], "the nameplates are")
    check_equal(witness.open(mailbox), [], "of the messages are left")


@case("exchange.back-to-back", "claim, open and add may be sent without waiting for answers",
      Source(CLIENT, "Pake"))
def _(place):
    a, mailbox = place.connect(), place.mailbox()
    a.send("bind", appid=place.app, side="a")
    a.send("claim", nameplate="4")
    a.send("open", mailbox=mailbox)
    a.send("add", phase="pake", body="aa")
    check_equal([m["type"] for m in a.heard() if m["type"] != "ack"], ["claimed", "message"],
                "the answers were")


@case("exchange.early-bind", "a client may bind before it has read the welcome", CONNECTION)
def _(place):
    socket = place.raw()
    socket.send_text('{"type": "bind", "appid": "%s", "side": "a"}' % place.app)
    socket.send_text('{"type": "list"}')
    types = []
    while "nameplates" not in types and len(types) < 10:
        _, payload = socket.next_message()
        types.append(json.loads(payload).get("type"))
    check_equal(types, ["welcome", "ack", "ack", "nameplates"], "the answers were")


@case("reconnect.resumes", "a side that lost its connection goes on where it was", CONNECTION)
def _(place):
    a, b = place.met("a", "b")
    a.says("pake", "aa")
    a.vanish()
    b.hears()
    b.says("pake", "bb")
    again = place.join("a")
    check_equal(again.claim("4"), a.box, "the mailbox is")
    check_equal(again.open(a.box), [("a", "pake", "aa"), ("b", "pake", "bb")], "replayed was")
    again.says("version", "a1")
    check_equal(b.hears(), [("a", "version", "a1")], "the other side heard")


@case("reconnect.old-socket", "a new connection works while the server still has the old one",
      CONNECTION)
def _(place):
    old, b = place.met("a", "b")
    new = place.join("a")
    check_equal(new.claim("4"), old.box, "the mailbox is")
    new.open(old.box)
    new.says("0", "00")
    check_equal(b.hears(), [("a", "0", "00")], "the other side heard")


@case("reconnect.closed-frame", "leaving with a close frame keeps nameplate and mailbox", CONNECTION,
      listing="on")
def _(place):
    a = place.join("a")
    mailbox = a.claim("4")
    a.open(mailbox)
    a.says("0", "00")
    a.leave()
    b = place.join("b")
    check_equal(b.list(), ["4"], "the nameplates are")
    check_equal(b.open(b.claim("4")), [("a", "0", "00")], "replayed was")


@case("reconnect.both", "both sides may lose their connections in the middle", CONNECTION)
def _(place):
    a, b = place.met("a", "b")
    a.says("0", "aa")
    b.says("0", "bb")
    a.vanish()
    b.vanish()
    said = [("a", "0", "aa"), ("b", "0", "bb")]
    check_equal([place.join(side).open(a.box) for side in "ab"], [said, said], "replayed was")


@case("others.drop", "a connection that breaks disturbs nobody", OBSERVED)
def _(place):
    a, b = place.met("a", "b")
    for side in "abc":
        place.join(side).vanish()
    a.says("0", "00")
    check_equal(b.hears(), [("a", "0", "00")], "the other side heard")


@case("others.many", "twenty pairs at once do not mix", CONCEPTS)
def _(place):
    pairs = []
    for i in range(20):
        app = place.another_app()
        a, b = place.join("a", app), place.join("b", app)
        mailbox = a.claim("4")
        check_equal(b.claim("4"), mailbox, "the mailbox is")
        a.open(mailbox)
        b.open(mailbox)
        pairs.append((a, b))
    for i, (a, _) in enumerate(pairs):
        a.says("0", f"{i:04x}")
    for i, (_, b) in enumerate(pairs):
        check_equal(b.hears(), [("a", "0", f"{i:04x}")], "the other side heard")
