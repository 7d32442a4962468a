"""The networks of the benchmark, what is measured on each and which systems are."""

import dataclasses

from testbed.network import Link

OURS = ("ngtcp2_auto", "ngtcp2_nice", "openssl_auto", "openssl_nice")
BEST = "ngtcp2_auto"  # the one of ours that ratios and targets are about
TUNNELS = ("tcp", *OURS, "socat", "ssh", "ssh_gcm")
FILES = ("magic_wormhole", "william")
FEW = (BEST, "openssl_auto", "tcp")

ROUND_TRIP_MS = 50
CONTROLS = ("bbr", "cubic", "reno")


@dataclasses.dataclass(frozen=True)
class Network:
    """`link` joins A and B; none: a veth with all that the kernel can do. `star`: instead each of A,
    B and the servers has such a link to a router. `seconds` is how long one flow is measured.
    """

    key: str
    title: str
    measure: str  # the function of bench.series
    systems: tuple[str, ...]
    link: Link | None = None
    star: bool = False
    seconds: int = 20
    window: int = 0  # octets of TCP's buffers; 0: as the system has them


def far(**properties):
    return Link(delay=ROUND_TRIP_MS / 2, **properties)


def lossy(loss):
    return Network(f"loss{str(loss).replace('.', '')}", f"50 ms, {loss} % lost", "flow",
                   (*FEW, "ssh") if loss == 1 else FEW, far(loss=loss), seconds=60)


def narrow(loss):
    """A buffer of one round trip before the bottleneck."""
    key = f"narrow{str(loss).replace('.', '')}" if loss else "narrow"
    title = "200 Mbit/s, 50 ms" + (f", {loss} % lost" if loss else "")
    return Network(key, title, "flow", FEW if loss else (*FEW, "ssh"),
                   far(rate=200_000, queue=ROUND_TRIP_MS, loss=loss), seconds=60)


def shared(key, queue):
    return Network(f"fair_{key}", f"50 Mbit/s, 50 ms, a buffer of {queue} ms", "fairness", (),
                   far(rate=50_000, queue=queue), seconds=30)


NETWORKS = (
    Network("lan", "LAN", "lan", (*TUNNELS, *FILES), seconds=4),
    Network("connect", "50 ms between any two", "connect",
            (BEST, "openssl_auto", "socat", "ssh", *FILES), Link(delay=ROUND_TRIP_MS / 4),
            star=True),
    Network("box", "50 ms, TCP with buffers of 64 MiB: what the link box carries", "flow", ("tcp",),
            far(), seconds=10, window=64 << 20),
    Network("far", "50 ms", "far", (*TUNNELS, *FILES), far()),
    lossy(0.1), lossy(1), lossy(3),
    narrow(0), narrow(0.5), narrow(1),
    Network("satellite", "300 ms", "flow", (*FEW, "ssh"), Link(delay=150), seconds=30),
    Network("deep", "20 Mbit/s, 50 ms, a buffer of 1 s", "interactive", (*FEW, "ssh"),
            far(rate=20_000, queue=1000), seconds=30),
    shared("shallow", 20), shared("deep", 400),
)

GROUPS = {"fairness": ("fair_shallow", "fair_deep"), "loss": ("loss01", "loss1", "loss3"),
          "bottleneck": ("narrow", "narrow05", "narrow1")}


def chosen(names):
    """The networks of these names, in order; all without names. KeyError for one that is not there."""
    known = {network.key: network for network in NETWORKS}
    if not names:
        return list(NETWORKS)
    wanted = [key for name in names for key in GROUPS.get(name, (name,))]
    for key in wanted:
        known[key]  # pylint: disable=pointless-statement
    return [network for network in NETWORKS if network.key in wanted]
