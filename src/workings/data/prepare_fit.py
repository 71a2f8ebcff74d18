"""Fitting a preparation on the training rows, and on no others."""

from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist

import numpy as np

from workings.base.errors import UserError
from workings.base.problems import Problem, shorten
from workings.data.prepare import CategoryPlan, NumberPlan, PrepareSettings, Scaling, TablePreparation
from workings.data.prepare_expand import feature_names
from workings.data.schema import Task
from workings.data.table_layout import FIRST, MISSING, CodeColumn, Layout, NumberColumn
from workings.data.table_store import Store
from workings.data.table_target import missing_column
from workings.data.table_zeros import zeros_that_mean_missing, zeros_told

SAMPLED_ROWS = 500_000  # a median of so many rows is known to a thousandth of the spread
BLOCK = 65_536
ZERO_ROWS = 50_000  # rows that show well enough whether 0 means missing
QUANTILES = 256
FEW_VALUES = 16  # different numbers up to which quantiles make no sense
FAR = 8.0  # standard deviations: a value beyond is an outlier that a linear scale would let dominate
NORMAL_IQR = 1.349  # interquartile range of a normal distribution with standard deviation 1


def fit_preparation(
    store: Store,
    layout: Layout,
    task: Task,
    y: np.ndarray | None,
    train_rows: np.ndarray,
    settings: PrepareSettings,
) -> TablePreparation:
    """The preparation of ``train_rows`` (int64). y: (n,) class numbers or values of all rows.

    Raises:
        UserError: ``zeros_as_missing`` names a column that is no used column of numbers.
    """
    names = [column.name for column in layout.numbers]
    asked = [] if settings.zeros_as_missing == "auto" else settings.zeros_as_missing
    wrong = [name for name in asked if name not in names]
    if wrong:
        raise UserError([missing_column(name, names, "The table's numbers") for name in wrong])
    problems: list[Problem] = []
    rows = train_rows
    if len(rows) > SAMPLED_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, SAMPLED_ROWS, replace=False))
        what = f"Medians, means and quantiles rest on {SAMPLED_ROWS:,} of the {len(train_rows):,} training rows."
        problems.append(Problem("note", "fitted-on-sample", what, "drawn at random", SAMPLED_ROWS))
    V, counts = _read(store, layout, rows)
    if settings.zeros_as_missing == "auto":
        settings = settings.model_copy(update={"zeros_as_missing": _zeros(layout, V)})
    counts_0 = {name: int((V[:, names.index(name)] == 0).sum()) for name in settings.zeros_as_missing}
    problems += zeros_told(counts_0, "zeros in the training rows")
    on = task.kind == "unsupervised"  # far values are to be far
    numbers = [_number_plan(column, V[:, k], settings, on) for k, column in enumerate(layout.numbers)]
    categories = [_category_plan(column, count, settings) for column, count in zip(layout.codes, counts, strict=True)]
    problems += _told(numbers, categories, settings)
    numbers = [plan for plan in numbers if plan.scaled or plan.indicator]
    categories = [plan for plan in categories if plan.categories or plan.rare or plan.missing]
    features, fields = feature_names(numbers, categories)
    if not features:
        what = "No column is left to learn from: all are constant in the training rows."
        raise UserError(Problem("error", "no-features", what, do="Give columns that differ from row to row."))
    mean, std = 0.0, 1.0
    if task.classes is None and y is not None:
        known = y[train_rows]
        mean, std = float(known.mean()), float(known.std()) or 1.0
    return TablePreparation(
        settings=settings,
        numbers=numbers,
        categories=categories,
        features=features,
        fields=fields,
        target=task.target,
        task_kind=task.kind,
        classes=task.classes,
        target_mean=mean,
        target_std=std,
        anomalies=task.anomalies,
        rows=len(train_rows),
        rows_used=len(rows),
        problems=problems,
    )


def _read(store: Store, layout: Layout, rows: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """(numbers (m, columns) float64; rows of every code of every column of codes)."""
    V = np.empty((len(rows), len(layout.numbers)))
    counts = [np.zeros(FIRST + len(column.categories), dtype=np.int64) for column in layout.codes]
    for start in range(0, len(rows), BLOCK):
        records = store.take(rows[start : start + BLOCK])
        V[start : start + len(records)] = layout.values(records)
        for k, count in enumerate(counts):
            count += np.bincount(records["code"][:, k], minlength=len(count))
    return V, counts


def _number_plan(column: NumberColumn, v: np.ndarray, settings: PrepareSettings, on: bool) -> NumberPlan:
    zero_is_missing = column.name in settings.zeros_as_missing
    absent = np.isnan(v) | ((v == 0) & zero_is_missing)
    seen = np.sort(v[~absent])
    plan = NumberPlan(
        name=column.name,
        field=column.field,
        how="standardise",
        fill=float(_quantiles(seen, np.array([0.5]))[0]) if len(seen) else 0.0,
        indicator=bool(absent.any() and len(seen)),
        zero_is_missing=zero_is_missing,
    )
    if not len(seen) or seen[0] == seen[-1]:
        return plan.model_copy(update={"scaled": False})
    mean, std = float(seen.mean()), float(seen.std())
    q25, median, q75 = _quantiles(seen, np.array([0.25, 0.5, 0.75]))
    how = _scaling(seen, mean, std, settings)
    update: dict[str, object] = {"how": how, "shift": mean, "scale": 1 / std}
    if how == "robust":
        # More than half the rows may have one value; then the whole range is the scale.
        spread = (q75 - q25) / NORMAL_IQR or std
        update |= {"shift": float(median), "scale": float(1 / spread)}
    if how == "quantile":
        quantiles, scores = _normal_scores(seen)
        update |= {"quantiles": quantiles, "scores": scores, "beyond": 1 / std if on else 0.0}
    if settings.bins:
        edges = _edges(seen, settings.bins)
        update |= {"edges": edges.tolist(), "centres": _centres(seen, edges)}
    return plan.model_copy(update=update)


def _edges(seen: np.ndarray, bins: int) -> np.ndarray:
    """The borders of ``bins`` bins of sorted numbers, about as many rows in each; none for two values or fewer.

    Where many rows share one value, quantiles fall together; the bins lost so are laid through the rest of the rows
    (measured on validation rows: a column of mostly zeros, such as capital gains, would otherwise get almost none).
    """
    values = np.unique(seen)
    if len(values) <= 2:
        return np.empty(0)
    if len(values) <= bins + 1:
        return values
    edges, count = np.unique(_quantiles(seen, np.linspace(0, 1, bins + 1)), return_counts=True)
    lost = bins + 1 - len(edges)
    rest = seen[~np.isin(seen, edges[count > 1])]
    if lost and len(rest):
        edges = np.unique(np.concatenate([edges, _quantiles(rest, (np.arange(lost) + 0.5) / lost)]))
    return edges


def _centres(seen: np.ndarray, edges: np.ndarray) -> list[float]:
    """The training mean of each bin's feature, so that the net's inputs have mean 0."""
    return [float(np.clip((seen - low) / (high - low), 0.0, 1.0).mean()) for low, high in pairwise(edges)]


def _scaling(seen: np.ndarray, mean: float, std: float, settings: PrepareSettings) -> Scaling:
    if settings.numeric != "auto":
        return settings.numeric
    farthest = max(seen[-1] - mean, mean - seen[0]) / std
    many = len(np.unique(seen[:: max(1, len(seen) // 10_000)])) > FEW_VALUES
    return "quantile" if farthest > FAR and many else "standardise"


def _quantiles(seen: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles of sorted numbers, linear between neighbours."""
    at = levels * (len(seen) - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, len(seen) - 1)
    return seen[low] + (at - low) * (seen[high] - seen[low])


def _normal_scores(seen: np.ndarray) -> tuple[list[float], list[float]]:
    """(values, Φ⁻¹ of the middle of the share of rows at each) of sorted numbers: ties share their middle."""
    values = np.unique(_quantiles(seen, np.linspace(0, 1, QUANTILES)))
    below = np.searchsorted(seen, values, side="left")
    upto = np.searchsorted(seen, values, side="right")
    share = np.clip((below + upto) / (2 * len(seen)), 0.5 / len(seen), 1 - 0.5 / len(seen))
    normal = NormalDist()
    scores = np.array([normal.inv_cdf(float(p)) for p in share])
    # Ties and clipping move the mean and the spread; the net wants 0 and 1.
    z = np.interp(seen, values, scores)
    scores = (scores - z.mean()) / (z.std() or 1.0)
    return values.tolist(), scores.tolist()


def _category_plan(column: CodeColumn, counts: np.ndarray, settings: PrepareSettings) -> CategoryPlan:
    missing = bool(counts[MISSING] > 0)
    own = counts[FIRST:]
    if column.boolean:
        no, yes = (int(own[0]), int(own[1])) if len(own) > 1 else (0, int(own.sum()))
        both = no > 0 and yes > 0
        return CategoryPlan(
            name=column.name,
            categories=[column.categories[1]] if both else [],
            boolean=True,
            missing=missing,
            fill_yes=yes > no,
        )
    order = np.argsort(-own, kind="stable")
    kept = [int(k) for k in order if own[k] >= settings.min_category_rows][: settings.max_categories]
    rest = int(counts.sum() - counts[MISSING] - own[kept].sum())
    one = len(kept) == 1 and rest == 0  # a column that is 1 in every row, but for missing ones, says nothing new
    return CategoryPlan(
        name=column.name,
        categories=[] if one else [column.categories[k] for k in kept],
        rare=rest > 0,
        missing=missing,
    )


def _told(numbers: list[NumberPlan], categories: list[CategoryPlan], settings: PrepareSettings) -> list[Problem]:
    found: list[Problem] = []
    same = [plan.name for plan in numbers if not plan.scaled and not plan.indicator]
    same += [plan.name for plan in categories if not (plan.categories or plan.rare or plan.missing)]
    if same:
        what = f"{len(same)} column(s) have one value in all training rows and are left out."
        found.append(Problem("note", "constant-in-training", what, shorten(same), len(same)))
    rare = [plan.name for plan in categories if plan.rare]
    if rare:
        what = f"{len(rare)} column(s) have more categories than get a column; the rare ones share one."
        do = "Raise max_categories, or lower min_category_rows."
        found.append(Problem("note", "rare-categories", what, shorten(rare), len(rare), do=do))
    bent = [plan.name for plan in numbers if plan.scaled and plan.how == "quantile"]
    if bent and settings.numeric == "auto":
        what = f"{len(bent)} column(s) of numbers are spread evenly by their ranks (quantile scaling)."
        why = f"Values more than {FAR:g} standard deviations away would dominate a linear scale."
        do = "To scale them linearly: numeric=standardise."
        found.append(Problem("note", "quantile-scaling", what, shorten(bent), len(bent), why, do))
    return found


def _zeros(layout: Layout, V: np.ndarray) -> list[str]:
    """Names of the columns of ``V`` (m, numbers) in which 0 means missing, by some of the training rows."""
    measured = [k for k, column in enumerate(layout.numbers) if not column.part]
    some = V[:: max(1, len(V) // ZERO_ROWS), measured]
    return [layout.numbers[measured[k]].name for k in zeros_that_mean_missing(some, sure=True)]
