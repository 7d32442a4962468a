"""release, and what becomes of a nameplate."""

from testbed.conformance.case import CONNECTION, INFORMATIONAL, NAMEPLATES, OBSERVED, case
from testbed.conformance.client import check, check_equal


@case("release.frees", "a nameplate whose only side releases it is gone", NAMEPLATES, listing="on")
def _(place):
    client = place.join("a")
    client.claim("4")
    client.release("4")
    check_equal(client.list(), [], "the nameplates are")


@case("release.unnamed", "release without a nameplate means the one that was claimed", NAMEPLATES,
      listing="on")
def _(place):
    client = place.join("a")
    client.claim("4")
    client.release()
    check_equal(client.list(), [], "the nameplates are")


@case("release.last", "a nameplate lives until every side that claimed it has released it",
      NAMEPLATES, listing="on")
def _(place):
    a, b = place.join("a"), place.join("b")
    a.claim("4")
    b.claim("4")
    a.release()
    check_equal(a.list(), ["4"], "after the first release the nameplates are")
    b.release()
    check_equal(a.list(), [], "after the second release the nameplates are")


@case("release.new-connection", "a side may release on a new connection what it claimed on another",
      NAMEPLATES, listing="on")
def _(place):
    first = place.join("a")
    first.claim("4")
    first.vanish()
    again = place.join("a")
    again.release("4")
    check_equal(again.list(), [], "the nameplates are")


@case("release.idempotent", "a side may release again on a new connection", NAMEPLATES)
def _(place):
    first = place.join("a")
    first.claim("4")
    place.join("b").claim("4")
    first.release()
    place.join("a").release("4")


@case("release.unknown", "a nameplate that nobody has is released all the same", OBSERVED)
def _(place):
    place.join("a").release("4")


@case("release.not-mine", "the release of another side's nameplate is answered, and does nothing",
      NAMEPLATES, listing="on")
def _(place):
    place.join("a").claim("4")
    other = place.join("b")
    other.release("4")
    check_equal(other.list(), ["4"], "the nameplates are")


@case("release.own-app", "the release of another application's nameplate does nothing",
      NAMEPLATES, listing="on")
def _(place):
    holder = place.join("a")
    holder.claim("4")
    place.join("a", place.another_app()).release("4")
    check_equal(holder.list(), ["4"], "the nameplates are")


@case("release.nothing", "release without a nameplate needs a claim before it", CONNECTION)
def _(place):
    place.join("a").refused("release without nameplate must follow claim", "release")


@case("release.other", "release has to name the nameplate that was claimed", CONNECTION)
def _(place):
    client = place.join("a")
    client.claim("4")
    client.refused("release and claim must use same nameplate", "release", nameplate="5")
    client.release("4")


@case("release.twice", "a second release on a connection is refused", OBSERVED)
def _(place):
    client = place.join("a")
    client.claim("4")
    client.release()
    client.refused("only one release per connection", "release")


@case("release.mailbox-stays", "releasing the nameplate leaves the mailbox open", NAMEPLATES)
def _(place):
    a, b = place.met("a", "b")
    a.release()
    b.release()
    a.says("0", "00")
    check_equal(b.hears(), [("a", "0", "00")], "the other side heard")


@case("release.reclaimed", "a side that released cannot claim again while the other holds on",
      OBSERVED)
def _(place):
    a, b = place.join("a"), place.join("b")
    a.claim("4")
    b.claim("4")
    a.release()
    place.join("a").refused("reclaimed", "claim", nameplate="4")


@case("release.reclaimed-used-up", "a claim that was answered by reclaimed is used up", OBSERVED,
      INFORMATIONAL)
def _(place):
    a, b = place.join("a"), place.join("b")
    a.claim("4")
    b.claim("4")
    a.release()
    again = place.join("a")
    again.refused("reclaimed", "claim", nameplate="4")
    again.refused("only one claim per connection", "claim", nameplate="5")


@case("release.new-mailbox", "a nameplate that all have released leads to a new mailbox",
      NAMEPLATES)
def _(place):
    a, b = place.join("a"), place.join("b")
    old = a.claim("4")
    b.claim("4")
    a.release()
    b.release()
    new = place.join("a").claim("4")
    check(new != old, "the mailbox is the old one")
    check_equal(place.join("c").claim("4"), new, "for the next side the mailbox is")


@case("release.before-peer", "a nameplate released before the other side came leads it elsewhere",
      NAMEPLATES)
def _(place):
    a = place.join("a")
    mailbox = a.claim("4")
    a.release()
    check(place.join("b").claim("4") != mailbox, "the other side got the old mailbox")
