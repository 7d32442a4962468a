"""The chart of a result, an SVG without anything from elsewhere: a panel for each question."""

import dataclasses
import statistics
from xml.sax.saxutils import escape

from bench.networks import CONTROLS

WIDTH, MARGIN, COLUMNS, GUTTER = 1200, 32, 3, 28
PANEL = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GUTTER) / COLUMNS
LABEL, VALUE, ROW, BAR, HEAD = 124, 62, 21, 13, 44
FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"

INK, QUIET, FAINT, PAPER = "#1c2530", "#5c6876", "#e3e7ec", "#ffffff"
COLOURS = {"ngtcp2_auto": "#0b7a75", "ngtcp2_nice": "#5fb3ae", "openssl_auto": "#d9822b",
           "openssl_nice": "#efbb85"}
OTHERS = "#a9b3bf"
SHORT = {"tcp": "TCP, direct", "ngtcp2_auto": "peersock, ngtcp2", "ngtcp2_nice": "… through libnice",
         "openssl_auto": "peersock, OpenSSL", "openssl_nice": "… through libnice",
         "socat": "socat, TLS", "ssh": "ssh -L", "ssh_gcm": "ssh -L, aes128-gcm",
         "magic_wormhole": "magic-wormhole", "william": "wormhole-william"}


@dataclasses.dataclass
class Bar:
    label: str
    colour: str
    value: float
    least: float
    most: float


@dataclasses.dataclass
class Panel:
    title: str
    unit: str
    bars: list
    limit: float = 0  # the end of the scale; 0: as the bars want it

    @property
    def height(self):
        return HEAD + ROW * len(self.bars) + 18


def _bar(result, network, system, key, low, high, scale):
    rounds = [r[system] for r in result["figures"].get(network, []) if key in r.get(system, {})]
    if not rounds:
        return None
    numbers = [each[key] * scale for each in rounds]
    least = min(each.get(low, each[key]) for each in rounds) * scale
    most = max(each.get(high, each[key]) for each in rounds) * scale
    return Bar(SHORT.get(system, system), COLOURS.get(system, OTHERS), statistics.median(numbers),
               least, most)


def _panel(result, network, key, title, unit, scale=1.0):
    windows = key == "mib_per_second" and network != "lan"
    low, high = ("slowest", "quickest") if windows else ("", "")
    bars = [_bar(result, network, system, key, low, high, scale) for system in result["names"]]
    return Panel(title, unit, [bar for bar in bars if bar])


def _fairness(result):
    for key, found in result["fairness"].items():
        bars = []
        for pair, one in found.items():
            ours = pair.partition(" ")[0] in CONTROLS
            colour = COLOURS["ngtcp2_auto"] if ours else OTHERS
            share = one["share"] * 100
            bars.append(Bar(pair, colour, share, share, share))
        yield Panel(result["networks"][key]["title"], "share of the first flow in %, 50 is fair",
                    bars, 100)


def panels(result):
    found = [
        _panel(result, "lan", "mib_per_second", "LAN, one stream", "MiB/s, more is better"),
        _panel(result, "lan", "cpu_seconds_per_gib", "LAN, CPU of both ends",
               "s/GiB, less is better"),
        _panel(result, "lan", "beside_p99_us", "LAN, round trip beside a bulk stream",
               "p99 in ms, less is better", 1e-3),
        _panel(result, "lan", "first_octet_ms", "LAN, code typed to first octet",
               "ms, less is better"),
        _panel(result, "connect", "first_octet_round_trips", "50 ms, code typed to first octet",
               "round trips, less is better"),
        _panel(result, "lan", "crowd_ms", f"{result['sizes']['crowd']:,} connections at once",
               "ms, less is better"),
    ]
    found += [_panel(result, key, "mib_per_second", about["title"], "MiB/s, more is better")
              for key, about in result["networks"].items() if key not in ("lan", "box", "deep")]
    found.append(_panel(result, "deep", "beside_p99_us",
                        result["networks"].get("deep", {}).get("title", ""),
                        "round trip beside a bulk stream, p99 in ms, less is better", 1e-3))
    return [panel for panel in [*found, *_fairness(result)] if panel.bars]


def _text(x, y, text, size=11, colour=INK, anchor="start", weight="normal"):
    """With a rim of paper, for lines that it meets."""
    return (f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' "
            f"text-anchor='{anchor}' font-weight='{weight}' stroke='{PAPER}' stroke-width='3' "
            f"paint-order='stroke'>{escape(text)}</text>")


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _limit(bars):
    """The end of the scale: one bar of others that is far longer than the rest is cut instead."""
    ordered = sorted(bars, key=lambda bar: bar.value, reverse=True)
    if len(ordered) > 1 and ordered[0].value > 2.5 * ordered[1].value > 0 \
            and ordered[0].colour == OTHERS:
        return ordered[1].value * 1.25
    return max(bar.most for bar in bars) or 1.0


def _draw(panel, x, y):
    parts = [_text(x, y + 14, panel.title, 14, INK, weight="600"),
             _text(x, y + 30, panel.unit, 11, QUIET)]
    left, room = x + LABEL, PANEL - LABEL - VALUE
    limit = panel.limit or _limit(panel.bars)
    parts.append(f"<path d='M{left:.1f} {y + HEAD - 4}V{y + HEAD + ROW * len(panel.bars)}' "
                 f"stroke='{FAINT}'/>")
    if panel.limit:  # the middle is what is wanted
        parts.append(f"<path d='M{left + room / 2:.1f} {y + HEAD - 4}v{ROW * len(panel.bars) + 4}' "
                     f"stroke='{QUIET}' stroke-dasharray='2 3'/>")
    for number, bar in enumerate(panel.bars):
        top = y + HEAD + number * ROW
        middle = top + BAR / 2
        length = max(1.0, min(bar.value / limit, 1.0) * room)
        parts.append(_text(left - 8, middle + 4, bar.label, 11, INK, "end"))
        parts.append(f"<rect x='{left:.1f}' y='{top:.1f}' width='{length:.1f}' height='{BAR}' "
                     f"rx='2' fill='{bar.colour}'/>")
        end = left + length
        if bar.value > limit:  # a break, not a length
            parts.append(f"<path d='M{end - 16:.1f} {top + BAR + 2}l5 {-BAR - 4}m4 0l-5 {BAR + 4}' "
                         f"stroke='{PAPER}' stroke-width='2.5'/>")
        elif bar.most > bar.least:
            low, high = (left + min(v / limit, 1.0) * room for v in (bar.least, bar.most))
            parts.append(f"<path d='M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 3}v6"
                         f"M{high:.1f} {middle - 3}v6' stroke='{INK}' stroke-opacity='.55'/>")
            end = max(end, high)
        parts.append(_text(end + 6, middle + 4, _number(bar.value), 11, INK, weight="600"))
    return parts


def chart(result):
    facts = result["machine"]
    y, body = 104.0, []
    shown = panels(result)
    for start in range(0, len(shown), COLUMNS):
        row = shown[start:start + COLUMNS]
        for column, panel in enumerate(row):
            body += _draw(panel, MARGIN + column * (PANEL + GUTTER), y)
        y += max(panel.height for panel in row) + 10
    head = [
        _text(MARGIN, 44, "peersock beside what people use", 22, weight="700"),
        _text(MARGIN, 68, f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}; "
              "each network in one run of scripts/bench. Bars are medians on the LAN and whole runs elsewhere, "
              "lines the least and most.", 12, QUIET)]
    return "\n".join([
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y:.0f}' width='{WIDTH}' "
        f"height='{y:.0f}' {FONT} fill='none'>",
        f"<rect width='{WIDTH}' height='{y:.0f}' fill='{PAPER}'/>", *head, *body, "</svg>", ""])
