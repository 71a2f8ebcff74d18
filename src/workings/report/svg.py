"""A small drawing board: one plot with two axes, written as SVG that follows the page's colours.

Every plot has a title and a description for those who do not see it. Sizes are in the plot's own units, chosen so
that text is about 12 px high both in two columns on a desk and in one on a telephone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup, escape

from workings.report.words import minus, number, raised

WIDTH, HEIGHT = 400, 270
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 30, 42
WIDE = 1e8  # of a log axis: greatest over least, from which its ticks are powers of ten

Points = Sequence[tuple[float, float]] | np.ndarray


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) between ``low`` and ``high``."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12 - math.floor(math.log10(step))) for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Powers of ten between ``low`` and ``high``, evenly some of them where there are more than ``most``; also their
    doubles and fivefolds where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    apart = -(-(last - first) // most) or 1
    decades = range(first - first % apart, last + 1, apart)
    factors = (1,) if math.log10(high / low) > 2.5 else (1, 2, 5)
    return [f * 10.0**d for d in decades for f in factors if low * 0.999 <= f * 10.0**d <= high * 1.001]


@dataclass
class Axis:
    """The range shown, what it is of, and how its ticks are written."""

    label: str
    low: float
    high: float
    log: bool = False
    ticks: list[float] | None = None
    written: Callable[[float], str] | None = None

    def __post_init__(self) -> None:
        if not self.high > self.low:  # one value only: room round it
            pad = abs(self.low) * 0.1 or 1.0
            self.low, self.high = self.low - (0 if self.log else pad), self.high + pad

    def share(self, values: np.ndarray) -> np.ndarray:
        """Where values lie between ``low`` (0) and ``high`` (1)."""
        if self.log:
            return np.log(values / self.low) / math.log(self.high / self.low)
        return (values - self.low) / (self.high - self.low)

    def marks(self) -> list[tuple[float, str]]:
        """Ticks with their text."""
        ticks = self.ticks or (log_ticks(self.low, self.high) if self.log else nice_ticks(self.low, self.high))
        written = self.written or (lambda x: tick_text(x, ticks))
        if self.log and not self.written and self.high / self.low > WIDE:
            written = _power
        return [(tick, written(tick)) for tick in ticks]


def _power(x: float) -> str:
    """A power of ten as one: 10²⁴, but 1 and 10."""
    d = round(math.log10(x))
    return f"{10**d}" if d in (0, 1) else f"10{raised(d)}"


def tick_text(x: float, ticks: list[float]) -> str:
    """A tick in as few digits as tell it from the others; from ten thousand on with k, M and G."""
    largest = max(abs(t) for t in ticks)
    for size, divisor, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if largest >= size:
            return minus(f"{x / divisor:g}") + (unit if x else "")
    if abs(x) >= 1e3:
        return minus(f"{x:,g}")
    plain = f"{round(x, 12):g}"
    return number(x, 2).removeprefix("1 × ") if "e" in plain else minus(plain)


@dataclass
class Plot:
    """A plot to be drawn on. ``desc`` says in words what is to be seen; ``key`` makes its ids unique in the page."""

    key: str
    title: str
    desc: str
    x: Axis
    y: Axis
    height: int = HEIGHT
    parts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def at(self, points: Points) -> np.ndarray:
        """Points (n, 2) of the data in the units of the drawing, (n, 2)."""
        p = np.asarray(points, float).reshape(-1, 2)
        across = LEFT + self.x.share(p[:, 0]) * (WIDTH - LEFT - RIGHT)
        up = self.height - BOTTOM - self.y.share(p[:, 1]) * (self.height - TOP - BOTTOM)
        return np.column_stack([across, up])

    def line(self, points: Points, css: str) -> None:
        """A line through the points."""
        self.parts.append(f'<path class="{css}" d="M{"L".join(_pairs(self.at(points)))}"/>')

    def area(self, points: Points, css: str) -> None:
        """The area between the points, closed."""
        self.parts.append(f'<path class="{css}" d="M{"L".join(_pairs(self.at(points)))}Z"/>')

    def dots(self, points: Points, css: str) -> None:
        """A round dot at each point, all in one path: strokes of no length with round ends."""
        self.parts.append(f'<path class="{css}" d="{"".join(f"M{pair}h0" for pair in _pairs(self.at(points)))}"/>')

    def words(self, points: Points, words: Sequence[str], css: str) -> None:
        """A word in the place of a dot at each point, centred on it."""
        for (x, y), word in zip(self.at(points).tolist(), words, strict=True):
            self.parts.append(
                f'<text class="{css}" x="{x:.0f}" y="{y + 3:.0f}" text-anchor="middle">{escape(word)}</text>'
            )

    def rules(self, segments: Iterable[tuple[tuple[float, float], tuple[float, float]]], css: str) -> None:
        """A straight line for each pair of points."""
        path = "".join(f"M{'L'.join(_pairs(self.at(pair)))}" for pair in segments)
        self.parts.append(f'<path class="{css}" d="{path}"/>')

    def bars(self, edges: Sequence[float], heights: Sequence[float], css: str) -> None:
        """A bar from 0 between each two edges, a hair's breadth apart."""
        base = float(self.at([(self.x.low, max(0.0, self.y.low))])[0, 1])
        for low, high, height in zip(edges[:-1], edges[1:], heights, strict=True):
            (left, top), (right, _) = self.at([(low, height), (high, height)])
            width = max(0.5, right - left - 1)
            self.parts.append(
                f'<rect class="{css}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{base - top:.1f}"/>'
            )

    def text(self, point: tuple[float, float], words: str, anchor: str = "start", dx: float = 0, dy: float = 0) -> None:
        """Words beside a point of the data; dx, dy in the units of the drawing."""
        x, y = self.at([point])[0]
        self.labels.append(
            f'<text class="label" x="{x + dx:.1f}" y="{y + dy:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def svg(self) -> Markup:
        """The whole, as text that may stand in a page."""
        right, bottom = WIDTH - RIGHT, self.height - BOTTOM
        grid, words = [], []
        for value, text in self.y.marks():
            y = self.at([(self.x.low, value)])[0, 1]
            grid.append(f"M{LEFT} {y:.1f}H{right}")
            words.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>')
        for value, text in self.x.marks():
            x = self.at([(value, self.y.low)])[0, 0]
            words.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{escape(text)}</text>')
        middle = (LEFT + right) / 2
        words.append(
            f'<text class="axis" x="{middle}" y="{self.height - 6}" text-anchor="middle">{escape(self.x.label)}</text>'
        )
        words.append(f'<text class="axis" x="2" y="14">{escape(self.y.label)}</text>')
        return Markup(
            f'<svg class="plot" viewBox="0 0 {WIDTH} {self.height}" role="img" '
            f'aria-labelledby="{self.key}-t {self.key}-d">'
            f'<title id="{self.key}-t">{escape(self.title)}</title><desc id="{self.key}-d">{escape(self.desc)}</desc>'
            f'<clipPath id="{self.key}-c"><rect x="{LEFT - 5}" y="{TOP - 5}" width="{right - LEFT + 10}" '
            f'height="{bottom - TOP + 10}"/></clipPath>'
            f'<path class="grid" d="{"".join(grid)}"/>{"".join(words)}'
            f'<path class="base" d="M{LEFT} {bottom}H{right}"/>'
            f'<g clip-path="url(#{self.key}-c)">{"".join(self.parts)}</g>{"".join(self.labels)}</svg>'
        )


def _pairs(at: np.ndarray) -> list[str]:
    return [f"{x:.1f} {y:.1f}" for x, y in at.tolist()]
