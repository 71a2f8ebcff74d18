"""The gradient rule: w ← optimiser(w, ∂L/∂w), executed in a lane."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from workings.learning.flat import FlatParameters
from workings.learning.lanes import Lane, LaneRunner
from workings.learning.optimisers import Optimiser
from workings.learning.rules import Batches
from workings.learning.step import GradientStep, LossFunction, Regularisation


class GradientRule:
    """Learns by the gradient of a loss.

    schedule: the learning rate η of the step after ``step`` steps.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: LossFunction,
        optimiser: Optimiser,
        schedule: Callable[[int], float],
        regularisation: Regularisation | None = None,
        lane: Lane | None = None,
    ) -> None:
        self.net = net
        self.flat = FlatParameters(net)
        self.optimiser = optimiser
        self.schedule = schedule
        self.state = optimiser.start(self.flat.w)
        self.step = GradientStep(net, self.flat, loss, optimiser, regularisation or Regularisation())
        self.runner = LaneRunner(lane or Lane("eager", torch.get_num_threads()), self.step, self.state)

    def use(self, runner: LaneRunner) -> None:
        """Execute in this lane from now on."""
        self.runner = runner
        runner.enter()

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """See :class:`workings.learning.rules.LearningRule`."""
        h = [self.optimiser.scalars(step + i + 1, self.schedule(step + i)) for i in range(len(x))]
        return self.runner.advance(x, y, weight, h)

    def learning_rate(self, step: int) -> float:
        """η of the step after ``step`` steps."""
        return self.schedule(step)

    def tensors(self) -> dict[str, Tensor]:
        """Parameters, optimiser state and buffers."""
        named = {"w": self.flat.w}
        named.update({f"optimiser.{i}": tensor for i, tensor in enumerate(self.state)})
        named.update({f"buffer.{name}": buffer for name, buffer in self.net.named_buffers()})
        return named

    def finished(self, epoch: int) -> str | None:
        """Never: gradients give no certificate of being done."""
        return None
