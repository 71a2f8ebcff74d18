"""What a trained net is worth: its metrics and predictions on the test rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workings.base.events import Emit, Noticed
from workings.base.files import write_atomically
from workings.data.source import Source
from workings.learning import metrics as metric
from workings.runs import folder as files
from workings.runs.fit import Fit
from workings.runs.run import Run, judge


@dataclass(frozen=True)
class Outcome:
    """Of the n test rows, for whoever looks further (baselines, mistakes): truth and prediction (n,) are class
    numbers or values in the target's units; probability (n, K) or None. ``train`` and ``test`` are the sources;
    ``cells`` gives the user's own cells of test rows, where there are any.
    """

    train: Source
    test: Source
    truth: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray | None
    on_training_rows: bool
    test_dataset: object


def write_outcome(run: Run, fit: Fit, train: Source, test: Source, test_dataset: object, emit: Emit) -> Outcome:
    """Write ``metrics.json`` and ``predictions.parquet``."""
    prep = run.prep
    truth, prediction, probability = judge(run.net, test, prep)
    found = metric.evaluate(prep.task_kind, truth, prediction, probability)
    for note in found.notes:
        emit(Noticed(note))
    own = test is train
    content = {**found.to_dict(), "on": "training rows" if own else "test rows"}
    content |= {"best_step": fit.state.best_step, "stopped": fit.state.stopped}
    files.write_versioned(run.path / "metrics.json", content)
    where = [test.where(i) for i in range(len(test))]
    frame = run.frame(test.rows + 1, where, prediction, probability, truth)
    write_atomically(run.path / "predictions.parquet", lambda temporary: frame.write_parquet(temporary))
    return Outcome(train, test, truth, prediction, probability, own, test_dataset)
