"""The results of simulations as a page with plots (testbed/page.py)."""

import html
import statistics
from typing import Any

from testbed import page
from testbed.simulation import chart
from testbed.simulation.figures import (
    NAMES, Family, Group, Way, families, others, quantile, throughput)
from testbed.simulation.report import summary

STYLE = """
:root{--a:#2f6fd0;--b:#b5367f;--time:#3b82c4}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));
gap:.8rem 2rem;align-items:start}
figure{margin:.4rem 0;min-width:0}figcaption{font-size:.85rem;margin-bottom:.4rem}
figcaption b{display:block;font-size:.95rem}
svg{display:block;width:100%;max-width:34rem;height:auto}
svg text{fill:currentColor;font-family:system-ui,sans-serif}
svg rect[class]{stroke:none}svg path[class]{fill:none}
svg [role=button]:focus{outline:2px solid Highlight}
.grid{stroke:currentColor;stroke-opacity:.15}.middle{stroke:currentColor;stroke-width:1.5}
.row{fill:transparent}.curve{stroke-width:2}
svg rect.marked{fill:none;stroke:var(--wrong);stroke-width:2}
.time{fill:var(--time)}.on g text{fill:#fff}
""" + "".join(f".{c}{{background:var(--{c});fill:var(--{c});stroke:var(--{c})}}" for c in "ab") + """
#about{position:sticky;bottom:0;background:Canvas;margin-bottom:0}#about:empty{display:none}
"""
ENGINES = {"ngtcp2": ("a", "ngtcp2"), "openssl": ("b", "OpenSSL")}  # colour, and how it is spelled
TITLES = {
    "nat": "Pairs of NATs without a relay", "nat-relay": "Pairs of NATs with a relay",
    "chaos": "Chaos: everything at once, by the seed"}
MOST_FAILURES = 50  # shown


def _counts(group: Group) -> str:
    return ", ".join(f"{NAMES[kind]} {count}" for kind, count in group.kinds.items())


def _said(what: str, group: Group) -> str:
    parts = [f"{what}: {len(group.runs)} runs, {_counts(group)}"]
    times = group.times()
    if times:
        parts.append(f"connected after {chart.time_text(statistics.median(times))} in the median, "
                     f"{chart.time_text(times[0])} to {chart.time_text(times[-1])}")
    parts += [summary(run) for run in group.runs if not run["passed"]][:3]
    return "; ".join(parts)


def _figure(title: str, note: str, drawing: str) -> str:
    return f"<figure><figcaption><b>{html.escape(title)}</b>{note}</figcaption>{drawing}</figure>"


def _outcome_map(family: Family) -> str:
    fields = {}
    for pair, group in family.pairs.items():
        parts = [(kind, count / len(group.runs), 1.0) for kind, count in group.kinds.items()]
        fields[pair] = chart.Field(parts, f"{group.success * 100:.0f}",
                                   _said(f"{pair[0]} listens, {pair[1]} connects", group), group.failed)
    drawing = chart.heat_map(f"{family.name}: success by pair of NATs", family.labels, fields)
    return _figure("Success", "Percent of runs in which all data arrived; rows listen, columns "
                   "connect, colours show how runs ended. Empty: not run. A red frame: not as "
                   "expected.",
                   f'<div class="outcomes on">{drawing}</div>')


def _time_map(family: Family) -> str:
    medians = {pair: statistics.median(group.times()) for pair, group in family.pairs.items()
               if group.times()}
    if not medians:
        return ""
    low, high = min(medians.values()), max(medians.values())
    fields = {}
    for pair, middle in medians.items():
        strength = 0.12 + 0.55 * (middle - low) / ((high - low) or 1)
        # In a field there is room for four figures.
        figure = f"{middle * 1000:.0f}" if middle < 10 else f"{middle:.0f}\u00a0s"
        fields[pair] = chart.Field([("time", 1.0, strength)], figure, _said(
            f"{pair[0]} listens, {pair[1]} connects", family.pairs[pair]))
    drawing = chart.heat_map(f"{family.name}: time to connect by pair of NATs", family.labels, fields)
    return _figure("Time to connect", "Milliseconds of virtual time from typing the code to the "
                   "listening socket, medians. Empty: none connected.", f'<div class="times">{drawing}</div>')


def _arrivals(family: Family) -> str:
    curves = [chart.Arrivals(NAMES[kind], kind, family.whole.times(kind), len(family.whole.runs))
              for kind in ("direct", "relayed") if family.whole.times(kind)]
    if not curves:
        return ""
    return _figure("Connected by", "Share of all sessions, by the path they ended on.",
                   chart.arrivals(f"{family.name}: time to connect, all pairs", curves))


def _distributions(family: Family) -> str:
    rows = []
    for (first, second), group in family.both_orders().items():
        times = group.times()
        if times:
            name = f"{first} – {second}"
            rows.append(chart.Row(name, group.connected.main_kind, times[0], quantile(times, 0.25),
                                  quantile(times, 0.5), quantile(times, 0.75), times[-1],
                                  _said(f"{name}, both orders", group)))
    if not rows:
        return ""
    rows.sort(key=lambda row: row.middle)
    return _figure("Time to connect by pair", "From the least to the most; the half in the middle is "
                   "thick; the figure is the median. Both orders of a pair together; the colour is "
                   "that of most runs that connected.",
                   chart.distributions(f"{family.name}: distribution of the time to connect", rows))


def _place(family: Family) -> int:
    return list(TITLES).index(family.name) if family.name in TITLES else len(TITLES)


def _family(family: Family) -> str:
    title = TITLES.get(family.name, family.name)
    return (f'<section id="{html.escape(family.name, quote=True)}"><h2>{html.escape(title)}</h2>'
            f"<p>{len(family.whole.runs)} runs: {html.escape(_counts(family.whole))}.</p>"
            f'<div class="plots">{_outcome_map(family)}{_time_map(family)}'
            f"{_distributions(family)}{_arrivals(family)}</div></section>")


def _key(classes: dict[str, str]) -> str:
    return '<p class="key">' + "".join(
        f'<span class="{kind}">{html.escape(name)}</span>' for kind, name in classes.items()) + "</p>"


def _way_text(way: Way) -> str:
    size = f"{way.octets / 2**20:g} MiB" if way.octets >= 2**20 else f"{way.octets / 1024:g} KiB"
    rate = f", {way.rate / 1000:g} Mbit/s" if way.rate else ""
    return f"{size} each way, {way.round_trip:g} ms round trip{rate}"


def _throughput(results: list[dict[str, Any]]) -> str:
    figures: dict[str, list[chart.Points]] = {}
    for way, measured in throughput(results).items():
        colour, engine = ENGINES[way.engine]
        scaled = [(one.loss, *(value / 2**20 for value in (
            one.values[0], quantile(one.values, 0.5), one.values[-1]))) for one in measured]
        figures.setdefault(_way_text(way), []).append(chart.Points(engine, colour, scaled))
    if not figures:
        return ""
    drawn = "".join(_figure(title, "", chart.points(f"goodput against loss, {title}", curves, "MiB/s",
                                                    "loss of datagrams one way, %"))
                    for title, curves in figures.items())
    used = {curve.kind: curve.label for curves in figures.values() for curve in curves}
    return ('<section id="throughput"><h2>Throughput against loss</h2><p>Goodput in virtual time of each '
            "of the two directions, which carry data at once: medians, and thin lines from the least to "
            "the most. It tells what protocols do with loss, not how fast the programs are.</p>"
            f'{_key(used)}<div class="plots">{drawn}</div></section>')


def _other(name: str, group: Group) -> str:
    kind = "wrong" if group.failed else group.main_kind
    parts = [_counts(group)]
    if group.times():
        parts.append(f"connected after {chart.time_text(statistics.median(group.times()))}")
    passed = sum(run["passed"] for run in group.runs)
    return (f'<div><span class="{kind}">{passed}/{len(group.runs)}</span> <b>{html.escape(name)}</b>: '
            f"{html.escape('; '.join(parts))}</div>")


def _failures(results: list[dict[str, Any]]) -> str:
    failed = [result for result in results if not result["passed"]]
    if not failed:
        return ""
    rows = "".join(f"<div>{html.escape(summary(result)[:600])}</div>"
                   for result in failed[:MOST_FAILURES])
    rest = len(failed) - MOST_FAILURES
    more = f"<p>And {rest} more.</p>" if rest > 0 else ""
    return f'<h2>Not as expected</h2><div class="list failures">{rows}</div>{more}'


def _count(number: int) -> str:
    return {0: "none is", 1: "1 is"}.get(number, f"{number} are")


def render(document: dict[str, Any]) -> str:
    """Of what `report.document` makes."""
    results = document["results"]
    passed = sum(result["passed"] for result in results)
    names = {result["scenario"] for result in results}
    drawn = sorted(families(results), key=_place)
    rest = "".join(_other(name, group) for name, group in others(results).items())
    about_nats = """NATs are named mapping-filtering as in RFC 4787, all boxes of a site together: ei
endpoint-independent, ad address-dependent, apd address-and-port-dependent; m mapping, f filtering. Touch
a field or a row to read more.""" if drawn else ""
    title = "Other scenarios" if drawn else "Scenarios"
    return page.document("peersock in simulated networks", STYLE, f"""
<p>{len(results)} runs of {len(names)} scenario{"s"[len(names) == 1:]} in {document["wall_seconds"]:.0f} s of real time;
{_count(passed)} as expected, {_count(len(results) - passed)} not. {about_nats}</p>
{_key(NAMES)}
{"".join(map(_family, drawn))}{_throughput(results)}
{f'<h2>{title}</h2><div class="list scenarios">{rest}</div>' if rest else ""}
{_failures(results)}<p id="about"></p>""")
