"""The charts of nets without labels: where codes lie, and how scores of regular samples and anomalies differ."""

from __future__ import annotations

import numpy as np
import polars

from workings.report.figures import Figure
from workings.report.svg import Axis, Plot
from workings.report.words import number, percent

MOST_DOTS = 1500
MOST_WORDS = 600  # samples that are drawn as their labels
MOST_NAMED = 20  # classes whose names are written at their middle
LETTER, LINE = 7.0, 15.0  # of a label, in the units of the drawing
BINS = 30
FAR = 0.995  # the share of samples that the chart of scores is to reach


def codes_map(told: polars.DataFrame, anomalies: list[str]) -> Figure | None:
    """Each test sample where its code lies, in the two directions in which codes differ most; None without codes."""
    codes = told.select([name for name in told.columns if name[0] == "z" and name[1:].isdecimal()]).to_numpy()
    labels = np.array([str(each) for each in told["label"]]) if "label" in told.columns else None
    short = labels is not None and max(map(len, labels)) <= 2
    rows = np.sort(np.random.default_rng(0).permutation(len(codes))[: MOST_WORDS if short else MOST_DOTS])
    if codes.shape[1] < 2 or len(rows) < 3:
        return None
    at, share = in_two_directions(codes[rows]) if codes.shape[1] > 2 else (codes[rows], 1.0)
    if not np.isfinite(at).all() or not np.ptp(at, axis=0).any():
        return None
    low, high = at.min(0), at.max(0)
    pad = (high - low) * 0.05 + 1e-9
    name = "direction {}" if codes.shape[1] > 2 else "z{}"
    x, y = (Axis(name.format(i + 1), float(low[i] - pad[i]), float(high[i] + pad[i])) for i in (0, 1))
    said = f"{len(rows):,} of {len(codes):,}" if len(rows) < len(codes) else f"{len(rows):,}"
    text = f"{said} test samples."
    if codes.shape[1] > 2:
        text += f" These two directions hold {percent(share, 0)} of the variance of the codes."
    plot = Plot("codes-map", "The map of codes", text, x, y, height=400)
    if labels is None:
        plot.dots(at, "dots")
        return Figure("Codes of test samples", text, plot.svg())
    here, odd = labels[rows], np.isin(labels[rows], anomalies)
    for among, css in ((~odd, ""), (odd, " odd")):
        if short:
            plot.words(at[among], here[among].tolist(), f"glyph{css}")
        elif among.any():
            plot.dots(at[among], f"dots{css}")
    if not short:
        _name(plot, at, here)
    text += " Each is drawn as its label." if short else ""
    text += " Anomalies, which training never saw, are bold." if odd.any() and short else ""
    key = (("column", "regular"), ("odd", "anomalies")) if odd.any() and not odd.all() else ()
    return Figure("Codes of test samples", text, plot.svg(), key)


def in_two_directions(codes: np.ndarray) -> tuple[np.ndarray, float]:
    """Codes (n, d) in the two directions in which they differ most, (n, 2), and the share of their variance there."""
    centred = codes - codes.mean(0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:2].T, float((sizes[:2] ** 2).sum() / max((sizes**2).sum(), 1e-300))


def _name(plot: Plot, at: np.ndarray, labels: np.ndarray) -> None:
    """Write the commonest labels at the middle of their samples, moved apart where they would overlap."""
    names, counts = np.unique(labels, return_counts=True)
    names = names[np.argsort(-counts, kind="stable")][:MOST_NAMED].tolist()
    middles = [np.median(at[labels == name], axis=0) for name in names]
    apart = moved_apart(plot.at(np.array(middles)), [LETTER * len(name) for name in names], LINE)
    for name, middle, (dx, dy) in zip(names, middles, (apart - plot.at(np.array(middles))).tolist(), strict=True):
        plot.text((float(middle[0]), float(middle[1])), name, "middle", dx, dy + 4)


def moved_apart(centres: np.ndarray, widths: list[float], height: float, turns: int = 200) -> np.ndarray:
    """Centres (n, 2) of boxes, moved as little as a few pushes take until no two overlap."""
    at = centres.astype(float).copy()
    for _ in range(turns):
        moved = False
        for i in range(len(at)):
            for j in range(i):
                need = np.array([(widths[i] + widths[j]) / 2, height])
                gap = need - np.abs(at[i] - at[j])
                if (gap > 1e-6).all():  # they overlap: pushed along the side that takes less
                    side = int(gap[1] <= gap[0])
                    way = 1.0 if at[i, side] >= at[j, side] else -1.0
                    at[i, side] += way * (gap[side] / 2 + 1e-3)
                    at[j, side] -= way * (gap[side] / 2 + 1e-3)
                    moved = True
        if not moved:
            break
    return at


def scores(score: np.ndarray, odd: np.ndarray, threshold: float | None, called: str = "samples") -> Figure | None:
    """How many test samples have which score: regular ones as bars, anomalies as a line; None where all are one.

    called: what the samples are called.
    """
    good = np.isfinite(score)
    score, odd = score[good], odd[good]
    if len(score) < 3 or np.ptp(score) == 0:
        return None
    low, high = float(score.min()), float(np.quantile(score, FAR))
    high = max(high, threshold or high)
    if score.max() - low < 1.6 * (high - low):
        high = float(score.max())
    log = low > 0 and high / low > 30
    x = Axis(
        "score, log scale" if log else "score", low / 1.1 if log else low - 0.02 * (high - low), high * 1.02, log=log
    )
    edges = np.geomspace(low, high, BINS + 1) if log else np.linspace(low, high, BINS + 1)
    shares = {}
    for name, among in (("regular", ~odd), ("odd", odd)):
        if among.any():
            shares[name] = np.histogram(score[among], edges)[0] / among.sum()
    most = max(float(each.max()) for each in shares.values())
    beyond = int((score > edges[-1]).sum())
    text = f"Scores of {len(score):,} test {called}, from {number(low, 3)} to {number(float(score.max()), 3)}."
    if threshold is not None:
        groups = [("the regular ones", ~odd), ("the anomalies", odd)] if odd.any() else [("them", ~odd)]
        said = [f"{percent(float((score[a] > threshold).mean()))} of {name}" for name, a in groups if a.any()]
        text += f" Above the threshold of {number(threshold, 3)}: {' and '.join(said)}."
    text += f" {beyond:,} lie beyond the right edge." if beyond else ""
    plot = Plot("scores", f"Scores of test {called}", text, x, Axis(f"share of the {called}", 0.0, most * 1.12))
    for name, each in shares.items():
        if name == "regular":
            plot.bars(edges.tolist(), each.tolist(), "column")
        else:
            plot.line(np.column_stack([np.repeat(edges, 2)[1:-1], np.repeat(each, 2)]), "line odd")
    if threshold is not None:
        plot.rules([((threshold, 0.0), (threshold, most * 1.12))], "mark")
        right = float(x.share(np.array([threshold]))[0]) > 0.7
        plot.text((threshold, most * 1.12), "threshold", "end" if right else "start", -6 if right else 6, 10)
    key = (("column", "regular"), ("odd", "anomalies")) if odd.any() and (~odd).any() else ()
    return Figure("Scores", text, plot.svg(), key)
