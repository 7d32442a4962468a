"""The matrix as one HTML file that needs nothing else, and fits a phone."""

import html
import math
from typing import Any

from testbed import page

QUICK, SLOW = 100.0, 2000.0  # milliseconds, from the lightest to the darkest

STYLE = """
.direct{--is:var(--direct)}.relayed{--is:var(--relayed)}.failed{--is:var(--failed)}
.wrong{--is:var(--wrong)}.key .slow{--slow:1}
.direct,.relayed,.failed,.wrong{background:var(--is);
background:color-mix(in srgb,var(--is),#000 calc(55%*var(--slow,0)))}
.map{--first:1.6em;display:grid;gap:1px;margin-top:.6rem}
.map>*{min-width:0;overflow:hidden;text-align:center;font-size:clamp(5px,1.25vw,12px);line-height:1}
.map b{font-weight:600;padding:.25em 0;align-self:center}
.map button{border:0;border-radius:2px;color:#fff;aspect-ratio:1;padding:0;font-family:inherit}
.map i{display:none;font-style:normal;font-weight:400}
@media(min-width:60rem){.map{--first:12em}.map i{display:inline}.map b:has(i){text-align:right;
padding-right:.5em;white-space:nowrap}}
li.bad{color:var(--wrong)}li small{opacity:.75}
.map button:focus{outline:2px solid Highlight}
#about{min-height:6.5em}
#about:empty::before{content:"Touch a cell: what became of it, and why, is said here.";opacity:.65}
ol{padding-left:1.8rem;columns:19rem;column-gap:2.5rem}li{break-inside:avoid;overflow-wrap:anywhere}
table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:right}
td:first-child,th:first-child{text-align:left}
"""


def _about(cell: dict[str, Any]) -> str:
    relay = "" if cell["relay"] else " without a relay"
    parts = [f"{cell['connecting']} → {cell['listening']}{relay}: {cell['outcome']}"]
    if cell["first_octet_ms"] is not None:
        parts.append(f"first octet after {cell['first_octet_ms']:.0f} ms, candidates {cell['path']} "
                     f"over {cell['transport']}")
    if cell["reason_given"]:
        parts.append(f"peersock says: {cell['reason_given']}")
    if cell["deviates"]:
        parts.append(f"expected {' or '.join(cell['expected'])}")
    elif cell["expected"] != [cell["theory"]]:
        parts.append(f"theory allows {cell['theory']}")
    parts.append(cell["reason"])
    if cell["why"]:
        parts.append(cell["why"][-400:])
    return ". ".join(parts)


def _cell(cell: dict[str, Any]) -> str:
    kind = "wrong" if cell["deviates"] else cell["outcome"]
    label = "–" if cell["first_octet_ms"] is None else f"{cell['first_octet_ms']:.0f}"
    said = _about(cell)
    return (f'<button class="{kind}" style="--slow:{_slowness(cell["first_octet_ms"]):.2f}" '
            f'{page.about(said)} title="{html.escape(said)}">{label}</button>')


def _slowness(milliseconds: float | None) -> float:
    """From 0, 100 ms and less, to 1, two seconds and more: each octave counts the same."""
    octaves = math.log2(max(milliseconds or 0.0, QUICK) / QUICK)
    return min(1.0, octaves / math.log2(SLOW / QUICK))


def _profile(profile: dict[str, Any]) -> str:
    parts = [f"{html.escape(profile['name'])}: {html.escape(profile['text'])}"]
    said = profile["doctor"]
    if said.get("mapping", "unknown") != "unknown":
        parts.append(f"<small>mapping {html.escape(said['mapping'])}, filtering "
                     f"{html.escape(said['filtering'])}</small>")
    parts += [html.escape(sentence) for sentence in profile["deviations"]]
    return f"<li{' class=bad' if profile['deviates'] else ''}>{'; '.join(parts)}</li>"


def _times(summary: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(kind)}</td><td>{f['median']:.0f}</td><td>{f['least']:.0f}</td>"
        f"<td>{f['most']:.0f}</td><td>{f['cells']}</td></tr>"
        for kind, f in summary["first_octet_ms"].items())
    return ("<table><tr><th>path</th><th>median</th><th>least</th><th>most</th><th>cells</th></tr>"
            f"{rows}</table>")


def _scenarios(summary: dict[str, Any]) -> str:
    if not summary["scenarios"]:
        return ""
    rows = []
    for scenario in summary["scenarios"]:
        kind = "wrong" if scenario["deviates"] else scenario["outcome"]
        label = "–" if scenario["first_octet_ms"] is None else f"{scenario['first_octet_ms']:.0f}"
        parts = [scenario["text"]]
        if scenario["like_ms"] is not None:
            parts.append(f"compared with {scenario['like_ms']:.0f} ms")
        if scenario["stood_still_ms"] is not None:
            parts.append(f"data stood still for {scenario['stood_still_ms'] / 1000:.1f} s")
        if scenario["reason_given"]:
            parts.append(f"peersock says: {scenario['reason_given']}")
        parts += scenario["deviations"]
        rows.append(f'<div><span class="{kind}">{label}</span> <b>{html.escape(scenario["name"])}</b>'
                    f": {html.escape('; '.join(parts)[:600])}</div>")
    return f'<h2>Scenarios</h2><div class="list scenarios">{"".join(rows)}</div>'


def _matrix(summary: dict[str, Any]) -> str:
    if not summary["cells"]:
        return ""
    names = [profile["name"] for profile in summary["profiles"]]
    # The worst of several runs of a cell is shown, and one with a relay rather than one without.
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in sorted(summary["cells"], key=lambda cell: not cell["relay"]):
        key = cell["connecting"], cell["listening"]
        if key not in cells or cell["deviates"]:
            cells[key] = cell
    heads = "".join(f'<b title="{html.escape(name, quote=True)}">{n + 1}</b>'
                    for n, name in enumerate(names))
    rows = "".join(
        f"<b><i>{html.escape(row)} </i>{n + 1}</b>" + "".join(
            _cell(cells[row, column]) if (row, column) in cells else "<b></b>" for column in names)
        for n, row in enumerate(names))
    legend = "".join(_profile(profile) for profile in summary["profiles"])
    columns = f"grid-template-columns:var(--first) repeat({len(names)},1fr)"
    return (f'<div class="map" style="{columns}"><b></b>{heads}{rows}</div><p id="about"></p>'
            f"<h2>Profiles</h2><ol>{legend}</ol><h2>First octet, ms</h2>{_times(summary)}")


def render(summary: dict[str, Any]) -> str:
    return page.document("peersock behind NATs", STYLE, f"""
<p>{len(summary["cells"])} cells and {len(summary["scenarios"])} scenarios in
{summary["seconds"]:.0f} s, {summary["deviations"]} not as expected. Rows connect, columns listen; the
figure is the time from typing the code to the first octet in milliseconds, and a darker cell a slower
one. Touch a cell to see why.</p>
<p class="key"><span class="direct">direct</span><span class="direct slow">slowly</span><span
class="relayed">relayed</span><span class="relayed slow">slowly</span>
<span class="failed">no connection, as expected</span><span class="wrong">not as expected</span></p>
{_matrix(summary)}{_scenarios(summary)}""")
