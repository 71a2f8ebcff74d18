"""What pre-training gained: the same net, trained the same way on the same rows, but without it."""

from __future__ import annotations

import time
from typing import Any

import torch

from workings.base.events import Emit, Noticed, Phase, silent
from workings.base.problems import Problem
from workings.data.augment import make_augment
from workings.data.images import ImageSource
from workings.learning.init import suited
from workings.learning.metrics import headline, higher_is_better, score
from workings.report.paired import Said, gain
from workings.runs.fit import Fit, start_net
from workings.runs.folder import read_versioned
from workings.runs.labels import judge
from workings.runs.outcome import Outcome
from workings.runs.run import Run, make_net

NAME = "the same network without pre-training"


def without_pretraining(run: Run, outcome: Outcome, emit: Emit) -> dict[str, Any]:
    """Train it, tell what pre-training gained, and give what ``baselines.json`` holds of it."""
    emit(Phase("evaluating", NAME))
    began = time.perf_counter()
    fit = _fitted(run, outcome)
    truth, prediction, probability = judge(fit.net, outcome.test, run.prep)
    task = run.prep.task_kind
    metrics = score(task, truth, prediction, probability).metrics
    name = headline(task, _counts(run, outcome))
    ours, theirs = Said(outcome.prediction, outcome.probability), Said(prediction, probability)
    interval = gain(task, truth, ours, theirs, name)
    with_it = score(task, truth, outcome.prediction, outcome.probability).metrics[name]
    emit(Noticed(_told(name, with_it, metrics[name], interval, len(truth))))
    seconds = round(time.perf_counter() - began, 3)
    found = {"name": NAME, "metrics": metrics, "seconds": seconds, "note": ""}
    return found if interval is None else found | {"gain": {name: interval}}


def _fitted(run: Run, outcome: Outcome) -> Fit:
    reason = "to see what pre-training gained"
    recipe = run.recipe.settled("pretraining", "none", reason)
    if recipe.initialisation == "own":  # small weights are for Boltzmann machines; gradients want larger ones
        recipe = recipe.settled("initialisation", suited("sigmoid")[0], reason)
    augment, source = None, outcome.train
    if isinstance(source, ImageSource):
        augment = make_augment(recipe.augmentation, source.shape, source=source)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = make_net(read_versioned(run.path / "net.json"))
        fit = Fit(net, run.prep.task_kind, recipe, source, outcome.val, silent, augment)
        start_net(net, recipe, source)
        fit.run()
    return fit


def _counts(run: Run, outcome: Outcome) -> list[int] | None:
    return torch.bincount(outcome.train.y.long()).tolist() if run.prep.classes else None


def _told(name: str, ours: float, theirs: float, interval: list[float] | None, n: int) -> Problem:
    better = (ours > theirs) == higher_is_better(name) and ours != theirs
    verb = "raised" if ours > theirs else "lowered"
    change = f"{verb} {name} from {theirs:.4f} to {ours:.4f}" if ours != theirs else f"left {name} at {ours:.4f}"
    sure = f"; 95 % interval of the gain {interval[0]:+.4f} to {interval[1]:+.4f}" if interval else ""
    what = f"Pre-training {change} on {n:,} test rows{sure}."
    chance = interval is None or interval[0] <= 0 <= interval[1]
    why = "That may be chance." if chance else "" if better else "The network is better off without it."
    do = "" if better or chance else "Train with pretraining=none."
    return Problem("note", "pretraining-gain", what, why=why, do=do)
