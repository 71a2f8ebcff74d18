"""After training: baselines beside the net, the worst mistakes with their rows or pictures, and the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import torch

from workings.base.errors import UserError
from workings.base.events import Emit, Noticed
from workings.base.files import write_atomically
from workings.base.problems import Problem
from workings.data.source import Source
from workings.report.baselines import run_baselines
from workings.report.mistakes import worst
from workings.report.paired import Said
from workings.report.reading import read_parquet
from workings.report.sections import report_module
from workings.report.unpretrained import without_pretraining
from workings.runs.folder import write_versioned
from workings.runs.labels import in_units
from workings.runs.outcome import Outcome
from workings.runs.run import Run

WORST = 12
BASELINE_SECONDS = 60.0


class _Matrix:
    """The samples of a source by row numbers, read only when asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.shape = (len(source), *source.shape)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self._source.x(torch.as_tensor(np.arange(self.shape[0])[rows], dtype=torch.int64)).numpy()


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json``, the pictures of the worst mistakes, and their cells into the predictions."""
    prep = run.prep
    module = report_module(prep.kind, prep.task_kind)
    if module is not None:
        module.look_further(run, outcome, emit)
        return
    bad = worst(prep.task_kind, outcome.truth, outcome.prediction, outcome.probability, WORST)
    _keep_cells(run.path / "predictions.parquet", outcome, bad, emit)
    _pictures(run.path / "pictures", outcome.test, bad)
    baselines: list[dict[str, Any]] = []
    if run.recipe.baselines and not outcome.on_training_rows:
        y = outcome.train.y.numpy()
        baselines = run_baselines(
            prep.task_kind,
            _Matrix(outcome.train),
            in_units(y, prep) if prep.task_kind == "regression" else y,
            _Matrix(outcome.test),
            outcome.truth,
            seed=run.recipe.seed,
            seconds_budget=BASELINE_SECONDS,
            emit=emit,
            classes=len(prep.classes) if prep.classes else None,
            ours=Said(outcome.prediction, outcome.probability),
        )
        if run.recipe.pretraining not in (None, "none"):
            baselines.append(without_pretraining(run, outcome, emit))
    write_versioned(run.path / "baselines.json", {"baselines": baselines})


def _keep_cells(path: Path, outcome: Outcome, rows: np.ndarray, emit: Emit) -> None:
    """The cells of the worst rows, as JSON in the column ``values``; of no others: the data stays with its owner."""
    cells = getattr(outcome.test_dataset, "cells", None)
    frame = read_parquet(path)
    texts: list[str | None] = [None] * len(frame)
    if cells is not None and len(rows):
        try:
            for i, row in zip(rows, cells(outcome.test.rows[rows]), strict=True):
                texts[int(i)] = json.dumps(row, ensure_ascii=False, default=str)
        except UserError as error:
            what = "The cells of the worst mistakes are not kept."
            emit(Noticed(Problem("warning", "cells-not-kept", what, why=error.problems[0].what)))
    frame = frame.with_columns(polars.Series("values", texts, dtype=polars.String))
    write_atomically(path, lambda temporary: frame.write_parquet(temporary))


def _pictures(folder: Path, test: Source, rows: np.ndarray) -> None:
    """PNG thumbnails of the worst mistakes, where the samples are images."""
    to_pixels = getattr(test, "to_pixels", None)
    if to_pixels is None or not len(rows):
        return
    from PIL import Image

    folder.mkdir(exist_ok=True)
    pixels = to_pixels(test.x(torch.as_tensor(rows.copy(), dtype=torch.int64)))
    for i, image in zip(rows, pixels, strict=True):
        picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
        picture.save(folder / f"mistake-{int(test.rows[i]) + 1}.png")
