"""A trial: the run's training done again, whole or shortened, in memory, with one thing changed or nothing.

Three kinds, on the same rows from the same start:

    nothing   the run as it was
    placebo   the same with another order of its batches: a change that should not matter
    cure      a changed recipe

Trials of one seed are a pair: first weights, batches and random numbers are alike but for what is changed. A trial that
stops because its numbers blow up counts as the prior alone, and none counts as worse: its net would be thrown away.
Where a task has no prior, the net of the run before its first step takes that place.

Nothing is written, and test rows are not there (``doctor.patient``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from workings.base.errors import NonFiniteError
from workings.base.events import silent
from workings.data.source import Source
from workings.doctor.patient import Judged, Patient
from workings.learning import loop
from workings.learning.lanes import Lane, parse_lane
from workings.runs.fit import Fit, start_net
from workings.runs.job import Job, Prepared
from workings.runs.machine import steady
from workings.runs.making import augmentation, make_net
from workings.runs.recipe import Recipe
from workings.watching.history import History

OTHER_ORDER = 7_919  # added to the seed of a placebo's batches

Change = Callable[[Source], Source]


@dataclass(frozen=True)
class Trial:
    """What a trial gave. score: lower is better. rows: (n,) whose mean it is, or None.

    seconds: of the whole trial; training: of its steps. first, last: training loss of the first and the last eighth of
    the steps, NaN where it stopped before.
    stopped: why it did not reach its last step, or "".
    """

    score: float
    rows: Tensor | None
    metrics: dict[str, float]
    steps: int
    seconds: float
    first: float
    last: float
    stopped: str = ""
    recipe: Recipe | None = None
    history: History | None = None
    training: float = 0.0


def shortened(recipe: Recipe, share: float) -> Recipe:
    """The recipe of a trial: so much of the epochs, nothing written or compiled, no clock, no watching."""
    assert recipe.epochs is not None
    changes = {"epochs": recipe.epochs * share, "minutes": None, "watch": 0.0, "lane": _lane(recipe.lane)}
    if recipe.pretraining_epochs is not None:
        changes["pretraining_epochs"] = recipe.pretraining_epochs * share
    return recipe.model_copy(update=changes)


def _lane(name: str) -> str:
    """A way of executing steps that need not be compiled first."""
    if name == "auto":
        return "eager@1"
    lane = parse_lane(name)
    kind = "channels-last" if lane.kind in ("channels-last", "bf16") else "eager"
    return Lane(kind, lane.threads).name


def run_trial(
    patient: Patient,
    recipe: Recipe,
    seed: int,
    *,
    share: float = 1.0,
    placebo: bool = False,
    seconds: float | None = None,
    train: Change | None = None,
    fold: int | None = None,
    watch: float = 0.0,
) -> Trial:
    """Train by ``recipe`` from ``seed`` for ``share`` of its epochs, and judge.

    placebo: another order of batches. seconds: the longest that it may take; what is reached by then is judged, and
    told. train: changes the training rows, for controls. fold: which part of the rows judges, see ``doctor.patient``.
    watch: share of its time that is spent on watching it, whose history is then kept.

    Raises:
        UserError: the recipe does not fit the data or the net.
    """
    began = time.perf_counter()
    fit, judges = make_fit(patient, recipe, seed, share, placebo, seconds, train, fold, watch)
    prior = patient.prior(fit.train, judges)
    worst = _untrained(patient) if prior is None else float(prior.mean())
    stopped, kept, training = "", Losses(), 0.0
    threads = parse_lane(fit.recipe.lane).threads if fit.recipe.lane != "auto" else 1
    with steady(threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            if fit.recipe.learning_rate is None:
                fit.settle()
            watched = fit.rule.advance
            fit.rule.advance = kept.seen(watched)  # type: ignore[method-assign]
            training = -time.perf_counter()
            fit.run()
            training += time.perf_counter()
            if fit.state.step < fit.before + fit.steps and "clock" in (fit.state.stopped or ""):
                stopped = fit.state.stopped or ""
            judged = _bounded(prior, worst, patient.judge(fit, judges))
        except NonFiniteError as error:
            stopped = error.problems[0].what
            judged = _bounded(prior, worst, Judged(float("inf"), None, {}))
    return Trial(
        judged.score,
        judged.rows,
        dict(judged.metrics),
        fit.state.step,
        time.perf_counter() - began,
        kept.first,
        kept.last,
        stopped,
        fit.recipe,
        None if fit.watched is None else fit.watched.history,
        max(training, 0.0),
    )


class Losses:
    """Training losses of a trial, as the rule gives them."""

    def __init__(self) -> None:
        self.all: list[float] = []

    def seen(self, advance: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """``advance``, its losses kept."""

        def passed(*args: object) -> Tensor:
            losses = advance(*args)
            self.all += losses.tolist()
            return losses

        return passed

    @property
    def first(self) -> float:
        return self._mean(self.all[: max(1, len(self.all) // 8)])

    @property
    def last(self) -> float:
        return self._mean(self.all[-max(1, len(self.all) // 8) :])

    @staticmethod
    def _mean(losses: list[float]) -> float:
        return sum(losses) / len(losses) if losses else float("nan")


def make_fit(
    patient: Patient,
    recipe: Recipe,
    seed: int,
    share: float,
    placebo: bool = False,
    seconds: float | None = None,
    train: Change | None = None,
    fold: int | None = None,
    watch: float = 0.0,
) -> tuple[Fit, Source]:
    """A fit of a trial, and the rows that judge it."""
    recipe = recipe.model_copy(update={"seed": seed})
    rows, judges = patient.sources(recipe, fold)
    rows = rows if train is None else train(rows)
    most = len(rows) // rows.stride
    if isinstance(recipe.batch_size, int) and recipe.batch_size > most:  # a part is smaller than the whole
        recipe = recipe.model_copy(update={"batch_size": most})
    data = Prepared(patient.dataset, patient.data.split, patient.data.prep, rows, judges, rows, None)
    data.unlabelled = patient.data.unlabelled
    job = Job(recipe, silent, None, None, patient.own, None, None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net, _ = make_net(job, data)
        recipe = shortened(job.recipe, share).model_copy(update={"watch": watch})
        if seconds is not None:
            recipe = recipe.model_copy(update={"minutes": seconds / 60})
        job.recipe = recipe
        augment = augmentation(job, data)
        fit = Fit(net, patient.dataset.task.kind, job.recipe, rows, judges, silent, augment, False, data.unlabelled)
        start_net(net, fit.recipe, rows)
    if placebo:
        fit.stream.seed += OTHER_ORDER
    return fit, judges


def _untrained(patient: Patient) -> float:
    """What the run's net scores before its first step; looked at once."""
    if patient.untrained is None:
        fit, judges = make_fit(patient, patient.recipe, patient.recipe.seed, 1.0)
        with torch.random.fork_rng(devices=[]):
            score = patient.judge(fit, judges).score
        patient.untrained = score if math.isfinite(score) else math.inf
    return patient.untrained


def _bounded(prior: Tensor | None, worst: float, judged: Judged) -> Judged:
    """No trial counts as worse than ``worst``; what is not finite counts as it."""
    if judged.score < worst:  # false for NaN too
        return judged
    return Judged(worst, prior, judged.metrics)


def planned_steps(patient: Patient, recipe: Recipe, share: float = 1.0) -> int:
    """Steps of a trial."""
    n = len(patient.data.train) // patient.data.train.stride
    batch = n if recipe.batch_size in ("all", None) else min(int(recipe.batch_size), n)
    assert recipe.epochs is not None
    return loop.plan_steps(n, batch, recipe.epochs * share)[0]
