"""Facts of the machine, and the tables, in Markdown as docs/performance.md has them."""

import os
import pathlib
import platform
import statistics
import subprocess

from bench.networks import BEST
from bench.systems import BINARY
from bench.targets import targets

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
    ("idle_p99_us", "round trip now and then, p99, us", 0),
    ("beside_p99_us", "  beside a bulk stream, p99, us", 0),
    ("beside_mib_per_second", "  which carries, MiB/s", 0),
    ("connections_per_second", "new connections a second", 0),
    ("connection_us", "new connection to first octet, us", 0),
    ("crowd_ms", "{crowd:,} connections at once, ms", 0),
    ("idle_a_mib", "resident with {crowd:,} idle, A, MiB", 1),
    ("idle_b_mib", "resident with {crowd:,} idle, B, MiB", 1),
    ("peak_a_mib", "peak memory, A, MiB", 1),
    ("peak_b_mib", "peak memory, B, MiB", 1),
]
FAR = [
    ("connect", "first_octet_ms", "first octet of a new session, ms", 0),
    ("connect", "first_octet_round_trips", "first octet of a new session, round trips", 1),
    ("far", "connection_round_trips", "new connection, round trips", 2),
    ("far", "cpu_seconds_per_gib", "CPU, one stream, s/GiB", 2),
]
INTERACTIVE = [
    ("idle_p50_us", "alone, p50, ms", 1e-3), ("idle_p99_us", "alone, p99, ms", 1e-3),
    ("beside_p50_us", "beside a bulk stream, p50, ms", 1e-3),
    ("beside_p99_us", "beside a bulk stream, p99, ms", 1e-3),
    ("beside_mib_per_second", "the bulk stream, MiB/s", 1),
]
# network, key, title, and whether more is better
RATIOS = [
    ("lan", "mib_per_second", "one stream, LAN", True),
    ("lan", "eight_mib_per_second", "eight streams, LAN", True),
    ("lan", "cpu_seconds_per_gib", "CPU for a GiB", False),
    ("lan", "first_octet_ms", "time to the first octet, LAN", False),
    ("connect", "first_octet_ms", "time to the first octet, 50 ms", False),
    ("lan", "crowd_ms", "time for many connections at once", False),
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
        "rmem_max": int(pathlib.Path("/proc/sys/net/core/rmem_max").read_text()),
        "peersock": _first_line(BINARY, "--version"),
        "openssl": _first_line("openssl", "version"),
        "ssh": _first_line("ssh", "-V"),
        "socat": next(iter(_socat()), "not there"),
        "magic_wormhole": _first_line("wormhole", "--version"),
        "william": _first_line("dpkg-query", "-W", "-f", "wormhole-william ${Version}\n",
                               "wormhole-william"),
        "python": platform.python_version(),
    }


def _socat():
    try:
        out = subprocess.run(["socat", "-V"], capture_output=True, text=True, timeout=10).stdout
    except OSError:
        return []
    return [line for line in out.splitlines() if line.startswith("socat version")]


def merged(results):
    """Each network as the last result with it has it."""
    whole = results[0]
    for other in results[1:]:
        for key in ("names", "networks", "checksums", "engine", "figures", "fairness", "absent"):
            whole[key] |= other[key]
        whole["failures"] += other["failures"]
    return whole


def values(result, network, system, key):
    rounds = result["figures"].get(network, [])
    return [found[system][key] for found in rounds if key in found.get(system, {})]


def middle(result, network, system, key):
    """The median, or None where nothing was measured."""
    found = values(result, network, system, key)
    return statistics.median(found) if found else None


def _cell(numbers, digits):
    if not numbers:
        return "-"
    text = f"{statistics.median(numbers):.{digits}f}"
    if len(numbers) == 1:
        return text
    return f"{text} ({min(numbers):.{digits}f}-{max(numbers):.{digits}f})"


def grid(rows):
    """The first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return "\n".join(lines)


def _systems(result, networks):
    """Those with figures there, in the order of the names."""
    return [key for key in result["names"]
            if any(found.get(key) for network in networks
                   for found in result["figures"].get(network, []))]


def lan(result):
    systems = _systems(result, ["lan"])
    rows = [["on the LAN", *(result["names"][s] for s in systems)]]
    for key, title, digits in LAN:
        rows.append([title.format(**result["sizes"]),
                     *(_cell(values(result, "lan", s, key), digits) for s in systems)])
    return grid(rows) if systems else ""


def far(result):
    systems = _systems(result, ["connect", "far"])
    rows = [["50 ms there and back", *(result["names"][s] for s in systems)]]
    for network, key, title, digits in FAR:
        rows.append([title, *(_cell(values(result, network, s, key), digits) for s in systems)])
    return grid(rows) if systems else ""


def _rate(result, network, system):
    rate = middle(result, network, system, "mib_per_second")
    slowest = middle(result, network, system, "slowest")
    if rate is None:
        return "-"
    digits = 0 if rate >= 100 else 1 if rate >= 10 else 2
    if slowest is None:
        return f"{rate:.{digits}f}"
    quickest = middle(result, network, system, "quickest")
    return f"{rate:.{digits}f} ({slowest:.{digits}f}-{quickest:.{digits}f})"


def rate_networks(result):
    """Those where one stream is all that is measured, and 50 ms."""
    return [key for key, found in result["figures"].items()
            if key != "lan" and any("mib_per_second" in f for r in found for f in r.values())]


def flows(result):
    networks = rate_networks(result)
    systems = _systems(result, networks)
    rows = [["one stream, MiB/s", "s", *(result["names"][s] for s in systems)]]
    for key in networks:
        about = result["networks"][key]
        rows.append([about["title"], str(about["seconds"]),
                     *(_rate(result, key, s) for s in systems)])
    return grid(rows) if networks else ""


def interactive(result):
    systems = _systems(result, ["deep"])
    if not systems:
        return ""
    rows = [[result["networks"]["deep"]["title"], *(result["names"][s] for s in systems)]]
    for key, title, scale in INTERACTIVE:
        factor = scale if key.endswith("_us") else 1
        rows.append([title, *(_cell([v * factor for v in values(result, "deep", s, key)], 1)
                              for s in systems)])
    return grid(rows)


def fairness(result):
    networks = result["fairness"]
    if not any(networks.values()):
        return ""
    pairs = list(dict.fromkeys(pair for found in networks.values() for pair in found))
    rows = [["share of the first, %; both, MiB/s",
             *(result["networks"][n]["title"] for n in networks)]]
    for pair in pairs:
        cells = [pair]
        for found in networks.values():
            one = found.get(pair)
            cells.append(f"{one['share'] * 100:.0f}; {one['ours'] + one['other']:.2f}"
                         if one else "-")
        rows.append(cells)
    return grid(rows)


def ratios(result):
    """How ours stands to the others in the same run: above 1 it is better."""
    wanted = [*RATIOS, *((key, "mib_per_second", f"one stream, {result['networks'][key]['title']}",
                          True) for key in rate_networks(result) if key != "box")]
    others = [s for s in result["names"] if s != BEST]
    rows = []
    for network, key, title, more in wanted:
        mine = middle(result, network, BEST, key)
        theirs = [middle(result, network, other, key) for other in others]
        if mine and any(theirs):
            rows.append([title, *("-" if not t else f"{mine / t if more else t / mine:.2f}"
                                  for t in theirs)])
    if not rows:
        return ""
    head = [f"{result['names'][BEST]} is better by", *(result["names"][s] for s in others)]
    return grid([head, *rows])


def engines(result):
    lines = []
    for engine, found in result["engine"].items():
        rates = [each["mib_per_second"] for each in found]
        lines.append(f"{engine} alone in memory, both sides on one core: {_cell(rates, 0)} MiB/s, "
                     f"{_cell([e['cpu_seconds_per_gib'] for e in found], 2)} CPU s/GiB")
        mine = middle(result, "lan", f"{engine}_auto", "mib_per_second")
        if mine:
            lines[-1] += f"; one stream reaches {mine / statistics.median(rates):.2f} of it"
    return "\n".join(lines)


def aim(result):
    rows = [["target", "measured", ""], *targets(result)]
    return grid(rows) if len(rows) > 1 else ""


MARKS = "<!-- tables of scripts/bench -->", "<!-- end of the tables -->"


def has_marks(document_text):
    begin, end = (document_text.find(mark) for mark in MARKS)
    return 0 <= begin < end


def put_between_marks(document_text, tables):
    before, _, rest = document_text.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    return f"{before}{MARKS[0]}\n\n{tables}\n\n{MARKS[1]}{after}"


TABLES = (lan, far, flows, interactive, fairness, ratios, engines, aim)


def _notes(result):
    names, checksums = result["names"], result["checksums"]
    equal = [names[key] for key, fine in checksums.items() if fine]
    return "\n".join([
        *(["octets equal: " + "; ".join(equal)] if equal else []),
        *(f"OCTETS DIFFER: {names[key]}" for key, fine in checksums.items() if not fine),
        *(f"FAILED: {failure}" for failure in result["failures"]),
        *(f"not measured: {key}: {reason}" for key, reason in result["absent"].items())])


def document(result):
    facts, rounds = result["machine"], result["sizes"]["rounds"]
    programs = ("peersock", "openssl", "ssh", "socat", "magic_wormhole", "william")
    head = "\n".join([
        f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, "
        f"load at the start {facts['load_at_start']:.1f}, socket buffers up to "
        f"{facts['rmem_max'] >> 10} KiB; " + "; ".join(facts[key] for key in programs) + ".", "",
        f"On the LAN the median of {rounds} rounds (least-most); one stream elsewhere: the whole "
        "time (its slowest and its quickest sixth)."])
    parts = [head, *(table(result) for table in TABLES), _notes(result)]
    return "\n\n".join(part for part in parts if part)
