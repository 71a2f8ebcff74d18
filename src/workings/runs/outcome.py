"""What a trained net is worth: its metrics and predictions on the test rows."""

from __future__ import annotations

from workings.base.events import Emit, Noticed
from workings.base.files import write_atomically
from workings.data.source import Source
from workings.runs import folder as files
from workings.runs.fit import Fit
from workings.runs.run import Run
from workings.runs.work import Outcome, work_of

__all__ = ["Outcome", "write_outcome"]


def write_outcome(run: Run, fit: Fit, train: Source, test: Source, test_dataset: object, emit: Emit) -> Outcome:
    """Write ``metrics.json`` and ``predictions.parquet``."""
    work = work_of(run.prep.task_kind)
    work.after_training(run, train, fit.val, emit)
    found, frame, fields = work.test(run, test, emit)
    for note in found.notes:
        emit(Noticed(note))
    own = test is train
    content = {**found.to_dict(), "on": "training rows" if own else "test rows"}
    content |= {"best_step": fit.state.best_step, "stopped": fit.state.stopped}
    files.write_versioned(run.path / "metrics.json", content)
    write_atomically(run.path / "predictions.parquet", lambda temporary: frame.write_parquet(temporary))
    return Outcome(train, test, on_training_rows=own, test_dataset=test_dataset, val=fit.val, **fields)
