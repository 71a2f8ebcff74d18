"""What a kind of task does with a net's outputs: judge them, tell them, compare them with the truth.

One class a family of tasks; the loop, the run folder and the doors know none of them by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
from torch import Tensor, nn

from workings.base.events import Emit
from workings.data.dataset import Dataset
from workings.data.schema import TaskKind
from workings.data.source import Source
from workings.learning.metrics import Evaluation
from workings.learning.step import LossFunction

if TYPE_CHECKING:
    from workings.runs.run import Run

Stored = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Outcome:
    """Of the n test rows, for whoever looks further (baselines, mistakes). ``train``, ``val`` and ``test``: the
    sources.

    truth and prediction, of labels: (n,) class numbers or values in the target's units; probability (n, K) or None.
    Of other tasks, whatever their own readers expect, or empty.
    """

    train: Source
    test: Source
    on_training_rows: bool
    test_dataset: object
    truth: np.ndarray = field(default_factory=lambda: np.zeros(0))
    prediction: np.ndarray = field(default_factory=lambda: np.zeros(0))
    probability: np.ndarray | None = None
    val: Source | None = None


class Work(ABC):
    """The work of one family of tasks."""

    @abstractmethod
    def quick(
        self, task: TaskKind, net: nn.Module, source: Source, loss: LossFunction, stored: Stored | None
    ) -> dict[str, float]:
        """Validation metrics after an epoch, ``loss`` among them. ``stored`` lays a batch out as the lane does."""

    def after_training(self, run: Run, train: Source, val: Source | None, emit: Emit) -> None:  # noqa: B027
        """Before the test: find and keep what the task needs of the rows that are not tested on; most need nothing."""

    @abstractmethod
    def test(self, run: Run, source: Source, emit: Emit) -> tuple[Evaluation, polars.DataFrame, dict[str, Any]]:
        """Metrics on prepared rows whose truth is known, the table of predictions, and further fields of Outcome."""

    @abstractmethod
    def evaluate(self, run: Run, dataset: Dataset, metrics: Sequence[str] | None, emit: Emit) -> dict[str, Any]:
        """What ``workings evaluate`` tells: ``{task, rows, metrics, intervals, method, notes}``.

        Raises:
            UserError: a metric that the task does not have.
        """

    @abstractmethod
    def predict(self, run: Run, dataset: Dataset, emit: Emit) -> polars.DataFrame:
        """One row a sample: ``row`` (from 1), ``where``, ``prediction`` and what else the task can say."""

    def find_metric(self, task: TaskKind, name: str) -> str:
        """The metric's own name.

        Raises:
            UserError: the task has no such metric.
        """
        from workings.base.errors import UserError
        from workings.base.problems import unknown_name

        known = self.metrics(task)
        if name not in known:
            raise UserError(unknown_name("metric", name, known))
        return name

    @abstractmethod
    def metrics(self, task: TaskKind) -> list[str]:
        """Names of the metrics that the task has."""


def work_of(task: TaskKind) -> Work:
    """The work of a kind of task."""
    if task in ("binary", "multiclass", "regression"):
        from workings.runs.labels import LabelWork

        return LabelWork()
    if task == "language":
        from workings.runs.language import LanguageWork

        return LanguageWork()
    if task == "forecast":
        from workings.runs.forecast import ForecastWork

        return ForecastWork()
    if task == "unsupervised":
        from workings.runs.unsupervised import UnsupervisedWork

        return UnsupervisedWork()
    from workings.runs.translation import TranslationWork

    return TranslationWork()


def keep_wanted(found: dict[str, Any], wanted: Sequence[str] | None) -> dict[str, Any]:
    """An evaluation's dictionary with the wanted metrics only; all of them where None."""
    if wanted:
        for part in ("metrics", "intervals", "method"):
            found[part] = {name: value for name, value in found[part].items() if name in wanted}
    return found
