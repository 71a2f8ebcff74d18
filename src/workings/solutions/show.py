"""``workings.show``: the worked solution of one learning step of any PyTorch model."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from workings.base.problems import Problem
from workings.solutions.learning_step import LearningStep, solve
from workings.solutions.limits import Limits
from workings.solutions.rounding import DIGITS
from workings.solutions.solving import FEW, Detail
from workings.solutions.steps import Solution
from workings.solutions.updates import of_torch


def show(
    model: nn.Module,
    inputs: Any,
    targets: Any = None,
    loss: Callable[..., Tensor] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    layer: str | None = None,
    unit: Sequence[int] | None = None,
    whole: bool = False,
    digits: int = DIGITS,
    seed: int = 0,
) -> Solution:
    """One learning step of ``model`` on ``inputs``, worked through: forward, loss, backward, update, forward again.

    The model, the optimiser and torch's random numbers stay as they are: the step is done on a copy in float64.

    inputs: one tensor (B, …), a tuple of them, or a dict of keyword arguments; a batch is shown with its sums over
        samples, so a batch of one reads best. targets: what ``loss(output, targets)`` takes; None where the loss takes
        the output alone. loss: None for a model whose output is its loss. optimizer: torch's; None shows no update.
    layer: work out only the operations of this module, by its name in ``model.named_modules()``; the rest is
        summed up. unit: work out this entry of every tensor, counted from 1. whole: work out every entry of every
        tensor, for small nets. digits: significant ones that are printed. seed: of the random numbers that the model
        draws (dropout).

    Raises:
        UserError: the loss is no single number, or nothing can be differentiated.
    """
    net = copy.deepcopy(model).double()
    problems: list[Problem] = []
    args, kwargs = _given(inputs)
    given = tree_map(_double, args)
    target = tree_map(_double, targets)
    names = {id(p): name for name, p in model.named_parameters()}
    updates = None if optimizer is None else of_torch(optimizer, names)
    reference = None
    if optimizer is not None:
        reference = _real_step(optimizer, model)
        if updates is None:
            problems.append(
                Problem(
                    "note",
                    "no-update-rule",
                    f"There are no equations here for the optimiser {type(optimizer).__name__} with these settings.",
                    do="Its update is left out; SGD, Adam and AdamW are worked out.",
                )
            )
    step = LearningStep(
        net,
        given,
        target,
        loss or (lambda out: out),
        updates,
        reference,
        Limits(),
        tree_map(_double, kwargs),
        seed,
    )
    parameters = sum(p.numel() for p in model.parameters())
    facts = [
        ("Net", f"{type(model).__name__}, {parameters:,} parameters, as it {'learns' if model.training else 'is used'}")
    ]
    facts.append(
        (
            "Loss",
            type(loss).__name__ if not hasattr(loss, "__name__") else str(loss.__name__) if loss else "the model's own",
        )
    )
    if updates:
        facts.append(("Optimiser", next(iter(updates.values())).described()))
    solution = solve(
        step,
        f"One learning step of {type(model).__name__}",
        facts,
        Detail(digits, few=sys.maxsize if whole else FEW, layer=layer, unit=None if unit is None else tuple(unit)),
    )
    solution.problems += problems
    return solution


def _given(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(inputs, dict):
        return (), dict(inputs)
    return (tuple(inputs), {}) if isinstance(inputs, (tuple, list)) else ((inputs,), {})


def _double(x: Any) -> Any:
    if not isinstance(x, Tensor):
        return x
    return x.detach().clone().double() if x.is_floating_point() else x.detach().clone()


def _real_step(optimizer: torch.optim.Optimizer, model: nn.Module) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """torch's own optimiser on float64 copies of its parameters, with its own state."""

    def step(gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        names = {id(p): name for name, p in model.named_parameters()}
        copies: dict[int, nn.Parameter] = {}
        groups = []
        for group in optimizer.param_groups:
            made = []
            for p in group["params"]:
                copies[id(p)] = nn.Parameter(p.detach().double().clone())
                made.append(copies[id(p)])
            groups.append({**{k: v for k, v in group.items() if k != "params"}, "params": made})
        twin = type(optimizer)(groups)  # type: ignore[call-arg]
        for old, new in copies.items():
            gradient = gradients.get(names.get(old, ""))
            new.grad = None if gradient is None else gradient.clone()
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p in optimizer.state:
                    twin.state[copies[id(p)]] = {
                        k: (
                            v.double().clone()
                            if isinstance(v, Tensor) and v.is_floating_point() and k != "step"
                            else copy.deepcopy(v)
                        )
                        for k, v in optimizer.state[p].items()
                    }
        twin.step()
        return {names[old]: new.detach() for old, new in copies.items() if old in names}

    return step
