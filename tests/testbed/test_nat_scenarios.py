"""How scenarios are judged, and that their drawings are what they say."""

import contextlib
import socket
import time

import pytest

from testbed.nat import main, scenario
from testbed.nat.cell import Result
from testbed.nat.scenario import Measured, Scenario
from testbed.nat.scenarios import CHOSEN, SCENARIOS
from testbed.nat.traffic import Traffic
from testbed.network import Lan, Link, Nat, Site

GOOD = {"outcome": "direct", "path": "host – host", "family": 4, "first_path": "direct",
        "first_octet_ms": 100.0}
RELAYED = GOOD | {"outcome": "relayed", "reason_given": "both_nats_dependent"}


def judged(found, **expected):
    return scenario.judge_one(Scenario("name", "text", lambda internet: None, **expected),
                              Result(**found))


@pytest.mark.parametrize("found, expected, wrong", [
    (GOOD, {}, ""),
    (GOOD, {"candidates": ("host – host",), "family": 4, "first_path": "direct"}, ""),
    (GOOD, {"outcomes": ("relayed",)}, "direct, expected relayed"),
    ({"why": "no answer"}, {}, "failed, expected direct no answer"),
    (GOOD | {"why": "octets were lost"}, {}, "octets were lost"),
    (GOOD, {"candidates": ("srflx – srflx",)}, "candidates host – host"),
    (GOOD, {"family": 6}, "over IPv4"),
    (GOOD, {"first_path": "relayed"}, "the first path was direct"),
    (RELAYED, {"outcomes": ("relayed",), "reasons": ("both_nats_dependent",)}, ""),
    (RELAYED, {"outcomes": ("relayed",), "reasons": ("checks_unanswered",)}, "the reason given"),
    (RELAYED | {"reason_given": "still_checking"}, {"outcomes": ("relayed",)}, "not said why"),
    (RELAYED | {"reason_given": ""}, {"outcomes": ("relayed",)}, "not said why"),
    (GOOD | {"stood_still_ms": 400.0}, {"still_ms": 500}, ""),
    (GOOD | {"stood_still_ms": 600.0}, {"still_ms": 500}, "data stood still for 600 ms, at most 500"),
])
def test_a_session_is_judged(found, expected, wrong):
    sentences = judged(found, **expected)
    assert wrong in " ".join(sentences) and bool(sentences) == bool(wrong)


@pytest.mark.parametrize("first, like, wrong", [
    (100.0, None, ""), (900.0, None, "took 900 ms, at most 800"), (400.0, 260.0, ""),
    (411.0, 260.0, "without it 260; at most 150 more"), (None, None, "")])
def test_times_are_judged(first, like, wrong):
    made = Scenario("name", "text", lambda internet: None, within_ms=800, later_ms=150)
    sentences = scenario.judge_times(made, Measured(first_octet_ms=first, like_ms=like))
    assert wrong in " ".join(sentences) and bool(sentences) == bool(wrong)


@pytest.mark.parametrize("names, moved", [
    (["path_chosen"], False), (["path_chosen", "path_restarted"], False),
    (["path_chosen", "path_restarted", "warning", "path_chosen"], True)])
def test_another_path_is_one_after_the_first_was_given_up(names, moved):
    assert scenario.has_another_path([{"event": name} for name in names]) is moved


def test_traffic_knows_how_long_it_stood_still(internet):
    host = internet.host("host", ["192.0.2.10"])
    with Traffic(host) as traffic:
        traffic.begin(host, traffic.port)
        traffic.flow_for(0.2)
        assert traffic.longest_pause < 1
        traffic.rest_for(1.5)
        traffic.flow_for(0.1)
        assert traffic.finish() == ""
        assert 1.2 < traffic.longest_pause < 20


def test_what_is_run_can_be_chosen():
    parser = main.parser()

    def names(*arguments):
        profiles, scenarios = main.selected(parser.parse_args(arguments))
        return [p.name for p in profiles], [s.name for s in scenarios]

    assert names("--scenarios", "chosen") == ([], [n for n in SCENARIOS if n in CHOSEN])
    assert names("--scenarios", "one-*", "--profiles", "linux")[0] == ["linux"]
    assert names("--profiles", "linux")[1] == []
    assert names()[1] == list(SCENARIOS) and "linux" in names()[0]
    with pytest.raises(ValueError, match="no scenario matches 'nonsense'"):
        names("--scenarios", "nonsense")


def answers(sender, receiver, address):
    """Whether a datagram that is sent to `address` arrives."""
    with receiver.namespace.socket() as there, sender.namespace.socket() as here:
        there.bind(("0.0.0.0", 4000))
        there.settimeout(0.3)
        try:
            here.sendto(b"hello", (address, 4000))
            return there.recv(100) == b"hello"
        except OSError:
            return False


def test_hosts_of_a_site_see_each_other_unless_they_are_isolated(internet):
    for number, isolated in ((1, False), (2, True)):
        site = Site(internet, f"site {number}", number, [Nat()], isolated=isolated)
        left, right = site.host("left"), site.host("right")
        assert answers(left, right, right.addresses[0]) is not isolated


def test_a_lan_leads_nowhere(internet):
    public = internet.host("public", ["192.0.2.10"])
    lan = Lan(internet.network, "lan", 1)
    left, right, cable = lan.host("left"), lan.host("right"), lan.host("cable", link_local=True)
    assert answers(left, right, right.addresses[0])
    assert not answers(left, public, "192.0.2.10")
    assert cable.addresses == ["169.254.1.3"]


def test_a_site_may_be_behind_another_one(internet):
    public = internet.host("public", ["192.0.2.10"])
    carrier = Site(internet, "carrier", 3, [Nat()])
    homes = [Site(carrier, f"home {n}", n, [Nat()]).host(f"host {n}") for n in (1, 2)]
    assert all(answers(host, public, "192.0.2.10") for host in homes)
    assert not answers(homes[0], homes[1], homes[1].addresses[0])


def test_a_tunnel_swallows_and_a_bridge_is_the_hosts_own(internet):
    lan = Lan(internet.network, "lan", 1)
    left, right = lan.host("left"), lan.host("right")
    assert answers(left, right, right.addresses[0])
    left.tunnel(internet.network, "tun0", "10.99.0.2/32", [f"{right.addresses[0]}/32"])
    assert not answers(left, right, right.addresses[0])
    for host in (left, right):
        host.bridge(internet.network, "docker0", "172.17.0.1/16")
    assert not answers(left, right, "172.17.0.1")


def test_udp_is_blocked_and_let_through_again(internet):
    left, right = internet.host("left", ["198.51.100.16"]), internet.host("right", ["198.51.100.32"])
    assert answers(left, right, "198.51.100.32")
    internet.block_udp("198.51.100.16/28", "198.51.100.32/28")
    assert not answers(left, right, "198.51.100.32")
    internet.unblock_udp()
    assert answers(left, right, "198.51.100.32")


# linux/in.h, linux/in6.h: set the "don't fragment" bit, and what the path takes.
MTU_OPTIONS = {socket.AF_INET: (socket.IPPROTO_IP, 10, 14), socket.AF_INET6: (socket.IPPROTO_IPV6, 23, 24)}
ALWAYS_WHOLE = 2


def path_mtu(made):
    """Sends 1400 octets a few times; gives what the kernel has then been told that the path takes."""
    level, discover, mtu = MTU_OPTIONS[made.family]
    made.setsockopt(level, discover, ALWAYS_WHOLE)
    last = time.monotonic() + 1.5
    while made.getsockopt(level, mtu) == 1500 and time.monotonic() < last:
        with contextlib.suppress(OSError):  # EMSGSIZE, when it has been told
            made.send(bytes(1400))
        time.sleep(0.02)
    return made.getsockopt(level, mtu)


@pytest.mark.parametrize("link, mtu", [
    (Link(tells=1300), 1300), (Link(mtu=1300), 1300), (Link(black_hole=1300), 1500)],
    ids=["the line tells", "the routers tell", "black hole"])
def test_both_sides_are_told_of_packets_that_are_too_long(internet, link, mtu):
    """Through a NAT as well, in both families; a black hole tells nobody."""
    public = internet.host("public", ["192.0.2.10", "2001:db8:53::10"])
    inside = Site(internet, "site", 1, [Nat()], link=link, ipv6=True).host("inside")
    for family, here in ((socket.AF_INET, "192.0.2.10"), (socket.AF_INET6, "2001:db8:53::10")):
        with public.namespace.socket(family) as there, inside.namespace.socket(family) as sender:
            there.bind((here, 4000))
            there.settimeout(3)
            sender.connect((here, 4000))
            sender.send(b"hello")
            there.connect(there.recvfrom(100)[1])
            assert path_mtu(sender) == mtu
            assert path_mtu(there) == mtu
