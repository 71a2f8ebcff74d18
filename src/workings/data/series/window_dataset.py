"""A series whose windows are learnt, without labels: split in order of time, so that no window lies in two parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workings.base.errors import refuse
from workings.base.problems import Problem
from workings.data.labelled_dataset import OfLabels
from workings.data.schema import Schema, Task
from workings.data.series.plan import Plan, split_by_time
from workings.data.series.reading import Series
from workings.data.series.values import still
from workings.data.series.window_prepare import WindowPreparation
from workings.data.series.window_source import WindowSource
from workings.data.split import Split
from workings.data.unsupervised import anomalous_rows


class WindowDataset(OfLabels):
    """One step a row; see :class:`workings.data.series.reading.Series`. y: (n,) class numbers of steps, or None."""

    kind: Literal["series"] = "series"
    counted = "steps"

    def __init__(
        self,
        series: Series,
        plan: Plan,
        task: Task,
        schema: Schema,
        y: NDArray[np.int64] | None,
        options: Mapping[str, Any],
    ) -> None:
        self.series = series
        self.plan = plan
        self.task = task
        self.schema = schema
        self.y = y
        self.options = dict(options)
        self.n = len(series.values)
        self.odd = anomalous_rows(y, task, self.n)
        self.problems = [*series.problems, *plan.problems]
        self.digest = series.digest

    def samples(self, prep: WindowPreparation) -> int:
        """See :meth:`Dataset.samples`: a window begins at each step that has enough behind it."""
        return max(0, self.n - prep.window + 1)

    def rows_of_sample(self, prep: WindowPreparation, i: int) -> np.ndarray:
        """See :meth:`Dataset.rows_of_sample`: the steps of a window."""
        return np.arange(i, i + prep.window)

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """In order of time; nothing is drawn. Anomalous steps are not for training or validation."""
        split = split_by_time(self.n, self.plan, test_fraction, val_fraction)
        reason = "in order of time, the newest steps for testing; no window lies in two parts"
        left = int(self.odd[split.train].sum() + self.odd[split.val].sum())
        if left:
            reason += f"; {left:,} anomalous steps before the test part are left out, and every window that holds one"
        if self.task.anomalies and len(split.test):
            reason += f"; {int(self.odd[split.test].sum()):,} anomalous steps are tested on"
        train, val = (rows[~self.odd[rows]] for rows in (split.train, split.val))
        val = val if len(self._starts(val, self.plan.window)) else val[:0]
        return replace(split, train=train, val=val, reason=reason)

    def val_share(self) -> tuple[float, str] | None:
        """Of the steps before the test part, where the user gave the parts."""
        return self.plan.val_share()

    def fit(self, train_rows: np.ndarray) -> WindowPreparation:
        """Means and deviations, from the steps ``train_rows`` only.

        Raises:
            UserError: too few steps follow each other.
        """
        series, plan = self.series, self.plan
        self._need_windows(train_rows, plan.window, "The training part")
        y = series.values[train_rows]
        std = y.std(0)
        return WindowPreparation(
            variables=series.names,
            time_column=series.time_column,
            step=series.step,
            season=plan.season,
            window=plan.window,
            fill=str(self.options.get("fill", "refuse")),
            mean=y.mean(0).tolist(),
            std=np.where(std > 0, std, 1.0).tolist(),
            target=self.task.target,
            classes=self.task.classes,
            anomalies=self.task.anomalies,
            rows=len(train_rows),
            problems=still(series.names, std, "Any other value of theirs will be unusual."),
        )

    def source(self, prep: WindowPreparation, rows: np.ndarray) -> WindowSource:
        """The windows whose steps are all among ``rows``, side by side.

        Raises:
            UserError: there is none.
        """
        rows = np.asarray(rows, dtype=np.int64)
        self._need_windows(rows, prep.window, "The series" if len(rows) == self.n else "A part of the series")
        return WindowSource(self.series, prep, self._starts(rows, prep.window), self.y, self.odd)

    def _starts(self, rows: np.ndarray, L: int) -> np.ndarray:
        """First steps of the windows of L steps that lie within ``rows``, which grow."""
        if len(rows) < L:
            return np.empty(0, dtype=np.int64)
        return rows[: len(rows) - L + 1][rows[L - 1 :] - rows[: len(rows) - L + 1] == L - 1]

    def _need_windows(self, rows: np.ndarray, L: int, which: str) -> None:
        if len(self._starts(rows, L)):
            return
        regular = " regular" if self.odd.any() else ""
        what = f"{which} has {len(rows):,} steps, and no {L:,}{regular} ones follow each other, as a window needs."
        do = f"Give a longer series, or train with a window below {L}: --set window=N."
        raise refuse("too-short", what, count=len(rows), do=do)

    def shared_rows(self, other: WindowDataset) -> list[Problem]:
        """The warning that steps of ``other``, a separate test set, are also here."""
        mine = {(str(t), v.tobytes()) for t, v in zip(self.series.times, self.series.values, strict=True)}
        again = [
            i
            for i, (t, v) in enumerate(zip(other.series.times, other.series.values, strict=True))
            if (str(t), v.tobytes()) in mine
        ]
        if self.series.time_column is None or not again:
            return []
        what = f"{len(again):,} of {other.n:,} test steps are in the training data, too."
        where = f"{other.series.label(again[0])} to {other.series.label(again[-1])}"
        why = "The network may know them by heart, so the test flatters it."
        return [Problem("warning", "rows-in-both", what, where, len(again), why, "Take them out of one of the two.")]
