"""How scenarios are judged, and that their drawings are what they say."""

import pytest

from testbed.nat import main, scenario
from testbed.nat.cell import Result
from testbed.nat.scenario import Measured, Scenario
from testbed.nat.scenarios import CHOSEN, SCENARIOS
from testbed.network import Lan, Nat, Site

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
