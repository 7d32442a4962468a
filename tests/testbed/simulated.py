"""Results as peersock-sim prints them, made up."""

import hashlib

from testbed.network import DEPENDENCIES

LINE = {"delay_ms": 10.0, "jitter_ms": 0.0, "rate_kbit": 0, "queue_ms": 200.0, "loss": 0.0,
        "bursts": {"begin": 0.0, "end": 100.0, "loss": 100.0}, "duplicate": 0.0, "reorder": 0.0, "black_hole": 0}
NAT = {"mapping": DEPENDENCIES[0], "filtering": DEPENDENCIES[2], "port": "preserved",
       "hairpin": False, "addresses": 1, "paired": True, "timeout_ms": 120000.0, "udp": True, "tcp_port": 0}


def site(*nats, **line):
    lines = {**LINE, **line}
    return {"nats": [{**NAT, **nat} for nat in nats], "up": lines, "down": lines, "ipv4": True,
            "ipv6": False, "proxy": False}


def network(listener=None, connector=None, **more):
    return {"name": "made-up", "listener": listener or site({}), "connector": connector or site({}),
            "first": "listener", "engine": "ngtcp2", "path": "auto", "octets": 1 << 20, "relay": False,
            "relay_tcp": False, "pairs": 1, "sessions": 1, "happenings": [], "idle_ms": 0.0,
            "names": [], "servers_ipv6": False, "target": "127.0.0.1", "proxy": {"status": 200},
            "expected": ["direct"], "bound_ms": 60000.0, **more}


def result(scenario, seed=1, outcome="direct", connect=0.5, rate=None, where=None, passed=True,
           violations=()):
    digest = hashlib.sha256(f"{scenario} {seed}".encode()).hexdigest()[:16]
    return {"scenario": scenario, "seed": seed, "passed": passed, "outcome": outcome,
            "expected": ["direct"], "connect_seconds": connect,
            "first_octet_seconds": connect and connect + 0.1, "octets_per_second": rate,
            "virtual_seconds": 3.0, "wall_seconds": 0.1, "cpu_seconds": 0.05, "digest": digest,
            "violations": list(violations), "network": where or network()}


def chance(*what):
    """From 0 to 1, the same each time."""
    return int(hashlib.sha256(repr(what).encode()).hexdigest()[:8], 16) / 2**32
