"""`peersock doctor`: what it says of servers and networks that are in order, dead or wrong."""

import socket
import time

import pytest

from harness import clean_environment, reserved_port
from test_relay import ADDRESS, turn  # noqa: F401 (a fixture)
from turn_house import turn_server

KINDS = ["open", "full-cone", "address-restricted", "port-restricted", "symmetric"]


def doctor(world, *arguments, password=None, **options):
    extra = {"PEERSOCK_TURN_PASSWORD": password} if password else {}
    return world.start("doctor", *arguments, env=clean_environment(**extra), **options)


def events(process, name):
    return [event for event in process.events if event["event"] == name]


def server(process, kind, transport="udp"):
    (found,) = [event for event in events(process, "doctor_server")
                if event["kind"] == kind and event["transport"] in (None, transport)]
    return found


def ways(process):
    return {event["nat"]: event["way"] for event in events(process, "doctor_peer")}


@pytest.fixture
def coturn(tmp_path):
    """coturn on two addresses and two ports, as RFC 5780 wants; gives the first port."""
    with reserved_port("0.0.0.0") as other_port, turn_server(  # noqa: S104
            tmp_path, "--listening-ip=127.0.0.1", "--listening-ip=127.0.0.2",
            f"--alt-listening-port={other_port}", "--relay-ip=127.0.0.1",
            answers_at=("127.0.0.2", other_port)) as port:
        yield port


@pytest.fixture
def silent():
    """A UDP port where nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_everything_in_order(world, coturn, turn):  # noqa: F811
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", "127.0.0.1", "--stun-port",
                     coturn, "--turn", ADDRESS, "--turn-port", turn, "--turn-user", "user",
                     password="word")
    assert process.exit_code() == 0, process.text()
    for kind, name in (("rendezvous", world.mailbox), ("stun", f"127.0.0.1:{coturn}"),
                       ("turn", f"{ADDRESS}:{turn}")):
        found = server(process, kind)
        assert found["name"] == name
        assert found["works"] and found["problem"] is None and 0 < found["after_ms"] < 5000
    assert server(process, "turn", "tcp")["works"]
    ipv4, ipv6 = events(process, "doctor_nat")
    assert ipv4["family"] == "ipv4" and ipv4["address"].startswith("127.0.0.1:")
    assert ipv4["server"] == f"127.0.0.1:{coturn}"
    assert not ipv4["translated"] and ipv4["port_kept"] and ipv4["problem"] is None
    assert ipv4["mapping"] == ipv4["filtering"] == "endpoint-independent"
    assert ipv6["family"] == "ipv6" and ipv6["address"] is None and ipv6["problem"]
    assert [ways(process)[kind] for kind in KINDS] == ["direct"] * 5
    assert process.events[-1] == {"v": 1, "event": "ended", "exit_code": 0}
    assert "word" not in process.text()


def test_as_text(world, coturn):
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", "127.0.0.1", "--stun-port",
                     coturn, "--turn", "", json_events=False)
    assert process.exit_code() == 0, process.text()
    assert f"Rendezvous server {world.mailbox}: lets us in, " in process.text()
    assert f"STUN server 127.0.0.1:{coturn}: answers, " in process.text()
    assert "IPv4: seen as 127.0.0.1:" in process.text()
    assert "IPv4 filtering: endpoint-independent" in process.lines
    assert "Peers behind symmetric NATs: directly" in process.lines
    assert "Error" not in process.text()


def test_a_server_with_one_address_tells_less(world, turn):  # noqa: F811
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", ADDRESS, "--stun-port", turn,
                     "--turn", "")
    assert process.exit_code() == 0, process.text()
    ipv4 = events(process, "doctor_nat")[0]
    assert ipv4["mapping"] == "endpoint-independent"  # no NAT is in the way
    assert ipv4["filtering"] == "unknown"
    assert ways(process)["port-restricted"] == "direct"
    assert ways(process)["symmetric"] == "unknown"


def test_a_dead_rendezvous_server_is_exit_code_3(world, coturn):
    url = f"ws://127.0.0.1:{world.reserved_port()}/v1"
    process = doctor(world, "--rendezvous", url, "--stun", "127.0.0.1", "--stun-port", coturn,
                     "--turn", "")
    assert process.exit_code() == 3, process.text()
    assert not server(process, "rendezvous")["works"]
    assert "refused" in server(process, "rendezvous")["problem"]
    assert server(process, "stun")["works"]
    assert process.error()["kind"] == "rendezvous"


def test_one_of_two_rendezvous_servers_is_enough(world):
    process = doctor(world, "--rendezvous", f"ws://127.0.0.1:{world.reserved_port()}/v1", "--rendezvous",
                     world.mailbox, "--stun", "", "--turn", "")
    assert process.exit_code() == 0, process.text()
    assert [e["works"] for e in events(process, "doctor_server")] == [False, True]


def test_a_rendezvous_server_that_turns_clients_away_does_not_work(world):
    shut = world.start("mailbox", "--listen", "127.0.0.1:0", "--signal-error", "closed for good")
    url = shut.wait_for("mailbox_listening")["url"]
    process = doctor(world, "--rendezvous", url, "--stun", "", "--turn", "")
    assert process.exit_code() == 3, process.text()
    assert "closed for good" in server(process, "rendezvous")["problem"]


def test_silence_everywhere_ends_in_time(world, silent):
    held = socket.create_server(("127.0.0.1", 0))  # nobody accepts
    with held:
        began = time.monotonic()
        process = doctor(world, "--rendezvous", f"ws://127.0.0.1:{held.getsockname()[1]}/v1",
                         "--stun", "127.0.0.1", "--stun-port", silent, "--turn", "",
                         "--timeout", 1)
        assert process.exit_code() == 3, process.text()
        # Neither of them is given up before 5 s otherwise.
        assert 1 <= time.monotonic() - began < 4.5
    for kind in ("rendezvous", "stun"):
        assert not server(process, kind)["works"]
        assert server(process, kind)["problem"] == "no answer came in time"


def test_neither_stun_nor_turn_is_exit_code_6(world, silent):
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", "127.0.0.1", "--stun-port",
                     silent, "--turn", "")
    assert process.exit_code() == 6, process.text()
    assert process.error()["kind"] == "no_path"
    assert [ways(process)[kind] for kind in KINDS] == ["none"] * 5


def test_a_relay_that_refuses_the_password_does_not_work(world, turn):  # noqa: F811
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", "", "--turn", ADDRESS,
                     "--turn-port", turn, "--turn-user", "user", "--relay", "only",
                     password="wrong")
    assert process.exit_code() == 6, process.text()
    assert not server(process, "turn")["works"]
    assert "password" in server(process, "turn")["problem"]


def test_a_relay_alone_is_a_way(world, turn):  # noqa: F811
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", "", "--turn", ADDRESS,
                     "--turn-port", turn, "--turn-user", "user", "--relay", "only",
                     password="word")
    assert process.exit_code() == 0, process.text()
    assert ways(process) == dict.fromkeys(KINDS, "relayed")


def test_without_stun_only_the_own_network_is_spoken_of(world):
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", "", "--turn", "",
                     "--trace")
    has_network = ADDRESS != "127.0.0.1"
    assert process.exit_code() == (0 if has_network else 6), process.text()
    assert events(process, "doctor_nat") == []
    assert ways(process) == ({"same-network": "direct"} if has_network else {})


def test_quiet_shows_the_error_alone(world):
    process = doctor(world, "--rendezvous", f"ws://127.0.0.1:{world.reserved_port()}/v1", "--stun", "",
                     "--turn", "", "--quiet", json_events=False)
    assert process.exit_code() == 3
    assert len(process.lines) == 1 and process.lines[0].startswith("Error: "), process.text()


def test_an_interrupt_ends_it(world, silent):
    process = doctor(world, "--rendezvous", world.mailbox, "--stun", "127.0.0.1", "--stun-port",
                     silent, "--turn", "", "--trace")
    process.wait_for("trace")
    process.interrupt()
    assert process.exit_code() == 130, process.text()


def test_a_code_has_no_place_here(world):
    process = doctor(world, "8-lab-name-blanket", json_events=False)
    assert process.exit_code() == 2
    assert "lab" not in process.text()
