"""Fitting a net to prepared rows by a settled recipe: the part that needs no files.

``runs.train`` wraps it with a data set before and a run folder after; the scikit-learn estimators call it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from workings.base.events import Decided, Emit, Event, Noticed, Phase
from workings.base.problems import Problem
from workings.data.schema import TaskKind
from workings.data.source import Source
from workings.learning import loop, nonfinite
from workings.learning.gradient import GradientRule
from workings.learning.init import initialise
from workings.learning.lane_choice import Measured, choose_lane
from workings.learning.lanes import Lane, LaneRunner, channels_last, parse_lane
from workings.learning.loop_state import LoopSettings, LoopState
from workings.learning.losses import make_loss
from workings.learning.lr_range import range_test
from workings.learning.metrics import higher_is_better
from workings.learning.optimisers import make_optimiser
from workings.learning.perceptron import PerceptronRule
from workings.learning.rules import Batches, LearningRule
from workings.learning.schedules import make_schedule
from workings.learning.staged import StagedRule
from workings.learning.step import LossFunction, Regularisation
from workings.learning.stream import Stream
from workings.nets.unsupervised import Draws, Unsupervised
from workings.nets.whitened import VGG
from workings.runs.machine import keep_freed_memory
from workings.runs.recipe import Recipe
from workings.runs.settle import learning_rate_from_range
from workings.runs.watched import Watched
from workings.runs.work import work_of

# Enough patches for a stem's few eigenvectors, and little to read.
STARTING_ROWS = 2000
SHOWN = 16  # samples drawn on the way
CLOCK_SHARE = 0.85  # of the minutes given, for steps; looks at the validation rows take the rest

Augment = Callable[[Tensor], Tensor]

# Nets that learn by a rule of their own: the module whose ``make_rule(fit)`` makes it.
_RULES: dict[str, str] = {
    "gan": "workings.learning.adversarial",
    "rbm": "workings.learning.contrastive_rule",
    "dbn": "workings.runs.pretraining",
}


@dataclass
class Fit:
    """A net being fitted: ``recipe`` is settled further as things are measured; ``state`` is the loop's.

    ``emit`` may draw random numbers: torch's generator is put back after every event. ``unlabelled``: more samples,
    that only pre-training sees. ``seen``: what was watched of a run that goes on (``Watched.to_dict``).
    """

    net: nn.Module
    task: TaskKind
    recipe: Recipe
    train: Source
    val: Source | None
    emit: Emit
    augment: Augment | None = None
    may_compile: bool = True
    unlabelled: Source | None = None
    state: LoopState = field(default_factory=LoopState)
    seen: dict[str, Any] | None = None
    lanes: list[Measured] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.emit = unseen(self.emit)
        recipe = self.recipe
        n = len(self.train) // self.train.stride
        batch = n if recipe.batch_size in ("all", None) else min(int(recipe.batch_size), n)
        weights = sampling_weights(self.train.y) if recipe.imbalance == "weighted sampling" else None
        self.stream = Stream(
            len(self.train), batch, recipe.seed, weights, recipe.shuffle, self.train.lengths, self.train.stride
        )
        assert recipe.epochs is not None
        self.steps, self.every = loop.plan_steps(n, batch, recipe.epochs)
        self.loss: LossFunction = self._make_loss()
        self.rule: LearningRule = self._make_rule()
        self.watched: Watched | None = None

    def _make_loss(self) -> LossFunction:
        recipe = self.recipe
        if isinstance(self.net, Unsupervised):
            return self.net.objective
        settings = {k: tuple(v) if isinstance(v, list) else v for k, v in recipe.loss_settings.items()}
        return make_loss(recipe.loss or "mse", **settings)

    def _make_rule(self) -> LearningRule:
        recipe = self.recipe
        if recipe.net in _RULES and isinstance(self.net, Unsupervised):
            return import_module(_RULES[recipe.net]).make_rule(self)
        if recipe.net == "perceptron":
            return PerceptronRule(self.net, recipe.learning_rate or 1.0)
        optimiser = make_optimiser(recipe.optimiser or "adamw", **recipe.optimiser_settings)
        rule = GradientRule(
            self.net,
            self.loss,
            optimiser,
            self.schedule(recipe.learning_rate or 1e-3),
            Regularisation(recipe.l1, recipe.l2, recipe.clip_norm, recipe.clip_value),
            Lane("eager", 1) if recipe.lane == "auto" else parse_lane(recipe.lane),
        )
        if recipe.pretraining in (None, "none"):
            return rule
        from workings.runs.pretraining import with_pretraining

        return with_pretraining(self, rule)

    @property
    def before(self) -> int:
        """Steps of pre-training, which come before the ``steps``."""
        return getattr(self.rule, "before", 0)

    @property
    def gradient(self) -> GradientRule | None:
        """The gradient rule; where there are stages, the last one's."""
        rule = getattr(self.rule, "last", self.rule)
        return rule if isinstance(rule, GradientRule) else None

    def schedule(self, base: float) -> Callable[[int], float]:
        """η of each step, for a peak of ``base``."""
        recipe, steps = self.recipe, self.steps
        shape = make_schedule(recipe.schedule or "constant", warmup=recipe.warmup or 0.0)
        return lambda step: shape(min(step, steps - 1), steps, base)

    def batches(self, step: int, k: int) -> tuple[Batches, Batches, Tensor | None]:
        """The k batches of training from ``step`` on, as the loop will make them."""
        return loop.batches(self.train, self.stream, step, k, self.augment)

    def settle(self) -> None:
        """Find what can only be found by measuring: the learning rate, then the lane."""
        seconds = 0.0
        if isinstance(self.rule, StagedRule) and self.recipe.minutes is not None:
            from workings.runs.pretraining import fit_into_minutes

            seconds = fit_into_minutes(self, CLOCK_SHARE * self.recipe.minutes * 60)
        rule = self.gradient
        if rule is None:
            return
        with keep_freed_memory():
            self._measure(rule, seconds)

    def _measure(self, rule: GradientRule, before: float) -> None:
        self.net.train()
        if self.recipe.lane == "auto":
            threads = self.recipe.threads or torch.get_num_threads()
            self.emit(Phase("measuring", "which way to execute a step is fastest"))
            lane, reason, self.lanes = choose_lane(
                rule, lambda k: self.batches(0, k), self.steps, self.emit, threads, self.may_compile
            )
            self.decide("lane", lane.name, reason)
            self._fit_into_minutes(next(m.microseconds for m in self.lanes if m.lane == lane.name), before)
            if rule.runner.lane != lane:
                rule.use(LaneRunner(lane, rule.step, rule.state))
        rule.runner.enter()
        if self.recipe.learning_rate is None:
            self.emit(Phase("measuring", "the learning rate, by a range test"))
            test = range_test(rule, self.batches)
            eta, reason = learning_rate_from_range(test, self.recipe)
            self.decide("learning_rate", eta, reason)
            rule.schedule = self.schedule(eta)

    def _fit_into_minutes(self, microseconds: float, before: float) -> None:
        """Shorten training that would not end within the minutes given, so that its schedule ends there too;
        ``before``: seconds of pre-training.

        Only where the epochs were derived: epochs that the user gave stand, and the clock stops them if it must.
        """
        recipe = self.recipe
        if recipe.minutes is None or "epochs" not in recipe.reasons or recipe.epochs is None:
            return
        affordable = math.floor((CLOCK_SHARE * recipe.minutes * 60 - before) * 1e6 / microseconds)
        if affordable >= self.steps:
            return
        epochs = max(affordable, 1) * self.stream.batch / self.stream.n
        reason = f"{recipe.minutes:g} minutes bear about {affordable:,} steps of {microseconds:,.0f} µs"
        self.decide("epochs", float(f"{epochs:.4g}"), reason)
        assert self.recipe.epochs is not None
        self.steps, self.every = loop.plan_steps(self.stream.n, self.stream.batch, self.recipe.epochs)
        if self.gradient is not None:
            self.gradient.schedule = self.schedule(self.recipe.learning_rate or 1e-3)

    def decide(self, name: str, value: object, reason: str) -> None:
        """Settle a value of the recipe and tell it."""
        self.recipe = self.recipe.settled(name, value, reason)
        self.emit(Decided(name, value, reason))

    def evaluate(self) -> dict[str, float]:
        """Quick metrics on the validation rows."""
        assert self.val is not None
        stored = channels_last if self.channels_last else None
        found = work_of(self.task).quick(self.task, self.net, self.val, self.loss, stored)
        self._show()
        if self.watched is not None:
            self.watched.judged(self.state.step, found)
        return found

    def _show(self) -> None:
        """Keep what the net draws after its looks 1, 2, 4, 8 …, always from the same noise."""
        look, step = self.state.step // self.every, self.state.step
        if isinstance(self.net, Draws) and look & (look - 1) == 0:
            self.net.eval()
            self.state.shown[str(step)] = self.net.draw(SHOWN, torch.Generator().manual_seed(SHOWN))
            self.net.train()

    @property
    def channels_last(self) -> bool:
        """Whether the lane keeps images with channels innermost."""
        return self.gradient is not None and self.gradient.runner.lane.kind in ("channels-last", "bf16")

    def run(self, save: Callable[[LoopState], None] | None = None) -> None:
        """Train from ``state`` to the end; the weights to be kept are in the net afterwards.

        Raises:
            NonFiniteError: a loss was not finite; with layer, batch and rows.
        """
        recipe = self.recipe
        if self.gradient is not None:
            self.gradient.runner.enter()
        monitor = recipe.monitor or "loss"
        before = self.before
        settings = LoopSettings(
            steps=before + self.steps,
            evaluate_every=self.every,
            patience=recipe.patience if self.val is not None else None,
            monitor=monitor,
            higher=higher_is_better(monitor),
            seconds=None if recipe.minutes is None else recipe.minutes * 60,
            checkpoint_seconds=recipe.checkpoint_seconds,
            average=recipe.average or 0.0,
            keep_best=bool(recipe.keep_best) and self.val is not None,
            judge_from=before,
        )
        if recipe.watch:
            self.watched = Watched(self, recipe.watch, self.seen)
            self.watched.begin()
        try:
            with keep_freed_memory():
                loop.run_loop(
                    self.rule,
                    self.train,
                    self.stream,
                    settings,
                    self.state,
                    None if self.val is None else self.evaluate,
                    self.emit,
                    save,
                    self.augment,
                    self.watched,
                )
        except loop.NonFiniteLoss as stop:
            if self.watched is not None:
                self.watched.broke(stop.step)
                self.watched.tell()
            where = [self.train.where(int(i)) for i in stop.rows]
            raise nonfinite.explain(
                self.net,
                stop.x,
                stop.step,
                self.stream.epoch_of(stop.step) + 1,
                where,
                self.rule.learning_rate(stop.step),
            ) from None
        if self.watched is not None:
            self.watched.tell()
        if self.state.step < before:
            self.emit(Noticed(_never_whole(self.state.step, before)))
        loop.settle_weights(self.rule, settings, self.state)
        self.net.eval()


def _never_whole(step: int, before: int) -> Problem:
    return Problem(
        "warning",
        "stopped-in-pretraining",
        f"Training stopped after {step:,} of the {before:,} steps of pre-training, so the last stage never began.",
        why="Some layers have learnt nothing, and no label was looked at yet.",
        do="Give more minutes, or fewer pretraining_epochs (epochs, where there are no labels).",
    )


def unseen(emit: Emit) -> Emit:
    """``emit``, but a reader that draws random numbers cannot change the run."""

    def pass_on(event: Event) -> None:
        generator = torch.get_rng_state()
        try:
            emit(event)
        finally:
            torch.set_rng_state(generator)

    return pass_on


def sampling_weights(y: Tensor) -> Tensor:
    """Weights (n,) that draw every class equally often."""
    counts = torch.bincount(y.long())
    return (1.0 / counts.double())[y.long()]


def start_net(net: nn.Module, recipe: Recipe, train: Source | None = None) -> None:
    """Draw the net's first weights as the recipe says; a net that starts from the data sees training rows."""
    if recipe.initialisation:
        generator = torch.Generator().manual_seed(recipe.seed)
        initialise(net, recipe.initialisation, generator)
        output = getattr(net, "output", None)
        if recipe.initialisation in ("he_normal", "he_uniform") and isinstance(output, nn.Linear):
            # He's 2/n_in makes up for an activation that halves the variance; none follows the last layer.
            initialise(output, "lecun_normal", generator)
    if isinstance(net, VGG) and train is not None:
        net.start(train.x(torch.arange(min(len(train), STARTING_ROWS))))
