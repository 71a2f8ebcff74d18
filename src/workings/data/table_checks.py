"""What only the values of all rows show: columns that leak the target, and repeated rows."""

from __future__ import annotations

import numpy as np

from workings.base.problems import Problem, shorten
from workings.base.typed import as_typed
from workings.data.schema import Task
from workings.data.split import MOST_EQUALS, groups_of_equals, has_equals
from workings.data.table_layout import Layout
from workings.data.table_store import Store

SAMPLED_ROWS = 50_000
LEAK = 0.99  # area under the ROC curve, or R², of one column alone, on rows it was not fitted on
LEAK_ROWS = 50
LEAK_BINS = 64


def sample(store: Store, layout: Layout, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(numbers (m, columns), codes (m, columns), y (m,)) of up to 50,000 random rows."""
    n = len(store)
    rows = np.arange(n)
    if n > SAMPLED_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(n, SAMPLED_ROWS, replace=False))
    records = store.take(rows)
    return layout.values(records), records["code"].astype(np.int64), y[rows]


# ------------------------------------------------------------------------------------------------- leak


def leak_problems(layout: Layout, V: np.ndarray, codes: np.ndarray, y: np.ndarray, task: Task) -> list[Problem]:
    """A warning that names the columns of which each alone predicts the target almost perfectly."""
    if len(y) < LEAK_ROWS:
        return []
    generator = np.random.default_rng(0)
    fitted = generator.random(len(y)) < 0.5
    found: list[str] = []
    for name, bins in _binned(layout, V, codes):
        score = single_column_score(bins, y, fitted, task)
        if score >= LEAK:
            figure = "R²" if task.classes is None else "ROC AUC"
            found.append(f"{name} ({figure} {score:.3f})")
    if not found:
        return []
    what = f"{len(found)} column(s) alone predict '{task.target}' almost perfectly."
    why = "Such a column often holds the answer itself, or was written after it was known; in use it will be missing."
    do = f"If it is not known when the prediction is needed, leave it out: {as_typed('drop', ['COLUMN'])}"
    return [Problem("warning", "target-leak", what, shorten(found, 10), len(found), why, do)]


def _binned(layout: Layout, V: np.ndarray, codes: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Every column as whole numbers (m,): the code, or one of 64 bins with equally many rows, 0 for missing."""
    columns: list[tuple[str, np.ndarray]] = []
    for k, column in enumerate(layout.numbers):
        v = V[:, k]
        seen = v[~np.isnan(v)]
        if len(seen):
            edges = np.unique(np.quantile(seen, np.linspace(0, 1, LEAK_BINS + 1)[1:-1]))
            bins = np.searchsorted(edges, v, side="right") + 1
            columns.append((column.name, np.where(np.isnan(v), 0, bins)))
    for k, column in enumerate(layout.codes):
        columns.append((column.name, codes[:, k]))
    return columns


def single_column_score(bins: np.ndarray, y: np.ndarray, fitted: np.ndarray, task: Task) -> float:
    """How well the mean of y in each bin of the ``fitted`` rows predicts the others: ROC AUC or R², 0 if unknown.

    bins, y, fitted: (m,). For several classes the lowest AUC of a class against all others.
    """
    count = int(bins.max()) + 1
    rows = np.bincount(bins[fitted], minlength=count)
    if task.classes is None:
        mean = y[fitted].mean()
        guess = (np.bincount(bins[fitted], weights=y[fitted], minlength=count) + mean) / (rows + 1)
        test = y[~fitted]
        spread = ((test - test.mean()) ** 2).sum()
        return float(1 - ((test - guess[bins[~fitted]]) ** 2).sum() / spread) if spread > 0 else 0.0
    scores: list[float] = []
    for k in range(1, 2) if len(task.classes) == 2 else range(len(task.classes)):
        positive = y == k
        share = (np.bincount(bins[fitted & positive], minlength=count) + positive[fitted].mean()) / (rows + 1)
        # Rows of one bin are tied, so the area follows from the counts of each bin.
        hits = np.bincount(bins[~fitted & positive], minlength=count)
        others = np.bincount(bins[~fitted & ~positive], minlength=count)
        if hits.sum() >= 5 and others.sum() >= 5:
            scores.append(_area(share, hits, others))
    return min(scores, default=0.0)


def _area(share: np.ndarray, hits: np.ndarray, others: np.ndarray) -> float:
    """Chance that a hit has a higher share than another, ties counting half."""
    _, level = np.unique(share, return_inverse=True)
    hits, others = np.bincount(level, weights=hits), np.bincount(level, weights=others)
    lower = np.cumsum(others) - others
    return float((hits * (lower + others / 2)).sum() / (hits.sum() * others.sum()))


# ------------------------------------------------------------------------------------------- repetitions


def duplicate_problems(hashes: np.ndarray, y: np.ndarray, rows: np.ndarray, task: Task) -> list[Problem]:
    """Rows that repeat all features of another, and whether they agree on the target.

    hashes, y, rows: (n,): equal for equal features; targets; row numbers from 0.
    """
    if not has_equals(hashes):
        return []
    order = np.argsort(hashes, kind="stable")
    h, t = hashes[order], y[order]
    start = np.flatnonzero(np.r_[True, h[1:] != h[:-1]])
    repeated = len(h) - len(start)
    size = np.diff(np.r_[start, len(h)])
    again = order[np.setdiff1d(np.arange(len(h)), start, assume_unique=True)]
    first = ", ".join(f"{int(row) + 1:,}" for row in np.sort(rows[again])[:5])
    more = f" and {repeated - 5:,} more" if repeated > 5 else ""
    share = repeated / len(h)
    what = f"{repeated:,} row(s) ({share:.1%}) repeat all features of an earlier row."
    groups = groups_of_equals(hashes)
    why = "On both sides of a split they would let the network be tested on what it has learnt by heart."
    do = "Equal rows are kept on one side of the split."
    if groups is not None and _comes_often(hashes, groups):
        do = f"{do} Those that come more than {MOST_EQUALS} times are split like any others."
    if groups is None:
        why = "With so few different rows, or so many equal ones, repetition is in the nature of the data."
        do = "They are split like any others."
    found = [Problem("warning", "duplicate-rows", what, f"rows {first}{more}", repeated, why, do)]
    low, high = np.minimum.reduceat(t, start), np.maximum.reduceat(t, start)
    differ = (low != high) & (size > 1)
    if task.classes is not None and differ.any():
        count = int(size[differ].sum())
        judged = task.kind == "unsupervised"
        groups = [
            ", ".join(str(int(r) + 1) for r in np.sort(rows[order[s : s + m]])[:3])
            for s, m in zip(start[differ][:3], size[differ][:3], strict=True)
        ]
        what = f"{count:,} rows have equal features and different classes."
        why = "No network can be right on all of them; this bounds the accuracy that can be reached."
        if judged:
            what = f"{count:,} rows have equal features, some of them being anomalies and some regular."
            why = "No score can tell them apart."
        where = f"{int(differ.sum()):,} group(s), such as rows {'; '.join(groups)}"
        found.append(Problem("warning", "conflicting-labels", what, where, count, why, "Check these labels."))
    return found


def _comes_often(hashes: np.ndarray, groups: np.ndarray) -> bool:
    """Whether some equal rows are not kept together."""
    return len(np.unique(groups)) > len(np.unique(hashes))
