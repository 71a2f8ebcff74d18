"""What a generative adversarial network is judged by: its draws beside samples that it never saw.

modes_found       classes whose share of the draws is at least a tenth of their share of the training samples, as the
                  judge names them (``runs.judge``); there are labels, or there is no judge
rarest_share      of the draws, of the class drawn most rarely among those trained on
draws_precision, draws_recall, draws_coverage, energy_distance
                  see ``learning.two_samples``; in the judge's features, or without one in the samples' own numbers,
                  the energy distance always in these
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from workings.base.events import Emit, Phase
from workings.base.problems import Problem, shorten
from workings.data.source import Source
from workings.learning.intervals import wilson
from workings.learning.metrics import Evaluation
from workings.learning.two_samples import NEIGHBOURS, NEIGHBOURS_COVERED, energy_distance, manifolds
from workings.nets.unsupervised import Draws
from workings.runs.judge import Judge, open_judge, train_judge

if TYPE_CHECKING:
    from workings.runs.run import Run

DRAWS = 2000
FOUND = 0.1  # of its share among the training samples: a class drawn more rarely counts as missed
LITTLE = 0.5  # coverage below which modes are told as missing, where there are no classes
SURE = 0.95  # accuracy of the judge below which its word is told to be weak


def prepare(run: Run, train: Source, val: Source | None, emit: Emit) -> None:
    """Train the judge, unless the recipe wants no comparisons; labels of steps of a series are not of its windows."""
    if run.task.classes and run.recipe.baselines and run.prep.kind != "series":
        train_judge(run, train, val, emit)


def measure(run: Run, source: Source, emit: Emit) -> list[Evaluation]:
    """See :mod:`workings.runs.unsupervised`."""
    emit(Phase("drawing", f"{DRAWS:,} samples, to be compared with {len(source):,}"))
    return [compared(draws_of(run), source, open_judge(run), run.task.classes or [])]


def draws_of(run: Run) -> Tensor:
    """The draws that are judged, always the same."""
    assert isinstance(run.net, Draws)
    return run.net.draw(DRAWS, torch.Generator().manual_seed(run.recipe.seed))


def compared(draws: Tensor, source: Source, judge: Judge | None, classes: list[str]) -> Evaluation:
    """What draws (m, *shape) are worth beside the first samples of a source, as many as there are draws at most."""
    found = Evaluation("unsupervised", len(source), {})
    n = min(len(source), len(draws))
    x = source.x(torch.arange(n))
    named, classes_of_x, real, made = None, None, x.flatten(1), draws.flatten(1)
    space = "in the samples' own numbers"
    if judge is not None:
        named, made = judge.look(draws)
        classes_of_x, real = judge.look(x)
        space = "in the features of the net that names classes"
    if n > NEIGHBOURS_COVERED:
        _among(found, real, made[:n], space)
    else:
        what = f"{n} samples are too few to say how well the draws cover them."
        found.notes.append(Problem("note", "too-few-to-compare", what, do="Evaluate on more samples."))
    if judge is not None and named is not None and classes_of_x is not None:
        _classes(found, named, judge, classes)
        if bool(source.y.any()):
            _judge_itself(found, classes_of_x, source.y[:n])
    elif found.metrics.get("draws_coverage", 1.0) < LITTLE:
        what = f"Only {found.metrics['draws_coverage']:.0%} of the samples have a draw among their neighbours."
        found.notes.append(_collapse(what, 0))
    if n > 1:
        found.metrics["energy_distance"] = energy_distance(x, draws[:n])
        found.method["energy_distance"] = f"{n} draws beside {n} samples, in their own numbers"
    return found


def _among(found: Evaluation, real: Tensor, made: Tensor, space: str) -> None:
    """As many draws as samples: the balls of both kinds are then alike in size."""
    lies, n = manifolds(real, made), len(real)
    for name, which, k in (
        ("draws_coverage", lies.covered, NEIGHBOURS_COVERED),
        ("draws_precision", lies.precise, NEIGHBOURS),
        ("draws_recall", lies.recalled, NEIGHBOURS),
    ):
        _share(found, name, which, f"Wilson; {n} draws beside {n} samples, {space}, {k} neighbours")


def class_shares(named: Tensor, K: int) -> np.ndarray:
    """(K,): the share of each class."""
    return np.bincount(named.numpy(), minlength=K) / len(named)


def missed(shares: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Numbers of the classes that there are, and that are drawn less than a tenth as often."""
    return np.flatnonzero((expected > 0) & (shares < FOUND * expected))


def _classes(found: Evaluation, named: Tensor, judge: Judge, classes: list[str]) -> None:
    expected = judge.shares
    shares, there = class_shares(named, len(classes)), expected > 0
    gone = missed(shares, expected)
    found.metrics["modes_found"] = float(there.sum() - len(gone))
    found.method["modes_found"] = f"of {int(there.sum())} classes in {len(named)} draws"
    rarest = int(np.flatnonzero(there)[shares[there].argmin()])
    _share(found, "rarest_share", named == rarest, f"Wilson; '{classes[rarest]}' among {len(named)} draws")
    told = shorten([f"{classes[k]} {shares[k]:.1%}" for k in np.flatnonzero(there)], 20)
    found.notes.append(Problem("note", "classes-of-draws", f"Of {len(named):,} draws: {told}."))
    if len(gone):
        names = shorten([classes[k] for k in gone], 10)
        what = f"The draws reach {int(there.sum()) - len(gone)} of the {int(there.sum())} classes."
        found.notes.append(_collapse(what, len(gone), f"hardly ever drawn: {names}"))


def _judge_itself(found: Evaluation, named: Tensor, y: Tensor) -> None:
    _share(found, "judge_accuracy", named == y, f"Wilson; {len(y)} samples")
    accuracy = found.metrics["judge_accuracy"]
    if accuracy < SURE:
        what = f"The net that names the classes of draws is right on {accuracy:.1%} of real samples."
        why = "The shares of classes among the draws are no surer than that."
        found.notes.append(Problem("warning", "weak-judge", what, why=why, do="Bring more samples of each class."))


def _share(found: Evaluation, name: str, which: Tensor, how: str) -> None:
    hits, n = int(which.sum()), len(which)
    found.metrics[name], found.method[name] = hits / n, how
    low, high = wilson(hits, n)
    found.intervals[name] = [low if hits else 0.0, high if hits < n else 1.0]  # the formula's ends, but for rounding


def _collapse(what: str, count: int, where: str = "") -> Problem:
    return Problem(
        "warning",
        "mode-collapse",
        what,
        where,
        count,
        "The generator has settled on a part of what there is: its draws do not stand for the samples.",
        "Train longer, set penalty=r1 with a larger penalty_strength, or a smaller learning_rate.",
    )
