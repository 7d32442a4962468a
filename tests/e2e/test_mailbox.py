"""`peersock mailbox` as a server that people run: its options, what it tells, what it survives."""

import json
import socket
import subprocess

import pytest

from harness import BINARY, ROOT
from mailbox_house import get, start
from websocket_client import Refused, WebSocket

# --- what clients are told

def test_the_welcome_says_what_the_operator_wants(world):
    _, address = start(world, "--motd", "Good day", "--signal-error", "closed for today",
                       "--advertise-version", "0.18.0")
    with WebSocket(address) as client:
        assert client.welcome.pop("your-address")["ipv4"] == "127.0.0.1"
        assert client.welcome == {"motd": "Good day", "error": "closed for today",
                                  "current_cli_version": "0.18.0"}


def test_without_options_the_welcome_is_bare(world):
    _, address = start(world)
    with WebSocket(address) as client:
        assert list(client.welcome) == ["your-address"]


def test_our_client_shows_the_motd_and_obeys_the_error(world):
    for options, code in (("--motd", "Good day"), None), (("--signal-error", "go away"), 3):
        server = world.start("mailbox", "--listen", "127.0.0.1:0", *options)
        url = server.wait_for("mailbox_listening")["url"]
        client = world.start("listen", "127.0.0.1:0", "--rendezvous", url, "--stun", "", "--turn",
                             "")
        if code is None:
            assert client.wait_for("motd")["text"] == "Good day"
        else:
            assert client.exit_code() == code
            assert "go away" in client.error()["message"]


@pytest.mark.parametrize("options,expected", [((), [{"id": "4"}]), (("--no-list",), [])])
def test_listing_can_be_switched_off(world, options, expected):
    _, address = start(world, *options)
    with WebSocket(address) as client:
        client.bind("a").say(type="claim", nameplate="4")
        client.hear("claimed")
        client.say(type="list")
        assert client.hear("nameplates")["nameplates"] == expected


def test_silent_clients_are_pinged_and_cut(world):
    server, address = start(world, "--ping-every", "1", "--client-timeout", "3")
    with WebSocket(address) as client:
        for _ in range(5):  # longer than the timeout, kept alive by its pongs
            opcode, payload = client.read_frame()
            assert opcode == 9
            client.socket.sendall(bytes([0x8a, 0x80 | len(payload)]) + bytes(4) + payload)
        assert not server.has("client_disconnected")
        with pytest.raises(ConnectionError):
            while True:
                client.read_frame()
    assert server.wait_for("client_disconnected")["reason"] == "silent"


# --- health, metrics, log

def metrics(url):
    status, text = get(f"{url}/metrics")
    assert status == 200
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name.removeprefix("peersock_mailbox_")] = float(value)
    return values


def test_health_and_metrics_have_an_address_of_their_own(world):
    server, address = start(world, "--admin", "127.0.0.1:0")
    admin = server.wait_for("admin_listening")["url"]
    assert get(f"{admin}/healthz") == (200, "ok\n")
    assert get(f"{admin}/v1")[0] == 404
    assert get(f"{admin}/")[0] == 404
    assert get(f"http://{address[0]}:{address[1]}/metrics")[0] == 404
    before = metrics(admin)
    with WebSocket(address) as client:
        client.bind("a").say(type="claim", nameplate="4")
        client.say(type="open", mailbox=client.hear("claimed")["mailbox"])
        client.say(type="add", phase="p", body="00")
        client.hear("message")
        during = metrics(admin)
        assert during["clients"] == before["clients"] + 1 == 1
        assert during["nameplates"] == during["mailboxes"] == during["messages"] == 1
        assert during["stored_bytes"] > 0
        assert during["frames_received_total"] == 4
        client.say(type="close", mood="happy")
        client.hear("closed")
    server.wait_for("client_disconnected")
    after = metrics(admin)
    assert after["mailboxes"] == after["nameplates"] == after["stored_bytes"] == 0
    assert after['mailboxes_ended_total{mood="lonely"}'] == 1
    assert after['connections_ended_total{reason="closed"}'] >= 1
    assert not any("state" in name for name in after)


def test_metrics_are_what_prometheus_reads(world):
    server, _ = start(world, "--admin", "127.0.0.1:0")
    _, text = get(server.wait_for("admin_listening")["url"] + "/metrics")
    declared, typed = set(), set()
    for line in text.splitlines():
        words = line.split(" ")
        if words[:2] == ["#", "HELP"]:
            declared.add(words[2])
        elif words[:2] == ["#", "TYPE"]:
            assert words[3] in ("counter", "gauge")
            assert words[2].endswith("_total") == (words[3] == "counter")
            typed.add(words[2])
        else:
            name = words[0].split("{")[0]
            assert name in declared and name in typed
            float(words[-1])
    assert text.endswith("\n") and len(declared) > 10


def test_the_log_has_no_addresses_no_codes_and_no_bodies(world):
    server, address = start(world)
    with WebSocket(address) as client:
        client.bind("secret-side", appid="secret-app").say(type="claim", nameplate="4711")
        mailbox = client.hear("claimed")["mailbox"]
        client.say(type="open", mailbox=mailbox)
        client.say(type="add", phase="secret-phase", body="secret-body")
        client.hear("message")
    gone = server.wait_for("client_disconnected")
    assert gone["client"] == 1 and gone["reason"] == "closed" and gone["network"] == "127.0.0.0/24"
    assert gone["bytes_received"] > 0 and gone["bytes_sent"] > 0
    lines = [line for line in server.lines if "mailbox_listening" not in line]
    for secret in ("secret", "4711", mailbox, "127.0.0.1"):
        assert not any(secret in line for line in lines)
    assert all(json.loads(line)["v"] == 1 for line in server.lines)


def test_connections_that_are_turned_away_are_counted_together(world):
    server, address = start(world, "--max-connections-per-address", "1", "--handshake-timeout", "1")
    with WebSocket(address):
        for _ in range(20):
            with pytest.raises(Refused, match="503"):
                WebSocket(address)
        told = server.wait_for("clients_refused")
        assert told["per_address"] > 0 and told["full"] == 0
    assert len([e for e in server.events if e["event"] == "clients_refused"]) < 5


# --- limits

def test_one_address_can_not_hold_all_nameplates(world):
    _, address = start(world, "--max-nameplates-per-address", "2")
    with WebSocket(address) as a, WebSocket(address) as b, WebSocket(address) as c:
        for client in (a, b):
            client.bind("s").say(type="allocate")
            client.hear("allocated")
        c.bind("s").say(type="allocate")
        assert "too many nameplates" in c.hear("error")["error"]
        a.say(type="release", nameplate="1")
        a.hear("released")


@pytest.mark.parametrize("option,value,part", [
    ("--max-messages", "1", "the mailbox is full"),
    ("--max-mailbox-size", "4K", "the mailbox is full"),
    ("--max-stored", "64K", "the server is full"),
    ("--max-mailboxes", "1", "the server is full"),
])
def test_limits_that_are_set_are_kept(world, option, value, part):
    _, address = start(world, option, value)
    with WebSocket(address) as client, WebSocket(address) as other:
        client.bind("a").say(type="open", mailbox="m")
        for number in range(20):
            client.say(type="add", phase=str(number), body="x" * 4000)
        client.say(type="ping", ping=1)
        errors = []
        while (message := client.read())["type"] != "pong":
            if message["type"] == "error":
                errors.append(message["error"])
        other.bind("b").say(type="open", mailbox="other")
        other.say(type="ping", ping=1)
        while (message := other.read())["type"] != "pong":
            if message["type"] == "error":
                errors.append(message["error"])
        assert errors and all(error.startswith(part) for error in errors)


def test_too_long_a_message_ends_the_connection(world):
    server, address = start(world, "--max-message-size", "4K")
    with WebSocket(address) as client:
        client.bind("a").say(type="ping", ping="x" * 5000)
        with pytest.raises(OSError):
            while True:
                client.read()
    server.wait_for("client_disconnected")


@pytest.mark.parametrize("arguments,parts", [
    (("--max-connections", "0"), ["--max-connections", '"0"', "from 1 to 1000000"]),
    (("--max-connections", "many"), ["--max-connections", '"many"']),
    (("--max-message-size", "1"), ["--max-message-size", "from 4K to 256M"]),
    (("--max-message-size", "1T"), ["--max-message-size", '"1T"']),
    (("--max-mailbox-size", ""), ["--max-mailbox-size is empty"]),
    (("--prune-after", "1K"), ["--prune-after", "seconds"]),
    (("--max-backlog", "1M"), ["--max-backlog is 1M", "--max-mailbox-size (16M)"]),
    (("--max-backlog-in-all", "1M"), ["--max-backlog-in-all", "--max-backlog (24M)"]),
    (("--client-timeout", "60"), ["--client-timeout is 60", "--ping-every (60)"]),
    (("--unix-mode", "999"), ["--unix-mode", "octal"]),
    (("--unix-mode", "0066"), ["--unix-mode", "octal"]),
    (("--motd", ""), ["--motd is empty"]),
    (("--state", ""), ["--state is empty"]),
    (("--admin", "x"), ["--admin"]),
    (("--listen", "example.org:80"), ["--listen", "address"]),
    (("--listen", "unix:" + "x" * 200), ["--listen", "107"]),
])
def test_a_wrong_option_gets_one_sentence(world, arguments, parts):
    server = world.start("mailbox", *arguments, json_events=False)
    assert server.exit_code() == 2, server.text()
    assert len(server.lines) == 1, server.text()
    for part in parts:
        assert part in server.text()


def test_an_address_in_use_is_named(world):
    _, address = start(world)
    server = world.start("mailbox", "--listen", "127.0.0.1:0", "--admin", f"127.0.0.1:{address[1]}")
    assert server.exit_code() == 9
    assert f"127.0.0.1:{address[1]} is in use" in server.error()["message"]


# --- the unit

UNIT = ROOT / "packaging" / "peersock-mailbox.service"


def unit_with_our_binary():
    return UNIT.read_text().replace("/usr/local/bin/peersock", str(BINARY))


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(unit_with_our_binary())
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert UNIT.name not in done.stderr  # not even a warning


def test_the_units_command_line_is_one_that_we_take(world, tmp_path):
    values = dict(line.split("=", 1) for line in unit_with_our_binary().splitlines()
                  if "=" in line and not line.startswith("#"))
    options = values["Environment"].strip('"').split("=", 1)[1].replace("*:4000", "*:0")
    words = values["ExecStart"].replace("${STATE_DIRECTORY}", str(tmp_path))
    binary, *arguments = words.replace("$PEERSOCK_MAILBOX_OPTIONS", options).split()
    assert binary == str(BINARY)
    server = world.start(*arguments)
    server.wait_for("mailbox_listening")
    assert (tmp_path / "state.db").exists()
