"""A stage of layer-wise learning: one dense layer as an autoencoder with tied weights, or with an output of its own.

    a = what the trained layers below say,  h = σ(W ã + c),  ã = a, or a with numbers left out where it denoises
    autoencoder   cost −ln p(a | Wᵀh + b)          supervised   the task's loss of U h + d

A stage that is a Boltzmann machine's is worked by ``contrastive``. Bengio et al. 2007; Vincent et al. 2008.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.learning.layerwise import GreedyRule, stack_of
from workings.learning.optimisers import SGD, Adam
from workings.nets.visible import Visible
from workings.solutions.alone import drawn_from
from workings.solutions.learners.gradient import update_of
from workings.solutions.learners.real import Real
from workings.solutions.learning_step import LearningStep, solve
from workings.solutions.solving import TOLERANCE, Detail, relative
from workings.solutions.steps import Check, Solution

_OWN = "the run's own rule"


class _Layer(nn.Module):
    """Layer ``number`` of a net and what is only for its stage: b, or U and d. corruption: q of a denoising stage."""

    def __init__(self, net: nn.Module, number: int, own: list[Tensor], corruption: float) -> None:
        super().__init__()
        self.net, self.number, self.corruption = net, number, corruption
        for p in net.parameters():
            p.requires_grad_(False)
        for p in stack_of(net).layers[number].parameters():
            p.requires_grad_(True)
        self.own = ["b"] if len(own) == 1 else ["U", "d"]
        for name, tensor in zip(self.own, own, strict=True):
            self.register_parameter(name, nn.Parameter(tensor.detach().clone()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The layer's answer, and a (B, V) that it was given."""
        stack = stack_of(self.net)
        layer = stack.layers[self.number]
        with torch.no_grad():
            a = stack.below(self.number)(x)
        own = [self.get_parameter(name) for name in self.own]
        if self.supervised:
            return F.linear(stack.activation(layer(a)), own[0], own[1]), a
        seen = a * (torch.rand_like(a) >= self.corruption) if self.corruption else a
        h = stack.activation(layer(seen))
        return F.linear(h, layer.weight.T, own[0]), a

    def learnt(self) -> list[str]:
        """Names of the parameters in the order of the rule: W, c, then its own."""
        layer = stack_of(self.net).layers[self.number]
        names = {id(p): name for name, p in self.named_parameters()}
        return [*(names[id(p)] for p in (layer.weight, layer.bias)), *self.own]

    @property
    def supervised(self) -> bool:
        """Whether the stage has an output layer of its own."""
        return len(self.own) > 1


def layer_solution(
    real: Real,
    x: Tensor,
    y: Tensor,
    visible: Visible,
    corruption: float,
    loss: Callable[..., Tensor],
    seed: int,
    title: str,
    facts: list[tuple[str, str]],
    detail: Detail,
) -> Solution:
    """The stage's step on x (B, *shape). visible: what the numbers are that the layer sees. loss: of the task."""
    rule = real.rule
    assert isinstance(rule, GreedyRule)
    optimiser = rule.optimiser
    assert isinstance(optimiser, (SGD, Adam))
    net = _Layer(copy.deepcopy(real.net), real.stage, rule.own, corruption)
    names, supervised, t = net.learnt(), net.supervised, real.done + 1
    pieces = [tensor.split(rule.sizes) for tensor in rule.state]
    shapes = [p.shape for p in rule.parameters]
    letters = ("m", "v") if len(rule.state) == 2 else ("v",)
    memory = {
        name: {letter: piece[i].reshape(shapes[i]).clone() for letter, piece in zip(letters, pieces, strict=False)}
        for i, name in enumerate(names)
    }
    update = update_of(optimiser, real.eta, t, set(), memory)
    w = torch.cat([p.detach().reshape(-1) for p in rule.parameters])
    kept = tuple(tensor.clone() for tensor in rule.state)
    arrived: list[Tensor] = []

    def reference(gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        g = torch.cat([gradients[name].reshape(-1) for name in names])
        arrived.append(g)
        new, _ = optimiser.update(w, g, kept, optimiser.scalars(t, real.eta), 0)
        return {n: piece.reshape(s) for n, piece, s in zip(names, new.split(rule.sizes), shapes, strict=True)}

    def cost(out: tuple[Tensor, Tensor], target: Tensor) -> Tensor:
        return loss(out[0], target) if supervised else visible.cost(out[0], out[1]).mean()

    solution = solve(
        LearningStep(net, (x,), y, cost, dict.fromkeys(names, update), reference, seed=seed), title, facts, detail
    )
    with drawn_from(seed), torch.enable_grad():
        L = rule.cost(x, y, None)
    g = torch.cat([each.reshape(-1) for each in torch.autograd.grad(L, rule.parameters)])
    sections = {step.title: step for step in solution.steps}
    mine = sections["Loss"].values[0].data
    sections["Loss"].checks.append(Check(f"{_OWN}: its loss", relative(mine, L.detach().double()), TOLERANCE))
    sections["Update"].checks.append(Check(f"{_OWN}: its gradient", relative(arrived[0], g), TOLERANCE))
    return solution
