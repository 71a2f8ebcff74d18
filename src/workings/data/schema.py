"""What the columns are and what is to be learnt: the facts about a dataset that are written to ``schema.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Default

Kind = Literal["numeric", "categorical", "boolean", "date", "id", "text", "constant", "other"]
TaskKind = Literal["binary", "multiclass", "regression", "language", "forecast", "translation", "unsupervised"]


class Task(BaseModel):
    """What is to be learnt, and why we think so.

    kind: a label for each sample (``binary``, ``multiclass``, ``regression``), or ``language``: the next token of a
        text; ``forecast``: the next values of a series; ``translation``: a text for a text; ``unsupervised``: the
        samples themselves, how they vary and what is unusual; labels that they have only judge.
    classes: in the order of the net's outputs; for two classes the second is the positive one. None without classes.
    anomalies: of ``unsupervised``: the classes that count as anomalies. No net is trained on them.
    """

    model_config = ConfigDict(frozen=True)

    kind: TaskKind
    target: str
    classes: list[str] | None = None
    reason: str = ""
    anomalies: list[str] = Default(default_factory=list)


class Field(BaseModel):
    """One column: its kind, the reason, and its figures over all rows of the data it was found in.

    kind: ``id``, ``text``, ``constant`` and ``other`` columns are no features unless the user says so.
    used: whether the column becomes features.
    missing: cells without a value. markers: how they were written (``"?"``, ``""`` …) and how often.
    distinct: different values; an estimate where ``distinct_is_estimate``.
    min, max, mean, std: of numbers (std with ddof 0). top: the most frequent values of the others, with counts.
    zeros: cells that are exactly 0. zeros_suspicious: 0 looks like a stand-in for a missing value.
    categories: values that have a code of their own, most frequent first. date_format: how dates are written.
    decimal_comma: numbers are written 3,14. whole: all are whole numbers. wide: kept as float64, as float32 would lose
        digits that matter.
    """

    name: str
    kind: Kind
    reason: str
    used: bool
    dtype: str = "text"
    missing: int = 0
    markers: dict[str, int] = Default(default_factory=dict)
    distinct: int = 0
    distinct_is_estimate: bool = False
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    std: float | None = None
    top: list[tuple[str, int]] = Default(default_factory=list)
    zeros: int = 0
    zeros_suspicious: bool = False
    categories: list[str] = Default(default_factory=list)
    date_format: str | None = None
    date_has_time: bool = False
    decimal_comma: bool = False
    whole: bool = False
    wide: bool = False


class Schema(BaseModel):
    """All fields in the order of the data, the target among them, and the task."""

    schema_version: int = 1
    rows: int = 0
    fields: list[Field] = Default(default_factory=list)
    task: Task | None = None
    time_column: str | None = None

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [field.name for field in self.fields]

    @property
    def features(self) -> list[Field]:
        """The fields that become features."""
        target = self.task.target if self.task else None
        return [field for field in self.fields if field.used and field.name != target]

    def field(self, name: str) -> Field:
        """The field called ``name``.

        Raises:
            KeyError: there is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)
