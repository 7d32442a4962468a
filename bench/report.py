"""Facts of the machine, and the table."""

import os
import pathlib
import platform
import statistics
import subprocess

from bench.systems import BINARY

# key of a figure, its title, digits after the point
LAN = [
    ("first_octet_ms", "first octet of a new session, ms", 0),
    ("mib_per_second", "one stream, MiB/s", 0),
    ("eight_mib_per_second", "eight streams, MiB/s", 0),
    ("cpu_seconds_per_gib", "CPU, one stream, s/GiB", 2),
    ("cpu_sender", "  of it the sender's side", 2),
    ("cpu_receiver", "  of it the receiver's side", 2),
    ("eight_cpu_seconds_per_gib", "CPU, eight streams, s/GiB", 2),
    ("ping_p50_us", "round trip p50, us", 0),
    ("ping_p99_us", "round trip p99, us", 0),
    ("connections_per_second", "new connections a second", 0),
    ("connection_us", "new connection to first octet, us", 0),
    ("crowd_ms", "500 connections at once, ms", 0),
    ("idle_a_mib", "resident with 500 idle, A, MiB", 1),
    ("idle_b_mib", "resident with 500 idle, B, MiB", 1),
    ("peak_a_mib", "peak memory, A, MiB", 1),
    ("peak_b_mib", "peak memory, B, MiB", 1),
]
FAR = [
    ("connection_round_trips", "new connection, round trips", 2),
    ("far_first_octet_ms", "first octet of a new session, ms", 0),
]


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "not there"
    return ((done.stdout or done.stderr).splitlines() or ["?"])[0]


def _cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine():
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_at_start": os.getloadavg()[0],
        "peersock": _first_line(BINARY, "--version"),
        "openssl": _first_line("openssl", "version"),
        "ssh": _first_line("ssh", "-V"),
        "socat": next(iter(_socat()), "not there"),
        "python": platform.python_version(),
    }


def _socat():
    try:
        out = subprocess.run(["socat", "-V"], capture_output=True, text=True, timeout=10).stdout
    except OSError:
        return []
    return [line for line in out.splitlines() if line.startswith("socat version")]


def _values(result, system, key):
    return [found[system][key] for found in result["rounds"] if key in found[system]]


def _cell(values, digits):
    if not values:
        return "-"
    middle = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def block(result, title, figures):
    systems = list(result["names"])
    rows = [[title, *(result["names"][s] for s in systems)], ["---"] * (len(systems) + 1)]
    for key, text, digits in figures:
        rows.append([text, *(_cell(_values(result, s, key), digits) for s in systems)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = ["-" * w if cell == "---" else cell.ljust(w) for cell, w in zip(row, widths)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratios(result):
    """What the issue of the figures is: how peersock stands to the others."""
    found = {}
    mine = _values(result, "peersock", "mib_per_second") if "peersock" in result["names"] else []
    if not mine:
        return found
    rate = statistics.median(mine)
    if result["engine"]:
        alone = statistics.median(e["mib_per_second"] for e in result["engine"])
        found["one stream to the engine alone"] = rate / alone
    for other in result["names"]:
        if other != "peersock":
            theirs = statistics.median(_values(result, other, "mib_per_second"))
            found[f"one stream to {result['names'][other]}"] = rate / theirs
    return found


def table(result):
    facts = result["machine"]
    parts = [f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, "
             f"load at the start {facts['load_at_start']:.1f}",
             f"{facts['peersock']}; {facts['openssl']}; {facts['ssh']}; {facts['socat']}",
             f"{result['sizes']['rounds']} rounds, median (least-most); "
             f"{result['sizes']['octets'] >> 20} MiB a transfer", "",
             block(result, "on the LAN", LAN), "",
             block(result, "50 ms there and back", FAR), ""]
    if result["engine"]:
        parts.append("engine alone in memory, both sides on one core: "
                     + _cell([e["mib_per_second"] for e in result["engine"]], 0) + " MiB/s, "
                     + _cell([e["cpu_seconds_per_gib"] for e in result["engine"]], 2) + " CPU s/GiB")
    parts += [f"{name}: {value:.2f}" for name, value in ratios(result).items()]
    parts += [f"checksums {'equal' if fine else 'DIFFER'}: {result['names'][key]}"
              for key, fine in result["checksums"].items()]
    parts += [f"FAILED: {failure}" for failure in result["failures"]]
    parts += [f"not measured: {key}: {reason}" for key, reason in result["absent"].items()]
    return "\n".join(parts)
