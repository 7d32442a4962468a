"""list and allocate."""

from testbed.conformance.case import INFORMATIONAL, NAMEPLATES, OBSERVED, APPS, case
from testbed.conformance.client import check, check_equal


@case("list.nothing", "an application that nobody uses has no nameplates", NAMEPLATES, listing="on")
def _(place):
    check_equal(place.join("a").list(), [], "the nameplates are")


@case("list.one-sided", "a nameplate that one side has claimed is listed", NAMEPLATES, listing="on")
def _(place):
    place.join("a").claim("4")
    check_equal(place.join("b").list(), ["4"], "the nameplates are")


@case("list.two-sided", "a nameplate that both sides have claimed is still listed", OBSERVED,
      listing="on")
def _(place):
    place.join("a").claim("4")
    place.join("b").claim("4")
    check_equal(place.join("c").list(), ["4"], "the nameplates are")


@case("list.order", "nameplates are listed in the order of their characters", OBSERVED,
      INFORMATIONAL, listing="on")
def _(place):
    for nameplate in ("5", "10", "3", "21"):
        place.join("a").claim(nameplate)
    check_equal(place.join("b").list(), ["10", "21", "3", "5"], "the nameplates are")


@case("list.own-app", "nameplates of other applications are not listed", APPS, listing="on")
def _(place):
    place.join("a", place.another_app()).claim("5")
    place.join("a").claim("4")
    check_equal(place.join("b").list(), ["4"], "the nameplates are")


@case("list.again", "list works any number of times, and shows what is new", OBSERVED, listing="on")
def _(place):
    client = place.join("a")
    check_equal(client.list(), [], "at first the nameplates are")
    client.claim("4")
    check_equal([client.list(), client.list()], [["4"], ["4"]], "then the nameplates are")


@case("list.mailbox", "a mailbox without a nameplate is not listed", NAMEPLATES, listing="on")
def _(place):
    client = place.join("a")
    client.open(place.mailbox())
    check_equal(client.list(), [], "the nameplates are")


@case("allocate.number", "what is allocated is a number, as text, of one digit when all are free",
      NAMEPLATES)
def _(place):
    nameplate = place.join("a").allocate()
    check(nameplate in list("123456789"), f"allocated was {nameplate!r}")


@case("allocate.claims", "allocate claims: the nameplate is listed", NAMEPLATES, listing="on")
def _(place):
    client = place.join("a")
    nameplate = client.allocate()
    check_equal(place.join("b").list(), [nameplate], "the nameplates are")


@case("allocate.then-claim", "who has allocated claims all the same, here or on a new connection",
      NAMEPLATES)
def _(place):
    client = place.join("a")
    nameplate = client.allocate()
    mailbox = client.claim(nameplate)
    check_equal(place.join("a").claim(nameplate), mailbox, "on a new connection the mailbox is")
    check_equal(place.join("b").claim(nameplate), mailbox, "for the other side the mailbox is")


@case("allocate.holds", "a nameplate stays claimed by who allocated it", NAMEPLATES, listing="on")
def _(place):
    nameplate = place.join("a").allocate()
    other = place.join("b")
    other.claim(nameplate)
    other.release()
    check_equal(other.list(), [nameplate], "after the other side's release the nameplates are")


@case("allocate.twice", "a second allocate on a connection is refused", OBSERVED)
def _(place):
    client = place.join("a")
    client.allocate()
    client.refused("you already allocated one, don't be greedy", "allocate")


@case("allocate.after-claim", "allocate is legal after claim", OBSERVED)
def _(place):
    client = place.join("a")
    client.claim("4")
    check(client.allocate() != "4", "allocated was the nameplate that is claimed")


@case("allocate.release-needs-name", "after allocate alone, release has to name the nameplate",
      OBSERVED, INFORMATIONAL, listing="on")
def _(place):
    client = place.join("a")
    nameplate = client.allocate()
    client.refused("release without nameplate must follow claim", "release")
    client.release(nameplate)
    check_equal(client.list(), [], "the nameplates are")


@case("allocate.distinct", "nine allocations are the nine digits, the tenth has two",
      NAMEPLATES)
def _(place):
    got = [place.join(f"side{i}").allocate() for i in range(10)]
    check_equal(sorted(got[:9]), list("123456789"), "the first nine are")
    check(len(got[9]) == 2 and got[9].isdigit() and got[9][0] != "0", f"the tenth is {got[9]!r}")


@case("allocate.avoids", "what is claimed by name is not allocated", NAMEPLATES)
def _(place):
    for nameplate in "12346789":
        place.join("a").claim(nameplate)
    check_equal(place.join("b").allocate(), "5", "allocated was")


@case("allocate.again", "a nameplate that was released is allocated again", NAMEPLATES)
def _(place):
    for nameplate in "12346789":
        place.join("a").claim(nameplate)
    first = place.join("a")
    nameplate = first.allocate()
    first.release(nameplate)
    check_equal(place.join("b").allocate(), nameplate, "allocated was")


@case("allocate.random", "allocation is random", OBSERVED)
def _(place):
    # Twelve times the same of nine: once in 3e10 runs.
    got = {place.join("a", place.another_app()).allocate() for _ in range(12)}
    check(len(got) > 1, f"twelve times allocated was {got}")


@case("allocate.per-app", "each application has all nameplates to itself", APPS)
def _(place):
    for nameplate in "123456789":
        place.join("a", place.app).claim(nameplate)
    check_equal(len(place.join("a", place.another_app()).allocate()), 1, "the length is")
