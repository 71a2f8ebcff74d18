"""What is fitted on the training recordings; written to ``prepare.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from workings.base.form import Form
from workings.data.schema import Task, TaskKind
from workings.data.sound.features import Mel


class SoundPreparation(BaseModel):
    """The log-mel spectrum, the mean and deviation of each band, and the target.

    mel: how a recording becomes frames. length: the most frames of a recording; longer ones are cut. mean, std: of each
    band, over the training frames. pattern, group: how names or a table's column said label and group.
    shortest, longest: of the training recordings, in seconds. target_mean, target_std: of a number as target.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    kind: Literal["sound"] = "sound"
    mel: Mel
    length: int
    mean: list[float]
    std: list[float]
    pattern: str | None = None
    group: str | None = None
    shortest: float
    longest: float
    target: str
    task_kind: TaskKind
    classes: list[str] | None = None
    target_mean: float = 0.0
    target_std: float = 1.0
    rows: int

    @property
    def shape(self) -> tuple[int, int]:
        """(T, F): the most frames, and the mel bands."""
        return (self.length, self.mel.bands)

    @property
    def form(self) -> Form:
        """What the net must know of the samples."""
        return Form()

    def task(self) -> Task:
        """The task that the network was trained for."""
        return Task(kind=self.task_kind, target=self.target, classes=self.classes, reason="as in training")
