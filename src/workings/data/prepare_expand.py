"""Compact rows to the matrix x, by a preparation: the one code that makes every feature of every row.

All arithmetic is float64 and element by element, then rounded to float32, so a row gives the same bits alone, in a
batch and in the whole table.
"""

from __future__ import annotations

import numpy as np

from workings.base.errors import refuse
from workings.data.prepare import CategoryPlan, NumberPlan, TablePreparation
from workings.data.table_layout import FIRST, MISSING, OTHER, CodeColumn, Layout

BLOCK = 16_384  # rows that are expanded at once, so that intermediate results stay in the cache
NONE = -1
SMOOTH = 3.0  # where the robust scaling begins to bend


class Expansion:
    """A preparation bound to a layout: ``self(records) -> x``."""

    def __init__(self, prep: TablePreparation, layout: Layout) -> None:
        """The columns of ``prep`` are found in ``layout`` by name.

        Raises:
            UserError: a column is not in the layout.
        """
        self.layout = layout
        self.width = len(prep.features)
        at = {column.name: k for k, column in enumerate(layout.numbers)}
        plans = prep.numbers
        if missing := [plan.name for plan in plans if plan.name not in at]:
            raise refuse("not-this-preparation", f"The preparation needs the columns {missing}, which are not here.")
        self._columns = [at[plan.name] for plan in plans]
        self._fill = np.array([plan.fill for plan in plans])
        self._zeros = [k for k, plan in enumerate(plans) if plan.zero_is_missing]
        self._scaled = [k for k, plan in enumerate(plans) if plan.scaled]
        self._shift = np.array([plans[k].shift for k in self._scaled])
        self._scale = np.array([plans[k].scale for k in self._scaled])
        self._robust = [j for j, k in enumerate(self._scaled) if plans[k].how == "robust"]
        self._quantile = [(j, k, *_curve(plans[k])) for j, k in enumerate(self._scaled) if plans[k].how == "quantile"]
        self._indicators = [k for k, plan in enumerate(plans) if plan.indicator]
        bins = [
            (k, low, high)
            for k, plan in enumerate(plans)
            for low, high in zip(plan.edges, plan.edges[1:], strict=False)
        ]
        self._binned = [k for k, _, _ in bins]
        self._low = np.array([low for _, low, _ in bins])
        self._per_width = np.array([1 / (high - low) for _, low, high in bins])
        self._centre = np.array([centre for plan in plans for centre in plan.centres])
        self._first_code = len(self._scaled) + len(self._indicators) + len(bins)
        self._bind_categories(prep.categories, layout)

    def _bind_categories(self, plans: list[CategoryPlan], layout: Layout) -> None:
        """One table from every code of every column to a feature, or to none."""
        at = {column.name: k for k, column in enumerate(layout.codes)}
        if missing := [plan.name for plan in plans if plan.name not in at]:
            raise refuse("not-this-preparation", f"The preparation needs the columns {missing}, which are not here.")
        tables: list[np.ndarray] = []
        feature = self._first_code
        for plan in plans:
            table, count = _table(plan, layout.codes[at[plan.name]], feature)
            tables.append(table)
            feature += count
        assert feature == self.width, f"{feature} features, {self.width} names"
        self._codes = [at[plan.name] for plan in plans]
        self._feature_of = np.concatenate(tables) if tables else np.empty(0, dtype=np.int64)
        self._starts = np.cumsum([0, *(len(table) for table in tables)])[:-1].astype(np.int64)

    def __call__(self, records: np.ndarray) -> np.ndarray:
        """(n, features) float32 of ``records`` (n,)."""
        x = np.zeros((len(records), self.width), dtype=np.float32)
        for start in range(0, len(records), BLOCK):
            self._expand(records[start : start + BLOCK], x[start : start + BLOCK])
        return x

    def _expand(self, records: np.ndarray, x: np.ndarray) -> None:
        if self._columns:
            self._expand_numbers(self.layout.values(records)[:, self._columns], x)
        if self._codes:
            code = records["code"][:, self._codes].astype(np.int64)
            feature = self._feature_of[code + self._starts]
            row, column = np.nonzero(feature != NONE)
            x[row, feature[row, column]] = 1.0

    def _expand_numbers(self, V: np.ndarray, x: np.ndarray) -> None:
        for k in self._zeros:
            V[V[:, k] == 0, k] = np.nan
        absent = np.isnan(V)
        V = np.where(absent, self._fill, V)
        end = len(self._scaled)
        z = (V[:, self._scaled] - self._shift) * self._scale
        if self._robust:
            r = z[:, self._robust]
            z[:, self._robust] = r / np.sqrt(1 + (r / SMOOTH) ** 2)
        for j, k, quantiles, scores, beyond in self._quantile:
            z[:, j] = np.interp(V[:, k], quantiles, scores)
            if beyond:
                z[:, j] += beyond * (V[:, k] - np.clip(V[:, k], quantiles[0], quantiles[-1]))
        x[:, :end] = z
        x[:, end : end + len(self._indicators)] = absent[:, self._indicators]
        if self._binned:
            t = np.clip((V[:, self._binned] - self._low) * self._per_width, 0.0, 1.0)
            x[:, end + len(self._indicators) : self._first_code] = t - self._centre


def _curve(plan: NumberPlan) -> tuple[np.ndarray, np.ndarray, float]:
    return np.array(plan.quantiles), np.array(plan.scores), plan.beyond


def _table(plan: CategoryPlan, column: CodeColumn, feature: int) -> tuple[np.ndarray, int]:
    """(the feature of each code, how many features)."""
    table = np.full(FIRST + len(column.categories), NONE, dtype=np.int64)
    position = {category: feature + k for k, category in enumerate(plan.categories)}
    count = len(plan.categories)
    for k, category in enumerate(column.categories):
        table[FIRST + k] = position.get(category, NONE)
    if plan.boolean:
        table[MISSING] = table[OTHER] = feature if plan.fill_yes and count else NONE
    if plan.rare:
        table[OTHER] = feature + count
        rare = [FIRST + k for k, category in enumerate(column.categories) if category not in position]
        table[rare] = feature + count
        count += 1
    if plan.missing:
        table[MISSING] = feature + count
        count += 1
    return table, count


def feature_names(numbers: list[NumberPlan], categories: list[CategoryPlan]) -> tuple[list[str], list[str]]:
    """(names, fields) of the features, in the order in which they are made."""
    named: list[tuple[str, str]] = [(plan.name, plan.field) for plan in numbers if plan.scaled]
    named += [(f"{plan.name} is missing", plan.field) for plan in numbers if plan.indicator]
    for plan in numbers:
        pairs = zip(plan.edges, plan.edges[1:], strict=False)
        named += [(f"{plan.name} from {low:.6g} to {high:.6g}", plan.field) for low, high in pairs]
    for plan in categories:
        named += [(f"{plan.name} = {category}", plan.name) for category in plan.categories]
        if plan.rare:
            named.append((f"{plan.name} is another", plan.name))
        if plan.missing:
            named.append((f"{plan.name} is missing", plan.name))
    return [name for name, _ in named], [field for _, field in named]


def columns_of(prep: TablePreparation) -> tuple[int, ...]:
    """What the features are, group by group, as a net learns them: see :class:`workings.base.form.Form`."""
    found = [1 for plan in prep.numbers if plan.scaled]
    found += [0 for plan in prep.numbers if plan.indicator]
    found += [1 for plan in prep.numbers for _ in plan.centres]
    for plan in prep.categories:
        together = len(plan.categories) + plan.rare + plan.missing
        # Yes or no, and whether it is missing, are two answers; of a category all columns are one.
        found += [0] * together if plan.boolean or together == 1 else [together]
    return tuple(found)
