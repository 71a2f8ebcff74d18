"""What is fitted on the training steps of a series; written to ``prepare.json``."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from workings.base.form import Form
from workings.base.problems import Problem
from workings.data.schema import Task, TaskKind
from workings.data.series.steps import Step
from workings.data.series.transform import Transform

Floats = NDArray[np.float64]


class SeriesPreparation(BaseModel):
    """How values become what a net sees, and its outputs values again.

    variables: as the net sees them, the ``targets`` first ones forecast. horizon, window, season: in steps.
    mean, std: of the training values in their own units, which the metrics mse and mae are standardised by.
    log, lag: see :class:`workings.data.series.transform.Transform`. shift, scale: of the transformed training values.
    naive: mean absolute error of the seasonal-naive forecast on the training steps, of each target: MASE's scale.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    kind: Literal["series"] = "series"
    variables: list[str]
    targets: int
    time_column: str | None
    step: Step
    season: int
    horizon: int
    window: int
    fill: str
    mean: list[float]
    std: list[float]
    log: list[bool]
    lag: int
    shift: list[float]
    scale: list[float]
    naive: list[float]
    target: str
    task_kind: TaskKind = "forecast"
    classes: list[str] | None = None
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
        return Form(horizon=self.horizon)

    @property
    def transform(self) -> Transform:
        """Logarithm and differences."""
        return Transform(tuple(self.log), self.lag)

    @property
    def needs(self) -> int:
        """Steps before the first that is forecast: a window, and a season more where differences are taken."""
        return self.window + self.lag

    def task(self) -> Task:
        """The task that the network was trained for."""
        return Task(kind=self.task_kind, target=self.target, classes=None, reason="as in training")

    def prepared(self, y_nV: Floats) -> Floats:
        """Values (n, V) as the net sees them; NaN at the first ``lag`` steps."""
        d = self.transform.difference(self.transform.level(y_nV))
        return (d - np.array(self.shift)) / np.array(self.scale)

    def levels(self, outputs_NHV: Floats, past_NmV: Floats) -> Floats:
        """Outputs of the net as ẑ: values in their own units, or their logarithms.

        past_NmV: the targets' values in their own units at the ``lag`` steps before each forecast, oldest first.
        """
        k = self.targets
        d = outputs_NHV * np.array(self.scale[:k]) + np.array(self.shift[:k])
        part = Transform(tuple(self.log[:k]), self.lag)
        return part.integrate(d, part.level(past_NmV))

    def units(self, z: Floats) -> Floats:
        """ẑ (…, targets) in the variables' own units."""
        return self.transform.unlevel(z, self.targets)
