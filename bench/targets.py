"""What was to be reached, and whether it was: by the best of ours, judged by people alone."""

import statistics

from bench.networks import BEST


def _middle(result, network, key, system=BEST):
    found = [r[system][key] for r in result["figures"].get(network, []) if key in r.get(system, {})]
    return statistics.median(found) if found else None


def _least(result, network, key, limit, unit, digits=0):
    value = _middle(result, network, key)
    return None if value is None else (f"{value:.{digits}f} {unit}", value >= limit)


def _most(result, network, key, limit, unit, digits=0, scale=1.0):
    value = _middle(result, network, key)
    return None if value is None else (f"{value * scale:.{digits}f} {unit}", value * scale <= limit)


def _rate(network, limit):
    return lambda result: _least(result, network, "mib_per_second", limit, "MiB/s", 1)


def _to_ssh(result):
    mine = _middle(result, "lan", "mib_per_second")
    theirs = _middle(result, "lan", "mib_per_second", "ssh")
    return None if not mine or not theirs else (f"{mine / theirs:.2f}", mine >= theirs)


def _crowd_memory(result):
    sides = [_middle(result, "lan", f"idle_{side}_mib") for side in "ab"]
    return None if None in sides else (f"{max(sides):.1f} MiB", max(sides) <= 32)


TARGETS = (
    ("one stream, LAN: 700 MiB/s", lambda r: _least(r, "lan", "mib_per_second", 700, "MiB/s")),
    ("one stream, LAN: as `ssh -L` with its default cipher", _to_ssh),
    ("CPU, both ends: 2.2 s/GiB", lambda r: _most(r, "lan", "cpu_seconds_per_gib", 2.2, "s/GiB", 2)),
    ("code typed to first octet, LAN: 100 ms",
     lambda r: _most(r, "lan", "first_octet_ms", 100, "ms")),
    ("the same, 50 ms everywhere: 10 round trips",
     lambda r: _most(r, "connect", "first_octet_round_trips", 10, "round trips", 1)),
    ("50 ms, 0.1 % lost: 50 MiB/s", _rate("loss01", 50)),
    ("50 ms, 1 % lost: 30 MiB/s", _rate("loss1", 30)),
    ("50 ms, 3 % lost: 10 MiB/s", _rate("loss3", 10)),
    ("200 Mbit/s: 22 MiB/s", _rate("narrow", 22)),
    ("200 Mbit/s, 0.5 % lost: 18 MiB/s", _rate("narrow05", 18)),
    ("200 Mbit/s, 1 % lost: 8 MiB/s", _rate("narrow1", 8)),
    ("1,000 connections at once: 0.8 s", lambda r: _most(r, "lan", "crowd_ms", 0.8, "s", 2, 1e-3)),
    ("resident with them: 32 MiB a side", _crowd_memory),
    ("interactive p99 beside a bulk stream, LAN: 2 ms over idle",
     lambda r: _most(r, "lan", "beside_over_idle_ms", 2, "ms", 2)),
)


def targets(result):
    """Rows of target, measured, verdict, of those that this result can answer."""
    rows = []
    for title, measure in TARGETS:
        if answer := measure(result):
            text, reached = answer
            rows.append([title, text, "reached" if reached else "not reached"])
    return rows
