"""close, and what becomes of a mailbox."""

from testbed.conformance.case import (
    CONNECTION, EXPECTED, INFORMATIONAL, MAILBOXES, OBSERVED, case, observed, ours)
from testbed.conformance.client import check_equal


@case("close.closed", "close is answered by closed", MAILBOXES)
def _(place):
    client = place.join("a")
    mailbox = place.mailbox()
    client.open(mailbox)
    client.close(mailbox)


@case("close.unnamed", "close without a mailbox means the one that was opened", MAILBOXES)
def _(place):
    mailbox, a = place.mailbox(), place.join("a")
    a.open(mailbox)
    a.says("0", "00")
    a.close()
    check_equal(place.join("b").open(mailbox), [], "of the mailbox was left")


def mood(name, value):
    @case(f"close.{name}", f"the mood {value!r} is taken", MAILBOXES)
    def _(place):
        client = place.join("a")
        client.open(place.mailbox())
        client.close(mood=value)


for _mood in ("happy", "lonely", "scary", "errory"):
    mood(_mood, _mood)


@case("close.any-mood", "a mood that nobody knows is taken, and null", OBSERVED)
def _(place):
    for value in ("curious", None):
        client = place.join("a")
        client.open(place.mailbox())
        client.answer("closed", "close", mood=value)


@case("close.nothing", "close without a mailbox needs an open before it", CONNECTION)
def _(place):
    place.join("a").refused("close without mailbox must follow open", "close")


@case("close.other", "close has to name the mailbox that was opened", CONNECTION)
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    client.refused("open and close must use same mailbox", "close", mailbox=place.mailbox())


@case("close.twice", "a second close on a connection is refused", OBSERVED)
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    client.close()
    client.refused("only one close per connection", "close")


@case("close.unseen", "a mailbox that nobody has is closed all the same", OBSERVED)
def _(place):
    place.join("a").close(place.mailbox())


@case("close.unseen-no-trace", "to close a mailbox that nobody has leaves no trace of the side",
      MAILBOXES)
def _(place):
    mailbox = place.mailbox()
    place.join("x").close(mailbox)
    place.join("a").open(mailbox)
    place.join("b").open(mailbox)


@case("close.new-connection", "a side may close on a new connection, without open", MAILBOXES)
def _(place):
    mailbox, a = place.mailbox(), place.join("a")
    a.open(mailbox)
    a.says("0", "00")
    a.vanish()
    place.join("a").close(mailbox, "lonely")
    check_equal(place.join("b").open(mailbox), [], "of the mailbox was left")


@case("close.again", "a side that is not sure whether it has closed may close again", OBSERVED)
def _(place):
    a, _b = place.met("a", "b")
    a.close()
    place.join("a").close(a.box)


@case("close.deaf", "who has closed hears nothing more", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.close()
    b.says("0", "00")
    check_equal(a.hears(), [], "it heard")


@case("close.mute", "who has closed can add nothing more", CONNECTION)
def _(place):
    a, _b = place.met("a", "b")
    a.close()
    a.refused("must open mailbox before adding", "add", phase="0", body="00")


@case("close.others-stay", "a mailbox lives until every side that opened it has closed it",
      MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.says("0", "00")
    a.close()
    b.hears()
    b.says("1", "01")
    check_equal(place.join("b").open(a.box), [("a", "0", "00"), ("b", "1", "01")], "replayed was")


@case("close.last", "the last close deletes the messages", MAILBOXES)
def _(place):
    a, b = place.met("a", "b")
    a.says("0", "00")
    for client in (a, b):
        client.release()
        client.close()
    check_equal(place.join("c").open(a.box), [], "replayed was")


@case("close.claimed-side", "a side that has only claimed keeps the mailbox", MAILBOXES)
def _(place):
    a, b = place.join("a"), place.join("b")
    mailbox = a.claim("4")
    b.claim("4")
    a.open(mailbox)
    a.says("0", "00")
    a.close()
    check_equal(b.open(mailbox), [("a", "0", "00")], "replayed was")


@case("close.reopen", "a side that has closed may open again, and hears the history", OBSERVED)
def _(place):
    a, _b = place.met("a", "b")
    a.says("0", "00")
    a.close()
    check_equal(place.join("a").open(a.box), [("a", "0", "00")], "replayed was")


@case("close.reopened-does-not-hold", "a side that came back after closing does not keep the "
      "mailbox", OBSERVED, INFORMATIONAL)
def _(place):
    mailbox, a, b = place.mailbox(), place.join("a"), place.join("b")
    a.open(mailbox)
    b.open(mailbox)
    a.says("0", "00")
    a.close()
    place.join("a").open(mailbox)
    b.close()
    check_equal(place.join("c").open(mailbox), [], "replayed was")


@case("close.nameplate", "the last close frees the nameplate of the mailbox too",
      observed("0.5.0"), EXPECTED, listing="on")
def _(place):
    client = place.join("a")
    client.open(client.claim("4"))
    client.close()
    check_equal(place.join("b").list(), [], "the nameplates are")


@case("close.nameplate-open", "a close that is not the last leaves the nameplate", MAILBOXES,
      listing="on")
def _(place):
    a, _b = place.met("a", "b")
    a.close()
    check_equal(place.join("c").list(), ["4"], "the nameplates are")


@case("close.other-claims", "the last close leaves the side's claims on other nameplates",
      ours("Where it differs"), INFORMATIONAL, listing="on")
def _(place):
    place.join("a").claim("5")
    client = place.join("a")
    client.open(place.mailbox())
    client.close()
    # Who held on to the nameplate is still one of its sides: the other's release frees nothing.
    other = place.join("b")
    other.claim("5")
    other.release()
    check_equal(other.list(), ["5"], "after the other side's release the nameplates are")


@case("close.drop", "a connection that goes without close leaves the mailbox as it is", CONNECTION)
def _(place):
    a, b = place.met("a", "b")
    a.says("0", "00")
    a.vanish()
    b.close()
    b.release()
    check_equal(place.join("a").open(a.box), [("a", "0", "00")], "replayed was")
