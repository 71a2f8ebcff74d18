"""Forecasts: judged from every origin in the test part, drawn with intervals, rolled on behind the horizon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.events import Decided, Emit, Noticed, Phase
from workings.base.problems import Problem, shorten
from workings.data import read_for
from workings.data.dataset import Dataset
from workings.data.schema import TaskKind
from workings.data.series.dataset import SeriesDataset, check_logs
from workings.data.series.sources import SeriesSource
from workings.data.source import Source
from workings.learning.forecast_errors import Scales, evaluate, score, step_errors
from workings.learning.metrics import Evaluation
from workings.learning.outputs import outputs
from workings.learning.step import LossFunction
from workings.learning.task_metrics import names_for
from workings.runs.folder import read_versioned, write_versioned
from workings.runs.forecast_bands import LEVELS, edges, make_bands
from workings.runs.work import Stored, Work, keep_wanted

if TYPE_CHECKING:
    from workings.runs.run import Run

Floats = NDArray[np.float64]
KEPT = "forecast.json"
MOST_JUDGED = 20_000_000  # values that are forecast for one figure; of more, every s-th origin is judged
MOST_QUICK = 4_000_000  # and after each epoch
MOST_KEPT = 200_000  # rows of predictions.parquet; of more, the newest are kept


class ForecastWork(Work):
    """The next values of series."""

    def quick(
        self, task: TaskKind, net: nn.Module, source: Source, loss: LossFunction, stored: Stored | None
    ) -> dict[str, float]:
        """See :class:`Work`."""
        assert isinstance(source, SeriesSource)
        source, _ = source.thinned(MOST_QUICK)
        out = outputs(net, source, stored=stored)
        found = {"loss": float(loss(out, source.y, source.w))}
        said = source.prep.units(source.levels(_array(out)))
        metrics = score(source.truth(), said, scales(source.prep))
        return found | {name: value for name, value in metrics.items() if name in ("mase", "mse", "mae")}

    def after_training(self, run: Run, train: Source, val: Source | None, emit: Emit) -> None:
        """See :class:`Work`: the bands of later forecasts, from the validation windows."""
        source = train if val is None else val
        assert isinstance(source, SeriesSource)
        source, _ = source.thinned(MOST_JUDGED)
        z = source.levels(_array(outputs(run.net, source)))
        residuals = _levels(source) - z
        kept = make_bands(residuals, "training" if val is None else "validation")
        if val is None:
            what = "The intervals of forecasts come from the training windows, as there is no validation part."
            emit(Noticed(Problem("warning", "narrow-intervals", what, why="They are likely too narrow.")))
        prep = run.prep
        write_versioned(run.path / KEPT, {
            "targets": prep.variables[: prep.targets], "horizon": prep.horizon, "season": prep.season,
            "step": prep.step.text, **kept,
        })  # fmt: skip

    def test(self, run: Run, source: Source, emit: Emit) -> tuple[Evaluation, polars.DataFrame, dict[str, Any]]:
        """See :class:`Work`. The table holds forecasts that do not overlap, the newest last; the metrics are of all."""
        assert isinstance(source, SeriesSource)
        source, apart = source.thinned(MOST_JUDGED)
        z, found, more = self._judge(run, source, apart)
        kept = read_versioned(run.path / KEPT)
        write_versioned(run.path / KEPT, kept | more)
        frame = _frame(run, source, z)
        prediction = run.prep.units(z)
        return found, frame, {"truth": source.truth(), "prediction": prediction}

    def evaluate(self, run: Run, dataset: Dataset, metrics: Sequence[str] | None, emit: Emit) -> dict[str, Any]:
        """See :class:`Work`; with the error of each step, and how much of the truth the intervals hold."""
        assert isinstance(dataset, SeriesDataset)
        source = dataset.source(run.prep, np.arange(dataset.n))
        source, apart = source.thinned(MOST_JUDGED)
        emit(Phase("forecasting", f"from {len(source):,} origins"))
        _, found, more = self._judge(run, source, apart)
        return keep_wanted(found.to_dict(), metrics) | more

    def predict(self, run: Run, dataset: Dataset, emit: Emit) -> polars.DataFrame:
        """The steps after the end of the data; see :func:`forecast`."""
        assert isinstance(dataset, SeriesDataset)
        return _ahead(run, dataset, run.prep.horizon, emit)

    def metrics(self, task: TaskKind) -> list[str]:
        """See :class:`Work`."""
        return names_for(task)

    def _judge(self, run: Run, source: SeriesSource, apart: int) -> tuple[Floats, Evaluation, dict[str, Any]]:
        """ẑ of all windows, the metrics, and what is said step by step."""
        out = _array(outputs(run.net, source))
        bad = np.flatnonzero(~np.isfinite(out).all(1))
        if len(bad):
            raise refuse(
                "non-finite-prediction",
                f"The net's forecast is NaN or infinite from {len(bad):,} of {len(out):,} origins.",
                where=shorten(source.where(int(i)) for i in bad[:5]),
                count=len(bad),
                do="Look for extreme values before these steps; train again with a smaller learning rate.",
            )
        z = source.levels(out)
        truth, said = source.truth(), run.prep.units(z)
        found = evaluate(truth, said, scales(run.prep), apart=apart)
        if apart > 1:
            what = f"Judged from every {apart}th step as origin, {len(source):,} in all, as there are so many values."
            found.notes.append(Problem("note", "origins-left-out", what))
        return z, found, {"by_step": step_errors(truth, said), "coverage": self._coverage(run, source, z)}

    def _coverage(self, run: Run, source: SeriesSource, z: Floats) -> dict[str, float]:
        """The share of true values within the interval of each level."""
        kept, truth = read_versioned(run.path / KEPT), _levels(source)
        shares = {}
        for level in LEVELS:
            low, high = edges(kept, level, z.shape[1])
            shares[str(level)] = float(((truth >= z + low) & (truth <= z + high)).mean())
        return shares


def scales(prep: Any) -> Scales:
    """What errors are measured by."""
    return Scales(prep.std[: prep.targets], prep.naive, prep.season)


def forecast(run: Run, horizon: int | None, data: object, emit: Emit) -> polars.DataFrame:
    """The ``horizon`` steps after the end of ``data``, or of the data that the run was trained on.

    One row a step and target: ``row``, ``where`` (the time), ``variable``, ``prediction``, and the edges ``low_95``,
    ``high_95``, ``low_80``, ``high_80``.

    Raises:
        UserError: the data is gone or does not fit; a longer horizon where not all variables are forecast.
    """
    if run.task.kind != "forecast":
        raise refuse(
            "no-forecast",
            f"This run learnt {run.task.kind}, not the next values of a series.",
            do=f"Use: workings predict {run.path} DATA.",
        )
    steps = run.prep.horizon if horizon is None else horizon
    if not isinstance(steps, int) or steps < 1:
        raise refuse("bad-value", f"The horizon is {steps!r}; it must be a whole number of steps, 1 or more.")
    given = data
    if data is None:
        data = run.recipe.data
        if data is None:
            raise refuse(
                "no-data",
                "The run was trained on data from memory, which its folder does not hold.",
                do="Give the series, up to the step from which to forecast: data=….",
            )
    emit(Phase("reading", "the series"))
    dataset = read_for(run.prep, run.schema, data, False, emit=emit)
    assert isinstance(dataset, SeriesDataset)
    card = read_versioned(run.path / "data_card.json")
    if given is None and card.get("digest") != dataset.digest:
        what = "The data is not what it was in training; the forecast goes on from its present end."
        emit(Noticed(Problem("note", "data-changed", what)))
    return _ahead(run, dataset, steps, emit)


def _ahead(run: Run, dataset: SeriesDataset, steps: int, emit: Emit) -> polars.DataFrame:
    prep, series = run.prep, dataset.series
    H, n = prep.horizon, len(series.values)
    if n < prep.needs:
        what = f"The series has {n:,} steps; the net looks back on {prep.needs:,}."
        raise refuse("too-short", what, count=n, do="Give a longer series, up to the step from which to forecast.")
    if steps > H and prep.targets < len(prep.variables):
        others = prep.variables[prep.targets :]
        raise refuse(
            "horizon-too-long",
            f"The net forecasts {H:,} steps; {steps:,} were asked for.",
            why=f"To roll on it would have to know the future of {shorten(others)}.",
            do=f"Ask for at most {H:,} steps, or train with --horizon {steps}.",
        )
    check_logs(series, prep)
    emit(Decided("from", series.label(n - 1), "the last step that is known"))
    if steps > H:
        what = f"Steps {H + 1:,} to {steps:,} are forecast from forecasts, as the net learnt {H:,} steps."
        why = "Their intervals take the errors of each stretch as independent, which is not known."
        emit(
            Noticed(
                Problem("warning", "rolled-on", what, count=steps - H, why=why, do=f"--horizon {steps} in training.")
            )
        )
    z = np.concatenate(list(_rolled(run, dataset, -(-steps // H))))[:steps]
    return _told(run, dataset, z)


def _rolled(run: Run, dataset: SeriesDataset, parts: int) -> Any:
    """ẑ (H, k) of each stretch in turn; each is put behind the series before the next."""
    prep = run.prep
    known = dataset.series.values[-prep.needs :]
    for _ in range(parts):
        x = prep.prepared(known)[-prep.window :]
        out = _array(_run(run.net, torch.from_numpy(x.astype(np.float32))[None]))
        shaped = out.reshape(1, prep.horizon, prep.targets)
        z = prep.levels(shaped, known[None, len(known) - prep.lag :, : prep.targets])[0]
        yield z
        if prep.targets == known.shape[1]:
            known = np.concatenate([known, prep.units(z)])[-prep.needs :]


def _run(net: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return net.eval()(x)


def _told(run: Run, dataset: SeriesDataset, z: Floats) -> polars.DataFrame:
    prep, series = run.prep, dataset.series
    steps, k = z.shape
    times = [series.label(len(series.values) + h) for h in range(steps)]
    columns: dict[str, Any] = {
        "row": np.repeat(np.arange(1, steps + 1), k),
        "where": [time for time in times for _ in range(k)],
        "variable": prep.variables[:k] * steps,
        "prediction": prep.units(z).reshape(-1),
    }
    return polars.DataFrame(columns | _edges(run, z[None]))


def _edges(run: Run, z_NHk: Floats) -> dict[str, Floats]:
    """The interval's edges in units, flat, the widest first."""
    kept = read_versioned(run.path / KEPT)
    found: dict[str, Floats] = {}
    for level in sorted(LEVELS, reverse=True):
        low, high = edges(kept, level, z_NHk.shape[1])
        name = f"{100 * level:.0f}"
        found |= {f"low_{name}": run.prep.units(z_NHk + low).reshape(-1)}
        found |= {f"high_{name}": run.prep.units(z_NHk + high).reshape(-1)}
    return found


def _frame(run: Run, source: SeriesSource, z: Floats) -> polars.DataFrame:
    """Test forecasts that do not overlap, the last of them up to the last step."""
    prep, series = run.prep, source.series
    H, k = prep.horizon, prep.targets
    most = max(1, MOST_KEPT // (H * k))
    chosen = np.arange(len(source) - 1, -1, -H)[:most][::-1]
    at = (source.starts[chosen, None] + np.arange(H)).reshape(-1)
    columns: dict[str, Any] = {
        "row": np.repeat(series.rows[at] + 1, k),
        "where": [label for label in (series.label(int(i)) for i in at) for _ in range(k)],
        "step": np.tile(np.repeat(np.arange(1, H + 1), k), len(chosen)),
        "variable": prep.variables[:k] * len(at),
        "truth": source.truth()[chosen].reshape(-1),
        "prediction": prep.units(z[chosen]).reshape(-1),
    }
    return polars.DataFrame(columns | _edges(run, z[chosen]))


def _levels(source: SeriesSource) -> Floats:
    """z (N, H, k): the truth as ẑ is."""
    prep = source.prep
    z = prep.transform.level(source.series.values)[:, : prep.targets]
    return z[source.starts[:, None] + np.arange(prep.horizon)]


def _array(out: Tensor) -> Floats:
    return out.detach().cpu().double().numpy()
