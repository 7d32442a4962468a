"""Codes, keys and passwords appear in no output, at any verbosity."""

import pytest

from harness import BOTH_ENGINES, clean_environment, echo, exchange, with_engines

PASSWORD = "correcthorsebattery"


@with_engines(*BOTH_ENGINES)
@pytest.mark.parametrize("mode", [(), ("--verbose",), ("--trace",), ("--trace", "--json")])
def test_no_secret_is_printed(world, mode):
    target = world.serve(echo)
    settings = ("--rendezvous", world.mailbox, "--stun", "", "--turn", "127.0.0.1",
                "--turn-port", "1", "--turn-user", "someone")
    secret = {"PEERSOCK_TURN_PASSWORD": PASSWORD}
    json_events = "--json" in mode
    a = world.start("connect", f"127.0.0.1:{target}", *settings, *mode, json_events=json_events,
                    env=clean_environment(**secret))
    if json_events:
        code = a.wait_for("code_made")["code"]
    else:
        code = a.wait_for_line("Connection Code is: ").split(": ")[1].strip()
    b = world.start("listen", "127.0.0.1:0", *settings, *mode, json_events=json_events,
                    env=clean_environment(PEERSOCK_CODE=code, **secret))
    for side in (a, b):
        if json_events:
            side.wait_for("authenticated")
        else:
            side.wait_for_line("Auth success")
    if json_events:
        port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    else:
        port = int(b.wait_for_line("Listening on ").rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"
    for side in (a, b):
        side.interrupt()
        side.exit_code()
    words = code.split("-")[1:]
    for side, shows_code in ((a, True), (b, False)):
        lines = [line for line in side.lines
                 if not (shows_code and ("Connection Code is" in line or "code_made" in line))]
        text = "\n".join(lines)
        assert PASSWORD not in text
        assert code not in text
        assert "-".join(words) not in text
        for needle in ("pwd", "ufrag", "password"):
            assert needle not in text.lower(), needle


def test_the_environment_of_the_process_is_wiped(world):
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}")
    code = a.wait_for("code_made")["code"]
    b = world.peer("listen", "127.0.0.1:0", code=code,
                   env={"PEERSOCK_TURN_PASSWORD": PASSWORD})
    b.wait_for("authenticated")
    with open(f"/proc/{b.process.pid}/environ", "rb") as file:
        environment = file.read()
    assert PASSWORD.encode() not in environment
    assert code.encode() not in environment
