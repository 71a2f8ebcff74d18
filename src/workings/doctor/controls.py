"""Controls: short trainings that need no target from anyone, by which a run can be told from one that learns nothing.

    prior              what is lost without any input (``doctor.prior``)
    one batch          the net is given one batch again and again; a net that can learn at all learns it by heart
    inputs zeroed      every number of every input is 0; what is learnt then needs no input
    labels permuted    inputs and labels are paired at random; what is learnt then is no relation between them

A run that does no better than with its labels permuted has learnt nothing that holds for other rows: its inputs and
labels do not belong together, or it cannot learn. One batch tells which. Zhang et al. 2017 for permuted labels;
Karpathy 2019 (A recipe for training neural networks) for one batch and zeroed inputs.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from workings.base.errors import UserError
from workings.base.events import Phase
from workings.data.source import Part, Source
from workings.doctor.paired import Gain
from workings.doctor.prior import LABELS
from workings.doctor.trial import Change, Trial
from workings.doctor.ward import Ward

LEARNT = 0.5  # of the prior's loss: a batch learnt by heart is below
SEEDS = 3


@dataclass(frozen=True)
class Control:
    """What a control gave. name; what: in one sentence; value: its score; against: the run's own, on the same rows.

    passed: None where it is a figure to compare with, or could not be done.
    """

    name: str
    what: str
    value: float | None = None
    against: float | None = None
    passed: bool | None = None

    def to_dict(self) -> dict[str, object]:
        """As JSON-ready values."""
        return asdict(self)


def controls(ward: Ward) -> list[Control]:
    """All controls that the kind of data has, within the ward's time."""
    patient = ward.patient
    recipe = patient.recipe
    ward.emit(Phase("trying", "the run again, as it was"))
    own = ward.trial(recipe, recipe.seed)
    prior = patient.prior(*patient.sources(recipe))
    found = []
    if prior is not None:
        p = float(prior.mean())
        better = own.score < p * 0.98
        said = "less" if better else "no less"
        what = f"The net loses {own.score:.4g} on {patient.of}; {said} than the prior alone, {p:.4g}."
        found.append(Control("prior", what, p, own.score, better))
    for name, change in (
        ("one batch", _one_batch(ward)),
        ("inputs zeroed", _zeroed if patient.data.train.x(torch.arange(1)).is_floating_point() else None),
        ("labels permuted", _permuted(recipe.seed) if patient.task in LABELS else None),
    ):
        if change is None:
            continue
        if not ward.bears(1):
            found.append(Control(name, "Not done: there was no time left."))
            continue
        ward.emit(Phase("trying", f"control: {name}"))
        try:
            plain = recipe.model_copy(update={"augmentation": "none"}) if name == "one batch" else recipe
            trial = ward.changed(plain, name, change)
        except UserError as error:
            found.append(Control(name, f"Not done: {error.problems[0].what}"))
            continue
        found.append(_told(name, trial, own, None if prior is None else float(prior.mean())))
    return found


def permuted_gain(ward: Ward) -> Gain | None:
    """How much better the run is than with its labels permuted, over seeds; None where its data has no labels."""
    patient = ward.patient
    if patient.task not in LABELS:
        return None
    recipe, seed = patient.recipe, patient.recipe.seed
    own, other = [], []
    for k in range(1, SEEDS + 1):
        if not ward.bears(2):
            break
        ward.emit(Phase("trying", f"labels permuted, seed {k} of {SEEDS}"))
        own.append(ward.trial(recipe, seed + k))
        other.append(ward.changed(recipe, f"labels permuted {k}", _permuted(seed + k), seed + k))
    return ward.gain(other, own) if len(own) > 1 else None


def _told(name: str, trial: Trial, own: Trial, prior: float | None) -> Control:
    if trial.stopped and "clock" not in trial.stopped:
        return Control(name, f"It stopped: {trial.stopped}", None, own.score, False if name == "one batch" else None)
    if name == "one batch":
        learnt = trial.last < LEARNT * (trial.first if prior is None else min(prior, trial.first))
        said = "learnt by heart" if learnt else "not learnt by heart"
        what = (
            f"One batch is {said} in {trial.steps:,} steps: its loss goes from {trial.first:.4g} to {trial.last:.4g}."
        )
        return Control(name, what, trial.last, trial.first, learnt)
    better = own.score < trial.score * 0.98
    said = "more than" if better else "no more than"
    what = f"With {name} it loses {trial.score:.4g}, {said} the {own.score:.4g} it loses as it is."
    return Control(name, what, trial.score, own.score, better)


def _one_batch(ward: Ward) -> Change | None:
    recipe = ward.patient.recipe
    if recipe.net in ("gan", "perceptron") or ward.patient.data.train.stride > 1:
        return None  # a game has no loss to bring to 0; windows of one text are no batch
    batch = 64 if recipe.batch_size in ("all", None) else int(recipe.batch_size)

    def change(source: Source) -> Source:
        return _Repeated(source, np.random.default_rng(recipe.seed).permutation(len(source))[:batch])

    return change


class _Repeated(Part):
    """One batch of another source, as often as fills the source, so that as many steps are done."""

    def __init__(self, whole: Source, index: np.ndarray) -> None:
        super().__init__(whole, np.resize(index, len(whole)))


def _zeroed(source: Source) -> Source:
    twin = copy.copy(source)
    twin.x = lambda index: torch.zeros_like(source.x(index))  # type: ignore[method-assign]
    return twin


def _permuted(seed: int) -> Change:
    def change(source: Source) -> Source:
        twin = copy.copy(source)
        order = torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))
        twin.y = source.y[order]
        y: Tensor = twin.y
        twin.targets = lambda index: y[index]  # type: ignore[method-assign]
        return twin

    return change


def failed(found: Sequence[Control]) -> list[Control]:
    """The controls that did not come out as those of a run that learns."""
    return [each for each in found if each.passed is False]
