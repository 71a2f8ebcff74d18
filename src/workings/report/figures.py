"""The report's charts: each takes numbers and returns one figure, drawn by `svg`.

Solid in the accent colour is what counts (validation, the net); grey and dashed is what it is held against (training,
chance, a perfect fit). Each figure's description says in words what is to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from workings.learning.intervals import wilson
from workings.report.svg import Axis, Plot, nice_ticks
from workings.report.words import count, metric_name, number, percent

Floats = NDArray[np.float64]
MOST_POINTS = 400  # on a line; more cannot be told apart at this size
MOST_DOTS = 1_500


@dataclass(frozen=True)
class Figure:
    """A drawing with what stands above it: a title, a sentence, and a key of (CSS class, words)."""

    title: str
    text: str
    svg: Markup
    key: tuple[tuple[str, str], ...] = ()


def drawn(figure: Figure) -> Markup:
    """As the template draws the charts that all reports have, for a section of its own."""
    key = "".join(
        f'<li><svg viewBox="0 0 26 8" aria-hidden="true"><path class="line {css}" d="M1 4H25"/></svg>'
        f"{escape(words)}</li>"
        for css, words in figure.key
    )
    text = f"<p>{escape(figure.text)}</p>" if figure.text else ""
    keys = f'<ul class="keys">{key}</ul>' if key else ""
    head = f"<figcaption><strong>{escape(figure.title)}</strong>{text}{keys}</figcaption>"
    return Markup(f"<figure>{head}{figure.svg}</figure>")


def curve(
    name: str, lines: dict[str, Floats], best: tuple[float, float] | None = None, unique: str | None = None
) -> Figure:
    """A metric over the steps. lines: "train" and "val", each (n, 2) of step and value; best: the point kept."""
    drawn = {split: _thin(line[np.isfinite(line[:, 1])]) for split, line in lines.items() if len(line)}
    values = np.concatenate([line[:, 1] for line in drawn.values()])
    steps = np.concatenate([line[:, 0] for line in drawn.values()])
    low, high = float(values.min()), float(values.max())
    log = low > 0 and high / low > 30 and name != "learning_rate"
    pad = (high - low) * 0.06
    if name == "learning_rate":
        y = Axis("", 0.0, high + pad)
    elif log:
        y = Axis("log scale", low / 1.2, high * 1.2, log=True)
    else:
        y = Axis("", low - pad, high + pad)
    ends = "; ".join(
        f"{_SPLITS[split]} from {number(line[0, 1])} to {number(line[-1, 1])}" for split, line in drawn.items()
    )
    kept = f" The kept weights are those of step {best[0]:,.0f}, at {number(best[1])}." if best else ""
    plot = Plot(
        unique or f"curve-{name}",
        f"{metric_name(name)} over the steps",
        f"{ends}, over {steps.max():,.0f} steps.{kept}",
        Axis("step", 0.0, float(steps.max())),
        y,
    )
    for split, line in drawn.items():
        css = "main" if split == "val" or len(drawn) == 1 else "other"
        plot.line(line, f"line {css}")
        if len(line) <= 25:  # few looks: shown as such, so that nobody reads the lines between them as measured
            plot.dots(line, f"look {css}")
    if best:
        plot.rules([((best[0], plot.y.low), (best[0], plot.y.high))], "mark")
        plot.dots([best], "spot")
        late = best[0] > 0.6 * steps.max()
        # At the end of the rule that is farther from the point, where no curve can be in the way of both.
        top = float(y.share(np.array([best[1]]))[0]) < 0.5
        edge = (best[0], y.high if top else y.low)
        plot.text(edge, "kept", "end" if late else "start", -6 if late else 6, 11 if top else -6)
    key = tuple((("main" if split == "val" or len(drawn) == 1 else "other"), _SPLITS[split]) for split in drawn)
    title = metric_name(name)
    return Figure(title[0].upper() + title[1:], "", plot.svg(), key if len(key) > 1 else ())


_SPLITS = {"train": "training rows", "val": "validation rows"}


def roc(positive: NDArray[np.bool_], score: Floats, area: float | None, name: str) -> Figure:
    """True against false positives, for every threshold; the threshold in use is marked."""
    fpr, tpr, _ = roc_curve(positive, score, drop_intermediate=True)
    said = score > 0.5
    spot = (float(said[~positive].mean()), float(said[positive].mean()))
    plot = Plot(
        "roc",
        "ROC curve",
        f"At the threshold of one half {percent(spot[1])} of ‘{name}’ are found, with {percent(spot[0])} false alarms."
        + (f" The area under the curve is {area:.3f}." if area is not None else ""),
        _unit_axis("false alarms: share of the others"),
        _unit_axis("found: share of the positives"),
        height=300,
    )
    plot.line([(0, 0), (1, 1)], "line other")
    plot.line(_thin(np.column_stack([fpr, tpr])), "line main")
    plot.dots([spot], "spot")
    plot.text(spot, "threshold ½", "start", 9, 12)
    shown = f"Area {area:.3f}. " if area is not None else ""
    return Figure("ROC curve", f"{shown}The diagonal is guessing.", plot.svg())


def precision_recall(positive: NDArray[np.bool_], score: Floats, average: float | None, name: str) -> Figure:
    """Precision against recall, for every threshold; the share of positives is what guessing gives."""
    precision, recall, _ = precision_recall_curve(positive, score, drop_intermediate=True)
    share = float(positive.mean())
    plot = Plot(
        "pr",
        "Precision–recall curve",
        f"{percent(share)} of the test rows are ‘{name}’; guessing has that precision at every recall."
        + (f" The average precision is {average:.3f}." if average is not None else ""),
        _unit_axis("recall: share of the positives found"),
        _unit_axis("precision: share of the found that are"),
        height=300,
    )
    plot.line([(0, share), (1, share)], "line other")
    # In steps: between two thresholds there is nothing to interpolate.
    plot.line(_thin(np.repeat(np.column_stack([recall, precision]), 2, axis=0)[1:]), "line main")
    said = score > 0.5
    if said.any():
        spot = (float(said[positive].mean()), float(positive[said].mean()))
        plot.dots([spot], "spot")
        plot.text(spot, "threshold ½", "end" if spot[0] > 0.3 else "start", -9 if spot[0] > 0.3 else 9, 14)
    shown = f"Average precision {average:.3f}. " if average is not None else ""
    return Figure("Precision and recall", f"{shown}The dashed line is guessing.", plot.svg())


def reliability(hit: NDArray[np.bool_], stated: Floats, what: str, bins: int = 10) -> Figure:
    """How often it is so, against how probable the net said it was; bars are 95 % intervals."""
    place = np.minimum((stated * bins).astype(int), bins - 1)
    n = np.bincount(place, minlength=bins)
    used = np.flatnonzero(n)
    said = np.bincount(place, stated, bins)[used] / n[used]
    seen = np.bincount(place, hit, bins)[used] / n[used]
    error = float((n[used] * np.abs(said - seen)).sum() / n.sum())
    edges = [wilson(float(s * m), float(m)) for s, m in zip(seen, n[used], strict=True)]
    lowest = 0.0 if stated.min() < 0.5 else 0.5
    plot = Plot(
        "reliability",
        "Reliability diagram",
        "; ".join(
            f"said {percent(a, 0)}, seen {percent(b, 0)} in {count(int(m), 'row')}"
            for a, b, m in zip(said, seen, n[used], strict=True)
        ),
        _unit_axis(f"probability the net gave to {what}", lowest),
        _unit_axis("how often it was so", 0.0 if lowest == 0 else min(0.5, np.floor(min(seen) * 10) / 10)),
        height=300,
    )
    plot.line([(lowest, lowest), (1, 1)], "line other")
    plot.rules([((s, low), (s, high)) for s, (low, high) in zip(said, edges, strict=True)], "whisker")
    plot.line(np.column_stack([said, seen]), "line main thin")
    plot.dots(np.column_stack([said, seen]), "spot")
    text = f"On the diagonal, what is called 80 % is so in 80 %. Mean gap (ECE) {percent(error)}."
    return Figure("Calibration", text, plot.svg())


def predicted_against_true(truth: Floats, prediction: Floats, target: str) -> Figure:
    """One dot a row; on the diagonal the prediction is right."""
    shown = _some(len(truth))
    low, high = float(min(truth.min(), prediction.min())), float(max(truth.max(), prediction.max()))
    both = np.array([low, high])
    correlation = float(np.corrcoef(truth, prediction)[0, 1]) if np.ptp(truth) and np.ptp(prediction) else 0.0
    plot = Plot(
        "scatter",
        "Predicted against true values",
        f"{count(len(shown), 'row')}; correlation of truth and prediction {correlation:.3f}.",
        _padded(f"true {target}", both),
        _padded(f"predicted {target}", both),
        height=320,
    )
    plot.dots(np.column_stack([truth, prediction])[shown], _dots(len(shown)))
    plot.line([(low, low), (high, high)], "line other")
    return Figure("Predicted against true", f"{_drawn(shown, truth)}On the diagonal a prediction is exact.", plot.svg())


def residuals_against_predicted(truth: Floats, prediction: Floats, target: str) -> Figure:
    """A cloud without shape is good; a funnel or a bend is something the net has not learnt."""
    shown = _some(len(truth))
    e = truth - prediction
    plot = Plot(
        "residuals",
        "Residuals against predicted values",
        f"Residuals from {number(float(e.min()))} to {number(float(e.max()))}, mean {number(float(e.mean()))}.",
        _padded(f"predicted {target}", prediction),
        _padded("true − predicted", e),
        height=320,
    )
    plot.dots(np.column_stack([prediction, e])[shown], _dots(len(shown)))
    plot.line([(plot.x.low, 0), (plot.x.high, 0)], "line other")
    text = "A cloud without shape is good; a funnel or a bend is something not learnt."
    return Figure("Residuals", _drawn(shown, truth) + text, plot.svg())


def residual_histogram(truth: Floats, prediction: Floats) -> Figure:
    """How residuals are spread; the outermost hundredth on either side is gathered in the outer bars."""
    e = truth - prediction
    low, high = np.percentile(e, [0.5, 99.5])
    ticks = nice_ticks(float(low), float(high), 24)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    edges = np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
    heights, _ = np.histogram(np.clip(e, edges[0], edges[-1]), edges)
    plot = Plot(
        "histogram",
        "Histogram of the residuals",
        f"Half of all residuals lie between {number(float(np.percentile(e, 25)))} and "
        f"{number(float(np.percentile(e, 75)))}; the mean is {number(float(e.mean()))}.",
        Axis("true − predicted", float(edges[0]), float(edges[-1])),
        Axis("rows", 0.0, float(heights.max()) * 1.05),
        height=320,
    )
    plot.bars(edges.tolist(), heights.tolist(), "column")
    plot.rules([((0, 0), (0, plot.y.high))], "mark")
    outside = int(((e < edges[0]) | (e > edges[-1])).sum())
    text = f"The outer bars also hold the {count(outside, 'row')} beyond them." if outside else ""
    return Figure("How residuals are spread", text, plot.svg())


def _unit_axis(label: str, low: float = 0.0) -> Axis:
    return Axis(label, low, 1.0, ticks=nice_ticks(low, 1.0), written=lambda x: f"{x:.1f}" if 0 < x < 1 else f"{x:.0f}")


def _padded(label: str, values: Floats) -> Axis:
    """An axis with a little room on either side."""
    low, high = float(values.min()), float(values.max())
    pad = (high - low) * 0.04
    return Axis(label, low - pad, high + pad)


def _dots(n: int) -> str:
    return "dots few" if n < 400 else "dots"


def _thin(line: Floats) -> Floats:
    """At most about ``MOST_POINTS`` of the points, the first, the last and each stretch's extremes among them."""
    if len(line) <= MOST_POINTS:
        return line
    kept = {0, len(line) - 1}
    for stretch in np.array_split(np.arange(len(line)), MOST_POINTS // 2):
        values = line[stretch, 1]
        kept |= {int(stretch[values.argmin()]), int(stretch[values.argmax()])}
    return line[sorted(kept)]


def _some(n: int) -> NDArray[np.intp]:
    return np.arange(n) if n <= MOST_DOTS else np.sort(np.random.default_rng(0).choice(n, MOST_DOTS, replace=False))


def _drawn(shown: NDArray[np.intp], rows: Floats) -> str:
    return f"{len(shown):,} of {len(rows):,} rows, drawn at random. " if len(shown) < len(rows) else ""
