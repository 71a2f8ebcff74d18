"""From a recipe to a rule of stages: what each layer learns before the whole net does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.events import Phase
from workings.data.source import Source
from workings.learning import layerwise, loop
from workings.learning.gradient import GradientRule
from workings.learning.lanes import parse_lane
from workings.learning.layerwise import OnTop, Stack, stack_of
from workings.learning.optimisers import make_optimiser
from workings.learning.rules import Batches, LearningRule
from workings.learning.staged import OwnBatches, Stage, StagedRule
from workings.learning.stream import Stream
from workings.nets.dbn import DBN
from workings.nets.visible import BINARY, GAUSSIAN, Visible
from workings.runs.unlabelled import Joined

if TYPE_CHECKING:
    from workings.runs.fit import Fit

BATCH = 100  # of pre-training on more samples than those with labels
MOMENTUM, DECAY = 0.5, 2e-4  # of a layer's Boltzmann machine; Hinton 2012, sections 9 and 10
NUMBERS = 0.1  # of η, where the units seen are numbers without bounds
TIMED = 4  # steps
MEAN_OF = 2000  # samples that the visible biases begin from
SAID = {
    "rbm": "as a Boltzmann machine",
    "autoencoder": "as an autoencoder",
    "denoising": "as a denoising autoencoder",
    "supervised": "with an output layer of its own",
}


def make_rule(fit: Fit) -> StagedRule:
    """The rule of a deep belief network without labels: each layer in turn as a Boltzmann machine."""
    net, recipe = fit.net, fit.recipe
    assert isinstance(net, DBN)
    stack = stack_of(net)
    mean = _mean(fit.train)
    _check_binary(net.visible, fit.train)
    threads = None if recipe.lane == "auto" else parse_lane(recipe.lane).threads
    stages = []
    for number in range(len(stack.layers)):
        visible = stack.seen(number, net.visible)
        eta = fit.schedule((recipe.learning_rate or 0.1) * (1.0 if visible.kind == "binary" else NUMBERS))
        rule = OnTop(
            stack,
            number,
            net.biases[number],
            visible,
            eta,
            mean if number == 0 else None,
            k=net.k,
            chains=net.chains,
            momentum=MOMENTUM if recipe.momentum is None else recipe.momentum,
            decay=DECAY if recipe.weight_decay is None else recipe.weight_decay,
            seed=recipe.seed,
            threads=threads,
        )
        stages.append(Stage(_said(stack, number, "rbm", fit.steps, len(fit.train)), rule, fit.steps))
    return StagedRule(stages, _teller(fit))


def with_pretraining(fit: Fit, fine: GradientRule) -> StagedRule:
    """``fine``, which trains the whole net, after a stage for each of its hidden layers."""
    recipe, stack = fit.recipe, stack_of(fit.net)
    kind = recipe.pretraining or "rbm"
    source, stream, own = fit.train, fit.stream, None
    if fit.unlabelled is not None:
        source, stream, own = _rows_of_its_own(fit.train, fit.unlabelled, recipe.seed)
    first = first_visible(fit.train, recipe.net_settings)
    _check_binary(first, source)
    steps, _ = loop.plan_steps(stream.n, stream.batch, recipe.pretraining_epochs or 1.0)
    stages = [
        Stage(
            _said(stack, number, kind, steps, len(source)),
            _layer_rule(fit, stack, number, kind, stack.seen(number, first), source),
            steps,
            own,
        )
        for number in range(len(stack.layers))
    ]
    return StagedRule([*stages, Stage("the whole net", fine, fit.steps)], _teller(fit))


def fit_into_minutes(fit: Fit, seconds: float) -> float:
    """Shorten layers' stages that would take more than ``seconds``, or half of them where labels come after; the
    seconds that they will take. Epochs that the user gave stand.
    """
    rule, fine = fit.rule, fit.gradient
    assert isinstance(rule, StagedRule)
    name = "epochs" if fine is None else "pretraining_epochs"
    wanted = sum(stage.steps * each for stage, each in zip(rule.stages, _seconds_a_step(fit, rule), strict=False))
    share, epochs = seconds if fine is None else seconds / 2, getattr(fit.recipe, name)
    if wanted <= share or name not in fit.recipe.reasons:
        return wanted
    fewer = float(f"{epochs * share / wanted:.4g}")
    fit.decide(name, fewer, f"{epochs:g} would take about {wanted:,.0f} s of the {fit.recipe.minutes:g} minutes given")
    if fine is None:
        fit.steps, fit.every = loop.plan_steps(fit.stream.n, fit.stream.batch, fewer)
    fit.rule = make_rule(fit) if fine is None else with_pretraining(fit, fine)
    return share


def _seconds_a_step(fit: Fit, rule: StagedRule) -> list[float]:
    """Of each layer's stage; everything is put back."""
    saved, generator = {name: t.clone() for name, t in rule.tensors().items()}, torch.get_rng_state()
    found = []
    for stage in rule.stages:
        if stage.rule is not fit.gradient:
            batches = (stage.batches or fit.batches)(0, TIMED)
            stage.rule.advance(*batches, 0)  # the first steps are slower
            began = time.perf_counter()
            stage.rule.advance(*batches, 0)
            found.append((time.perf_counter() - began) / TIMED)
    loop.put_back(rule, saved)
    torch.set_rng_state(generator)
    return found


def _rows_of_its_own(train: Source, more: Source, seed: int) -> tuple[Source, Stream, OwnBatches]:
    joined = Joined([train, more])
    stream = Stream(len(joined), min(BATCH, len(joined)), seed)

    def batches(step: int, k: int) -> tuple[Batches, Batches, Tensor | None]:
        return loop.batches(joined, stream, step, k, None)

    return joined, stream, batches


def _layer_rule(fit: Fit, stack: Stack, number: int, kind: str, visible: Visible, source: Source) -> LearningRule:
    recipe = fit.recipe
    eta = recipe.pretraining_rate or (0.1 if kind == "rbm" else 1e-3)
    if kind == "rbm":
        eta *= 1.0 if visible.kind == "binary" else NUMBERS
        layer = stack.layers[number]
        b_V = torch.zeros(layer.in_features, dtype=layer.weight.dtype)
        settings = recipe.net_settings
        return OnTop(
            stack,
            number,
            b_V,
            visible,
            lambda step: eta,
            _mean(source) if number == 0 else None,
            k=int(settings.get("k", 1)),
            chains=int(settings.get("chains", 0)),
            momentum=MOMENTUM,
            decay=DECAY,
            seed=recipe.seed,
        )
    adam = make_optimiser("adam")
    if kind == "supervised":
        output = fit.net.output
        assert isinstance(output, nn.Linear)
        return layerwise.supervised(stack, number, output.out_features, fit.loss, adam, eta, recipe.seed)
    q = (recipe.corruption or 0.0) if kind == "denoising" else 0.0
    return layerwise.autoencoder(stack, number, visible, q, adam, eta)


def first_visible(source: Source, settings: dict[str, Any]) -> Visible:
    """What the numbers of a sample are: pixels that are 0…1 count as binary units, all else as Gaussian ones."""
    wanted = settings.get("visible", "auto")
    if wanted != "auto":
        return Visible(wanted)
    mean, std = getattr(source, "mean_C", None), getattr(source, "std_C", None)
    plain = mean is not None and std is not None and not bool(mean.any()) and bool((std == 1).all())
    return BINARY if plain else GAUSSIAN


def _check_binary(visible: Visible, source: Source) -> None:
    x = _some(source)
    if visible.kind == "binary" and (float(x.min()) < 0 or float(x.max()) > 1):
        raise refuse(
            "not-binary",
            f"The samples' numbers reach from {float(x.min()):.3g} to {float(x.max()):.3g}; binary units know 0 to 1.",
            do="Use visible=gaussian.",
        )


def _some(source: Source) -> Tensor:
    n = len(source)
    return source.x(torch.arange(n) if n <= MEAN_OF else torch.arange(MEAN_OF) * n // MEAN_OF).flatten(1)


def _mean(source: Source) -> Tensor:
    return _some(source).double().mean(0).float()


def _said(stack: Stack, number: int, kind: str, steps: int, rows: int) -> str:
    layer = stack.layers[number]
    units = f"{layer.in_features:,} to {layer.out_features:,} units"
    return f"layer {number + 1} of {len(stack.layers)}, {units}, {SAID[kind]}: {steps:,} steps on {rows:,} samples"


def _teller(fit: Fit) -> Any:
    return lambda name: fit.emit(Phase("training", name))
