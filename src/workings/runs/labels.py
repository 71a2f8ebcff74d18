"""Labels: a class or a number for each sample, whatever the sample is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
from torch import Tensor, nn

from workings.base.events import Emit, Noticed, Phase
from workings.data.dataset import Dataset
from workings.data.schema import TaskKind
from workings.data.source import Source
from workings.learning import metrics as metric
from workings.learning.lanes import channels_last
from workings.learning.metrics import Evaluation
from workings.learning.outputs import decide, outputs
from workings.learning.quick import quick
from workings.learning.step import LossFunction
from workings.runs.work import Stored, Work, keep_wanted

if TYPE_CHECKING:
    from workings.runs.run import Run


class LabelWork(Work):
    """Binary, multiclass, regression."""

    def quick(
        self, task: TaskKind, net: nn.Module, source: Source, loss: LossFunction, stored: Stored | None
    ) -> dict[str, float]:
        """See :class:`Work`."""
        return quick(task, outputs(net, source, stored=stored), source.y, source.w, loss)  # type: ignore[arg-type]

    def test(self, run: Run, source: Source, emit: Emit) -> tuple[Evaluation, polars.DataFrame, dict[str, Any]]:
        """See :class:`Work`."""
        truth, prediction, probability = judge(run.net, source, run.prep)
        found = metric.evaluate(run.prep.task_kind, truth, prediction, probability)
        where = [source.where(i) for i in range(len(source))]
        frame = label_frame(run.task.classes, source.rows + 1, where, prediction, probability, truth)
        return found, frame, {"truth": truth, "prediction": prediction, "probability": probability}

    def evaluate(self, run: Run, dataset: Dataset, metrics: Sequence[str] | None, emit: Emit) -> dict[str, Any]:
        """See :class:`Work`."""
        truth, prediction, probability, _ = self._predict(run, dataset, emit)
        found = metric.evaluate(run.prep.task_kind, truth, prediction, probability).to_dict()
        return keep_wanted(found, [self.find_metric(run.task.kind, name) for name in metrics or ()])

    def predict(self, run: Run, dataset: Dataset, emit: Emit) -> polars.DataFrame:
        """See :class:`Work`; with ``probability_<class>`` for classes."""
        _, prediction, probability, where = self._predict(run, dataset, emit)
        return label_frame(run.task.classes, np.arange(1, dataset.n + 1), where, prediction, probability)

    def find_metric(self, task: TaskKind, name: str) -> str:
        """See :class:`Work`; other names of the field are understood too."""
        return metric.find(task, name).name  # type: ignore[arg-type]

    def metrics(self, task: TaskKind) -> list[str]:
        """See :class:`Work`."""
        return list(metric.METRICS[task])  # type: ignore[index]

    def _predict(
        self, run: Run, dataset: Dataset, emit: Emit
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, list[str]]:
        emit(Phase("predicting", f"{dataset.n:,} {dataset.counted}"))
        source = dataset.source(run.prep, np.arange(dataset.n))
        for problem in source.problems:
            emit(Noticed(problem))
        truth, prediction, probability = judge(run.net, source, run.prep)
        return truth, prediction, probability, [source.where(i) for i in range(len(source))]


def judge(net: nn.Module, source: Source, prep: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """(truth, prediction, probability) of prepared rows, regression in the target's own units."""
    prediction, probability = decide(prep.task_kind, outputs(net, source, stored=channels_last))
    truth = source.y.numpy()
    if prep.task_kind == "regression":
        return in_units(truth, prep), in_units(prediction, prep), None
    return truth, prediction, probability


def in_units(values: np.ndarray | Tensor, prep: Any) -> np.ndarray:
    """Standardised targets in the target's own units: t · std + mean."""
    return np.asarray(values, dtype=np.float64) * prep.target_std + prep.target_mean


def label_frame(
    classes: list[str] | None,
    rows: np.ndarray,
    where: Sequence[str],
    prediction: np.ndarray,
    probability: np.ndarray | None,
    truth: np.ndarray | None = None,
) -> polars.DataFrame:
    """Predictions as a table, classes by their names."""

    def named(values: np.ndarray) -> list[Any]:
        return values.tolist() if classes is None else [classes[int(k)] for k in values]

    columns: dict[str, Any] = {"row": rows, "where": list(where)}
    if truth is not None:
        columns["truth"] = named(truth)
    columns["prediction"] = named(prediction)
    if probability is not None and classes is not None:
        columns.update({f"probability_{name}": probability[:, k] for k, name in enumerate(classes)})
    return polars.DataFrame(columns)
