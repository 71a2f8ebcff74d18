"""Scores of the steps of a series, from the windows that hold them: how unusual each step is, and by which variable.

    e_tv = mean over the windows that hold step t of (x_tv − x̂_tv)²
    s_t  = (1/V) Σ_v e_tv / ē_v             ē_v the mean of e_tv over regular steps that were not trained on

So a score of 1 is that of a usual step, and every variable counts alike, however well it can be rebuilt. What a
variable adds is its own term. A window's own score is the net's: of an autoencoder its error, of a VAE the bound on
−ln p, of a restricted Boltzmann machine the free energy.

Legend: n steps, m of them held by windows, V variables, L steps of a window, N windows, B of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
import torch
from numpy.typing import NDArray
from torch import Tensor

from workings.data.series.window_source import WindowSource
from workings.learning.stretch_scores import stretches
from workings.learning.unsupervised_scores import threshold_of
from workings.nets.unsupervised import Reconstructs
from workings.runs.folder import read_versioned
from workings.runs.sweeping import BATCH

if TYPE_CHECKING:
    from workings.runs.run import Run

Floats = NDArray[np.float64]
LEAST = 1e-6  # of ē_v: a variable that is rebuilt exactly
MOST_KEPT = 20_000  # scores that thresholds are set by, spread evenly over all
NAMED = 3  # variables that are named for each step


@dataclass(frozen=True)
class Steps:
    """at: (m,) numbers of the steps. error: e (m, V). rebuilt: (m, V), the mean of what is rebuilt, standardised."""

    at: NDArray[np.int64]
    error: Floats
    rebuilt: Floats

    def part(self, usual_V: Floats) -> Floats:
        """What each variable adds to the score (m, V), for ē."""
        return self.error / usual_V / self.error.shape[1]


def mean_over_windows(source: WindowSource, of_windows: Iterator[Tensor]) -> Floats:
    """(m, k): the mean over the windows that hold a step, of batches (B, L, k) of all windows in their order."""
    n, L = len(source.odd), source.prep.window
    total, begin = None, 0
    for batch in of_windows:
        values = batch.double().numpy()
        total = np.zeros((n, values.shape[2])) if total is None else total
        at = source.starts[begin : begin + len(values)]
        for step in range(L):  # no two windows begin at one step, so no place comes twice
            total[at + step] += values[:, step]
        begin += len(values)
    assert total is not None
    held = np.zeros(n)
    for step in range(L):
        held[source.starts + step] += 1
    return total[held > 0] / held[held > 0, None]


@torch.no_grad()
def steps_of(run: Run, source: WindowSource) -> Steps:
    """e and what is rebuilt of each step that lies in a window of ``source``."""
    assert isinstance(run.net, Reconstructs)
    net: Any = run.net.eval()

    def both() -> Iterator[Tensor]:
        for start in range(0, len(source), BATCH):
            x = source.x(torch.arange(start, min(start + BATCH, len(source))))
            made = net.reconstruct(x).float()
            yield torch.cat([(x - made).square(), made], 2)

    V = source.shape[1]
    found = mean_over_windows(source, both())
    return Steps(source.steps, found[:, :V], found[:, V:])


def kept_of(run: Run, regular: WindowSource) -> dict[str, Any]:
    """What ``scores.json`` keeps: ē and the scores of regular steps."""
    steps = steps_of(run, regular)
    usual_V = np.maximum(steps.error.mean(0), LEAST)
    score = np.sort(steps.part(usual_V).sum(1))
    if len(score) > MOST_KEPT:  # every quantile stays where it is, but for a 20,000th
        score = np.quantile(score, np.linspace(0, 1, MOST_KEPT))
    apart = len(steps.at) // regular.prep.window
    return {"usual_error": usual_V.tolist(), "regular_steps": score.tolist(), "regular_windows_apart": apart}


def steps_frame(run: Run, source: WindowSource, labelled: bool, limit: float, window_score: Floats) -> polars.DataFrame:
    """One row a step: ``row``, ``where``, ``label`` where known, ``score``, ``threshold``, ``anomaly``; the variables
    that add most, ``column_1``, ``part_1`` …; and ``window_score``, of the window that ends here, where one does.

    limit: the threshold. window_score: (N,) of the windows of ``source``.
    """
    kept, series = read_versioned(run.path / "scores.json"), source.series
    steps = steps_of(run, source)
    part_mV = steps.part(np.array(kept["usual_error"]))
    score = part_mV.sum(1)
    columns: dict[str, Any] = {"row": series.rows[steps.at] + 1, "where": [series.label(int(t)) for t in steps.at]}
    if labelled and run.task.classes and source.labels is not None:
        columns["label"] = [run.task.classes[k] for k in source.labels[steps.at]]
    columns |= {"score": score, "threshold": np.full(len(score), limit), "anomaly": score > limit}
    ends = np.full(len(source.odd), np.nan)
    ends[source.starts + source.prep.window - 1] = window_score
    of_window = polars.Series("window_score", ends[steps.at], nan_to_null=True)
    return polars.DataFrame(columns).with_columns(*named(part_mV, run.prep.variables), of_window)


def told_stretches(frame: polars.DataFrame) -> polars.DataFrame:
    """Steps side by side that are told, as one row each, in order of time: ``from``, ``to``, ``steps``, the highest
    ``score``, and of the step that has it ``column_1``, ``part_1`` … and the ``label``.

    frame: of :func:`steps_frame`, no step left out.
    """
    rows = []
    for begin, end in stretches(frame["anomaly"].to_numpy()).tolist():
        part = frame[begin:end]
        worst = part.row(int(part["score"].arg_max() or 0), named=True)
        about = {
            name: worst[name] for name in frame.columns if name.startswith(("column_", "part_")) or name == "label"
        }
        edges = {"from": part["where"][0], "to": part["where"][-1], "steps": end - begin}
        rows.append(edges | {"score": worst["score"]} | about)
    return polars.DataFrame(rows)


def named(part_nC: Floats, names: list[str]) -> list[polars.Series]:
    """``column_1``, ``part_1`` …: the columns that add most to each score (n, C), the largest first."""
    order = np.argsort(-part_nC, axis=1, kind="stable")[:, :NAMED]
    told = np.take_along_axis(part_nC, order, 1)
    found = []
    for k in range(order.shape[1]):
        found.append(polars.Series(f"column_{k + 1}", [names[i] for i in order[:, k]]))
        found.append(polars.Series(f"part_{k + 1}", told[:, k]))
    return found


def window_threshold(run: Run, false_alarms: float) -> float:
    """The score of a window that the stated share of regular ones exceeds."""
    return threshold_of(np.array(read_versioned(run.path / "scores.json")["regular"]), false_alarms)


def odd_windows(source: WindowSource) -> NDArray[np.bool_]:
    """(N,) bool: which windows hold an anomalous step."""
    sofar = np.concatenate([[0], np.cumsum(source.odd)])
    return sofar[source.starts + source.prep.window] > sofar[source.starts]
