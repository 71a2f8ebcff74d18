"""What is fitted on the training texts; written to ``prepare.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workings.base.form import Form
from workings.base.problems import Problem
from workings.data.schema import Task, TaskKind


class TextPreparation(BaseModel):
    """The vocabulary, the longest sample, and the target.

    tokens: what a token is. tokeniser: the ``tokenizers`` library's JSON. vocabulary: its size. length: the most
    tokens of a sample; what a longer text has beyond is cut off. text: the column of the texts. unit: what one text
    was. target_mean, target_std: of a number as target. rows: training texts. unknown: the share of their tokens that
    the vocabulary lacks. edges, counts: a histogram of their lengths in tokens. problems: what was decided.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    kind: Literal["text"] = "text"
    tokens: Literal["character", "word", "bpe"]
    tokeniser: dict[str, Any] = Field(repr=False)
    vocabulary: int
    lowercase: bool
    length: int
    text: str
    unit: Literal["row", "line", "file"] = "row"
    target: str
    task_kind: TaskKind
    classes: list[str] | None = None
    target_mean: float = 0.0
    target_std: float = 1.0
    rows: int
    unknown: float = 0.0
    edges: list[int] = Field(default_factory=list)
    counts: list[int] = Field(default_factory=list)
    problems: list[Problem] = Field(default_factory=list)

    @property
    def shape(self) -> tuple[int]:
        """(T,): the most tokens of a sample."""
        return (self.length,)

    @property
    def form(self) -> Form:
        """What the net must know of the samples."""
        return Form(vocabulary=self.vocabulary)

    def task(self) -> Task:
        """The task that the network was trained for."""
        return Task(kind=self.task_kind, target=self.target, classes=self.classes, reason="as in training")
