"""Tasks without labels: how well samples are rebuilt, what is unusual, and whatever else the net can do.

What only one kind of net is judged by is a module of ``_MEASURES`` with one function
``measure(run, source, emit) -> list[Evaluation]``; where it needs the training rows for that, it also has a function
``prepare(run, train, val, emit)``, called once after training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
import torch
from torch import Tensor, nn

from workings.base.events import Emit, Noticed, Phase
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.schema import TaskKind
from workings.data.series.window_source import WindowSource
from workings.data.source import Part, Source
from workings.data.unsupervised import anomalous_rows
from workings.learning import stretch_scores
from workings.learning import unsupervised_scores as scores
from workings.learning.metrics import Evaluation
from workings.learning.step import LossFunction
from workings.learning.task_metrics import names_for
from workings.learning.two_samples import energy_distance
from workings.nets.unsupervised import Codes, Looks, Reconstructs, Scores
from workings.runs import series_steps
from workings.runs.folder import read_versioned, write_versioned
from workings.runs.sweeping import BATCH, batches_of, each_of
from workings.runs.unusual import joined, keep_codes, parts_of, scale_of, scored_frame, scores_of, threshold
from workings.runs.work import Stored, Work, keep_wanted

if TYPE_CHECKING:
    from workings.runs.run import Run

_MEASURES: dict[str, str] = {
    "gan": "workings.runs.measure_gan",
    "vae": "workings.runs.measure_vae",
    "rbm": "workings.runs.measure_rbm",
}

FALSE_ALARMS = 0.05  # of regular samples, where nobody says otherwise
MOST_SCORES = 10_000  # kept to set thresholds by
MOST_COMPARED = 1000  # samples of validation that draws are compared with


class UnsupervisedWork(Work):
    """Nets that learn from the samples alone."""

    @torch.no_grad()
    def quick(
        self, task: TaskKind, net: nn.Module, source: Source, loss: LossFunction, stored: Stored | None
    ) -> dict[str, float]:
        """See :class:`Work`; what is random in the net is drawn alike each time, so that looks can be compared."""
        total, more = 0.0, dict[str, float]()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for x in batches_of(net, source):
                laid = x if stored is None else stored(x)
                total += float(loss(net(laid).float(), x, None)) * len(x)
                for name, each in (net.looks(x) if isinstance(net, Looks) else {}).items():
                    more[name] = more.get(name, 0.0) + float(each.sum())
            found = {"loss": total / len(source)} | {name: value / len(source) for name, value in more.items()}
            if getattr(net, "judged_by_draws", False) and len(source) > 1:
                found["energy_distance"] = draws_apart(net, source)
        net.train()
        return found

    def after_training(self, run: Run, train: Source, val: Source | None, emit: Emit) -> None:
        """Keep ``scores.json``: how unusual regular samples are, for thresholds, and the mean training sample."""
        content: dict[str, Any] = {"mean": _mean(train).tolist()}
        code = each_of(run.net, train, run.net.encode) if isinstance(run.net, Codes) else None
        if code is not None:
            content["code_std"] = code.std(0).tolist()
        if isinstance(run.net, Scores):
            regular = train if val is None else val
            if val is None:
                what = "The threshold for anomalies rests on the training rows, as there are no validation rows."
                why = "A net knows the rows that it was trained on, so new regular ones will be told more often."
                emit(Noticed(Problem("warning", "threshold-of-training-rows", what, why=why)))
            if code is not None:
                keep_codes(run, code)
            parts = parts_of(run, regular)[:MOST_SCORES]
            content["scale"] = scale_of(parts)
            on = "training rows" if val is None else "validation rows"
            content |= {"regular": np.sort(joined(parts, content["scale"])).tolist(), "on": on}
            if isinstance(regular, WindowSource):
                content |= series_steps.kept_of(run, regular) | {"on": on.replace("rows", "steps")}
        write_versioned(run.path / "scores.json", content)
        measures = _MEASURES.get(run.recipe.net)
        if measures and hasattr(import_module(measures), "prepare"):
            import_module(measures).prepare(run, train, val, emit)

    def test(self, run: Run, source: Source, emit: Emit) -> tuple[Evaluation, polars.DataFrame, dict[str, Any]]:
        """See :class:`Work`."""
        found, frame = self._look(run, source, source.rows + 1, True, emit)
        return found, frame, {}

    def evaluate(self, run: Run, dataset: Dataset, metrics: Sequence[str] | None, emit: Emit) -> dict[str, Any]:
        """See :class:`Work`."""
        source = _whole(run, dataset, emit)
        found, _ = self._look(run, source, source.rows + 1, dataset.labelled, emit)
        return keep_wanted(found.to_dict(), metrics)

    def predict(self, run: Run, dataset: Dataset, emit: Emit) -> polars.DataFrame:
        """See :class:`Work`; ``score`` and ``anomaly``, and the code ``z1`` … of nets that have one."""
        source = _whole(run, dataset, emit)
        rows = source.rows + 1 if isinstance(source, WindowSource) else np.arange(1, dataset.n + 1)
        return samples_frame(run, source, rows, dataset.labelled)

    def metrics(self, task: TaskKind) -> list[str]:
        """See :class:`Work`."""
        return names_for("unsupervised")

    def _look(
        self, run: Run, source: Source, rows: np.ndarray, labelled: bool, emit: Emit
    ) -> tuple[Evaluation, polars.DataFrame]:
        if isinstance(source, WindowSource):
            frame, odd, parts, whole = _look_at_steps(run, source, labelled)
        else:
            frame, odd, parts, whole = _look_at_samples(run, source, rows, labelled)
        if labelled and run.task.anomalies and not odd.any():
            what = "No anomaly is among what is tested on, so how well they are told is not measured."
            do = "Give --test DATA with some, or larger shares for testing."
            told = [Problem("warning", "no-anomalies-to-judge-by", what, do=do)]
            parts.append(Evaluation("unsupervised", len(frame), {}, notes=told))
        measures = _MEASURES.get(run.recipe.net)
        if measures:
            parts += import_module(measures).measure(run, whole, emit)
        if isinstance(run.net, Reconstructs):
            parts.append(_rebuilt(run, run.net, whole))
            if len(whole) < len(source):
                which = "regular samples, not on the anomalies"
                if isinstance(source, WindowSource):
                    which = f"windows that share no step{' and hold no anomaly' if odd.any() else ''}"
                what = f"Reconstruction is measured on the {len(whole):,} {which}."
                parts[-1].notes.append(Problem("note", "regular-only", what))
        found = scores.joined(parts) if parts else Evaluation("unsupervised", len(source), {})
        if isinstance(source, WindowSource) and "score" not in frame.columns:
            return replace(found, rows=len(whole), counted="window"), frame
        return replace(found, rows=len(frame)), frame


def _look_at_samples(
    run: Run, source: Source, rows: np.ndarray, labelled: bool
) -> tuple[polars.DataFrame, np.ndarray, list[Evaluation], Source]:
    """The table of predictions, which samples are anomalies, how well these are told, and the regular samples."""
    frame = samples_frame(run, source, rows, labelled)
    odd = anomalous(run, source) if labelled else np.zeros(len(source), dtype=bool)
    parts = []
    regular = np.flatnonzero(~odd)
    if not (odd.any() and len(regular)):
        return frame, odd, parts, source
    if isinstance(run.net, Scores):
        parts.append(scores.anomaly(frame["score"].to_numpy(), odd, threshold(run, FALSE_ALARMS)))
    return frame, odd, parts, Part(source, regular)


def _look_at_steps(
    run: Run, source: WindowSource, labelled: bool
) -> tuple[polars.DataFrame, np.ndarray, list[Evaluation], Source]:
    """The same of the steps of a series; last come regular windows of which no two share a step, for what is measured
    of windows supposes that they are independent."""
    odd = source.odd[source.steps] & labelled
    strange = series_steps.odd_windows(source) & labelled
    apart = source.apart()
    whole = Part(source, apart[~strange[apart]] if (~strange[apart]).any() else apart)
    if not isinstance(run.net, Scores):
        return samples_frame(run, source, source.rows + 1, labelled), odd, [], whole
    of_windows = scores_of(run, source)
    limit = threshold(run, FALSE_ALARMS)
    frame = series_steps.steps_frame(run, source, labelled, limit, of_windows).drop("threshold")
    parts = []
    if odd.any() and not odd.all():
        parts.append(stretch_scores.of_steps(frame["score"].to_numpy(), odd, source.prep.window, limit))
    if strange.any() and not strange.all():
        area, precision = stretch_scores.Curves(of_windows, strange).areas()
        metrics = {"window_roc_auc": area, "window_average_precision": precision}
        parts.append(Evaluation("unsupervised", len(source), metrics))
    return frame, odd, parts, whole


def _rebuilt(run: Run, net: Any, whole: Source) -> Evaluation:
    """How well samples are rebuilt."""
    squares = each_of(net, whole, lambda x: (net.reconstruct(x) - x).flatten(1).square().sum(1))[:, 0]
    centre = torch.tensor(read_versioned(run.path / "scores.json")["mean"])
    spread = each_of(net, whole, lambda x: (x.flatten(1) - centre).square().sum(1))[:, 0]
    return scores.reconstruction(squares, spread, centre.numel())


def _whole(run: Run, dataset: Dataset, emit: Emit) -> Source:
    emit(Phase("predicting", f"{dataset.n:,} {dataset.counted}"))
    source = dataset.source(run.prep, np.arange(dataset.n))
    for problem in source.problems:
        emit(Noticed(problem))
    return source


def draws_apart(net: Any, source: Source, most: int = MOST_COMPARED) -> float:
    """The energy distance between at most ``most`` samples, the first ones, and as many drawn; see ``two_samples``."""
    n = min(len(source), most)
    return energy_distance(source.x(torch.arange(n)), net.draw(max(n, MOST_COMPARED), torch.Generator().manual_seed(0)))


def _mean(source: Source) -> Tensor:
    total = torch.zeros(int(np.prod(source.shape)), dtype=torch.float64)
    for start in range(0, len(source), BATCH):
        total += source.x(torch.arange(start, min(start + BATCH, len(source)))).flatten(1).double().sum(0)
    return total / len(source)


def anomalous(run: Run, source: Source) -> np.ndarray:
    """(n,) bool: which samples are of a class that counts as an anomaly."""
    return anomalous_rows(source.y.numpy(), run.task, len(source))


def samples_frame(run: Run, source: Source, rows: np.ndarray, labelled: bool) -> polars.DataFrame:
    """One row a sample: ``row``, ``where``, ``label`` where known; ``score`` and ``anomaly``; the code ``z1`` …

    Of a series the samples are its windows.
    """
    net = run.net
    code = each_of(net, source, net.encode) if isinstance(net, Codes) else None
    limit = None
    if isinstance(net, Scores):
        limit = series_steps.window_threshold(run, FALSE_ALARMS)
    frame = scored_frame(run, source, rows, labelled, limit, code).drop("threshold", strict=False)
    numbers = {} if code is None else {f"z{i + 1}": code[:, i] for i in range(code.shape[1])}
    return frame.with_columns(**numbers)
