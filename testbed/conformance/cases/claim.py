"""claim."""

import re

from testbed.conformance.case import (
    APPS, CONNECTION, EXPECTED, INFORMATIONAL, NAMEPLATES, OBSERVED, case, observed, ours)
from testbed.conformance.client import Failure, check, check_equal

DIFFERS = ours("Where it differs")


@case("claim.mailbox", "claim gives both sides the same mailbox", NAMEPLATES)
def _(place):
    check_equal(place.join("a").claim("4"), place.join("b").claim("4"), "one mailbox is")


@case("claim.mailbox-id", "the id of a mailbox is 13 characters of base32", OBSERVED, INFORMATIONAL)
def _(place):
    mailbox = place.join("a").claim("4")
    check(re.fullmatch("[a-z2-7]{13}", mailbox), f"the mailbox is {mailbox!r}")


@case("claim.unguessable", "mailboxes differ from nameplate to nameplate", NAMEPLATES)
def _(place):
    boxes = {place.join("a").claim(str(n)) for n in range(8)}
    check_equal(len(boxes), 8, "the number of mailboxes is")


@case("claim.unallocated", "a nameplate that nobody allocated can be claimed", NAMEPLATES)
def _(place):
    place.join("a").claim("987654321")


@case("claim.idempotent", "a side that claims again on a new connection gets the same mailbox",
      NAMEPLATES)
def _(place):
    first = place.join("a")
    mailbox = first.claim("4")
    first.vanish()
    check_equal(place.join("a").claim("4"), mailbox, "the mailbox is")
    check_equal(place.join("b").claim("4"), mailbox, "for the other side the mailbox is")


@case("claim.counts-once", "claims of one side on many connections count as one", NAMEPLATES)
def _(place):
    for _ in range(4):
        place.join("a").claim("4")
    place.join("b").claim("4")


@case("claim.nothing", "claim without a nameplate is refused", CONNECTION)
def _(place):
    place.join("a").refused("claim requires 'nameplate'", "claim")


@case("claim.twice", "a second claim on a connection is refused", OBSERVED)
def _(place):
    client = place.join("a")
    client.claim("4")
    client.refused("only one claim per connection", "claim", nameplate="4")
    client.refused("only one claim per connection", "claim", nameplate="5")


@case("claim.used-up", "a claim that was refused is used up", OBSERVED, INFORMATIONAL)
def _(place):
    place.met("a", "b")
    third = place.join("c")
    third.refused("crowded", "claim", nameplate="4")
    third.refused("only one claim per connection", "claim", nameplate="5")


@case("claim.no-name-no-use", "a claim without a nameplate is not used up", OBSERVED, INFORMATIONAL)
def _(place):
    client = place.join("a")
    client.refused("claim requires 'nameplate'", "claim")
    client.claim("4")


@case("claim.unsubscribed", "claim does not subscribe to the mailbox", NAMEPLATES)
def _(place):
    a, b = place.join("a"), place.join("b")
    mailbox = a.claim("4")
    b.claim("4")
    a.open(mailbox)
    a.says("0", "00")
    check_equal(b.hears(), [], "the side that has only claimed heard")


@case("claim.per-app", "the same nameplate of another application is another mailbox", APPS)
def _(place):
    check(place.join("a").claim("4") != place.join("b", place.another_app()).claim("4"),
          "two applications share a mailbox")


@case("claim.as-written", "nameplates are compared as they are written", OBSERVED)
def _(place):
    check(place.join("a").claim("4") != place.join("b").claim("04"), "4 and 04 share a mailbox")


@case("nameplate.forty", "a nameplate of 40 digits can be claimed", observed("0.7.0"))
def _(place):
    check_equal(place.join("a").claim("7" * 40), place.join("b").claim("7" * 40), "the mailbox is")


def no_nameplate(name, what, nameplate, source=observed("0.7.0")):
    """Refused in any way: by an error, or by cutting the connection."""

    @case(f"nameplate.{name}", f"{what} is no nameplate", source, EXPECTED)
    def _(place):
        client = place.join("a")
        try:
            answer = client.ask("claim", nameplate=nameplate)
        except Failure:
            return
        check("claimed" not in [m.get("type") for m in answer], f"{nameplate!r} was claimed")


no_nameplate("letters", "text with letters", "4a")
no_nameplate("empty", "an empty text", "")
no_nameplate("sign", "a negative number", "-4")
no_nameplate("blank", "a number with a blank before it", " 4")
no_nameplate("too-long", "a number of 41 digits", "7" * 41)
no_nameplate("newline", "a number with a newline behind it", "4\n", DIFFERS)
no_nameplate("unicode", "a number in other digits than ASCII's", "٤", DIFFERS)


@case("nameplate.error", "what is no nameplate is refused by an error, not by cutting the "
      "connection", DIFFERS, INFORMATIONAL)
def _(place):
    client = place.join("a")
    answer = client.ask("claim", nameplate="letters")
    check_equal([m.get("type") for m in answer], ["error"], "the answer was")
    client.usable()
