"""Prepared rows back to cells in the user's own units: the inverse of ``prepare_expand``, as far as there is one.

    standardise   v = x / scale + shift
    robust        r = x / √(1 − (x / 3)²), v = r / scale + shift
    quantile      v = F⁻¹(Φ(x)), by the training rows' quantiles, and on by standard deviations
    category      the one whose column is largest;  yes or no: yes where its column is above a half
    missing       where the column that says so is above a half, or the largest of a category's columns

What preparation loses does not come back:

    a number      where 0 counts as missing: a 0; of a task with labels that quantiles scale, one beyond all of them
    a gap         in a column that had none in training: it was filled, and comes back as what it was filled with
    a category    among the rare ones that share a column comes back as ``(another)``; one that training never saw, as
                  missing
    a date        day and time of day decide; how it was written, fractions of a second, and the zone
    a column      that is no feature, or had one value in all training rows

Numbers come back to about six digits of their training rows' spread, since x is float32, and as whole numbers where
the data holds only such.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import polars as pl

from workings.data.prepare import CategoryPlan, NumberPlan, TablePreparation
from workings.data.prepare_expand import SMOOTH
from workings.data.schema import Field, Schema
from workings.data.table_layout import DATE_PARTS, TIME_PARTS

ANOTHER = "(another)"
HALF = 0.5
DIGITS = 6  # of the training rows' standard deviation; float32 keeps about seven of x
NEAR_END = 1e-6  # of the robust scale, whose inverse is infinite at ±3
SECONDS = 86_400
FIRST_DAY, LAST_DAY = ((datetime(year, 1, 1) - datetime(1970, 1, 1)).days for year in (1, 9999))


def to_cells(prep: TablePreparation, schema: Schema, x: np.ndarray) -> pl.DataFrame:
    """Rows x (n, features), prepared by ``prep`` or made up by a net, as a table with the columns of ``schema``.

    A column of numbers is Float64 or Int64, a date Date or Datetime, others text, or numbers where the data's were.
    """
    assert x.ndim == 2
    assert x.shape[1] == len(prep.features), f"{x.shape[1]} numbers a row, {len(prep.features)} features"
    x = np.asarray(x, dtype=np.float64)
    values, absent, first = _numbers(prep.numbers, x)
    made: dict[str, pl.Series] = {}
    plans = {plan.name: k for k, plan in enumerate(prep.numbers)}
    for plan in prep.categories:
        width = len(plan.categories) + plan.rare + plan.missing
        made[plan.name] = _categories(plan, schema.field(plan.name), x[:, first : first + width])
        first += width
    for name in dict.fromkeys(plan.field for plan in prep.numbers):
        field = schema.field(name)
        if field.kind == "date":
            made |= {each.name: each for each in _dates(field, plans, values, absent)}
        else:
            k = plans[name]
            made[name] = _numeric(field, prep.numbers[k], values[k], absent[k])
    order = {name: k for k, name in enumerate(schema.names)}
    return pl.DataFrame(sorted(made.values(), key=lambda each: order.get(each.name.split(": ")[0], len(order))))


def _numbers(plans: Sequence[NumberPlan], x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], int]:
    """(values (n,) of each plan, whether they are missing (n,), the first feature behind those of numbers)."""
    scaled = [plan.name for plan in plans if plan.scaled]
    said = [plan.name for plan in plans if plan.indicator]
    values, absent = [], []
    for plan in plans:
        column = x[:, scaled.index(plan.name)] if plan.scaled else None
        values.append(np.full(len(x), plan.fill) if column is None else _unscaled(plan, column))
        flag = x[:, len(scaled) + said.index(plan.name)] if plan.indicator else np.zeros(len(x))
        absent.append(flag > HALF)
    return values, absent, len(scaled) + len(said) + sum(len(plan.centres) for plan in plans)


def _unscaled(plan: NumberPlan, z: np.ndarray) -> np.ndarray:
    if plan.how == "quantile":
        v = np.interp(z, plan.scores, plan.quantiles)
        return v + (z - np.clip(z, plan.scores[0], plan.scores[-1])) / plan.beyond if plan.beyond else v
    if plan.how == "robust":
        t = np.clip(z / SMOOTH, -1 + NEAR_END, 1 - NEAR_END)
        z = SMOOTH * t / np.sqrt(1 - t**2)
    return z / plan.scale + plan.shift


def _numeric(field: Field, plan: NumberPlan, v: np.ndarray, absent: np.ndarray) -> pl.Series:
    if field.whole:
        v = np.clip(np.rint(v), -(2.0**62), 2.0**62)
        return _with_gaps(pl.Series(field.name, v.astype(np.int64)), absent)
    spread = 1 / abs(plan.scale) if plan.scaled else 0.0
    if plan.scaled and plan.how == "quantile":
        spread = min(spread, min(np.diff(plan.quantiles), default=spread))
    if spread > 0:
        v = np.round(v, max(0, DIGITS - int(np.floor(np.log10(spread)))))
    return _with_gaps(pl.Series(field.name, v), absent)


def _with_gaps(series: pl.Series, absent: np.ndarray) -> pl.Series:
    gap = pl.Series(absent)
    return pl.select(pl.when(gap).then(None).otherwise(series)).to_series().alias(series.name)


def _dates(
    field: Field, plans: dict[str, int], values: Sequence[np.ndarray], absent: Sequence[np.ndarray]
) -> list[pl.Series]:
    """The date of its day and hour; its parts, each a column, where the day is none of the features."""
    names = {part: f"{field.name}: {said}" for part, said in (DATE_PARTS | TIME_PARTS).items()}
    here = {part: plans[name] for part, name in names.items() if name in plans}
    gap = np.logical_or.reduce([absent[k] for k in here.values()])
    if "day" not in here:
        return [_with_gaps(pl.Series(names[part], np.round(values[k], 2)), gap) for part, k in here.items()]
    day = np.clip(np.rint(values[here["day"]]), FIRST_DAY, LAST_DAY)
    if not field.date_has_time:
        return [_with_gaps(pl.Series(field.name, day.astype(np.int32)).cast(pl.Date), gap)]
    hour = np.clip(values[here["hour"]], 0, 24) if "hour" in here else np.zeros(len(day))
    second = np.rint(day * SECONDS + np.minimum(np.rint(hour / 24 * SECONDS), SECONDS - 1))
    moment = pl.Series(field.name, (second * 1e6).astype(np.int64)).cast(pl.Datetime("us"))
    return [_with_gaps(moment, gap)]


def _categories(plan: CategoryPlan, field: Field, x: np.ndarray) -> pl.Series:
    """x: (n, columns) of the field, one a category, then of rare ones and of missing where there are such."""
    missing = x[:, -1] > HALF if plan.missing else np.zeros(len(x), dtype=bool)
    own = list(plan.categories)
    if plan.boolean:
        yes = x[:, 0] > HALF if own else np.full(len(x), plan.fill_yes)
        words = np.array(field.categories if len(field.categories) == 2 else ["no", *own], dtype=object)
        texts = words[yes.astype(np.int64)]
    else:
        names: list[str | None] = [*own, *([ANOTHER] if plan.rare else []), *([None] if plan.missing else [])]
        if len(names) == 1:  # whether it is missing is all that the feature says, or whether it is rare
            only = field.categories[0] if field.categories else None
            names, x = [only if names[0] is None else None, names[0]], np.stack([1 - x[:, 0], x[:, 0]], 1)
        texts = np.array(names, dtype=object)[x.argmax(1)]
        missing = np.logical_and.reduce(x <= 0, axis=1)
    series = _with_gaps(pl.Series(field.name, texts.tolist(), dtype=pl.String), missing)
    return _typed(series, field)


def _typed(series: pl.Series, field: Field) -> pl.Series:
    """Of the type that the data's cells had, where that was numbers or true and false and all texts can be it."""
    if field.dtype == "boolean":
        return series == "true"
    if field.dtype.startswith(("int", "uint", "float")) and ANOTHER not in series:
        number = series.cast(pl.Float64, strict=False)
        if number.null_count() == series.null_count():
            whole = field.dtype.startswith(("int", "uint"))
            return number.cast(pl.Int64) if whole else number
    return series
