"""The parts of a network and how they are joined: Internet, Site, Host."""

import contextlib
import os
import pathlib
import signal
import subprocess
import types

from testbed.network.behaviour import Firewall, KernelNat, Link, Nat
from testbed.network.namespace import Broken, Namespace, hardware_address, join

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUTER4, ROUTER6 = "203.0.113.1", "2001:db8:ffff::1"  # the Internet's own, one for all lines
LINES4, LINES6 = "203.0.113", "2001:db8:fffe:"        # of lines that say something

Stage = Nat | KernelNat | Firewall


def program(name: str) -> pathlib.Path:
    """One of the boxes (testbed/natbox)."""
    folder = os.environ.get("PEERSOCK_TESTBED_BOXES", ROOT / "build" / "testbed" / "natbox")
    return pathlib.Path(folder) / name


class Network(contextlib.ExitStack):
    """Owns namespaces and processes, and gives devices their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._devices = 0

    def namespace(self, name: str) -> Namespace:
        made = Namespace(name)
        self.callback(made.close)
        return made

    def hardware(self) -> str:
        self._devices += 1
        return hardware_address(self._devices)

    def box(self, namespace: Namespace, name: str, *arguments: object) -> "subprocess.Popen[bytes]":
        """Starts a box and waits until it works."""
        process = namespace.start([program(name), *arguments], stdout=subprocess.PIPE)
        self.callback(end, process)
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise Broken(f"{name} does not start in {namespace.name}")
        return process

    def cable(self, upper: Namespace, upper_device: str, lower: Namespace, lower_device: str,
              link: Link | None = None, offloads: bool = False) -> tuple[str, str]:
        """Joins two devices, by a line with properties if one is given; gives their addresses.
        `offloads`: without a line, whole trains of segments may cross (see `join`).
        """
        upper_hardware, lower_hardware = self.hardware(), self.hardware()
        if link is None:
            join(upper, upper_device, upper_hardware, lower, lower_device, lower_hardware, offloads)
            return upper_hardware, lower_hardware
        middle = self.namespace(f"line to {lower.name}")
        join(upper, upper_device, upper_hardware, middle, "a", self.hardware())
        join(middle, "b", self.hardware(), lower, lower_device, lower_hardware)
        middle.sysctl(ipv6__conf__all__disable_ipv6=1)
        seed = self._devices
        # The line's own addresses, from which it tells of packets that are too long.
        routers = ["--router4", f"{LINES4}.{seed % 250 + 2}", "--router6", f"{LINES6}:{seed:x}"]
        self.box(middle, "linkbox", "--a", "a", "--b", "b", "--seed", seed, *link.arguments(),
                 *(routers if link.tells else []))
        if link.mtu != 1500:
            upper.ip([f"link set dev {upper_device} mtu {link.mtu}"])
            lower.ip([f"link set dev {lower_device} mtu {link.mtu}"])
        return upper_hardware, lower_hardware


def end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr, process.stdin):
        if stream:
            stream.close()


class Host:
    """A machine with programs on it. `addresses` has those that it has itself."""

    def __init__(self, namespace: Namespace, addresses: list[str]) -> None:
        self.namespace = namespace
        self.addresses = addresses
        self.name = namespace.name
        self._ports = 0

    def firewall(self, firewall: Firewall) -> "Host":
        """The host's own: nothing comes in that was not asked for."""
        self.namespace.nft(_rules(firewall, "input", "output", "eth0"))
        return self

    def address(self, address: str, device: str = "eth0") -> "Host":
        """One more, with the length of its prefix."""
        self.namespace.ip([f"address add {address} dev {device}" + " nodad" * (":" in address)])
        return self

    def bridge(self, network: Network, name: str, address: str) -> "Host":
        """A bridge of its own with something on it, as container engines make them."""
        inside = network.namespace(f"{name} of {self.name}")
        hardware = network.hardware()
        self.namespace.ip([f"link add name {name} address {hardware} type bridge",
                           f"address add {address} dev {name}", f"link set {name} up"])
        self._ports += 1
        network.cable(self.namespace, f"veth{self._ports}", inside, "eth0")
        self.namespace.ip([f"link set veth{self._ports} master {name}"])
        return self

    def tunnel(self, network: Network, name: str, address: str, prefixes: list[str]) -> "Host":
        """An interface without hardware addresses, as VPNs have it, over which `prefixes` are
        reached; everything that is sent there vanishes.
        """
        far = network.namespace(f"{name} of {self.name}")
        network.cable(self.namespace, name, far, "eth0")
        far.sysctl(ipv4__ip_forward=0)
        self.namespace.ip([f"link set dev {name} arp off", f"address add {address} dev {name}",
                           *(f"route add {prefix} dev {name}" for prefix in prefixes)])
        return self


class Internet:
    """Routes between public addresses, and knows no private ones."""

    def __init__(self) -> None:
        self.network = Network()
        self.router = self.network.namespace("internet")
        self._lines = 0
        # Lines that tell of long packets have addresses to which no way leads.
        self.router.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1,
                           ipv6__conf__default__accept_dad=0, ipv4__conf__all__rp_filter=0,
                           ipv4__conf__default__rp_filter=0)
        self.router.ip([f"address add {ROUTER4}/32 dev lo", f"address add {ROUTER6}/128 dev lo"])

    def __enter__(self) -> "Internet":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        self.network.close()

    def attach(self, lower: Namespace, device: str, addresses: list[str], link: Link | None = None,
               behind: list[str] | None = None) -> str:
        """A line to `lower`, over which `addresses` are reached, and the prefixes `behind` the first
        IPv6 one of them. Gives the hardware address of our end.
        """
        self._lines += 1
        ours = f"line{self._lines}"
        hardware, _ = self.network.cable(self.router, ours, lower, device, link)
        next_hop = next((a for a in addresses if ":" in a), "")
        self.router.ip([
            f"address add fe80::1/64 dev {ours} nodad",
            *(f"route add {a}/128 dev {ours}" if ":" in a else f"route add {a}/32 dev {ours}"
              for a in addresses),
            *(f"route add {prefix} via {next_hop} dev {ours}" for prefix in behind or [])])
        return hardware

    def connect(self, lower: Namespace, device: str, addresses: list[str],
                link: Link | None = None, behind: list[str] | None = None) -> None:
        """The same for what has the addresses itself."""
        lower.sysctl(ipv6__conf__default__accept_dad=0)
        self.attach(lower, device, addresses, link, behind)
        v4, v6 = [a for a in addresses if ":" not in a], [a for a in addresses if ":" in a]
        lower.ip([*(f"address add {a}/32 dev {device}" for a in v4),
                  *(f"address add {a}/128 dev {device} nodad" for a in v6),
                  *([f"route add default via {ROUTER4} dev {device} onlink"] if v4 else []),
                  *([f"route add default via fe80::1 dev {device}"] if v6 else [])])

    def host(self, name: str, addresses: list[str], link: Link | None = None) -> Host:
        """A host with public addresses and nothing in front of it."""
        namespace = self.network.namespace(name)
        self.connect(namespace, "eth0", addresses, link)
        return Host(namespace, addresses)

    def block_udp(self, first: str, second: str) -> None:
        """From now on no UDP passes between two prefixes."""
        ways = ((first, second), (second, first))
        drop = "\n".join(f"ip saddr {a} ip daddr {b} meta l4proto udp drop" for a, b in ways)
        self.router.nft("table ip block { chain between { type filter hook forward priority 0;\n"
                        f"{drop}\n}}\n}}\n")

    def unblock_udp(self) -> None:
        self.router.nft("delete table ip block\n")


class Lan:
    """A network of its own that leads nowhere: 10.NUMBER.0.0/24, and nothing gives out addresses."""

    def __init__(self, network: Network, name: str, number: int) -> None:
        self.network, self.number = network, number
        self.switch = network.namespace(name)
        self.switch.ip(["link add name lan type bridge", "link set lan up"])
        self._hosts = 0

    def host(self, name: str, link_local: bool = False) -> Host:
        """`link_local`: with no other address than 169.254.NUMBER.* (RFC 3927)."""
        self._hosts += 1
        namespace = self.network.namespace(name)
        self.network.cable(self.switch, f"host{self._hosts}", namespace, "eth0")
        self.switch.ip([f"link set host{self._hosts} master lan"])
        first, length = (f"169.254.{self.number}", 16) if link_local else (f"10.{self.number}.0", 24)
        host = Host(namespace, [f"{first}.{self._hosts}"])
        return host.address(f"{host.addresses[0]}/{length}")


class Site:
    """A place with its own network behind boxes, given from the inside to the outside.

    `number` (1 to 15) makes its addresses: 10.NUMBER.0.0/24 inside, 198.51.100.NUMBER*16 and the
    following outside, 2001:db8:NUMBER::/64 with `ipv6`, in front of which Firewall() always is.
    `ipv4` False: no IPv4 at all. `isolated`: its hosts do not see each other, as in a hotel.

    At another site (`where`) instead of the Internet, its outside is the inside of that one.
    """

    def __init__(self, where: "Internet | Site", name: str, number: int, stages: list[Stage],
                 link: Link | None = None, ipv6: bool = False, ipv4: bool = True,
                 isolated: bool = False) -> None:
        self.network, self.name, self.number = where.network, name, number
        self.link, self.ipv6, self.ipv4, self.isolated = link, ipv6, ipv4, isolated
        self.above = where if isinstance(where, Site) else None
        self.internet: Internet = where.internet if isinstance(where, Site) else where
        self._hosts = 0
        self._boxes: list["subprocess.Popen[bytes]"] = []
        upper: Namespace | None = None if self.above is None else self.above.router
        for level, stage in enumerate(reversed(stages)):
            innermost = level == len(stages) - 1
            upper = self._stage(stage, level, innermost, upper)
        assert upper is not None, "a site has a box; Internet.host() has none"
        self.router = upper

    @property
    def gateway(self) -> str:
        return f"10.{self.number}.0.1"

    def _stage(self, stage: Stage, level: int, innermost: bool, upper: Namespace | None) -> Namespace:
        """Makes one box; its inside is a bridge `lan`, its outside is `wan`."""
        namespace = self.network.namespace(f"{self.name} box {level}")
        count = stage.addresses if isinstance(stage, Nat) else 1
        if upper is None:
            outside = [f"198.51.100.{self.number * 16 + n}" for n in range(count)]
        elif self.above is not None and level == 0:
            outside = [f"10.{self.above.number}.0.{self.number * 16 + n}" for n in range(count)]
        else:
            outside = [f"100.64.{self.number}.{n + 2}" for n in range(count)]
        gateway = self.gateway if innermost else f"100.64.{self.number}.1"
        namespace.sysctl(ipv6__conf__default__accept_dad=0)
        hardware = self.network.hardware()
        namespace.ip([f"link add name lan address {hardware} type bridge", "link set lan up"])
        next_hop = self._outside(namespace, stage, level, outside, upper)
        if isinstance(stage, Nat):
            self._start_natbox(namespace, stage, gateway, outside, next_hop)
        else:
            self._start_kernel(namespace, stage, gateway, outside[0])
        if self.ipv6:
            self._route_ipv6(namespace)
        return namespace

    def _outside(self, namespace: Namespace, stage: Stage, level: int, outside: list[str],
                 upper: Namespace | None) -> str:
        """Joins a box with what is outside of it; gives the hardware address there."""
        v4 = outside if self.ipv4 else []
        if upper is not None:
            if not isinstance(stage, Nat):
                raise ValueError("behind another box only a userspace NAT is supported")
            device = f"site{self.number}" if self.above and level == 0 else f"down{level}"
            self.network.cable(upper, device, namespace, "wan", self.link if level == 0 else None)
            upper.ip([f"link set {device} master lan"])
            return _hardware_of(upper, "lan")
        if self.ipv6:
            mine = [f"2001:db8:ffff::{self.number + 0x100:x}"]
            behind = [f"2001:db8:{self.number:x}::/64"]
        else:
            mine, behind = [], []
        if not isinstance(stage, Nat):
            self.internet.connect(namespace, "wan", v4 + mine, self.link, behind)
            return ""
        hardware = self.internet.attach(namespace, "wan", v4 + mine, self.link, behind)
        if mine:
            namespace.ip([f"address add {mine[0]}/128 dev wan nodad",
                          "route add default via fe80::1 dev wan"])
        return hardware

    def reboot(self) -> None:
        """All userspace NATs forget their mappings and take other ports from now on."""
        for box in self._boxes:
            box.send_signal(signal.SIGUSR1)

    def _start_natbox(self, namespace: Namespace, nat: Nat, gateway: str, outside: list[str],
                      next_hop: str) -> None:
        self._boxes.append(self.network.box(
            namespace, "natbox", "--inside", "lan", "--outside", "wan", "--gateway", gateway,
            "--addresses", ",".join(outside), "--next-hop", next_hop, "--mapping", nat.mapping,
            "--filtering", nat.filtering, "--port", nat.port, "--hairpin",
            "yes" if nat.hairpin else "no", "--timeout-ms", int(nat.timeout * 1000), "--pooling",
            "paired" if nat.paired else "arbitrary", "--seed", self.number))

    def _start_kernel(self, namespace: Namespace, stage: KernelNat | Firewall, gateway: str,
                      address: str) -> None:
        if not self.ipv4:
            return
        namespace.sysctl(ipv4__ip_forward=1)
        namespace.ip([f"address add {gateway}/24 dev lan"])
        nat = stage if isinstance(stage, KernelNat) else KernelNat()
        firewall = stage if isinstance(stage, Firewall) else Firewall(open=nat.answers)
        how = "masquerade fully-random" if nat.random else "masquerade"
        namespace.nft(_rules(firewall, "forward", "forward", "wan", "lan") +
                      "table ip nat { chain out { type nat hook postrouting priority 100;\n"
                      f"oifname wan {how}\n}}\n}}\n" +
                      ("" if nat.answers else
                       "table ip mine { chain in { type filter hook input priority 0;\n"
                       "iifname wan ct state established,related accept\n"
                       "iifname wan meta l4proto { udp, tcp } drop\n}\n}\n"))

    def _route_ipv6(self, namespace: Namespace) -> None:
        namespace.sysctl(ipv6__conf__all__forwarding=1)
        namespace.ip([f"address add 2001:db8:{self.number:x}::1/64 dev lan nodad"])
        namespace.nft("table ip6 wall { chain in { type filter hook forward priority 0;\n"
                      "iifname wan ct state established,related accept\n"
                      "iifname wan meta l4proto icmpv6 accept\niifname wan drop\n}\n}\n")

    def host(self, name: str, link: Link | None = None) -> Host:
        self._hosts += 1
        number = self._hosts + 1
        namespace = self.network.namespace(name)
        namespace.sysctl(ipv6__conf__default__accept_dad=0)
        port = f"host{self._hosts}"
        self.network.cable(self.router, port, namespace, "eth0", link)
        self.router.ip([f"link set {port} master lan"])
        if self.isolated:
            self.router.ip([f"link set {port} type bridge_slave isolated on"])
        addresses, lines = [], []
        if self.ipv4:
            addresses.append(f"10.{self.number}.0.{number}")
            lines += [f"address add {addresses[0]}/24 dev eth0",
                      f"route add default via {self.gateway}"]
        if self.ipv6:
            addresses.append(f"2001:db8:{self.number:x}::{number:x}")
            lines += [f"address add {addresses[-1]}/64 dev eth0 nodad",
                      f"route add default via 2001:db8:{self.number:x}::1"]
        namespace.ip(lines)
        return Host(namespace, addresses)


def _hardware_of(namespace: Namespace, device: str) -> str:
    words = namespace.run(["/usr/sbin/ip", "-o", "link", "show", "dev", device]).split()
    return words[words.index("link/ether") + 1]


def _rules(firewall: Firewall, inward: str, outward: str, outside: str, inside: str = "lo") -> str:
    """nftables for a firewall at the hooks that packets in and out pass (the same in a router)."""
    lines = []
    if not firewall.udp:
        lines.append(f"oifname {outside} meta l4proto udp drop")
    if firewall.tcp_ports is not None:
        allowed = ", ".join(str(port) for port in firewall.tcp_ports)
        lines.append(f"oifname {outside} tcp dport {{ {allowed} }} accept" if allowed else "")
        lines.append(f"oifname {outside} ct state established,related accept")
        lines.append(f"oifname {outside} meta l4proto {{ tcp, udp }} drop")
    rules = f"chain out {{ type filter hook {outward} priority 0;\n" + "\n".join(lines) + "\n}\n"
    if not firewall.open:
        rules += (f"chain in {{ type filter hook {inward} priority 1;\n"
                  f"iifname {inside} accept\niifname {outside} ct state established,related accept\n"
                  f"iifname {outside} meta l4proto icmpv6 accept\niifname {outside} drop\n}}\n")
    return f"table inet wall {{\n{rules}}}\n"
