"""The scenarios: networks that people have, as drawings. What is to become of each is said with it.

Unless a scenario says otherwise, a rendezvous server and coturn are on the Internet, and everybody
knows them.
"""

from testbed.nat import cell
from testbed.nat.profiles import PROFILES
from testbed.nat.scenario import (
    HOLDS, MOVES, RESTARTS, Drawing, Happening, Pair, Scenario, usual)
from testbed.network import (
    ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT, RANDOM, Firewall, Host,
    Internet, Lan, Link, Nat, Site)

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

def over(link: Link, ipv6: bool = False) -> Drawing:
    """Two homes, each with this line to the Internet."""
    def draw(internet: Internet) -> Pair:
        return Pair(*_two_homes(internet, link=link, ipv6=ipv6))
    return draw


def over_relayed(link: Link) -> Drawing:
    def draw(internet: Internet) -> Pair:
        left = Site(internet, "left", 1, [SYMMETRIC], link=link).host("left")
        right = Site(internet, "right", 2, [SYMMETRIC], link=link).host("right")
        return Pair(left, right)
    return draw


# ---- servers that have names --------------------------------------------------------------------

_ADDRESSES = {
    cell.RENDEZVOUS_NAME: (cell.RENDEZVOUS, cell.RENDEZVOUS6),
    cell.STUN_NAME: (cell.RENDEZVOUS, cell.RENDEZVOUS6),
    cell.RELAY_NAME: (cell.RELAY, cell.RELAY6),
}
BOTH_FAMILIES = tuple((name, address) for name, pair in _ADDRESSES.items() for address in pair)
IPV6_ONLY = tuple((name, ipv6) for name, (_, ipv6) in _ADDRESSES.items())
BY_NAME = ["--rendezvous", f"ws://{cell.RENDEZVOUS_NAME}:{cell.PORT}/v1", "--stun", cell.STUN_NAME,
           "--stun-port", cell.TURN_PORT, "--turn", cell.RELAY_NAME, "--turn-port", cell.TURN_PORT,
           "--turn-user", "user"]


def by_name(left: str, right: str) -> Drawing:
    """Two sites, each with IPv4 ("4"), IPv6 ("6"), or both ("46")."""
    def draw(internet: Internet) -> Pair:
        hosts = [Site(internet, name, number, [HOME if "4" in families else Firewall()],
                      ipv6="6" in families, ipv4="4" in families).host(name)
                 for number, (name, families) in enumerate((("left", left), ("right", right)), 1)]
        return Pair(hosts[0], hosts[1], BY_NAME, BY_NAME)
    return draw


# ---- in mid-session -----------------------------------------------------------------------------

def a_direct_path_opens(internet: Internet) -> Pair:
    left, right = _two_homes(internet)
    internet.block_udp("198.51.100.16/28", "198.51.100.32/28")
    return Pair(left, right, happens=Happening(lambda _: internet.unblock_udp(), MOVES))


def a_nat_reboots(nat: Nat, then: str) -> Drawing:
    """The one of the listening side."""
    def draw(internet: Internet) -> Pair:
        left, right = Site(internet, "left", 1, [nat]), Site(internet, "right", 2, [nat])
        return Pair(left.host("left"), right.host("right"),
                    happens=Happening(lambda _: right.reboot(), then))
    return draw


def another_address(nat: Nat) -> Drawing:
    """The listening side gets one."""
    def draw(internet: Internet) -> Pair:
        left, site = Site(internet, "left", 1, [nat]), Site(internet, "right", 2, [nat])
        right = site.host("right")

        def move(_: cell.Servers) -> None:
            right.namespace.ip([f"address del {right.addresses[0]}/24 dev eth0",
                                "address add 10.2.0.99/24 dev eth0",
                                f"route add default via {site.gateway}"])
        return Pair(left.host("left"), right, happens=Happening(move, RESTARTS))
    return draw


def the_relay_restarts(internet: Internet) -> Pair:
    left, right = (Site(internet, name, number, [SYMMETRIC]).host(name)
                   for number, name in enumerate(("left", "right"), 1))
    return Pair(left, right, happens=Happening(lambda servers: servers.restart_relay(), RESTARTS))


def nobody_speaks(nat: Nat, rest: float) -> Drawing:
    def draw(internet: Internet) -> Pair:
        left, right = (Site(internet, name, number, [nat]).host(name)
                       for number, name in enumerate(("left", "right"), 1))
        return Pair(left, right, happens=Happening(lambda _: None, HOLDS, rest))
    return draw


def between_moving_nats(internet: Internet) -> Pair:
    """Every check of one side is answered by one of the other's, from one more address."""
    nats = (Nat(ADDRESS_AND_PORT_DEPENDENT, ENDPOINT_INDEPENDENT, RANDOM),
            Nat(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, RANDOM))
    left, right = (Site(internet, f"site {number}", number, [nat]).host(f"host {number}")
                   for number, nat in enumerate(nats, 1))
    return Pair(left, right, happens=Happening(lambda _: None, HOLDS, 8))


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
    "line-mtu-1280-tells": ("packets longer than 1280 octets are refused, by ICMP",
                            Link(delay=10, tells=1280)),
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
        Scenario("line-mtu-1280-tells-ipv6", "lines: IPv6 packets longer than 1280 octets are refused, "
                 "by ICMP", over(_LINES["line-mtu-1280-tells"][1], ipv6=True), family=6, size=400_000),
        Scenario("line-mtu-1280-tells-openssl", "lines: packets longer than 1280 octets are refused, by "
                 "ICMP, other engine", over(_LINES["line-mtu-1280-tells"][1]), size=400_000,
                 options=("--engine", "openssl")),
        Scenario("line-black-hole-openssl", "packets longer than 1280 octets vanish, other engine",
                 over(_LINES["line-black-hole"][1]), size=400_000,
                 options=("--engine", "openssl")),
        Scenario("race", "a relay is up within a second of the direct path, 25 ms each way",
                 over_relayed(FAR), outcomes=("relayed",), reasons=DEPENDENT, like=over(FAR), later_ms=1000,
                 servers_link=FAR),
        *_names(),
        *_mid_session(),
    ]


def _names() -> list[Scenario]:
    relay_only = ("--relay", "only", "--turn-transport")
    return [
        Scenario("names-both-families", "servers by names of both families, both sides too",
                 by_name("46", "46"), names=BOTH_FAMILIES),
        Scenario("names-both-ipv4-sites", "the same names where there is no IPv6", by_name("4", "4"),
                 names=BOTH_FAMILIES, family=4),
        Scenario("names-both-ipv6-sites", "the same names where there is no IPv4", by_name("6", "6"),
                 names=BOTH_FAMILIES, family=6),
        Scenario("names-both-no-common-family", "the same names, IPv6 alone and IPv4 alone",
                 by_name("6", "4"), names=BOTH_FAMILIES, outcomes=("relayed",),
                 reasons=("no_common_family",)),
        Scenario("names-ipv6-only", "servers by names that have IPv6 addresses alone, and sites with "
                 "both families", by_name("46", "46"), names=IPV6_ONLY, family=6),
        Scenario("names-ipv6-only-ipv6-sites", "the same where there is no IPv4", by_name("6", "6"),
                 names=IPV6_ONLY, family=6),
        *(Scenario(f"names-ipv6-only-turn-{way}", f"the same through the relay, by {way.upper()}",
                   by_name("6", "6"), names=IPV6_ONLY, outcomes=("relayed",),
                   reasons=("relay_only_here", "relay_only_there"), options=(*relay_only, way))
          for way in ("udp", "tcp", "tls")),
    ]


def _mid_session() -> list[Scenario]:
    home = Nat(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, RANDOM)
    short = Nat(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, RANDOM, timeout=30)
    return [
        Scenario("moves", "begins on a relay, and a direct path opens while data flows",
                 a_direct_path_opens, first_path="relayed", within_ms=5000),
        Scenario("nat-reboots", "a NAT reboots while data flows, and takes other ports",
                 a_nat_reboots(home, RESTARTS), restarts=("silent", "peer")),
        Scenario("nat-reboots-same-ports", "the same, and it keeps ports, as if nothing had been",
                 a_nat_reboots(HOME, HOLDS)),
        Scenario("nat-reboots-relayed", "a NAT reboots while data flows through the relay",
                 a_nat_reboots(SYMMETRIC, RESTARTS), outcomes=("relayed",), reasons=DEPENDENT),
        Scenario("relay-restarts", "the relay dies while data flows through it, and comes back",
                 the_relay_restarts, outcomes=("relayed",), reasons=DEPENDENT),
        Scenario("address-changes", "a host gets another address while data flows",
                 another_address(home), restarts=("network",), still_ms=5000),
        Scenario("address-changes-relayed", "the same while data flows through the relay",
                 another_address(SYMMETRIC), outcomes=("relayed",), reasons=DEPENDENT,
                 restarts=("network",), still_ms=5000),
        Scenario("check-storm", "nobody speaks for 8 s between NATs that show each check from elsewhere, "
                 "of which one lets it in", between_moving_nats, outcomes=("relayed",),
                 # What is known of the NATs when the last check ends differs from run to run.
                 reasons=(*DEPENDENT, "checks_unanswered")),
        Scenario("short-timeouts", "nobody speaks for 45 s behind NATs that forget after 30",
                 nobody_speaks(short, 45), long=True),
    ]


SCENARIOS = {scenario.name: scenario for scenario in _all()}

# For every run of scripts/test.
CHOSEN = ("one-lan", "no-internet-own-mailbox", "isolated", "isolated-hairpin", "one-carrier",
          "all-interfaces", "ipv6-only-dual-stack", "line-everything", "line-mtu-1280-tells",
          "line-black-hole", "race", "names-both-families", "names-ipv6-only-ipv6-sites", "moves",
          "nat-reboots", "address-changes", "check-storm")
