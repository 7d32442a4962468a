"""add: what becomes of a message."""

import time

from testbed.conformance.case import (
    CONNECTION, INFORMATIONAL, MAILBOXES, OBSERVED, TRANSPORT, case, ours)
from testbed.conformance.client import check, check_equal


def sole_message(client, **fields):
    messages = [m for m in client.ask("add", **fields) if m.get("type") == "message"]
    check_equal(len(messages), 1, "the number of echoes was")
    return messages[0]


@case("add.echo", "a message is echoed to its sender", MAILBOXES)
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    client.says("pake", "c0ffee")


@case("add.delivered", "a message goes to the other side at once, with side, phase and body",
      MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.says("pake", "c0ffee")
    check_equal(b.hears(), [("a", "pake", "c0ffee")], "the other side heard")


@case("add.both-ways", "messages go both ways", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.says("0", "aa")
    b.says("0", "bb")
    check_equal(a.hears(), [("b", "0", "bb")], "the first side heard")
    check_equal(b.hears(), [("a", "0", "aa")], "the second side heard")


@case("add.not-open", "add before open is refused", CONNECTION)
def _(place):
    place.join("a").refused("must open mailbox before adding", "add", phase="0", body="00")


@case("add.only-claimed", "add after claim alone is refused", CONNECTION)
def _(place):
    client = place.join("a")
    client.claim("4")
    client.refused("must open mailbox before adding", "add", phase="0", body="00")


@case("add.no-phase", "add without a phase is refused", CONNECTION)
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    client.refused("missing 'phase'", "add", body="00")


@case("add.no-body", "add without a body is refused", CONNECTION)
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    client.refused("missing 'body'", "add", phase="0")


@case("add.id", "a message carries the id of the request that added it", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    check_equal(sole_message(a, phase="0", body="00", id="x7").get("id"), "x7", "the echo's id is")
    check_equal([m.get("id") for m in b.heard()], ["x7"], "the other side's id is")


@case("add.id-replayed", "a replayed message carries the id of the request that added it",
      MAILBOXES)
def _(place):
    mailbox, a, b = place.mailbox(), place.join("a"), place.join("b")
    a.open(mailbox)
    a.ask("add", phase="0", body="00", id="x7")
    check_equal([m.get("id") for m in b.ask("open", mailbox=mailbox)], ["x7"], "the id is")


@case("add.server-rx", "a message tells when the server received it", TRANSPORT)
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    message = sole_message(client, phase="0", body="00")
    received = message.get("server_rx")
    check(isinstance(received, float), f"server_rx is {received!r}")
    check(abs(received - time.time()) < 86400, f"server_rx is {received}, a day or more from now")


@case("add.not-hex", "any text may be a body, and comes out as it went in", OBSERVED)
def _(place):
    a, b = place.met("a", "b")
    for body in ("", "not hexadecimal", "Zz é中😀 \"\\\n\t\u0001", "ABCDEF"):
        a.says("0", body)
        check_equal(b.hears(), [("a", "0", body)], "the other side heard")


@case("add.any-phase", "any text may be a phase", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    for phase in ("pake", "version", "0", "17", "dilate-0", "", "é中😀"):
        a.says(phase, "00")
        check_equal(b.hears(), [("a", phase, "00")], "the other side heard")


@case("add.megabytes", "a message of two million octets goes through", OBSERVED)
def _(place):
    a, b = place.met("a", "b")
    body = "0123456789abcdef" * 125000
    a.says("0", body)
    check_equal(b.hears() == [("a", "0", body)], True, "the other side heard it")


@case("add.order", "a hundred messages arrive in the order in which they were added", OBSERVED)
def _(place):
    a, b = place.met("a", "b")
    for i in range(100):
        a.send("add", phase=str(i), body="00")
    check_equal([phase for _, phase, _ in a.hears()], [str(i) for i in range(100)], "the echoes are")
    check_equal([phase for _, phase, _ in b.hears()], [str(i) for i in range(100)], "heard was")


@case("add.repeated", "a message that is added twice is delivered twice", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.says("0", "00")
    a.says("0", "00")
    check_equal(b.hears(), [("a", "0", "00")] * 2, "the other side heard")


@case("add.same-phase", "both sides may use the same phase", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.says("pake", "aa")
    b.says("pake", "bb")
    check_equal(place.join("a").open(a.box), [("a", "pake", "aa"), ("b", "pake", "bb")],
                "replayed was")


@case("add.side", "nobody can speak for another side", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.ask("add", phase="0", body="00", side="b")
    check_equal(b.hears(), [("a", "0", "00")], "the other side heard")


@case("add.gone-peer", "what is said while the other side is away is kept for it", CONNECTION)
def _(place):
    a, b = place.met("a", "b")
    b.vanish()
    a.says("0", "00")
    check_equal(place.join("b").open(a.box), [("a", "0", "00")], "replayed was")


@case("add.gone-mailbox", "what a connection adds to a mailbox that is gone does not come up later",
      ours("Where it differs"), INFORMATIONAL)
def _(place):
    mailbox, lingering, closing = place.mailbox(), place.join("a"), place.join("a")
    lingering.open(mailbox)
    closing.open(mailbox)
    closing.close()
    lingering.send("add", phase="0", body="late")
    lingering.heard()
    check_equal(place.join("b").open(mailbox), [], "in the next mailbox of this id was")
