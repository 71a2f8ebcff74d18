"""Samples of a person's, each beside what the net rebuilds of it, with how far apart they are.

    error = ‖x − x̂‖² / D        x and x̂ as the net sees them: pixels of 0 … 1, standardised columns

Legend: n samples, D numbers of a sample, C channels, H×W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars
import torch
from torch import Tensor

from workings.base.events import Emit, Noticed, Phase, silent
from workings.data import read_for
from workings.data.images.prepare import ImagePreparation
from workings.data.opening import OnBad
from workings.data.series.window_source import WindowSource
from workings.runs.drawing import OfRun, able, pixels_of, rows_of, writable
from workings.runs.series_steps import steps_of
from workings.runs.sweeping import batches_of

if TYPE_CHECKING:
    from workings.runs.run import Run

__all__ = ["Rebuilt", "reconstruct"]


@dataclass(frozen=True)
class Rebuilt(OfRun):
    """Samples and what the net rebuilds of them.

    table: one row a sample: ``row`` (from 1), ``where``, ``error``; of rows of a table also the cells as rebuilt. Of a
        series one row a step, the mean over the windows that hold it.
    x, rebuilt: (n, *shape) float32, as the net sees them.
    """

    table: polars.DataFrame
    x: Tensor
    rebuilt: Tensor
    run: Run

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """The images and what was rebuilt of them, each (n, C, H, W) uint8."""
        return pixels_of(self.run, self.x), pixels_of(self.run, self.rebuilt)


@torch.no_grad()
def reconstruct(run: Run, data: object, emit: Emit = silent, on_bad_file: OnBad = "refuse") -> Rebuilt:
    """See :meth:`workings.runs.run.Run.reconstruct`."""
    net = able(run, "reconstruct")
    writable(run.prep)
    emit(Phase("reading", "the data"))
    dataset = read_for(run.prep, run.schema, data, False, on_bad_file=on_bad_file, emit=emit)
    source = dataset.source(run.prep, np.arange(dataset.n))
    for problem in source.problems:
        emit(Noticed(problem))
    emit(Phase("rebuilding", f"{dataset.n:,} {dataset.counted}"))
    pairs = [(x, net.reconstruct(x).float()) for x in batches_of(net, source)]
    x, rebuilt = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    if isinstance(source, WindowSource):
        steps, series = steps_of(run, source), source.series
        rows, where = series.rows[steps.at] + 1, [series.label(int(t)) for t in steps.at]
        error, cells = steps.error.mean(1), rows_of(run, torch.from_numpy(steps.rebuilt)[None])[:, 2:]
    else:
        error = (x - rebuilt).double().flatten(1).square().mean(1).numpy()
        rows, where = np.arange(1, len(source) + 1), [source.where(i) for i in range(len(source))]
        cells = None if isinstance(run.prep, ImagePreparation) else rows_of(run, rebuilt)
    table = polars.DataFrame({"row": rows, "where": where, "error": error})
    if cells is not None:
        cells = cells.rename({name: f"{name} (rebuilt)" for name in cells.columns if name in table.columns})
        table = polars.concat([table, cells], how="horizontal")
    return Rebuilt(table, x, rebuilt, run)
