"""The learning-rate range test: raise η step by step and see where the loss falls fastest and where it blows up.

Smith 2017 (arXiv 1506.01186). Everything is put back afterwards. The batches, and so the answer, depend on the seed
only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from workings.learning.gradient import GradientRule
from workings.learning.loop import put_back
from workings.learning.rules import Batches

NextBatches = Callable[[int, int], tuple[Batches, Batches, Tensor | None]]


@dataclass(frozen=True)
class RangeTest:
    """rates and smoothed losses of the test, η at the lowest loss, η at which it diverged (or the last).

    fell: whether the loss fell at all, by a hundredth at least; a loss that lies flat has its minimum anywhere.
    """

    rates: list[float]
    losses: list[float]
    lowest: float
    diverged: float
    fell: bool = True


def range_test(
    rule: GradientRule, batches: NextBatches, low: float = 1e-5, high: float = 1.0, steps: int = 80
) -> RangeTest:
    """Run the test on ``rule`` and put everything back.

    batches: (step, k) → (x (k, B, *shape), y, weight).
    """
    saved = {name: tensor.clone() for name, tensor in rule.tensors().items()}
    generator = torch.get_rng_state()
    schedule = rule.schedule
    rates = [low * (high / low) ** (i / (steps - 1)) for i in range(steps)]
    rule.schedule = lambda step: rates[step]
    rule.net.train()
    smoothed: list[float] = []
    average = 0.0
    diverged = rates[-1]
    beta = 0.9
    for i in range(steps):
        x, y, weight = batches(i, 1)
        loss = float(rule.advance(x, y, weight, i)[0])
        if not math.isfinite(loss):
            diverged = rates[i]
            break
        average = beta * average + (1 - beta) * loss
        smoothed.append(average / (1 - beta ** (i + 1)))
        if smoothed[-1] > 2 * smoothed[0] + 1e-3 and i > 5:
            diverged = rates[i]
            break
    rule.schedule = schedule
    put_back(rule, saved)
    torch.set_rng_state(generator)
    lowest = rates[min(range(len(smoothed)), key=smoothed.__getitem__)] if smoothed else low
    fell = bool(smoothed) and min(smoothed) < 0.99 * smoothed[0]
    return RangeTest(rates[: len(smoothed)], smoothed, lowest, diverged, fell)
