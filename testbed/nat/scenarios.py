"""The scenarios: networks that people have, as drawings. What is to become of each is said with it.

Unless a scenario says otherwise, a rendezvous server and coturn are on the Internet, and everybody
knows them.
"""

from testbed.nat import cell
from testbed.nat.profiles import PROFILES
from testbed.nat.scenario import Drawing, Pair, Scenario, usual
from testbed.network import (
    ADDRESS_AND_PORT_DEPENDENT, ENDPOINT_INDEPENDENT, RANDOM, Firewall, Host, Internet, Lan, Link,
    Nat, Site)

HOME = Nat(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT)
SYMMETRIC = Nat(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT, RANDOM)
DEPENDENT = ("both_nats_dependent", "nat_here_dependent", "nat_there_dependent")
FAR = Link(delay=25)
NO_SERVERS = ["--stun", ""]
LAN_ONLY = ("host – host",)


# ---- one site -----------------------------------------------------------------------------------

def one_lan(internet: Internet) -> Pair:
    home = Site(internet, "home", 1, [HOME])
    return Pair(home.host("left"), home.host("right"))


def one_lan_ipv6(internet: Internet) -> Pair:
    home = Site(internet, "home", 1, [HOME], ipv6=True)
    return Pair(home.host("left"), home.host("right"))


def silent_stun(internet: Internet) -> Pair:
    home = Site(internet, "home", 1, [HOME])
    options = [*usual()[:2], "--stun", "192.0.2.99"]
    return Pair(home.host("left"), home.host("right"), options, options)


def _mailbox_at(host: Host, internet: Internet) -> list[object]:
    """A rendezvous server on this host, and the options for those who use it, without STUN."""
    address = f"{host.addresses[0]}:{cell.PORT}"
    cell.start_mailbox(internet, host, [address])
    return ["--rendezvous", f"ws://{address}/v1", *NO_SERVERS]


def no_internet(internet: Internet) -> Pair:
    lan = Lan(internet.network, "lan", 1)
    left, right = lan.host("left"), lan.host("right")
    options = _mailbox_at(lan.host("server"), internet)
    return Pair(left, right, options, options)


def no_internet_own_mailbox(internet: Internet) -> Pair:
    lan = Lan(internet.network, "lan", 1)
    left, right = lan.host("left"), lan.host("right")
    options = _mailbox_at(left, internet)
    return Pair(left, right, options, options)


def link_local_only(internet: Internet) -> Pair:
    lan = Lan(internet.network, "lan", 1)
    left, right = lan.host("left", link_local=True), lan.host("right", link_local=True)
    options = _mailbox_at(left, internet)
    return Pair(left, right, options, options)


# ---- one NAT, and yet no way to each other ------------------------------------------------------

def isolated(nat: Nat) -> Drawing:
    def draw(internet: Internet) -> Pair:
        hotel = Site(internet, "hotel", 1, [nat], isolated=True)
        return Pair(hotel.host("left"), hotel.host("right"))
    return draw


def behind_one_carrier(nat: Nat) -> Drawing:
    def draw(internet: Internet) -> Pair:
        carrier = Site(internet, "carrier", 3, [nat])
        left, right = Site(carrier, "left home", 1, [HOME]), Site(carrier, "right home", 2, [HOME])
        return Pair(left.host("left"), right.host("right"))
    return draw


# ---- more interfaces than are good --------------------------------------------------------------

def _two_homes(internet: Internet, **options: object) -> tuple[Host, Host]:
    left = Site(internet, "left home", 1, [HOME], **options)  # type: ignore[arg-type]
    right = Site(internet, "right home", 2, [HOME], **options)  # type: ignore[arg-type]
    return left.host("left"), right.host("right")


def two_homes(internet: Internet) -> Pair:
    return Pair(*_two_homes(internet))


def two_homes_ipv6(internet: Internet) -> Pair:
    return Pair(*_two_homes(internet, ipv6=True))


def container_bridges(internet: Internet) -> Pair:
    left, right = _two_homes(internet)
    for host in (left, right):
        host.bridge(internet.network, "docker0", "172.17.0.1/16")
        host.bridge(internet.network, "br-0123456789ab", "172.18.0.1/16")
        host.bridge(internet.network, "virbr0", "192.168.122.1/24")
    return Pair(left, right)


def plain_bridges(internet: Internet) -> Pair:
    """Bridges that nobody can tell from a real network, with the same address on both sides."""
    left, right = _two_homes(internet)
    for host in (left, right):
        host.bridge(internet.network, "br0", "192.168.50.1/24")
        host.bridge(internet.network, "lan7", "192.168.51.1/24")
    return Pair(left, right)


def swallowing_tunnels(internet: Internet) -> Pair:
    """VPNs that reach for the peer's network, and let everything vanish."""
    left, right = _two_homes(internet)
    left.tunnel(internet.network, "tun0", "10.99.0.2/32", ["10.2.0.0/16", "10.99.0.0/16"])
    right.tunnel(internet.network, "wg0", "10.99.0.3/32", ["10.1.0.0/16", "10.99.0.0/16"])
    return Pair(left, right)


def useless_ipv6(internet: Internet) -> Pair:
    """IPv6 addresses that lead nowhere: unique local ones and link-local ones."""
    left, right = _two_homes(internet)
    left.address("fd12:3456:789a:1::2/64")
    right.address("fd65:4321:a987:1::2/64")
    for host in (left, right):
        host.address("169.254.7.7/16")
    return Pair(left, right)


def everything_at_once(internet: Internet) -> Pair:
    pair = container_bridges(internet)
    pair.connecting.tunnel(internet.network, "tun0", "10.99.0.2/32", ["10.2.0.0/16"])
    pair.listening.tunnel(internet.network, "tailscale0", "100.99.0.3/32", ["10.1.0.0/16"])
    for host, net in ((pair.connecting, "fd12::2/64"), (pair.listening, "fd21::2/64")):
        host.bridge(internet.network, "br0", "192.168.50.1/24").address(net)
    return pair


def ipv6_firewalled_away(internet: Internet) -> Pair:
    """Global IPv6 addresses between which nothing passes, beside IPv4 that works."""
    left, right = _two_homes(internet, ipv6=True)
    internet.router.nft("table ip6 wall { chain every { type filter hook forward priority 0;\n"
                        "drop\n}\n}\n")
    return Pair(left, right)


# ---- IPv6 ---------------------------------------------------------------------------------------

def ipv6_only_and_dual_stack(internet: Internet) -> Pair:
    left = Site(internet, "left", 1, [Firewall()], ipv6=True, ipv4=False).host("left")
    right = Site(internet, "right", 2, [HOME], ipv6=True).host("right")
    return Pair(left, right, cell.settings(PROFILES["ipv6-only"]))


def ipv6_only_and_ipv4_only(internet: Internet) -> Pair:
    left = Site(internet, "left", 1, [Firewall()], ipv6=True, ipv4=False).host("left")
    right = Site(internet, "right", 2, [HOME]).host("right")
    return Pair(left, right, cell.settings(PROFILES["ipv6-only"]))


# ---- lines --------------------------------------------------------------------------------------

def over(link: Link) -> Drawing:
    """Two homes, each with this line to the Internet."""
    def draw(internet: Internet) -> Pair:
        return Pair(*_two_homes(internet, link=link))
    return draw


def over_relayed(link: Link) -> Drawing:
    def draw(internet: Internet) -> Pair:
        left = Site(internet, "left", 1, [SYMMETRIC], link=link).host("left")
        right = Site(internet, "right", 2, [SYMMETRIC], link=link).host("right")
        return Pair(left, right)
    return draw


# ---- in mid-session -----------------------------------------------------------------------------

def a_direct_path_opens(internet: Internet) -> Pair:
    left, right = _two_homes(internet)
    internet.block_udp("198.51.100.16/28", "198.51.100.32/28")
    return Pair(left, right, opens=internet.unblock_udp)


_LINES = {
    "line-delay": ("100 ms each way", Link(delay=50)),
    "line-jitter": ("20 ms each way, jitter of 15 ms", Link(delay=10, jitter=15)),
    "line-rate": ("4 Mbit/s", Link(delay=10, rate=4000)),
    "line-loss": ("loss of 1 % on each of two lines", Link(delay=10, loss=1)),
    "line-bursts": ("loss in bursts, of four packets on average",
                    Link(delay=10, burst_begin=0.5, burst_end=25)),
    "line-duplicate": ("every fifth packet comes twice", Link(delay=10, duplicate=20)),
    "line-reorder": ("every fifth packet comes late", Link(delay=10, jitter=2, reorder=20)),
    "line-mtu-1280": ("MTU of 1280", Link(delay=10, mtu=1280)),
    "line-black-hole": ("packets longer than 1280 octets vanish", Link(delay=10, black_hole=1280)),
    "line-everything": ("all of this at once",
                        Link(delay=20, jitter=5, rate=8000, loss=1, duplicate=2, reorder=5,
                             mtu=1280)),
}


def _all() -> list[Scenario]:
    extra = {"like": two_homes, "later_ms": 250.0}
    hairpin = Nat(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, hairpin=True)
    return [
        Scenario("one-lan", "two hosts on one LAN behind a NAT stay on the LAN", one_lan,
                 candidates=LAN_ONLY, within_ms=2000),
        Scenario("one-lan-ipv6", "the same with IPv6", one_lan_ipv6, candidates=LAN_ONLY,
                 within_ms=2000),
        Scenario("one-lan-silent-stun", "the same, the STUN server is silent and there is no relay",
                 silent_stun, candidates=LAN_ONLY, within_ms=2000),
        Scenario("no-internet", "a LAN that leads nowhere, rendezvous on a third host, no STUN",
                 no_internet, candidates=LAN_ONLY, within_ms=2000, servers=False),
        Scenario("no-internet-own-mailbox", "the same, rendezvous on one of the two",
                 no_internet_own_mailbox, candidates=LAN_ONLY, within_ms=2000, servers=False),
        Scenario("link-local-only", "a cable between two hosts that gave themselves addresses",
                 link_local_only, candidates=LAN_ONLY, within_ms=2000, servers=False),
        Scenario("isolated", "hosts that do not see each other, behind a NAT without hairpin",
                 isolated(HOME), outcomes=("relayed",), reasons=("checks_unanswered",)),
        Scenario("isolated-hairpin", "the same, behind a NAT with hairpin", isolated(hairpin)),
        Scenario("one-carrier", "two homes behind one carrier's NAT without hairpin",
                 behind_one_carrier(HOME), outcomes=("relayed",), reasons=("checks_unanswered",)),
        Scenario("one-carrier-hairpin", "the same, with hairpin", behind_one_carrier(hairpin)),
        Scenario("container-bridges", "docker0, a Docker network and virbr0, the same on both sides",
                 container_bridges, **extra),
        Scenario("plain-bridges", "bridges that look like a network, the same on both sides",
                 plain_bridges, **extra),
        Scenario("tunnels", "VPNs that swallow what is sent to the peer's network",
                 swallowing_tunnels, **extra),
        Scenario("useless-ipv6", "unique local and link-local addresses on both sides",
                 useless_ipv6, **extra),
        Scenario("all-interfaces", "all of this at once", everything_at_once, **extra),
        Scenario("ipv6-blocked", "global IPv6 addresses between which nothing passes",
                 ipv6_firewalled_away, family=4, like=two_homes_ipv6, later_ms=250),
        Scenario("ipv6-only-dual-stack", "IPv6 alone, and IPv4 and IPv6", ipv6_only_and_dual_stack,
                 family=6),
        Scenario("ipv6-only-ipv4-only", "IPv6 alone, and IPv4 alone", ipv6_only_and_ipv4_only,
                 outcomes=("relayed",), reasons=("no_common_family",)),
        *(Scenario(name, f"lines: {text}", over(link), size=400_000)
          for name, (text, link) in _LINES.items()),
        Scenario("line-everything-relayed", "the same through a relay",
                 over_relayed(_LINES["line-everything"][1]), outcomes=("relayed",), size=400_000,
                 reasons=DEPENDENT),
        Scenario("line-black-hole-ngtcp2", "packets longer than 1280 octets vanish, other engine",
                 over(_LINES["line-black-hole"][1]), size=400_000,
                 options=("--engine", "ngtcp2")),
        Scenario("race", "a relay is up within a second of the direct path, 25 ms each way",
                 over_relayed(FAR), outcomes=("relayed",), reasons=DEPENDENT, like=over(FAR), later_ms=1000,
                 servers_link=FAR),
        Scenario("moves", "begins on a relay, and a direct path opens while data flows",
                 a_direct_path_opens, first_path="relayed", within_ms=5000),
    ]


SCENARIOS = {scenario.name: scenario for scenario in _all()}

# For every run of scripts/test.
CHOSEN = ("one-lan", "no-internet-own-mailbox", "isolated", "isolated-hairpin", "one-carrier",
          "all-interfaces", "ipv6-only-dual-stack", "line-everything", "line-black-hole", "race",
          "moves")
