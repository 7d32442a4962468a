"""Codes: how they are given, how leniently they are read, what is refused before any network."""

import os
import re
import time

import pytest

from harness import BOTH_ENGINES, LIMIT, clean_environment, echo, with_engines

NOWHERE = ("--rendezvous", "ws://127.0.0.1:1/v1", "--stun", "", "--turn", "")


def pair_with(world, make_second):
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}")
    b = make_second(a.wait_for("code_made")["code"])
    a.wait_for("authenticated")
    b.wait_for("authenticated")


def test_a_made_code_is_a_nameplate_and_three_words(world):
    a = world.peer("listen", "127.0.0.1:0")
    assert re.fullmatch(r"[0-9]+(-[a-z]{3,8}){3}", a.wait_for("code_made")["code"])


@with_engines(*BOTH_ENGINES)
def test_the_code_may_be_an_argument(world):
    pair_with(world, lambda code: world.peer("listen", "127.0.0.1:0", code))


def test_the_code_may_come_from_a_descriptor(world):
    def second(code):
        reading, writing = os.pipe()
        os.write(writing, code.encode() + b"\n")
        os.close(writing)
        peer = world.peer("listen", "127.0.0.1:0", "--code-fd", reading, pass_fds=(reading,))
        os.close(reading)
        return peer

    pair_with(world, second)


@pytest.mark.parametrize("typed", [
    lambda code: code.upper(),
    lambda code: code.replace("-", " "),
    lambda code: "  " + code.replace("-", " - ") + "\t",
    lambda code: "-".join(part[:4] for part in code.split("-")),
])
def test_codes_are_read_leniently(world, typed):
    pair_with(world, lambda code: world.peer("listen", "127.0.0.1:0", code=typed(code)))


def test_the_code_does_not_stay_in_the_process_list(world):
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}")
    code = a.wait_for("code_made")["code"]
    b = world.peer("listen", "127.0.0.1:0", code)
    b.wait_for("authenticated")
    with open(f"/proc/{b.process.pid}/cmdline", "rb") as file:
        arguments = file.read().decode()
    for word in code.split("-")[1:]:
        assert word not in arguments


@pytest.mark.parametrize("code,part", [
    ("", None),
    ("8", "word"),
    ("8-lab-name", "word"),
    ("8-lab-name-blanket-zoo", "word"),
    ("lab-name-blanket", "number"),
    ("x-lab-name-blanket", "number"),
    ("8-lab-nome-blanket", "name"),
    ("8-lab-name-blankets", "blanket"),
    ("8-läb-name-blanket", None),
    ("8-lab-name-" + "b" * 5000, None),
    ("9" * 41 + "-lab-name-blanket", None),
    ("8-lab\x1b[31m-name-blanket", None),
])
def test_a_bad_code_is_refused_before_any_network_use(world, code, part):
    arguments = ("listen", "127.0.0.1:0", *NOWHERE)
    if code:
        peer = world.start(*arguments, env=clean_environment(PEERSOCK_CODE=code))
    else:
        peer = world.start(*arguments, "--", "")
    assert peer.exit_code() == 2, peer.text()
    error = peer.error() if peer.events else {"message": peer.text()}
    assert not peer.has("rendezvous_joined")
    assert "\x1b" not in error["message"]
    if part:
        assert part in error["message"].lower(), error


@with_engines(*BOTH_ENGINES)
def test_a_wrong_code_ends_both_sides_with_their_own_exit_code(world):
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}")
    nameplate = a.wait_for("code_made")["code"].split("-")[0]
    b = world.peer("listen", "127.0.0.1:0", code=f"{nameplate}-zoo-zoo-zoo")
    for side in (a, b):
        assert side.exit_code() == 5, side.text()
        assert side.error()["kind"] == "authentication"
        assert not side.has("authenticated")


@with_engines(*BOTH_ENGINES)
def test_a_code_is_used_for_one_attempt_only(world):
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}")
    code = a.wait_for("code_made")["code"]
    nameplate = code.split("-")[0]
    wrong = world.peer("listen", "127.0.0.1:0", code=f"{nameplate}-zoo-zoo-zoo")
    assert wrong.exit_code() == 5
    assert a.exit_code() == 5
    late = world.peer("listen", "127.0.0.1:0", "--timeout", "1", code=code)
    assert late.exit_code() == 7, late.text()


@with_engines(*BOTH_ENGINES)
def test_a_third_party_on_the_nameplate_is_reported(world):
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}")
    code = a.wait_for("code_made")["code"]
    # Whichever of the two comes first may meet the maker of the code; the other is told.
    rivals = [world.peer("listen", "127.0.0.1:0", "--timeout", "3", code=code) for _ in range(2)]
    end = time.monotonic() + LIMIT
    while any(r.process.poll() is None and not r.has("authenticated") for r in rivals):
        assert time.monotonic() < end, "\n".join(r.text() for r in rivals)
        time.sleep(0.05)
    refused = [r for r in rivals if not r.has("authenticated")]
    assert refused, "both met the maker of the code"
    for rival in refused:
        assert rival.exit_code() in (4, 7), rival.text()
