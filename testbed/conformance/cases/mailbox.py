"""open: who hears what."""

from testbed.conformance.case import (
    CONCEPTS, CONNECTION, INFORMATIONAL, MAILBOXES, OBSERVED, case, ours)
from testbed.conformance.client import check_equal


@case("open.silent", "open is answered by the ack alone when there is nothing to replay",
      MAILBOXES)
def _(place):
    client = place.join("a")
    client.send("open", mailbox=place.mailbox(), id="x")
    check_equal([m.get("type") for m in client.heard()], ["ack"], "the answer was")


@case("open.nothing", "open without a mailbox is refused", CONNECTION)
def _(place):
    place.join("a").refused("open requires 'mailbox'", "open")


@case("open.twice", "a second open on a connection is refused", OBSERVED)
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    client.refused("only one open per connection", "open", mailbox=place.mailbox())


@case("open.own-id", "a mailbox may have an id of the clients' choosing", OBSERVED)
def _(place):
    mailbox = place.mailbox() + " é/中"
    a, b = place.join("a"), place.join("b")
    a.open(mailbox)
    a.says("0", "00")
    check_equal(b.open(mailbox), [("a", "0", "00")], "replayed was")


@case("open.history", "open replays everything that was said, in order", MAILBOXES)
def _(place):
    mailbox, a = place.mailbox(), place.join("a")
    a.open(mailbox)
    said = [("a", f"phase{i}", f"{i:02x}") for i in range(20)]
    for _, phase, body in said:
        a.says(phase, body)
    check_equal(place.join("b").open(mailbox), said, "replayed was")


@case("open.own-history", "the replay has the side's own messages too", MAILBOXES)
def _(place):
    mailbox, a, b = place.mailbox(), place.join("a"), place.join("b")
    a.open(mailbox)
    b.open(mailbox)
    a.says("pake", "aa")
    b.says("pake", "bb")
    a.vanish()
    check_equal(place.join("a").open(mailbox), [("a", "pake", "aa"), ("b", "pake", "bb")],
                "replayed was")


@case("open.duplicates", "the replay has a message as often as it was added", MAILBOXES)
def _(place):
    mailbox, a = place.mailbox(), place.join("a")
    a.open(mailbox)
    for _ in range(3):
        a.says("0", "00")
    check_equal(place.join("b").open(mailbox), [("a", "0", "00")] * 3, "replayed was")


@case("open.live", "after the replay each new message comes once", MAILBOXES)
def _(place):
    mailbox, a, b = place.mailbox(), place.join("a"), place.join("b")
    a.open(mailbox)
    a.says("0", "00")
    check_equal(b.open(mailbox), [("a", "0", "00")], "replayed was")
    a.says("1", "01")
    check_equal(b.hears(), [("a", "1", "01")], "then the other side heard")


@case("open.one-hears", "the history goes to who opens, and to nobody else", MAILBOXES)
def _(place):
    mailbox, a, b = place.mailbox(), place.join("a"), place.join("b")
    a.open(mailbox)
    a.says("0", "00")
    b.open(mailbox)
    check_equal(a.hears(), [], "the first side heard again")


@case("open.two-sockets", "two connections of one side both hear", OBSERVED)
def _(place):
    mailbox, one, two = place.mailbox(), place.join("a"), place.join("a")
    one.open(mailbox)
    two.open(mailbox)
    other = place.join("b")
    other.open(mailbox)
    other.says("0", "00")
    check_equal([one.hears(), two.hears()], [[("b", "0", "00")]] * 2, "they heard")


@case("open.apart", "what is said in one mailbox is not heard in another", CONCEPTS)
def _(place):
    a, b = place.join("a"), place.join("b")
    a.open(place.mailbox())
    b.open(place.mailbox())
    a.says("0", "00")
    check_equal(b.hears(), [], "the other mailbox heard")


@case("open.claimed-kept", "what is said before the other side comes is kept for it", CONCEPTS)
def _(place):
    a = place.join("a")
    mailbox = a.claim("4")
    a.open(mailbox)
    a.says("pake", "aa")
    b = place.join("b")
    check_equal(b.open(b.claim("4")), [("a", "pake", "aa")], "replayed was")


@case("open.after-close", "a connection may open again after it has closed", OBSERVED,
      INFORMATIONAL)
def _(place):
    mailbox, a, b = place.mailbox(), place.join("a"), place.join("b")
    a.open(mailbox)
    b.open(mailbox)
    a.says("0", "00")
    a.close()
    check_equal(a.open(mailbox), [("a", "0", "00")], "replayed was")
    b.says("1", "01")
    check_equal(a.hears(), [("b", "1", "01")], "then it heard")


@case("open.foreign", "a mailbox id that another application uses is refused by an error",
      ours("Nameplates, mailboxes, sides"), INFORMATIONAL)
def _(place):
    mailbox, mine = place.mailbox(), place.join("a")
    mine.open(mailbox)
    other = place.join("b", place.another_app())
    other.refused("the mailbox belongs to another application", "open", mailbox=mailbox)
    other.usable()


@case("open.foreign-apart", "no application hears another's mailbox of the same id", CONCEPTS)
def _(place):
    mailbox, mine = place.mailbox(), place.join("a")
    mine.open(mailbox)
    mine.says("0", "00")
    other = place.join("b", place.another_app())
    other.send("open", mailbox=mailbox)
    other.send("add", phase="0", body="bb")
    check_equal(mine.hears(), [], "it heard")
    check_equal(place.join("a").open(mailbox), [("a", "0", "00")], "replayed was")
