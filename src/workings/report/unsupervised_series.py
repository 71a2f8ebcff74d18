"""What a report shows of a net that learnt the windows of a series: scores over time, what is told, what is rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars
import torch
from markupsafe import Markup, escape

from workings.base.events import Emit
from workings.base.files import write_atomically
from workings.data.series.window_source import WindowSource
from workings.data.source import Part
from workings.learning.stretch_scores import stretches
from workings.learning.unsupervised_scores import threshold_of
from workings.nets.unsupervised import Codes, Draws, Reconstructs
from workings.report import series_anomaly_baselines as simple
from workings.report import unsupervised_charts as charts
from workings.report.figures import Figure, drawn
from workings.report.reading import RunFiles, read_parquet
from workings.report.sections import Section
from workings.report.series import at, ticks
from workings.report.series_stretches import by_class, listed
from workings.report.svg import Axis, Plot
from workings.report.words import count, number, percent
from workings.runs.drawing import rows_of
from workings.runs.folder import read_versioned, write_versioned
from workings.runs.outcome import Outcome
from workings.runs.run import Run
from workings.runs.series_steps import steps_of, told_stretches
from workings.runs.unsupervised import FALSE_ALARMS

SHOWN_VARIABLES = 4
SHOWN_STEPS = 240  # round the most unusual step; more cannot be told apart
MOST_POINTS = 600  # of the score over time: of more steps, the highest of each few
NEW_WINDOWS = 6


@torch.no_grad()
def look_further(run: Run, outcome: Outcome, emit: Emit) -> list[dict[str, Any]]:
    """Keep values and what was rebuilt of a few variables in the predictions, and new windows; simple models judged."""
    train, test, usual = outcome.train, outcome.test, outcome.val or outcome.train
    assert isinstance(train, WindowSource)
    assert isinstance(test, WindowSource)
    assert isinstance(usual, WindowSource)
    told = read_parquet(run.path / "predictions.parquet")
    if isinstance(run.net, Draws):
        x = run.net.draw(NEW_WINDOWS, torch.Generator().manual_seed(run.recipe.seed)).float()
        write_versioned(run.path / "samples.json", {"windows": rows_of(run, x).to_dict(as_series=False)})
    if not isinstance(run.net, Reconstructs):
        return []
    _keep_rebuilt(run, test, told)
    if not run.recipe.baselines or outcome.on_training_rows:
        return []
    d = run.net.code if isinstance(run.net, Codes) else int(np.prod(test.shape)) // 4
    score = told["score"].to_numpy() if "score" in told.columns else None
    return simple.run_baselines(train, usual, test, score, d, run.recipe.seed, emit)


def apart(outcome: Outcome) -> Outcome:
    """The outcome with test windows of which no two share a step, as the net's own measures have them."""
    assert isinstance(outcome.test, WindowSource)
    return replace(outcome, test=Part(outcome.test, outcome.test.apart()))


def _keep_rebuilt(run: Run, test: WindowSource, told: polars.DataFrame) -> None:
    """``given NAME`` and ``rebuilt NAME`` of the variables that most often add most to the score of what is told."""
    steps = steps_of(run, test)
    made = run.prep.units(steps.rebuilt)
    names = run.prep.variables
    first = []
    if "score" in told.columns:
        some = told.filter("anomaly") if told["anomaly"].any() else told
        often = some["column_1"].value_counts(sort=True)["column_1"].to_list()
        first = [told.sort("score")["column_1"][-1], *often]  # the one that made a step the most unusual, then others
    shown = list(dict.fromkeys([*first, *names]))[:SHOWN_VARIABLES]
    columns = []
    for v in sorted(names.index(name) for name in shown):
        columns.append(polars.Series(f"given {names[v]}", test.series.values[steps.at, v]))
        columns.append(polars.Series(f"rebuilt {names[v]}", made[:, v]))
    frame = told.with_columns(*columns)
    write_atomically(run.path / "predictions.parquet", lambda temporary: frame.write_parquet(temporary))


def sections(run: RunFiles, odd: np.ndarray) -> list[Section]:
    """Sections from the run's files. odd: (m,) bool, which test steps are anomalies."""
    found = [_unusual(run, odd), _rebuilt(run, odd), _made(run)]
    return [each for each in found if each is not None]


def _unusual(run: RunFiles, odd: np.ndarray) -> Section | None:
    told, path = run.told, run.path / "scores.json"
    if told is None or "score" not in told.columns or not path.is_file():
        return None
    kept = read_versioned(path)
    threshold = threshold_of(np.array(kept["regular_steps"]), FALSE_ALARMS)
    figures = [_over_time(told, odd, threshold), charts.scores(told["score"].to_numpy(), odd, threshold, "steps")]
    body = Markup('<div class="charts">{}</div>').format(Markup("").join(drawn(each) for each in figures if each))
    body += by_class(told, odd) + listed(told_stretches(told), odd)
    lead = "A score of 1 is that of a usual step. The threshold is the score that "
    lead += f"{percent(FALSE_ALARMS, 0)} of the {kept['on']} lie above. "
    lead += "A step is scored by all windows that hold it, so steps beside an anomaly score higher, too."
    return Section("unusual", "What is unusual", lead, body)


def _over_time(told: polars.DataFrame, odd: np.ndarray, threshold: float) -> Figure:
    """The score of each test step, on a log scale, the anomalies shaded."""
    score, where = told["score"].to_numpy(), told["where"].to_list()
    n = len(score)
    edges = np.unique(np.linspace(0, n, min(n, MOST_POINTS) + 1).astype(int))
    most = np.maximum.reduceat(score, edges[:-1])
    low, high = max(float(most.min()), 1e-3) / 1.2, max(float(most.max()), threshold) * 1.2
    above = int((score > threshold).sum())
    said = f"Scores of {n:,} test steps; {above:,} above the threshold of {number(threshold, 3)}."
    x = Axis("", 0.0, float(max(1, n - 1)), ticks=ticks(where), written=at(where))
    plot = Plot("score-over-time", "Scores over time", said, x, Axis("score, log scale", low, high, log=True))
    _shade(plot, odd, "band odd")
    plot.line(np.column_stack([edges[:-1], np.maximum(most, low)]), "line main")
    plot.rules([((0.0, threshold), (float(n - 1), threshold))], "mark")
    text = said + (" Of each few steps side by side the highest is drawn." if len(most) < n else "")
    key = (("main", "score"), *((("odd", "anomalies"),) if odd.any() else ()))
    return Figure("Scores over time", text, plot.svg(), key)


def _shade(plot: Plot, which: np.ndarray, css: str, begin: int = 0) -> None:
    """Stretches of True from bottom to top."""
    for first, last in stretches(which).tolist():
        left, right = begin + first - 0.5, begin + last - 0.5
        edge = [(left, plot.y.low), (right, plot.y.low), (right, plot.y.high), (left, plot.y.high)]
        plot.area(edge, css)


def _rebuilt(run: RunFiles, odd: np.ndarray) -> Section | None:
    """A few variables round the most unusual step, as they are and as rebuilt."""
    told = run.told
    columns = [] if told is None else told.columns
    names = [name.removeprefix("given ") for name in columns if name.startswith("given ")]
    if told is None or not names:
        return None
    middle = int(told["score"].arg_max() or 0) if "score" in told.columns else 0
    first = int(np.clip(middle - SHOWN_STEPS // 2, 0, max(0, len(told) - SHOWN_STEPS)))
    part = told[first : first + SHOWN_STEPS]
    strange = odd[first : first + SHOWN_STEPS]
    body = Markup("").join(drawn(_variable(part, name, i, strange)) for i, name in enumerate(names))
    lead = "Test steps round the most unusual one. What is rebuilt is the mean over all windows that hold a step."
    return Section("rebuilt", "The series rebuilt", lead, Markup('<div class="charts">{}</div>').format(body))


def _variable(part: polars.DataFrame, name: str, i: int, odd: np.ndarray) -> Figure:
    given, made = part[f"given {name}"].to_numpy(), part[f"rebuilt {name}"].to_numpy()
    steps, where = np.arange(len(part), dtype=float), part["where"].to_list()
    both = np.concatenate([given, made])
    pad = 0.05 * (float(np.ptp(both)) or 1.0)
    desc = f"From {where[0]} to {where[-1]}: on average {number(float(np.abs(given - made).mean()), 3)} apart."
    x = Axis("", 0.0, max(1.0, float(steps[-1])), ticks=ticks(where), written=at(where))
    plot = Plot(f"rebuilt-{i}", f"{name} rebuilt", desc, x, Axis("", float(both.min()) - pad, float(both.max()) + pad))
    if "anomaly" in part.columns:
        _shade(plot, part["anomaly"].to_numpy(), "band")
    if odd.any():
        _shade(plot, odd, "band odd")
    plot.line(np.column_stack([steps, given]), "line other")
    plot.line(np.column_stack([steps, made]), "line main")
    told = "anomaly" in part.columns and part["anomaly"].any()
    shaded = [*(["what is told"] if told else []), *(["the anomalies"] if odd.any() else [])]
    text = desc + (f" Shaded: {' and '.join(shaded)}." if shaded else "")
    key = (("main", "rebuilt"), ("other", "given"), *((("odd", "anomalies"),) if odd.any() else ()))
    return Figure(name, text, plot.svg(), key)


def _made(run: RunFiles) -> Section | None:
    """New windows of the first variables."""
    path = run.path / "samples.json"
    found: dict[str, Sequence[float]] = read_versioned(path).get("windows") or {} if path.is_file() else {}
    if not found:
        return None
    L = int(max(found["step"]))
    figures = []
    for i, name in enumerate([name for name in found if name not in ("sample", "step")][:SHOWN_VARIABLES]):
        windows = np.array(found[name]).reshape(-1, L)
        pad = 0.05 * (float(np.ptp(windows)) or 1.0)
        x, y = Axis("step of the window", 1.0, float(max(2, L))), Axis("", windows.min() - pad, windows.max() + pad)
        plot = Plot(f"made-{i}", f"New windows of {escape(name)}", f"{len(windows)} windows of {L} steps.", x, y)
        for window in windows:
            plot.line(np.column_stack([np.arange(1, L + 1), window]), "line main thin")
        figures.append(
            Figure(name, f"{len(windows)} new windows of {count(L, 'step')}, none of them chosen.", plot.svg())
        )
    body = Markup('<div class="charts">{}</div>').format(Markup("").join(drawn(each) for each in figures))
    return Section("made", "Windows made", "Drawn by the network; the command that makes more is below.", body)
