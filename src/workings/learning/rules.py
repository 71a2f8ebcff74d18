"""Learning rules: how one batch changes a net. The loop knows no rule by name."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn

Batches = Tensor | list[Tensor]  # k batches: stacked, or a list where they differ in length


class LearningRule(Protocol):
    """What the loop needs to know of a rule."""

    net: nn.Module

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """k steps on k batches: x (k, B, *shape), y (k, B), weight (k, B) or None; ``step`` were done before. Where
        batches differ in length, x and y are lists of k tensors.

        Returns the losses (k,), each of the net as it was before its step. From the first loss that is not
        finite on, nothing changes.
        """
        ...

    def learning_rate(self, step: int) -> float:
        """η of the step after ``step`` steps, for the record."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that a checkpoint must hold, by name; the rule's own memory, not copies."""
        ...

    def finished(self, epoch: int) -> str | None:
        """Asked after each whole epoch: the reason to stop, if the rule has one (as the perceptron's has)."""
        ...


@runtime_checkable
class Tells(Protocol):
    """A rule that has more to tell of training than its loss."""

    def told(self) -> dict[str, float]:
        """Asked at each look: values since it was last asked, for the record, by name."""
        ...
