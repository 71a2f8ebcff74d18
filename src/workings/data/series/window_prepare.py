"""What is fitted on the training steps of a series whose windows are learnt; written to ``prepare.json``."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from workings.base.form import Form
from workings.base.problems import Problem
from workings.data.schema import Task, TaskKind
from workings.data.series.steps import Step

Floats = NDArray[np.float64]


class WindowPreparation(BaseModel):
    """How values become what a net sees: (y − mean) / std of each variable, over the training steps.

    variables: in the order of the net. season, window: in steps. target: the column that only judges, or empty.
    classes, anomalies: of that column; see :class:`workings.data.schema.Task`. rows: the training steps.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    kind: Literal["series"] = "series"
    variables: list[str]
    time_column: str | None
    step: Step
    season: int
    window: int
    fill: str
    mean: list[float]
    std: list[float]
    target: str
    task_kind: TaskKind = "unsupervised"
    classes: list[str] | None = None
    anomalies: list[str] = Field(default_factory=list)
    target_mean: float = 0.0
    target_std: float = 1.0
    rows: int
    problems: list[Problem] = Field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        """(L, V): steps of a window, variables."""
        return (self.window, len(self.variables))

    @property
    def form(self) -> Form:
        """What the net must know of the samples."""
        return Form(horizon=0)

    def task(self) -> Task:
        """The task that the network was trained for."""
        return Task(
            kind=self.task_kind,
            target=self.target,
            classes=self.classes,
            reason="as in training",
            anomalies=self.anomalies,
        )

    def prepared(self, y_nV: Floats) -> Floats:
        """Values (n, V) as the net sees them."""
        return (y_nV - np.array(self.mean)) / np.array(self.std)

    def units(self, x: Floats) -> Floats:
        """x (…, V) of the net in the variables' own units."""
        return x * np.array(self.std) + np.array(self.mean)
