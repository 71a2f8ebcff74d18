"""What is fitted on the training images and applied to all others; written to ``prepare.json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Default

from workings.data.images.decode import Aspect, Plan
from workings.data.schema import Task, TaskKind


class ImagePreparation(BaseModel):
    """One form for every image, and the normalisation x = (r − mean) / std with r the pixel brought to 0…1.

    height, width, channels: of a sample as the net sees it. bits, aspect: see :class:`Plan`.
    one_size: every training file had this size already, so another size at prediction is worth a warning.
    pixels: ``bytes`` (0 to 255), or ``floats`` from ``low`` to ``high`` (arrays only).
    binarise: pixels above become 1 and others 0, then mean is 0 and std 1.
    mean, std: one a channel, over the training rows; 0 and 1 where the task is unsupervised.
    classes: in the order of the net's outputs.
    target, task_kind: what is learnt. target_mean, target_std: of a number as target; the net sees (y − mean) / std.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    kind: Literal["images"] = "images"
    height: int
    width: int
    channels: int
    bits: int = 8
    aspect: Aspect = "pad"
    one_size: bool = True
    pixels: Literal["bytes", "floats"] = "bytes"
    binarise: float | None = None
    low: float = 0.0
    high: float = 255.0
    mean: list[float]
    std: list[float]
    target: str
    task_kind: TaskKind
    classes: list[str] | None = None
    target_mean: float = 0.0
    target_std: float = 1.0
    anomalies: list[str] = Default(default_factory=list)
    rows: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of a sample."""
        return self.channels, self.height, self.width

    def task(self) -> Task:
        """The task that the network was trained for."""
        return Task(
            kind=self.task_kind,
            target=self.target,
            classes=self.classes,
            reason="as in training",
            anomalies=self.anomalies,
        )

    def plan(self) -> Plan:
        """How new files are decoded."""
        return Plan(self.height, self.width, self.channels, self.bits, self.aspect)
