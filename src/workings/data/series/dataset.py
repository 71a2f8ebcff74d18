"""A series as a dataset: its steps are split in order of time, and windows are drawn from each part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from workings.base.errors import refuse
from workings.base.problems import Problem, shorten
from workings.data.dataset import Dataset
from workings.data.schema import Schema, Task
from workings.data.series import transform
from workings.data.series.plan import Plan, split_by_time
from workings.data.series.prepare import SeriesPreparation
from workings.data.series.reading import Series
from workings.data.series.sources import SeriesSource
from workings.data.series.transform import Transform
from workings.data.series.values import still
from workings.data.split import Split


class SeriesDataset(Dataset):
    """One step a row; see :class:`workings.data.series.reading.Series`."""

    kind: Literal["series"] = "series"
    counted = "steps"

    def __init__(self, series: Series, plan: Plan, task: Task, schema: Schema, options: Mapping[str, Any]) -> None:
        self.series = series
        self.plan = plan
        self.task = task
        self.schema = schema
        self.options = dict(options)
        self.n = len(series.values)
        self.problems = [*series.problems, *plan.problems]
        self.digest = series.digest

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """In order of time; nothing is drawn."""
        return split_by_time(self.n, self.plan, test_fraction, val_fraction)

    def val_share(self) -> tuple[float, str] | None:
        """Of the steps before the test part, where the user gave the parts."""
        return self.plan.val_share()

    def fit(self, train_rows: np.ndarray) -> SeriesPreparation:
        """Transform, means and deviations, from the steps ``train_rows`` only.

        Raises:
            UserError: a logarithm of values that are not above 0; too few steps.
        """
        series, plan = self.series, self.plan
        y = series.values[train_rows]
        chosen, told = self._transform(y)
        needed = plan.window + chosen.lag + plan.horizon
        if len(y) < needed:
            what = f"The training part has {len(y):,} steps; one window with its forecast needs {needed:,}."
            raise refuse("too-short", what, do="Give a smaller window or horizon, or a longer series.")
        d = chosen.difference(chosen.level(y))[chosen.lag :]
        scale, std = d.std(0), y.std(0)
        told += still(series.names, std, "The net cannot learn what they do later.")
        lag = plan.season if len(y) > plan.season else 1
        naive = np.abs(y[lag:, : series.targets] - y[:-lag, : series.targets]).mean(0)
        return SeriesPreparation(
            variables=series.names,
            targets=series.targets,
            time_column=series.time_column,
            step=series.step,
            season=plan.season,
            horizon=plan.horizon,
            window=plan.window,
            fill=str(self.options.get("fill", "refuse")),
            mean=y.mean(0).tolist(),
            std=np.where(std > 0, std, 1.0).tolist(),
            log=list(chosen.log),
            lag=chosen.lag,
            shift=d.mean(0).tolist(),
            scale=np.where(scale > 1e-12, scale, 1.0).tolist(),
            naive=naive.tolist(),
            target=self.task.target,
            target_mean=float(y[:, 0].mean()),
            target_std=float(std[0]) or 1.0,
            rows=len(train_rows),
            problems=told,
        )

    def _transform(self, y: np.ndarray) -> tuple[Transform, list[Problem]]:
        """The transform asked for, or the one that helps on the training steps."""
        series, plan = self.series, self.plan
        positive = series.values.min(0) > 0
        asked = str(self.options.get("transform", "auto"))
        if asked == "auto":
            chosen, why = transform.choose(y, positive, plan.season, plan.window, plan.horizon, series.targets)
        else:
            below = [name for name, each in zip(series.names, positive, strict=True) if not each]
            if "log" in asked and below:
                raise refuse(
                    "log-of-zero",
                    f"There is no logarithm of {len(below)} variable(s) with values of 0 or below.",
                    where=shorten(below),
                    count=len(below),
                    do="Say --set transform=difference or transform=none.",
                )
            log = (("log" in asked),) * len(series.names)
            chosen, why = Transform(log, plan.season if "difference" in asked else 0), "as asked"
        said = [
            *(["logarithms"] if any(chosen.log) else []),
            *([f"differences over {chosen.lag} steps"] if chosen.lag else []),
        ]
        what = f"The net sees {' and '.join(said)} of the values" if said else "The net sees the values as they are"
        return chosen, [Problem("note", "series-transform", f"{what}, standardised: {why}.")]

    def source(self, prep: SeriesPreparation, rows: np.ndarray) -> SeriesSource:
        """The windows that forecast steps within ``rows`` only; they may look back on steps before these.

        Raises:
            UserError: there are too few steps for one window.
        """
        rows = np.asarray(rows, dtype=np.int64)
        first = max(int(rows[0]), prep.needs) if len(rows) else 0
        starts = np.arange(first, int(rows[-1]) - prep.horizon + 2) if len(rows) else np.empty(0, np.int64)
        if not len(starts):
            needed = prep.needs + prep.horizon
            what = f"The series has {self.n:,} steps; one window with its forecast needs {needed:,}."
            why = f"{prep.needs:,} steps are looked back on, {prep.horizon:,} are forecast."
            raise refuse("too-short", what, count=self.n, why=why, do="Give a longer series.")
        self._check_logs(prep)
        return SeriesSource(self.series, prep, starts)

    def _check_logs(self, prep: SeriesPreparation) -> None:
        check_logs(self.series, prep)


def check_logs(series: Series, prep: SeriesPreparation) -> None:
    """Refuse values that have no logarithm where the net was trained on logarithms."""
    bad = [
        (name, int((series.values[:, v] <= 0).sum()))
        for v, (name, log) in enumerate(zip(series.names, prep.log, strict=True))
        if log and (series.values[:, v] <= 0).any()
    ]
    if bad:
        raise refuse(
            "log-of-zero",
            f"{len(bad)} variable(s) have values of 0 or below, and the net was trained on logarithms.",
            where=", ".join(f"{name} ({count:,})" for name, count in bad),
            count=sum(count for _, count in bad),
            do="Correct these values, or train with --set transform=none.",
        )
