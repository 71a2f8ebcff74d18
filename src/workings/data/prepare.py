"""The preparation of a table: everything learnt from the training rows to turn compact rows into one float32 matrix.

    number      x = (v − shift) · scale, one of
                  standardise   shift = mean, scale = 1 / standard deviation
                  robust        shift = median, scale = 1 / (1.35⁻¹ · interquartile range), then x / √(1 + (x / 3)²)
                  quantile      x = Φ⁻¹(F(v)), F the training rows' distribution, between its quantiles linear;
                                where rows themselves are learnt, on by 1 a standard deviation beyond the outermost
                missing → the training median, and a column of 0 and 1 where missing occurred in training
                with bins: xₜ = min(1, max(0, (v − bₜ₋₁) / (bₜ − bₜ₋₁))) − its training mean, for quantiles b₀ … b_T
    category    one column a category; one for all rare ones together, one for missing, where training rows had such
    boolean     one column, 1 for yes

Sources: bins, Gorishniy et al. 2022 (On embeddings for numerical features); the smooth clip of ``robust``, Holzmüller
et al. 2024 (Better by default). A category that training never saw becomes zeros, which is counted and told.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Default
from torch import Tensor

from workings.base.problems import Problem
from workings.data.schema import Task, TaskKind

Scaling = Literal["standardise", "robust", "quantile"]


class PrepareSettings(BaseModel):
    """What can be chosen about the preparation of a table.

    numeric: the scaling of numbers; ``auto`` takes quantile for columns with far outliers, standardise for others.
    bins: quantile bins a number is also encoded by; 0 for none.
    max_categories: categories of a field that get a column of their own, the most frequent ones.
    min_category_rows: training rows that a category needs for a column of its own.
    zeros_as_missing: columns in which 0 stands for a missing value; ``auto`` takes those in which the training rows
        leave little doubt (``table_zeros``), ``[]`` none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    numeric: Literal["auto", "standardise", "robust", "quantile"] = "auto"
    bins: int = Default(default=0, ge=0, le=1000)
    max_categories: int = Default(default=100, ge=1)
    min_category_rows: int = Default(default=1, ge=1)
    zeros_as_missing: list[str] | Literal["auto"] = "auto"


class NumberPlan(BaseModel):
    """How one column of numbers is prepared.

    name: the column, or a part of a date. field: of the schema. fill: the training median.
    scaled: False where training rows had one value, so that only ``indicator`` is left.
    quantiles: of the training rows, and their normal scores, for ``quantile``. beyond: the slope outside of them; 0
        where x stays at their ends; rows that are judged by how far they lie go on by standard deviations.
    edges: of the bins.
    centres: the training mean of each bin's column.
    """

    name: str
    field: str
    how: Scaling
    fill: float
    shift: float = 0.0
    scale: float = 1.0
    scaled: bool = True
    indicator: bool = False
    zero_is_missing: bool = False
    quantiles: list[float] = Default(default_factory=list)
    scores: list[float] = Default(default_factory=list)
    beyond: float = 0.0
    edges: list[float] = Default(default_factory=list)
    centres: list[float] = Default(default_factory=list)


class CategoryPlan(BaseModel):
    """How one column of categories is prepared: which of them have a column; ``rare``: whether the others share one.

    boolean: the one category listed is yes; a missing value becomes ``fill_yes``, and ``missing`` may have a column.
    """

    name: str
    categories: list[str]
    boolean: bool = False
    rare: bool = False
    missing: bool = False
    fill_yes: bool = False


class TablePreparation(BaseModel):
    """Everything that was learnt from the training rows; written to ``prepare.json``.

    features: the name of every column of x. fields: the field of the schema that each comes from.
    target_mean, target_std: the net learns (y − mean) / std; 0 and 1 for classes.
    anomalies: the classes of the target that count as anomalies, where rows themselves are learnt.
    rows: training rows. rows_used: those that the figures of numbers rest on, all or a random sample.
    problems: what was decided while fitting.
    """

    schema_version: int = 1
    kind: Literal["table"] = "table"
    settings: PrepareSettings = Default(default_factory=PrepareSettings)
    numbers: list[NumberPlan]
    categories: list[CategoryPlan]
    features: list[str]
    fields: list[str]
    target: str
    task_kind: TaskKind
    classes: list[str] | None = None
    target_mean: float = 0.0
    target_std: float = 1.0
    anomalies: list[str] = Default(default_factory=list)
    rows: int
    rows_used: int
    problems: list[Problem] = Default(default_factory=list)

    @property
    def shape(self) -> tuple[int]:
        """(features,)."""
        return (len(self.features),)

    def task(self) -> Task:
        """The task that the network was trained for."""
        kind, reason = self.task_kind, "as in training"
        return Task(kind=kind, target=self.target, classes=self.classes, reason=reason, anomalies=self.anomalies)

    def target_to_units(self, y: Tensor) -> Tensor:
        """Standardised outputs or targets, any shape, in the user's units."""
        return y * self.target_std + self.target_mean
