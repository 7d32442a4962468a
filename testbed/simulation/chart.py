"""The drawings of a page of results: SVG that takes its colours from the page, light or dark."""

import dataclasses
import html
import math
from collections.abc import Sequence

from testbed import page

WIDTH = 360.0  # of each drawing; text is as large on a phone as it says
SMALL, USUAL = 9, 10
RIGHT = 40.0   # for figures behind rows


class Scale:
    """From values to places. Logarithmic where the values are far apart, and from zero where they are
    not close to each other.
    """

    def __init__(self, values: Sequence[float], start: float, end: float, spread: float = 8) -> None:
        self.low, self.high = min(values), max(values)
        self.logarithmic = self.low > 0 and self.high / self.low > spread
        if not self.logarithmic:
            self.low = self.low * 0.95 if self.high < 2 * self.low else 0.0
        self.high = self.high if self.high > self.low else self.low + 1
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self._start + (self._end - self._start) * share

    def ticks(self) -> list[float]:
        decades = range(math.floor(math.log10(self.high)) - 9, math.ceil(math.log10(self.high)) + 1)
        steps = [m * 10.0 ** d for d in decades for m in (1, 2, 5)]
        if self.logarithmic:
            found = [step for step in steps if self.low <= step <= self.high * 1.0001]
            return found if len(found) <= 7 else [step for step in found if f"{step:e}"[0] != "2"]
        step = next(step for step in steps if (self.high - self.low) / step <= 5)
        return [n * step for n in range(math.ceil(self.low / step), int(self.high / step * 1.0001) + 1)]


def text(x: float, y: float, words: str, size: float = USUAL, anchor: str = "start",
         more: str = "") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"{more}>'
            f"{html.escape(words)}</text>")


def svg(height: float, label: str, parts: Sequence[str]) -> str:
    return (f'<svg viewBox="0 0 {WIDTH:g} {height:.0f}" role="img" aria-label="{html.escape(label)}">'
            f'{"".join(parts)}</svg>')


def time_text(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f}\u00a0ms"
    return f"{seconds:.2f}\u00a0s" if seconds < 10 else f"{seconds:.0f}\u00a0s"


def tick_text(seconds: float) -> str:
    return "0" if not seconds else f"{seconds * 1000:g}\u00a0ms" if seconds < 1 else f"{seconds:g}\u00a0s"


# ---- a map ----

@dataclasses.dataclass
class Field:
    """A field of a map: parts side by side, with their share of the width and how strong they are."""

    parts: list[tuple[str, float, float]]
    figure: str
    about: str
    marked: bool = False


def heat_map(label: str, names: list[str], fields: dict[tuple[str, str], Field]) -> str:
    """The first name of a pair is the row's."""
    left, top = 58.0, 60.0
    size = min((WIDTH - left) / len(names), 44.0)
    parts = []
    for number, name in enumerate(names):
        at = number * size + size / 2
        parts.append(text(left - 4, top + at + 3, name, SMALL, "end"))
        parts.append(text(0, 0, name, SMALL, "start",
                          f' transform="translate({left + at + 3:.1f} {top - 4:.1f}) rotate(-90)"'))
    for down, row in enumerate(names):
        for across, column in enumerate(names):
            if (row, column) in fields:
                parts.append(_field(fields[row, column], left + across * size, top + down * size, size))
    return svg(top + size * len(names) + 2, label, parts)


def _field(field: Field, x: float, y: float, size: float) -> str:
    inside, at = size - 1.5, x
    parts = []
    for kind, share, strength in field.parts:
        parts.append(f'<rect class="{kind}" x="{at:.1f}" y="{y:.1f}" width="{share * inside:.1f}" '
                     f'height="{inside:.1f}" fill-opacity="{strength:.2f}"/>')
        at += share * inside
    if field.marked:
        parts.append(f'<rect class="marked" x="{x + 1:.1f}" y="{y + 1:.1f}" width="{inside - 2:.1f}" '
                     f'height="{inside - 2:.1f}"/>')
    parts.append(text(x + inside / 2, y + inside / 2 + 3, field.figure, SMALL, "middle"))
    return f'<g tabindex="0" role="button" {page.about(field.about)}>{"".join(parts)}</g>'


# ---- distributions ----

@dataclasses.dataclass
class Row:
    label: str
    kind: str
    least: float
    low: float     # a quarter is below
    middle: float
    high: float    # a quarter is above
    most: float
    about: str


def distributions(label: str, rows: list[Row]) -> str:
    left, top, height = 122.0, 16.0, 14.0
    scale = Scale([end for row in rows for end in (row.least, row.most)], left, WIDTH - RIGHT)
    bottom = top + height * len(rows)
    parts = [*_time_axis(scale, top, bottom)]
    for number, row in enumerate(rows):
        y = top + height * number + height / 2
        parts.append(
            f'<g tabindex="0" role="button" {page.about(row.about)}>'
            + f'<rect class="row" x="0" y="{y - height / 2:.1f}" width="{WIDTH:g}" height="{height:g}"/>'
            + text(left - 5, y + 3, row.label, SMALL, "end")
            + f'<path class="{row.kind}" d="M{scale(row.least):.1f} {y:.1f}H{scale(row.most):.1f}"/>'
            + f'<rect class="{row.kind}" x="{scale(row.low) - 1:.1f}" y="{y - 3:.1f}" '
              f'width="{max(scale(row.high) - scale(row.low), 0) + 2:.1f}" height="6" rx="2"/>'
            + f'<path class="middle" d="M{scale(row.middle):.1f} {y - 5:.1f}v10"/>'
            + text(WIDTH - 1, y + 3, time_text(row.middle), SMALL, "end") + "</g>")
    return svg(bottom + 4, label, parts)


def _time_axis(scale: Scale, top: float, bottom: float) -> list[str]:
    parts, last = [], -math.inf
    for tick in scale.ticks():
        x = scale(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>')
        if x - last >= 34:  # or the words would meet
            parts.append(text(x, top - 5, tick_text(tick), SMALL, "middle"))
            last = x
    return parts


@dataclasses.dataclass
class Curve:
    label: str
    kind: str


@dataclasses.dataclass
class Arrivals(Curve):
    """How many of `total` have come by a time."""

    times: list[float]  # sorted, of those that have come
    total: int


def arrivals(label: str, curves: list[Arrivals]) -> str:
    """The share of all sessions that had connected by a time."""
    left, top, bottom = 34.0, 16.0, 170.0
    scale = Scale([time for curve in curves for time in curve.times], left, WIDTH - 8)
    parts = _time_axis(scale, top, bottom)
    for percent in (0, 25, 50, 75, 100):
        y = bottom - (bottom - top) * percent / 100
        parts.append(f'<path class="grid" d="M{left:.1f} {y:.1f}H{WIDTH - 8:.1f}"/>')
        parts.append(text(left - 4, y + 3, f"{percent} %", SMALL, "end"))
    for curve in curves:
        way, last = "", bottom
        for number, time in enumerate(curve.times, 1):
            y = bottom - (bottom - top) * number / curve.total
            way += f"{'L' if way else 'M'}{scale(time):.1f} {last:.1f}V{y:.1f}"
            last = y
        parts.append(f'<path class="curve {curve.kind}" d="{way}H{WIDTH - 8:.1f}"/>')
    return svg(bottom + 6, label, parts)


@dataclasses.dataclass
class Points(Curve):
    """With what lies around each."""

    points: list[tuple[float, float, float, float]]  # where, least, middle, most


def points(label: str, curves: list[Points], unit: str, axis: str) -> str:
    """Both scales begin at zero, unless the upright one has to be logarithmic."""
    left, top, bottom = 40.0, 18.0, 210.0
    across = Scale([0.0, *(point[0] for curve in curves for point in curve.points)], left, WIDTH - 12)
    up = Scale([end for curve in curves for point in curve.points for end in point[1:]], bottom, top)
    parts = [text(2, 9, unit, SMALL), text(WIDTH - 12, bottom + 26, axis, SMALL, "end")]
    for tick in up.ticks():
        parts.append(f'<path class="grid" d="M{left:.1f} {up(tick):.1f}H{WIDTH - 12:.1f}"/>')
        parts.append(text(left - 4, up(tick) + 3, f"{tick:g}", SMALL, "end"))
    for tick in across.ticks():
        parts.append(f'<path class="grid" d="M{across(tick):.1f} {top:.1f}V{bottom:.1f}"/>')
        parts.append(text(across(tick), bottom + 12, f"{tick:g}", SMALL, "middle"))
    for number, curve in enumerate(curves):
        beside = 3 * (number - (len(curves) - 1) / 2)  # so that no line hides another one
        way = "L".join(f"{across(x):.1f} {up(middle):.1f}" for x, _, middle, _ in curve.points)
        parts.append(f'<path class="curve {curve.kind}" d="M{way}"/>')
        for x, least, middle, most in curve.points:
            parts.append(f'<path class="{curve.kind}" d="M{across(x) + beside:.1f} {up(least):.1f}'
                         f'V{up(most):.1f}"/>')
            parts.append(f'<circle class="{curve.kind}" cx="{across(x):.1f}" cy="{up(middle):.1f}" '
                         'r="3"/>')
    return svg(bottom + 30, label, parts)
