"""Which samples are unusual: scores, the threshold of a stated rate of false alarms, what speaks against each.

The threshold is the (1 − α) quantile of the scores of regular samples that were not trained on (``scores.json``), so a
share α of new regular samples is told as well. With n of them nothing finer than 1/n can be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars

from workings.base.errors import refuse
from workings.base.events import Emit, Noticed, Phase
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.prepare import TablePreparation
from workings.data.series.window_source import WindowSource
from workings.data.source import Source
from workings.learning.intervals import wilson
from workings.nets.unsupervised import Explains, Scores
from workings.runs.folder import read_versioned
from workings.runs.series_steps import named, steps_frame
from workings.runs.sweeping import each_of
from workings.runs.unusual import regular_scores, scored_frame, scores_of, threshold

if TYPE_CHECKING:
    from workings.runs.run import Run

FEW_ABOVE = 10  # regular samples above a threshold, below which its rate is told to be rough


def threshold_for(run: Run, false_alarms: float, emit: Emit) -> float:
    """The score above which a sample is told.

    Raises:
        UserError: the run tells no anomalies; a rate that is none, or finer than the regular samples can say.
    """
    check_rate(false_alarms)
    if run.task.kind != "unsupervised":
        what = f"This run learnt a {run.task.kind} task; it tells no anomalies."
        raise refuse("no-anomalies", what, do="Train with --task unsupervised, on regular samples.")
    if not isinstance(run.net, Scores):
        what = f"The net '{run.recipe.net}' does not say how unusual a sample is."
        raise refuse("no-scores", what, do="Train one that does: --net autoencoder.")
    content = read_versioned(run.path / "scores.json")
    n = len(regular_scores(run))
    if false_alarms * n < 1 - 1e-9:
        raise refuse(
            "rate-too-fine",
            f"A rate of {false_alarms:g} false alarms is finer than {n:,} regular samples can say.",
            why=f"The threshold rests on the {n:,} {content['on']}; one of them is a share of {1 / n:.2g}.",
            do=f"Give --false-alarms {_up(1 / n):g} or more, or train with more validation rows.",
        )
    apart = content.get("regular_windows_apart", n)  # steps of a series are no more independent than its windows
    above = round(false_alarms * n)
    if round(false_alarms * apart) < FEW_ABOVE:
        low, high = wilson(round(false_alarms * apart), apart)
        held = f", in {apart:,} windows that share none" if apart < n else ""
        what = f"The threshold rests on {n:,} {content['on']}{held}, of which {above:,} lie above it."
        why = f"The true rate of false alarms may be anywhere from {low:.1%} to {high:.1%} (95 %)."
        emit(Noticed(Problem("note", "rough-threshold", what, count=above, why=why)))
    return threshold(run, false_alarms)


def check_rate(false_alarms: float) -> None:
    """Refuse a rate that is no share.

    Raises:
        UserError: it is none.
    """
    if not 0 < false_alarms < 1:
        what = f"The rate of false alarms is {false_alarms:g}; it must be between 0 and 1."
        raise refuse("bad-value", what, do="Give --false-alarms 0.05, for one regular sample in twenty.")


def anomalies(run: Run, dataset: Dataset, limit: float, emit: Emit) -> polars.DataFrame:
    """One row a sample: ``row`` (from 1), ``where``, ``label`` where known; ``score``, ``threshold``, ``anomaly``.

    Of a series one row a step, see :func:`workings.runs.series_steps.steps_frame`. Of a table also ``column_1``,
    ``part_1`` and so on: the columns that add most to the score, and how much, where the net says so.
    """
    emit(Phase("predicting", f"{dataset.n:,} {dataset.counted}"))
    source = dataset.source(run.prep, np.arange(dataset.n))
    for problem in source.problems:
        emit(Noticed(problem))
    assert isinstance(run.net, Scores)
    if isinstance(source, WindowSource):
        return steps_frame(run, source, dataset.labelled, limit, scores_of(run, source))
    frame = scored_frame(run, source, source.rows + 1, dataset.labelled, limit)
    if isinstance(run.prep, TablePreparation) and isinstance(run.net, Explains):
        names = list(dict.fromkeys(run.prep.fields))
        frame = frame.with_columns(*named(parts_of_fields(run, run.prep, source), names))
    return frame


def parts_of_fields(run: Run, prep: TablePreparation, source: Source) -> np.ndarray:
    """(n, fields): what each field adds to the score, all its features together, in the order of ``prep.fields``."""
    net = run.net
    assert isinstance(net, Explains)
    names = list(dict.fromkeys(prep.fields))
    columns = source.form.columns or ()
    first = np.cumsum([0, *(max(size, 1) for size in columns)])[:-1]
    at = np.array([names.index(prep.fields[int(k)]) for k in first])
    part_nC = each_of(net, source, net.unusual_columns)
    part_nF = np.zeros((len(part_nC), len(names)))
    np.add.at(part_nF.T, at, part_nC.T)
    return part_nF


def _up(share: float) -> float:
    """The share rounded up to two digits, so that it can be typed."""
    step = 10.0 ** (np.floor(np.log10(share)) - 1)
    return float(np.ceil(share / step - 1e-9) * step)
