"""A rule made of stages: one rule after another on the same net, each for so many steps.

Greedy layer-wise pre-training is such a rule: a stage a layer, then one that trains the whole net. Which stage a step
belongs to follows from its number alone, so a run that was stopped goes on in the middle of any stage, bit for bit.
What the validation rows say counts from ``before`` on, the steps before the last stage (``LoopSettings.judge_from``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workings.base.errors import NonFiniteError
from workings.base.problems import Problem
from workings.learning.rules import Batches, LearningRule

OwnBatches = Callable[[int, int], tuple[Batches, Batches, Tensor | None]]


@dataclass(frozen=True)
class Stage:
    """name: in a few words, told when it begins. rule: what it does, for ``steps`` steps that it counts from 0.

    batches: (step, k) → k batches of rows of its own, step counted from 0; None for those that the loop brings.
    """

    name: str
    rule: LearningRule
    steps: int
    batches: OwnBatches | None = None


class StagedRule:
    """The stages as one learning rule. begun: told of a stage's name when its first step here is done."""

    def __init__(self, stages: Sequence[Stage], begun: Callable[[str], None] = lambda name: None) -> None:
        assert stages, "a rule has at least one stage"
        self.stages = list(stages)
        self.last = stages[-1].rule
        self.net = self.last.net
        self.before = sum(stage.steps for stage in stages[:-1])
        self._begun = begun
        self._told = -1

    def locate(self, step: int) -> tuple[int, int]:
        """(stage, step within it) of the step after ``step`` steps; the last stage has no end."""
        for number, stage in enumerate(self.stages[:-1]):
            if step < stage.steps:
                return number, step
            step -= stage.steps
        return len(self.stages) - 1, step

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """See :class:`workings.learning.rules.LearningRule`; a chunk may run over the end of a stage.

        Raises:
            NonFiniteError: a loss before the last stage was not finite; the last stage's the loop finds.
        """
        losses, done = [], 0
        while done < len(x):
            number, own = self.locate(step + done)
            stage, final = self.stages[number], number == len(self.stages) - 1
            k = len(x) - done if final else min(len(x) - done, stage.steps - own)
            part = slice(done, done + k)
            if number != self._told:
                self._told = number
                self._begun(stage.name)
            brought = (x[part], y[part], None if weight is None else weight[part])
            losses.append(stage.rule.advance(*(stage.batches(own, k) if stage.batches else brought), own))
            if not final and not bool(torch.isfinite(losses[-1]).all()):
                raise _not_finite(stage.name, own)
            done += k
        return torch.cat(losses)

    def learning_rate(self, step: int) -> float:
        """η of the step after ``step`` steps."""
        number, own = self.locate(step)
        return self.stages[number].rule.learning_rate(own)

    def tensors(self) -> dict[str, Tensor]:
        """All of the last stage's, and of those before it their own memory."""
        named = dict(self.last.tensors())
        for number, stage in enumerate(self.stages[:-1]):
            memory = {name: t for name, t in stage.rule.tensors().items() if name.startswith("optimiser.")}
            named |= {f"optimiser.stage{number}.{name.removeprefix('optimiser.')}": t for name, t in memory.items()}
        return named

    def finished(self, epoch: int) -> str | None:
        """What the last stage says once it has begun."""
        return self.last.finished(epoch) if self._told == len(self.stages) - 1 else None


def _not_finite(name: str, step: int) -> NonFiniteError:
    return NonFiniteError(
        Problem(
            "error",
            "non-finite-pretraining",
            f"The loss is not finite: {name}, after {step:,} of its steps.",
            why="From here on every weight would become NaN; training was stopped before that.",
            do="Give a smaller pretraining_rate.",
        )
    )
