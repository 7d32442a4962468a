"""What boxes in the way of packets do, in the words of RFC 4787. Descriptions only: no I/O."""

import dataclasses
from collections.abc import Iterable

ENDPOINT_INDEPENDENT = "endpoint-independent"
ADDRESS_DEPENDENT = "address-dependent"
ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"
DEPENDENCIES = (ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT)


def strictest(dependences: Iterable[str]) -> str:
    """What several boxes in a row do together."""
    return max(dependences, key=DEPENDENCIES.index)


PRESERVED, RANDOM, SEQUENTIAL = "preserved", "random", "sequential"
PORTS = (PRESERVED, RANDOM, SEQUENTIAL)


@dataclasses.dataclass(frozen=True)
class Nat:
    """A NAT of the userspace box (testbed/natbox), IPv4.

    `addresses` is how many external ones it has. Unless `paired` (RFC 4787 REQ-2, "paired" address
    pooling) each new mapping takes any of them. Times are in seconds.
    """

    mapping: str = ENDPOINT_INDEPENDENT
    filtering: str = ADDRESS_AND_PORT_DEPENDENT
    port: str = PRESERVED
    hairpin: bool = False
    timeout: float = 120.0
    addresses: int = 1
    paired: bool = True

    def __post_init__(self) -> None:
        if self.mapping not in DEPENDENCIES or self.filtering not in DEPENDENCIES:
            raise ValueError("mapping and filtering are one of " + ", ".join(DEPENDENCIES))
        if self.port not in PORTS:
            raise ValueError("port is one of " + ", ".join(PORTS))


@dataclasses.dataclass(frozen=True)
class KernelNat:
    """Linux's own masquerading. It keeps the port unless another connection of the same remote
    endpoint has it; `random` draws a new one for each connection (fully-random).

    `answers` says that the router answers what is sent to it and belongs to nobody (with an ICMP
    error), which makes the kernel remember the packet as a connection: a packet from inside to its
    sender then gets another port than the one that STUN has shown.
    """

    random: bool = False
    answers: bool = False


@dataclasses.dataclass(frozen=True)
class Firewall:
    """What a router lets out, besides any NAT, and what it lets in (answers alone, unless `open`).

    `udp` False: no UDP at all. `tcp_ports` None: any; otherwise these alone.
    `open`: whatever comes from outside is let in as well.
    """

    udp: bool = True
    tcp_ports: tuple[int, ...] | None = None
    open: bool = False


@dataclasses.dataclass(frozen=True)
class Link:
    """A line with these properties in each direction. Times in milliseconds, rate in kbit/s (0: no
    limit), the others in percent of packets; `queue` is how long the rate may keep a packet waiting,
    one that would wait longer is dropped. `mtu` is known to the boxes at both ends, and they tell of
    longer packets by ICMP. Those longer than `tells` octets are refused in the same way by the line
    itself, and those longer than `black_hole` vanish without a word (0: none does).

    A burst of loss begins at `burst_begin` of the packets outside of one, ends at `burst_end` of those
    in one, and loses `burst_loss` of these (Gilbert-Elliott; testbed/natbox/line.hpp).
    """

    delay: float = 0
    jitter: float = 0
    rate: int = 0
    queue: float = 200
    loss: float = 0
    burst_begin: float = 0
    burst_end: float = 100
    burst_loss: float = 100
    duplicate: float = 0
    reorder: float = 0
    mtu: int = 1500
    black_hole: int = 0
    tells: int = 0

    def arguments(self) -> list[str]:
        """For the program that does it (testbed/natbox/linkbox.cpp)."""
        given = {"delay-us": int(self.delay * 1000), "jitter-us": int(self.jitter * 1000),
                 "rate-kbit": self.rate, "queue-us": int(self.queue * 1000), "loss": self.loss,
                 "duplicate": self.duplicate, "reorder": self.reorder,
                 "black-hole": self.black_hole, "tells": self.tells}
        if self.burst_begin:
            given |= {"burst-begin": self.burst_begin, "burst-end": self.burst_end,
                      "burst-loss": self.burst_loss}
        always = ("queue-us", "burst-end", "burst-loss")
        return [part for name, value in given.items() if value or name in always
                for part in (f"--{name}", str(value))]
