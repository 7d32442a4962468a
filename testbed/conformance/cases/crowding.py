"""A third side."""

from testbed.conformance.case import CONCEPTS, INFORMATIONAL, OBSERVED, case
from testbed.conformance.client import check_equal


@case("crowded.claim", "a third side's claim is refused", OBSERVED)
def _(place):
    place.met("a", "b")
    place.join("c").refused("crowded", "claim", nameplate="4")


@case("crowded.claim-unopened", "a third side's claim is refused although nobody has opened",
      OBSERVED)
def _(place):
    place.join("a").claim("4")
    place.join("b").claim("4")
    place.join("c").refused("crowded", "claim", nameplate="4")


@case("crowded.open", "a third side's open is refused, and it hears nothing", OBSERVED)
def _(place):
    a, _b = place.met("a", "b")
    a.says("0", "00")
    third = place.join("c")
    third.refused("crowded", "open", mailbox=a.box)
    a.says("1", "01")
    check_equal(third.hears(), [], "it heard")


@case("crowded.mute", "a third side cannot add", OBSERVED)
def _(place):
    a, _b = place.met("a", "b")
    third = place.join("c")
    third.refused("crowded", "open", mailbox=a.box)
    third.refused("must open mailbox before adding", "add", phase="0", body="cc")
    check_equal(a.hears(), [], "the first side heard")


@case("crowded.close", "a third side's close is refused", OBSERVED)
def _(place):
    a, _b = place.met("a", "b")
    place.join("c").refused("crowded", "close", mailbox=a.box)


@case("crowded.sockets-go-on", "the connections of the first two go on undisturbed", OBSERVED)
def _(place):
    a, b = place.met("a", "b")
    place.join("c").refused("crowded", "claim", nameplate="4")
    a.says("0", "aa")
    b.says("0", "bb")
    check_equal(a.hears(), [("b", "0", "bb")], "the first side heard")
    check_equal(b.hears(), [("a", "0", "aa")], "the second side heard")
    a.close()
    b.close()


@case("crowded.sticks-open", "afterwards the first two cannot open from a new connection", OBSERVED,
      INFORMATIONAL)
def _(place):
    a, _b = place.met("a", "b")
    place.join("c").refused("crowded", "claim", nameplate="4")
    place.join("a").refused("crowded", "open", mailbox=a.box)
    place.join("b").refused("crowded", "open", mailbox=a.box)


@case("crowded.sticks-claim", "afterwards the first two cannot claim from a new connection",
      OBSERVED, INFORMATIONAL)
def _(place):
    place.met("a", "b")
    place.join("c").refused("crowded", "claim", nameplate="4")
    place.join("a").refused("crowded", "claim", nameplate="4")


@case("crowded.sticks-close", "afterwards the first two cannot close from a new connection",
      OBSERVED, INFORMATIONAL)
def _(place):
    a, _b = place.met("a", "b")
    place.join("c").refused("crowded", "open", mailbox=a.box)
    place.join("b").refused("crowded", "close", mailbox=a.box)


@case("crowded.open-sticks", "a third side that only opened makes the nameplate crowded too",
      OBSERVED, INFORMATIONAL)
def _(place):
    a = place.join("a")
    mailbox = a.claim("4")
    place.join("b").open(mailbox)
    place.join("c").refused("crowded", "open", mailbox=mailbox)
    place.join("a").refused("crowded", "claim", nameplate="4")


@case("crowded.elsewhere", "other nameplates and mailboxes of the application are not concerned",
      CONCEPTS)
def _(place):
    place.met("a", "b")
    place.join("c").refused("crowded", "claim", nameplate="4")
    place.join("a").claim("5")
    third = place.join("c")
    third.open(place.mailbox())
    third.says("0", "00")


@case("crowded.not-by-repeating", "two sides on many connections crowd nothing", OBSERVED)
def _(place):
    a, b = place.met("a", "b")
    for side in "abab":
        again = place.join(side)
        again.claim("4")
        again.open(a.box)
    a.says("0", "00")
    check_equal(b.hears(), [("a", "0", "00")], "the other side heard")


@case("crowded.after-closing", "a third side is refused although the first has closed", OBSERVED,
      INFORMATIONAL)
def _(place):
    a, _b = place.met("a", "b")
    a.close()
    place.join("c").refused("crowded", "open", mailbox=a.box)
