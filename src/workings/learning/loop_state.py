"""What a training loop is told, and everything that changes while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class LoopSettings:
    """How long and how often.

    steps: in all. evaluate_every: steps between looks at the validation rows. patience: looks without a better
    value before stopping; None never stops early. monitor: the validation metric watched; ``higher`` whether more
    is better. seconds: stop at the end of the chunk in which the clock passes this; None has no clock.
    average: decay per step of an exponential moving average of the weights that is evaluated and kept instead
    of the weights themselves; 0 for none. judge_from: steps of pre-training, before which nothing is judged, kept or
    averaged.
    """

    steps: int
    evaluate_every: int
    patience: int | None = None
    monitor: str = "loss"
    higher: bool = False
    seconds: float | None = None
    checkpoint_seconds: float = 20.0
    average: float = 0.0
    keep_best: bool = True
    judge_from: int = 0


@dataclass
class LoopState:
    """Everything that changes while a loop runs, but for the rule's tensors.

    best: all of the rule's tensors after the step whose weights are to be kept, its memory too.
    shown: of a net that draws, what it drew on the way, by the step.
    """

    step: int = 0
    best_value: float | None = None
    best_step: int = 0
    waited: int = 0
    stopped: str | None = None
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    points: list[tuple[int, float, str, str, float, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    averaged: dict[str, Tensor] = field(default_factory=dict)
    shown: dict[str, Tensor] = field(default_factory=dict)

    def record(self, step: int, epoch: float, split: str, name: str, value: float) -> None:
        """One point of the run's record: (step, epoch, split, name, value, seconds)."""
        self.points.append((step, epoch, split, name, value, self.seconds))
