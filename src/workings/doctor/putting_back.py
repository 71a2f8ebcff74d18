"""Which of several changed settings was at fault: each is put back alone, all others staying changed.

A cure that changes many settings at once names no cause. Where two of them were at fault together, changing one alone
may not help, but putting one back harms; that names both.
"""

from __future__ import annotations

from workings.base.errors import UserError
from workings.base.events import Noticed, Phase
from workings.base.problems import Problem
from workings.doctor.causes import NAMES, shown
from workings.doctor.cures.cure import Cure
from workings.doctor.cures.settled import MEANS
from workings.doctor.diagnosis import Cause
from workings.doctor.paired import Gain
from workings.doctor.tried import Treatment, Tried
from workings.doctor.ward import FEWEST_SEEDS, SEEDS, Ward
from workings.runs.recipe import Recipe

MOST = 3  # settings that are proved to be at fault


def culprits(ward: Ward, treatment: Treatment, before: Recipe) -> list[Cause]:
    """The causes that putting back shows, the worst first; empty where every accepted cure names its own."""
    many = [t for t in treatment.accepted if not t.cause and len(t.cure.unset) > 1 and t.recipe is not None]
    return _of(ward, many[0], before) if many else []


def _of(ward: Ward, tried: Tried, before: Recipe) -> list[Cause]:
    assert tried.recipe is not None
    cured, seed = tried.recipe, ward.patient.recipe.seed
    found: list[tuple[float, str, str, Recipe]] = []
    for name in tried.cure.unset:
        code = _code(name, before, cured)
        if not code or not ward.bears(1):
            continue
        ward.emit(Phase("trying", f"{name} put back"))
        try:
            back = _put_back(name, before, cured)
            harm = ward.trial(back, seed).score - ward.trial(cured, seed).score
        except UserError as error:  # it does not fit the other settings any more
            what = f"'{name}' could not be put back alone: {error.problems[0].what}"
            ward.emit(Noticed(Problem("note", "not-put-back", what, why="Whether it was at fault is not known.")))
            continue
        if harm > 0:
            found.append((harm, name, code, back))
    worst: dict[str, tuple[float, str, str, Recipe]] = {}  # of each cause the setting that harms most
    for each in sorted(found, key=lambda each: -each[0]):
        worst.setdefault(each[2], each)
    causes = []
    for _, name, code, back in list(worst.values())[:MOST]:
        gain = _proved(ward, back, cured)
        if gain is not None and gain.better:
            by = f"{name.replace('_', ' ')} put back, which harms"
            causes.append(Cause(code, NAMES.get(code, code), True, by, gain, f"{name} as derived from the data"))
    return causes


def _proved(ward: Ward, back: Recipe, cured: Recipe) -> Gain | None:
    """The gain of the cured recipe over the one with a setting put back."""
    own, pairs = ward.patient.recipe.seed, []
    for k in range(1, SEEDS + 1):
        if not ward.bears(2):
            break
        ward.emit(Phase("proving", f"seed {k} of {SEEDS}: put back"))
        pairs.append((ward.trial(back, own + k), ward.trial(cured, own + k)))
    return ward.gain([a for a, _ in pairs], [b for _, b in pairs]) if len(pairs) >= FEWEST_SEEDS else None


def _code(name: str, before: Recipe, cured: Recipe) -> str:
    return shown(Cure(name, MEANS.get(name, ""), "", unset=(name,)), before, cured)


def _put_back(name: str, before: Recipe, cured: Recipe) -> Recipe:
    """The cured recipe with one setting as it was."""
    why = "put back, to see whether it was at fault"
    if name in before.net_settings:
        return Cure(name, "", why, net={name: before.net_settings[name]}).apply(cured)
    return Cure(name, "", why, {name: getattr(before, name)}).apply(cured)
