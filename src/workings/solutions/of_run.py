"""The worked solution of a trained run: one more learning step from its kept weights, on a sample of its data.

By the rule that the run learnt by, with what that rule remembered at the step whose weights were kept: Adam's moments,
velocities, chains. A run of a version that kept no memory begins its optimiser afresh, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from workings.base.errors import UserError, refuse
from workings.base.events import Emit, Noticed, silent
from workings.base.problems import Problem, unknown_name
from workings.data.source import Source
from workings.learning.adversarial import AdversarialRule
from workings.learning.contrastive_rule import ContrastiveRule
from workings.learning.gradient import GradientRule
from workings.learning.layerwise import GreedyRule, OnTop, stack_of
from workings.learning.losses import Loss, make_loss
from workings.learning.perceptron import PerceptronRule
from workings.nets.unsupervised import Unsupervised
from workings.solutions.learners.gradient import doubled, gradient_step
from workings.solutions.learners.real import Real, real_rule
from workings.solutions.learners.working import forward_alone
from workings.solutions.learning_step import solve
from workings.solutions.rounding import DIGITS
from workings.solutions.solving import Detail
from workings.solutions.steps import Solution, Step

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
    stage: int | None = None,
    digits: int = DIGITS,
    emit: Emit = silent,
) -> Solution:
    """One learning step of a run on row ``sample`` (from 1) of ``data``, or of what it was trained on.

    batch: rows from ``sample`` on that make the step; 1 where the net needs no more. layer, unit, digits: as in
    :func:`workings.solutions.show.show`; of a Boltzmann machine ``unit`` is a hidden one and, after it, a visible one.
    stage: of a run that learnt layer by layer, from 1; the last where it is left out.

    Raises:
        UserError: no such row, layer or stage; data that is gone.
    """
    problems: list[Problem] = []
    _check_layer(run.net, layer)
    source = _source(run, data, emit)
    if not 1 <= sample <= len(source):
        raise refuse("no-sample", f"There is no sample {sample:,}.", do=f"Give a number from 1 to {len(source):,}.")
    real = real_rule(run, source, stage)
    rows = _rows(real.net, sample, batch, len(source), problems)
    problems += real.problems
    facts = _facts(run, real, source, rows)
    title = f"One learning step of {run.path.name}"
    solution = _solved(run, real, source, rows, title, facts, Detail(digits, layer=layer, unit=unit))
    for problem in problems:
        emit(Noticed(problem))
    solution.problems = [*problems, *solution.problems]
    return solution


def _solved(
    run: Run, real: Real, source: Source, rows: Tensor, title: str, facts: list[tuple[str, str]], detail: Detail
) -> Solution:
    x, y, seed = doubled(source.x(rows)), doubled(source.targets(rows)), run.recipe.seed
    match real.rule:
        case GradientRule():
            step = gradient_step(real, x, y, _loss(run, real.net), seed, _weight(run, source, rows))
            assert step.updates is not None
            facts.append(("Optimiser", next(iter(step.updates.values())).described()))
            return solve(step, title, facts, detail)
        case PerceptronRule(eta=eta):
            from workings.solutions.learners.perceptron import perceptron_solution

            facts.append(("Rule", f"the perceptron's, η = {eta:g}"))
            return perceptron_solution(real, x, y, title, facts, detail)
        case ContrastiveRule() | OnTop():
            return _contrastive(real, x, seed, title, facts, detail)
        case AdversarialRule():
            from workings.solutions.learners.adversarial import adversarial_solution

            return adversarial_solution(real, x, seed, title, facts, detail)
        case GreedyRule():
            return _layer(run, real, source, x, y, title, facts, detail)
    what = f"The net {run.recipe.net} learns by a rule that has no equations here."
    raise refuse("another-rule", what, do="Show a run of another net.")


def _contrastive(
    real: Real, x: Tensor, seed: int, title: str, facts: list[tuple[str, str]], detail: Detail
) -> Solution:
    """Of a Boltzmann machine on its own, or of one on top of trained layers, whose answers it sees."""
    from workings.solutions.learners.contrastive import contrastive_solution

    rule, v, below = real.rule, x.flatten(1), None
    if isinstance(rule, OnTop):
        if real.stage:
            below = Step("Below: what the trained layers say", children=forward_alone(real.net, rule.up, x, detail))
            below.remarks = [
                "The Boltzmann machine above takes their last answer for v⁽⁰⁾: probabilities, no samples. Here the "
                "number above a symbol counts layers; further down it counts steps of Gibbs sampling."
            ]
        with torch.no_grad():
            v = rule.up(x)
        rule = rule.rule
    assert isinstance(rule, ContrastiveRule)
    said = [f"η = {real.eta:g}", f"μ = {rule.momentum:g}", f"λ = {rule.weight_decay:g}", f"k = {rule.net.k}"]
    facts.append(("Rule", f"contrastive divergence, {', '.join(said)}"))
    return contrastive_solution(rule, v, real.eta, seed, title, facts, detail, below)


def _layer(
    run: Run, real: Real, source: Source, x: Tensor, y: Tensor, title: str, facts: list[tuple[str, str]], detail: Detail
) -> Solution:
    from workings.runs.pretraining import first_visible
    from workings.solutions.learners.layerwise import layer_solution

    recipe = run.recipe
    if not real.remembers:
        what = "This run kept no memory of the stages before the last."
        raise refuse(
            "no-memory", what, why="It was trained by an older version.", do="Train again, or leave out --stage."
        )
    visible = stack_of(real.net).seen(real.stage, first_visible(source, recipe.net_settings))
    q = (recipe.corruption or 0.0) if recipe.pretraining == "denoising" else 0.0
    loss = _loss(run, real.net)
    return layer_solution(real, x, y, visible, q, loss, recipe.seed, title, facts, detail)


def _check_layer(net: nn.Module, layer: str | None) -> None:
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


def _loss(run: Run, net: nn.Module) -> Callable[..., Tensor]:
    if isinstance(net, Unsupervised):
        return net.objective
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in run.recipe.loss_settings.items()}
    loss: Loss = make_loss(run.recipe.loss or "mse", **settings)
    return loss


def _weight(run: Run, source: Source, rows: Tensor) -> Tensor | None:
    """Weights of the samples; ones where classes have weights, so that these are float64 too."""
    if source.w is not None:
        return source.w[rows].double()
    return torch.ones(len(rows), dtype=torch.float64) if run.recipe.loss_settings.get("class_weights") else None


def _facts(run: Run, real: Real, source: Source, rows: Tensor) -> list[tuple[str, str]]:
    wheres = [source.where(int(i)) for i in rows]
    count = sum(p.numel() for p in run.net.parameters())
    facts = [
        ("Net", f"{run.recipe.net}, {count:,} parameters, with the weights that training kept"),
        ("Sample", ", ".join(wheres[:4]) + (f" and {len(wheres) - 4} more" if len(wheres) > 4 else "")),
    ]
    task = run.task
    if task.classes and not source.reconstructs and source.y.ndim == 1 and not source.y.is_floating_point():
        facts.append((task.target or "Class", ", ".join(str(task.classes[int(source.y[int(i)])]) for i in rows[:4])))
    if isinstance(real.rule, GradientRule):
        facts.append(("Loss", run.recipe.loss or "the net's own"))
    if real.stages > 1:
        facts.append(("Stage", _stage(real)))
    if real.memory is not None:
        facts.append(("Step", f"number {real.done + 1:,}, as training would have gone on from the weights it kept"))
    return facts


def _stage(real: Real) -> str:
    """Which stage of a run in stages is shown."""
    whole = "the whole net" if isinstance(real.rule, GradientRule) else f"layer {real.stage + 1}"
    return f"{real.stage + 1} of {real.stages}, {whole}; the others with --stage"
