"""The worked solution of a trained run: one more learning step from its kept weights, on a sample of its data.

A finished run keeps its weights, not its optimiser's memory, so the optimiser begins afresh: m = v = 0, t = 1, and η is
the recipe's learning rate. That is told on the page.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.events import Emit, Noticed, silent
from workings.base.problems import Problem
from workings.data.source import Source
from workings.learning.flat import FlatParameters
from workings.learning.losses import Loss, make_loss
from workings.learning.optimisers import SGD, Adam, make_optimiser
from workings.learning.regularisers import is_penalised
from workings.nets.unsupervised import Unsupervised
from workings.solutions.learning_step import LearningStep, Limits, solve
from workings.solutions.rounding import DIGITS
from workings.solutions.solving import Detail
from workings.solutions.steps import Solution
from workings.solutions.updates import Update

if TYPE_CHECKING:
    from workings.runs.run import Run

BATCH_FOR_NORMS = 4


def show_run(
    run: Run,
    sample: int = 1,
    data: object = None,
    *,
    batch: int | None = None,
    layer: str | None = None,
    unit: tuple[int, ...] | None = None,
    digits: int = DIGITS,
    emit: Emit = silent,
) -> Solution:
    """One learning step of a run on row ``sample`` (from 1) of ``data``, or of what it was trained on.

    batch: rows from ``sample`` on that make the step; 1 where the net needs no more. layer, unit, digits: as in
    :func:`workings.solutions.show.show`.

    Raises:
        UserError: no such row or layer; data that is gone; a net that learns by another rule than a gradient.
    """
    problems: list[Problem] = []
    _refuse_other_rules(run)
    net = copy.deepcopy(run.net).double()
    _check_layer(net, layer)
    source = _source(run, data, emit)
    if not 1 <= sample <= len(source):
        raise refuse("no-sample", f"There is no sample {sample:,}.", do=f"Give a number from 1 to {len(source):,}.")
    rows = _rows(net, sample, batch, len(source), problems)
    x, target = source.x(rows), source.targets(rows)
    step = _learning_step(run, net, x, target, problems)
    for problem in problems:
        emit(Noticed(problem))
    facts = _facts(run, net, source, rows, step)
    solution = solve(step, f"One learning step of {run.path.name}", facts, Detail(digits, layer=layer, unit=unit))
    solution.problems = [*problems, *solution.problems]
    return solution


def _refuse_other_rules(run: Run) -> None:
    from workings.runs.fit import _RULES

    if run.recipe.net == "perceptron" or run.recipe.net in _RULES:
        raise refuse(
            "another-rule",
            f"The net {run.recipe.net} learns by a rule of its own, not by the gradient of a loss.",
            why="Its step has no equations here yet.",
            do="Show a net that learns by gradients, such as an mlp or a cnn.",
        )


def _check_layer(net: nn.Module, layer: str | None) -> None:
    from workings.base.errors import UserError
    from workings.base.problems import unknown_name

    names = [name for name, _ in net.named_modules() if name]
    if layer is not None and layer not in names:
        raise UserError(unknown_name("layer", layer, names))


def _source(run: Run, data: object, emit: Emit) -> Source:
    import numpy as np

    where = run.recipe.data if data is None else data
    if where is None:
        raise refuse(
            "no-data", "The run was trained on data from memory, which its folder does not hold.", do="Give the data."
        )
    if isinstance(where, str) and not Path(where).exists():
        raise refuse("no-data", f"The data of the run is no longer at '{where}'.", do="Give --data with its new place.")
    dataset = run._read(where, True, emit, "skip")
    return dataset.source(run.prep, np.arange(dataset.n))


def _rows(net: nn.Module, sample: int, batch: int | None, n: int, problems: list[Problem]) -> Tensor:
    norms = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in net.modules())
    if batch is None:
        batch = min(BATCH_FOR_NORMS, n) if norms else 1
        if norms:
            problems.append(
                Problem(
                    "note",
                    "batch-for-norms",
                    f"The step is of {batch} samples, from {sample:,} on: the net normalises over its batch.",
                    do="Another number can be given with --batch.",
                )
            )
    return (torch.arange(batch) + sample - 1) % n


def _learning_step(run: Run, net: nn.Module, x: Tensor, target: Tensor, problems: list[Problem]) -> LearningStep:
    recipe = run.recipe
    net.train()
    made = make_optimiser(recipe.optimiser or "adamw", **recipe.optimiser_settings)
    eta = recipe.learning_rate or 1e-3
    update = _update(made, eta, {name for name, p in net.named_parameters() if is_penalised(p)})
    if update.kind == "adam" or update.momentum:
        problems.append(
            Problem(
                "note",
                "fresh-optimiser",
                f"The optimiser begins afresh, at the recipe's learning rate {eta:g}.",
                why="A finished run keeps its weights, not the memory of its optimiser.",
            )
        )
    return LearningStep(
        net,
        (x.double() if x.is_floating_point() else x,),
        target.double() if target.is_floating_point() else target,
        _loss(run, net, problems),
        {name: update for name, p in net.named_parameters() if p.requires_grad},
        _reference(made, eta, net),
        Limits(recipe.l1, recipe.l2, recipe.clip_norm, recipe.clip_value),
        seed=recipe.seed,
    )


def _loss(run: Run, net: nn.Module, problems: list[Problem]) -> Callable[..., Tensor]:
    if isinstance(net, Unsupervised):
        objective = net.objective

        def own(out: Tensor, x: Tensor) -> Tensor:
            return objective(out, x, None)

        return own
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in run.recipe.loss_settings.items()}
    if settings.pop("class_weights", None) is not None:
        problems.append(
            Problem(
                "note",
                "class-weights",
                "Class weights are left out: in the weighted mean over one sample they cancel.",
            )
        )
    loss: Loss = make_loss(run.recipe.loss or "mse", **settings)
    return loss


def _update(made: SGD | Adam, eta: float, weights: set[str]) -> Update:
    common: dict[str, Any] = {"eta": eta, "weight_decay": made.weight_decay, "decays": weights.__contains__}
    if isinstance(made, SGD):
        return Update("sgd", "SGD", momentum=made.momentum, nesterov=made.nesterov, rest_rate=made.rest_rate, **common)
    title = "AdamW" if made.decoupled else "Adam"
    return Update("adam", title, beta1=made.beta1, beta2=made.beta2, eps=made.eps, decoupled=made.decoupled, **common)


def _reference(made: SGD | Adam, eta: float, net: nn.Module) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """The optimiser of the run itself, its code in ``learning``, on float64."""

    def step(gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        flat = FlatParameters(copy.deepcopy(net))
        g = flat.gather(tuple(gradients.get(name) for name in flat.names))
        w, _ = made.update(flat.w, g, made.start(flat.w), made.scalars(1, eta), flat.decayed)
        return dict(zip(flat.names, flat.views(w), strict=True))

    return step


def _facts(run: Run, net: nn.Module, source: Source, rows: Tensor, step: LearningStep) -> list[tuple[str, str]]:
    assert step.updates is not None
    wheres = [source.where(int(i)) for i in rows]
    count = sum(p.numel() for p in net.parameters())
    facts = [
        ("Net", f"{run.recipe.net}, {count:,} parameters, with the weights that training kept"),
        ("Sample", ", ".join(wheres[:4]) + (f" and {len(wheres) - 4} more" if len(wheres) > 4 else "")),
    ]
    task = run.task
    if task.classes and not source.reconstructs and source.y.ndim == 1 and not source.y.is_floating_point():
        facts.append((task.target or "Class", ", ".join(str(task.classes[int(source.y[int(i)])]) for i in rows[:4])))
    facts.append(("Loss", run.recipe.loss or "the net's own"))
    facts.append(("Optimiser", next(iter(step.updates.values())).described()))
    return facts
