"""What depends on how the server was started, or takes time: checked when the suite is told
(--given), because nobody can tell from outside how it ought to be."""

import time

from testbed.conformance import websocket as ws
from testbed.conformance.case import CONNECTION, MAILBOXES, NAMEPLATES, OBSERVED, case
from testbed.conformance.client import check, check_equal


def patience(place, *facts):
    """Seconds until what is due after these facts must have come: a server may be busy too."""
    return sum(float(place.facts[name]) for name in facts) + 3 * place.limit


def welcome_member(place, name):
    return place.connect().welcome["welcome"].get(name)


@case("given.motd", "the welcome has the message of the day", CONNECTION, motd=None)
def _(place):
    check_equal(welcome_member(place, "motd"), place.facts["motd"], "motd is")


@case("given.error", "the welcome has the operator's error", CONNECTION, error=None)
def _(place):
    check_equal(welcome_member(place, "error"), place.facts["error"], "error is")


@case("given.version", "the welcome has the version that clients should have", CONNECTION,
      version=None)
def _(place):
    check_equal(welcome_member(place, "current_cli_version"), place.facts["version"],
                "current_cli_version is")


@case("given.no-motd", "without a message of the day the welcome has none", CONNECTION, bare="yes")
def _(place):
    check_equal([welcome_member(place, n) for n in ("motd", "error", "current_cli_version")],
                [None] * 3, "motd, error and current_cli_version are")


@case("given.list-off", "where listing is not allowed the list is empty, and all else works",
      OBSERVED, listing="off")
def _(place):
    a, b = place.join("a"), place.join("b")
    nameplate = a.allocate()
    check_equal(a.list(), [], "the nameplates are")
    check_equal(a.claim(nameplate), b.claim(nameplate), "the mailbox is")


def until(what, place, true):
    """Asks until it is so: an idle mailbox is not told to anyone."""
    limit = patience(place, "prunes")
    end = time.monotonic() + limit
    while not true():
        check(time.monotonic() < end, f"{what} within {limit:g} s")
        time.sleep(0.2)


@case("slow.nameplate", "a nameplate whose sides have gone is pruned", NAMEPLATES, prunes=None,
      listing="on")
def _(place):
    place.join("a").claim("4")
    place.stack.pop_all().close()
    witness = place.join("b")
    until("the nameplate was not pruned", place, lambda: witness.list() == [])


@case("slow.mailbox", "a mailbox whose sides have gone is pruned, and its messages", MAILBOXES,
      prunes=None, listing="on")
def _(place):
    a = place.join("a")
    mailbox = a.claim("4")
    a.open(mailbox)
    a.says("0", "00")
    a.vanish()
    witness = place.join("b")
    until("the nameplate was not pruned", place, lambda: witness.list() == [])
    check_equal(place.join("c").open(mailbox), [], "of the messages are left")


@case("slow.listener", "a mailbox that somebody listens to is not pruned", MAILBOXES, prunes=None,
      listing="on")
def _(place):
    a = place.join("a")
    mailbox = a.claim("4")
    a.open(mailbox)
    a.says("0", "00")
    # Two that are idle, one after the other: when both have gone, so would this one have.
    for nameplate in ("5", "6"):
        idle = place.join("x")
        idle.claim(nameplate)

        def gone(idle=idle):
            a.usable()  # reads what came, so that the server's pings are answered
            return idle.list() == ["4"]

        until("another nameplate was not pruned", place, gone)
    check_equal(place.join("b").claim("4"), mailbox, "the mailbox is")
    a.usable()


@case("slow.crowded", "a crowded nameplate is free again after it was pruned", OBSERVED,
      prunes=None, listing="on")
def _(place):
    a, b = place.join("a"), place.join("b")
    old = a.claim("4")
    b.claim("4")
    place.join("c").refused("crowded", "claim", nameplate="4")
    until("the nameplate was not pruned", place, lambda: a.list() == [])
    new = place.join("a").claim("4")
    check(new != old, "the mailbox is the old one")
    check_equal(place.join("c").claim("4"), new, "the mailbox is")


@case("slow.ping", "the server pings idle connections", CONNECTION, pings=None)
def _(place):
    socket = place.connect().socket
    limit = patience(place, "pings")
    try:
        frame = socket.next_frame(limit)
    except ws.Silent:
        check(False, f"no ping within {limit:g} s")
    check_equal(frame.opcode, ws.PING, "the opcode was")


@case("slow.silence", "a client that answers no pings is cut", OBSERVED, silence=None,
      pings=None)
def _(place):
    client = place.connect()
    client.socket.answers_pings = False
    client.is_cut(patience(place, "pings", "silence"))


@case("slow.alive", "a client that answers pings is kept", CONNECTION, silence=None, pings=None)
def _(place):
    dead, alive = place.connect(), place.connect()
    dead.socket.answers_pings = False
    end = time.monotonic() + patience(place, "pings", "silence")
    while True:
        check(time.monotonic() < end, "the client that answers no pings was not cut")
        for client in (alive, dead):
            try:
                client.socket.next_message(0.2)
            except ws.Silent:
                pass
            except ws.Ended:
                check(client is dead, "the client that answers was cut")
                alive.usable()
                return
