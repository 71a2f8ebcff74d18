"""What a report shows of a series: forecasts against what came, errors by step and over time, the season."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars
from markupsafe import Markup, escape

from workings.base.events import Emit
from workings.base.files import read_json
from workings.data.series.sources import SeriesSource
from workings.report.figures import Figure, drawn
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.series_baselines import run_baselines
from workings.report.svg import Axis, Plot
from workings.report.words import count, number, percent
from workings.runs.folder import read_versioned, write_versioned
from workings.runs.forecast import KEPT
from workings.runs.outcome import Outcome
from workings.runs.run import Run

SHOWN_VARIABLES = 4
SHOWN_STEPS = 240  # of the newest test steps; more cannot be told apart
MOST_SEASONS = 12


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json``, and the season of the training part into ``forecast.json``."""
    train, test = outcome.train, outcome.test
    assert isinstance(train, SeriesSource)
    assert isinstance(test, SeriesSource)
    wanted = run.recipe.baselines and not outcome.on_training_rows
    found = run_baselines(train, test, outcome.prediction, run.recipe.seed, emit) if wanted else []
    write_versioned(run.path / "baselines.json", {"baselines": found})
    kept = read_versioned(run.path / KEPT)
    write_versioned(run.path / KEPT, kept | {"seasons": _seasons(train)})


def _seasons(train: SeriesSource) -> list[list[float]]:
    """The newest seasons of the first target in the training part, each a list of values, oldest first."""
    m = train.prep.season
    end = int(train.starts[-1]) + train.prep.horizon
    whole = min(end // m, MOST_SEASONS)
    if m < 3 or whole < 2:
        return []
    return train.series.values[end - whole * m : end, 0].reshape(whole, m).tolist()


def sections(run: RunFiles) -> list[Section]:
    """See :class:`workings.report.sections.KindOfReport`."""
    path = run.path / KEPT
    if run.told is None or not path.is_file() or "step" not in run.told.columns:
        return []
    kept = read_json(path)
    figures = [*_forecasts(run.told, kept), *_by_step(kept, run.baselines), *_residuals(run.told), *_season(kept)]
    body = Markup('<div class="charts">') + Markup("").join(drawn(each) for each in figures) + Markup("</div>")
    lead = f"Forecasts of {count(int(kept['horizon']), 'step')} ahead, one a {kept['step']}."
    return [Section("forecasts", "Forecasts", lead, body + _covered(kept))]


def _covered(kept: dict[str, Any]) -> Markup:
    """How much of the truth the intervals hold."""
    shares = kept.get("coverage") or {}
    said = "; ".join(
        f"the {percent(float(level), 0)} interval holds {percent(share)} of the test values"
        for level, share in shares.items()
    )
    if not said:
        return Markup("")
    return Markup(f'<p class="small muted">Intervals: {escape(kept["method"])}; {escape(said)}.</p>')


def _forecasts(told: polars.DataFrame, kept: dict[str, Any]) -> list[Figure]:
    """Forecasts that follow each other over the newest test steps, with their intervals, for the first variables."""
    figures = []
    for name in kept["targets"][:SHOWN_VARIABLES]:
        rows = told.filter(polars.col("variable") == name).tail(max(SHOWN_STEPS, int(kept["horizon"])))
        x = np.arange(len(rows), dtype=float)
        truth, said, low, high = (
            rows[column].to_numpy().astype(float) for column in ("truth", "prediction", "low_95", "high_95")
        )
        if not np.isfinite(np.concatenate([truth, said, low, high])).all():
            continue
        edge = np.concatenate([truth, said, low, high])
        pad = 0.04 * (float(np.ptp(edge)) or 1.0)
        where = rows["where"].to_list()
        plot = Plot(
            f"forecast-{len(figures)}",
            f"Forecasts of {name}",
            f"From {where[0]} to {where[-1]}: mean error {number(float(np.abs(truth - said).mean()))}.",
            Axis("", 0.0, max(1.0, float(x[-1])), ticks=ticks(where), written=at(where)),
            Axis("", float(edge.min()) - pad, float(edge.max()) + pad),
        )
        steps = rows["step"].to_numpy()
        begins = [int(i) for i in np.flatnonzero(steps == 1)]
        for begin, end in zip(begins or [0], [*begins[1:], len(rows)] if begins else [len(rows)], strict=True):
            part = slice(begin, end)
            if end - begin > 1:
                outline = np.concatenate([np.column_stack([x, high])[part], np.column_stack([x, low])[part][::-1]])
                plot.area(outline, "band")
                plot.line(np.column_stack([x, said])[part], "line main")
            else:
                plot.rules([((x[begin], low[begin]), (x[begin], high[begin]))], "whisker")
                plot.dots([(x[begin], said[begin])], "spot")
        plot.line(np.column_stack([x, truth]), "line other")
        many = f"{count(len(begins), 'forecast')} one after another, each from what was known before it. "
        text = many + "The band is the 95 % interval."
        figures.append(Figure(str(name), text, plot.svg(), (("main", "forecast"), ("other", "what came"))))
    return figures


def ticks(where: list[str]) -> list[float]:
    """Places of times on the axis: fewer, and farther from the ends, the longer they are written."""
    last = len(where) - 1
    if last < 2:
        return [0.0]
    shares = (0.0, 0.5, 1.0) if len(where[0]) <= 7 else (0.1, 0.5, 0.9) if len(where[0]) <= 10 else (0.2, 0.8)
    return [float(round(share * last)) for share in shares]


def at(where: list[str]) -> Any:
    """What is written at a place on the axis: its time."""
    return lambda x: where[min(int(x), len(where) - 1)]


def _by_step(kept: dict[str, Any], baselines: list[dict[str, Any]]) -> list[Figure]:
    """The mean absolute error of each step ahead, of the first target."""
    errors = np.array((kept.get("by_step") or {}).get("mae") or [], dtype=float)
    if len(errors) < 2:
        return []
    h, mae = np.arange(1, len(errors) + 1, dtype=float), errors[:, 0]
    rising = "The farther ahead, the larger" if mae[-1] > 1.1 * mae[0] else "About the same however far ahead"
    plot = Plot(
        "by-step",
        "Mean absolute error by step ahead",
        f"From {number(mae[0])} one step ahead to {number(mae[-1])} at {len(mae)} steps.",
        Axis("steps ahead", 1.0, float(len(mae))),
        Axis("", 0.0, float(mae.max()) * 1.06),
    )
    plot.line(np.column_stack([h, mae]), "line main")
    return [Figure("Error by step ahead", f"{kept['targets'][0]}, mean absolute error. {rising}.", plot.svg())]


def _residuals(told: polars.DataFrame) -> list[Figure]:
    """What came less the forecast, over time, of the first target."""
    name = told["variable"][0]
    rows = told.filter(polars.col("variable") == name)
    e = (rows["truth"] - rows["prediction"]).to_numpy().astype(float)
    if len(e) < 3 or not np.isfinite(e).all():
        return []
    most = float(np.abs(e).max()) * 1.06 or 1.0
    where = rows["where"].to_list()
    plot = Plot(
        "over-time",
        "Residuals over time",
        f"Mean {number(float(e.mean()))}, from {number(float(e.min()))} to {number(float(e.max()))}.",
        Axis("", 0.0, float(len(e) - 1), ticks=ticks(where), written=at(where)),
        Axis("", -most, most),
    )
    plot.line([(0, 0), (len(e) - 1, 0)], "line other")
    plot.dots(np.column_stack([np.arange(len(e)), e]), "dots few" if len(e) < 400 else "dots")
    text = f"{name}, what came less what was forecast. A drift or a wave is something not learnt."
    return [Figure("Residuals over time", text, plot.svg())]


def _season(kept: dict[str, Any]) -> list[Figure]:
    """Seasons of the training part one over another, the newest in colour."""
    seasons = [np.array(each, dtype=float) for each in kept.get("seasons") or []]
    if len(seasons) < 2:
        return []
    values = np.concatenate(seasons)
    pad = 0.05 * (float(np.ptp(values)) or 1.0)
    h = np.arange(1, len(seasons[0]) + 1, dtype=float)
    plot = Plot(
        "season",
        "The season",
        f"{len(seasons)} seasons of {len(h)} steps; {number(float(values.min()))} to {number(float(values.max()))}.",
        Axis("step of the season", 1.0, float(len(h))),
        Axis("", float(values.min()) - pad, float(values.max()) + pad),
    )
    for each in seasons[:-1]:
        plot.line(np.column_stack([h, each]), "line other thin")
    plot.line(np.column_stack([h, seasons[-1]]), "line main")
    text = f"{kept['targets'][0]}: the newest {len(seasons)} seasons of the training part, counted back from its end."
    return [Figure("The season", text, plot.svg(), (("main", "newest"), ("other", "before")))]
