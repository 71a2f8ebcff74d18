"""A step by the gradient of one loss: what the recipe says, and what the run's own optimiser would do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from workings.learning.flat import FlatParameters
from workings.learning.gradient import GradientRule
from workings.learning.optimisers import SGD, Adam, State
from workings.solutions.learners.real import Real
from workings.solutions.learning_step import LearningStep
from workings.solutions.limits import Limits
from workings.solutions.updates import Update


def gradient_step(
    real: Real, x: Tensor, target: Tensor, loss: Callable[..., Tensor], seed: int, weight: Tensor | None = None
) -> LearningStep:
    """One more step of a gradient rule on x and target, both in float64 where they are numbers."""
    rule = real.rule
    assert isinstance(rule, GradientRule)
    optimiser, limits, flat = rule.optimiser, rule.step.regularisation, rule.flat
    assert isinstance(optimiser, (SGD, Adam))
    t = real.done + 1
    update = update_of(optimiser, real.eta, t, set(flat.names[: flat.weights]), memory_of(flat, rule.state))
    net = copy.deepcopy(real.net)
    return LearningStep(
        net,
        (x,),
        target,
        loss,
        {name: update for name, p in net.named_parameters() if p.requires_grad},
        moved_by(optimiser, flat, rule.state, t, real.eta),
        Limits(limits.l1, limits.l2, limits.clip_norm, limits.clip_value),
        seed=seed,
        weight=weight,
    )


def memory_of(flat: FlatParameters, state: State) -> dict[str, dict[str, Tensor]]:
    """Momentum v, or Adam's m and v, of each parameter by its name."""
    letters = ("m", "v") if len(state) == 2 else ("v",)
    found: dict[str, dict[str, Tensor]] = {name: {} for name in flat.names}
    for letter, tensor in zip(letters, state, strict=False):
        for name, view in zip(flat.names, flat.views(tensor.clone()), strict=True):
            found[name][letter] = view
    return found


def update_of(made: SGD | Adam, eta: float, t: int, weights: set[str], memory: dict[str, dict[str, Tensor]]) -> Update:
    """The update of step t. weights: names of the parameters on which weight decay acts."""
    common: dict[str, Any] = {"eta": eta, "weight_decay": made.weight_decay, "decays": weights.__contains__}
    common |= {"memory": memory, "t": t}
    if isinstance(made, SGD):
        return Update("sgd", "SGD", momentum=made.momentum, nesterov=made.nesterov, rest_rate=made.rest_rate, **common)
    title = "AdamW" if made.decoupled else "Adam"
    return Update("adam", title, beta1=made.beta1, beta2=made.beta2, eps=made.eps, decoupled=made.decoupled, **common)


def moved_by(
    made: SGD | Adam, flat: FlatParameters, state: State, t: int, eta: float
) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """The optimiser of the run itself, its code in ``learning``, on float64."""
    w, kept = flat.w.clone(), tuple(tensor.clone() for tensor in state)

    def step(gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        g = flat.gather(tuple(gradients.get(name) for name in flat.names))
        new, _ = made.update(w, g, kept, made.scalars(t, eta), flat.decayed)
        return dict(zip(flat.names, flat.views(new), strict=True))

    return step


def doubled(x: Tensor) -> Tensor:
    """Numbers as float64; tokens and class numbers as they are."""
    return x.double() if x.is_floating_point() else x


def parameters_of(net: nn.Module) -> int:
    """How many numbers a net learns."""
    return sum(p.numel() for p in net.parameters())
