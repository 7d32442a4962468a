"""Our client against a rendezvous server that misbehaves: what users see of each fault."""

import pytest

from fault_cases import ENDS, FAILED, GIVES_UP, KINDS, MADE, MEETS, PARTS
from harness import clean_environment, echo, exchange
from scripted_mailbox import Close, Drop, Rule, Say, ScriptedMailbox, Silence

ICE = ("--stun", "", "--turn", "")


def kinds(peer):
    """All events in their order. ICE may move to a better path at any time: that is not the point
    here."""
    found = [event["event"] for event in peer.events]
    return [kind for i, kind in enumerate(found)
            if kind != "path_chosen" or kind not in found[:i]]


def orders(events):
    """When a connection breaks, what arrived on it last may be told before that or after."""
    at = events.index("warning") if "warning" in events else 0
    if at == 0:
        return [events]
    return [events, events[:at - 1] + [events[at], events[at - 1]] + events[at + 1:]]


def start_maker(world, url, *options):
    return world.start("connect", f"127.0.0.1:{world.serve(echo)}", "--rendezvous", url, *ICE,
                       *options)


def start_user(world, url, code, *options):
    return world.start("listen", "127.0.0.1:0", "--rendezvous", url, *ICE, *options,
                       env=clean_environment(PEERSOCK_CODE=code))


def check(peer, case, limit=20.0):
    assert peer.exit_code(limit) == case.exit_code, peer.text()
    assert kinds(peer) == case.events, peer.text()
    assert peer.error()["kind"] == KINDS[case.exit_code]
    assert case.says in peer.error()["message"]
    assert all(line.startswith("{") for line in peer.lines), peer.text()


@pytest.mark.parametrize("case", ENDS, ids=str)
def test_a_fault_that_ends_the_session_at_once(world, case):
    server = ScriptedMailbox(world, case.rules, case.history)
    check(start_maker(world, server.url), case)
    assert server.connections == 1


def test_faults_that_are_given_up_on_in_time(world):
    """All at once, as each takes 20 s."""
    running = []
    for case in GIVES_UP:
        server = ScriptedMailbox(world, case.rules)
        running.append((case, start_maker(world, server.url)))
    wrong = []
    for case, peer in running:
        try:
            check(peer, case, limit=60)
        except AssertionError as error:
            wrong.append(f"{case.name}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", MEETS, ids=str)
def test_a_fault_that_two_sides_survive(world, case):
    server = ScriptedMailbox(world, case.rules, last=1)
    maker = start_maker(world, server.url)
    code = maker.wait_for("code_made")["code"]
    user = start_user(world, server.url, code)
    maker.wait_for("authenticated")
    address = user.wait_for("listening")["address"]
    assert exchange(int(address.rsplit(":", 1)[1]), b"hello") == b"hello"
    maker.wait_for("connection_closed")
    assert kinds(maker)[:len(case.events)] in orders(case.events), maker.text()
    rest = set(kinds(maker)[len(case.events):])
    assert rest == {"connection_opened", "connection_closed"}, maker.text()
    maker.interrupt()
    assert maker.exit_code() == 130, maker.text()
    assert user.exit_code() == 0, user.text()


@pytest.mark.parametrize("case", PARTS, ids=str)
def test_a_fault_between_two_sides_that_ends_the_session(world, case):
    server = ScriptedMailbox(world, case.rules, last=1)
    maker = start_maker(world, server.url)
    user = start_user(world, server.url, maker.wait_for("code_made")["code"], "--timeout", "5")
    check(maker, case)
    # The other side ends as well, and is not told that all is well.
    user.interrupt()
    assert user.exit_code() != 0, user.text()
    assert not user.has("authenticated")


# ---- leaving

@pytest.mark.parametrize("step", ["released", "closed"])
@pytest.mark.parametrize("action", [Silence(), Close(), Drop(), Say("hello?"),
                                    Say({"type": "error", "error": "out of tea"}),
                                    Say({"type": "closed"})], ids=str)
def test_leaving_takes_no_longer_than_its_bound(world, step, action):
    server = ScriptedMailbox(world, [Rule(step, [action])])
    maker = start_maker(world, server.url)
    server.wait_for("add")
    maker.interrupt()
    assert maker.exit_code() == 130, maker.text()
    assert kinds(maker) == [*MADE, *FAILED], maker.text()
    assert maker.error()["kind"] == "interrupted"


def test_an_honest_server_is_told_that_the_client_leaves(world):
    server = ScriptedMailbox(world)
    maker = start_maker(world, server.url)
    server.wait_for("add")
    maker.interrupt()
    assert maker.exit_code() == 130
    assert server.requests == ["bind", "allocate", "claim", "open", "add", "release", "close"]


# ---- --timeout

TIMEOUT = "in the time given by --timeout"


@pytest.mark.parametrize("rules,events,exit_code,says", [
    ([], MADE + FAILED, 7, f"Nobody used the code {TIMEOUT}"),
    ([Rule("connect", [Silence()])], FAILED, 3, f"did not answer {TIMEOUT}"),
    ([Rule("upgrade", [Silence()])], FAILED, 3, f"did not answer {TIMEOUT}"),
    ([Rule("welcome", [Silence()])], FAILED, 3, f"did not answer {TIMEOUT}"),
    ([Rule("allocated", [Silence()])], ["rendezvous_joined", *FAILED], 3,
     f"did not answer {TIMEOUT}"),
    ([Rule("released", [Silence()]), Rule("closed", [Silence()])], MADE + FAILED, 7,
     f"Nobody used the code {TIMEOUT}"),
], ids=["nobody comes", "silent at connect", "silent at upgrade", "silent at welcome",
        "silent at allocate", "silent when we leave"])
def test_a_time_limit_tells_the_peer_from_the_server(world, rules, events, exit_code, says):
    server = ScriptedMailbox(world, rules)
    maker = start_maker(world, server.url, "--timeout", "1")
    assert maker.exit_code() == exit_code, maker.text()
    assert kinds(maker) == events, maker.text()
    assert says in maker.error()["message"]


def test_a_time_limit_on_a_server_that_refuses_connections(world):
    maker = start_maker(world, f"ws://127.0.0.1:{world.reserved_port()}/v1", "--timeout", "1")
    assert maker.exit_code() == 3, maker.text()
    assert kinds(maker) == ["warning", *FAILED]
    assert TIMEOUT in maker.error()["message"]


def test_a_time_limit_for_who_was_given_a_code(world):
    user = start_user(world, ScriptedMailbox(world).url, "8-lab-name-blanket", "--timeout", "1")
    assert user.exit_code() == 7, user.text()
    assert kinds(user) == ["rendezvous_joined", *FAILED]
    assert "check the code" in user.error()["message"]
