"""The rule by which a run learnt, once more, in float64 and with its memory: what the worked steps are held against."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from workings.base.events import silent
from workings.base.problems import Problem
from workings.data.source import Source
from workings.learning.loop import put_back
from workings.learning.rules import LearningRule
from workings.learning.staged import StagedRule
from workings.runs.memory import Memory, load_memory

if TYPE_CHECKING:
    from workings.runs.run import Run


@dataclass
class Real:
    """net: in float64, as the rule holds it. rule: of the stage shown. stage: its number from 0, of ``stages``.

    done: steps that it did before. eta: η of the step shown. remembers: whether the run kept its memory.
    """

    net: nn.Module
    rule: LearningRule
    stage: int
    stages: int
    done: int
    eta: float
    memory: Memory | None
    problems: list[Problem]

    @property
    def remembers(self) -> bool:
        """Whether what the optimiser remembers is the run's own."""
        return self.memory is not None


def real_rule(run: Run, source: Source, stage: int | None = None) -> Real:
    """The rule of a run that is finished, as it was after the step whose weights were kept.

    stage: of a run in stages, from 1; None for the last.

    Raises:
        UserError: there is no such stage; the memory is damaged.
    """
    from workings.base.errors import refuse
    from workings.runs.fit import Fit

    net = copy.deepcopy(run.net).double().train()
    weights = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    recipe = run.recipe.model_copy(update={"lane": "eager@1"})
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            whole = Fit(net, run.task.kind, recipe, source, None, silent, may_compile=False).rule
    finally:
        torch.set_default_dtype(default)
    memory = load_memory(run.path)
    if memory is not None:
        put_back(whole, memory.tensors)
    net.load_state_dict(weights)  # some rules begin by drawing or measuring anew
    rules = [each.rule for each in whole.stages] if isinstance(whole, StagedRule) else [whole]
    number = len(rules) if stage is None else stage
    if not 1 <= number <= len(rules):
        what = f"There is no stage {number} of learning; the run has {len(rules)}."
        raise refuse("no-stage", what, do=f"Give a number from 1 to {len(rules)}, or leave it out.")
    done, eta = 0, rules[number - 1].learning_rate(0)
    if memory is not None:
        done, eta = memory.done[number - 1], memory.learning_rates[number - 1]
    return Real(net, rules[number - 1], number - 1, len(rules), done, eta, memory, _told(memory))


def _told(memory: Memory | None) -> list[Problem]:
    if memory is None:
        return [
            Problem(
                "note",
                "fresh-optimiser",
                "The optimiser begins afresh, at the learning rate of the first step.",
                why="The run is of a version that kept its weights, not the memory of its optimiser.",
                do="Train again to see the step with the run's own memory.",
            )
        ]
    found = []
    if memory.step != memory.weights_step:
        found.append(
            Problem(
                "warning",
                "memory-of-another-step",
                f"The weights are those after step {memory.weights_step:,}, what the optimiser remembers is of step "
                f"{memory.step:,}.",
                why="The run was begun by a version that kept the best weights alone.",
            )
        )
    if memory.averaged:
        found.append(
            Problem(
                "note",
                "averaged-weights",
                "The weights shown are the running average that was kept; what the optimiser remembers is of the "
                f"weights that were averaged, at step {memory.step:,}.",
            )
        )
    return found
