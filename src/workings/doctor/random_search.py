"""Random search with the interface of the cures: the comparison at equal budget.

Settings are drawn at random, several at once, with no regard to what was found; screening, proof and acceptance are
those of ``doctor.treating``. Source: Bergstra and Bengio 2012; it matches published repair tools (Mahmud et al. 2023).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from workings.base.events import Emit, silent
from workings.base.finding import Finding
from workings.doctor.case import case_of
from workings.doctor.cures.cure import Case, Cure
from workings.doctor.patient import Patient
from workings.doctor.treating import Propose, treat
from workings.doctor.tried import Treatment
from workings.runs.recipe import Recipe

DRAWN = 24  # recipes of a round; the time ends it sooner


def random_search(patient: Patient, minutes: float, emit: Emit = silent, seed: int = 0) -> Treatment:
    """Try random recipes within ``minutes``."""
    propose = draws(patient, seed)
    return treat(patient, propose, minutes, emit, last=propose)


def draws(patient: Patient, seed: int) -> Propose:
    """Rounds of recipes drawn at random, other ones each time."""
    dice = random.Random(seed)

    def propose(recipe: Recipe, findings: Sequence[Finding]) -> Sequence[Cure]:
        case = case_of(patient, recipe)
        return [_drawn(case, dice) for _ in range(DRAWN)]

    return propose


def _drawn(case: Case, dice: random.Random) -> Cure:
    """A recipe whose settings are drawn, each from what is usual for it."""
    values: dict[str, Any] = {}
    if case.net != "perceptron":
        values["learning_rate"] = float(f"{10 ** dice.uniform(-5, 0):.3g}")
        values["batch_size"] = min(case.n, 2 ** dice.randint(3, 9))
    if case.gradient:
        values["optimiser"] = dice.choice(["sgd", "adam", "adamw"])
        values["weight_decay"] = dice.choice([0.0, float(f"{10 ** dice.uniform(-5, 0):.3g}")])
        values["schedule"] = dice.choice(["constant", "cosine", "linear"])
        values["clip_norm"] = dice.choice([None, 1.0])
        values["initialisation"] = dice.choice(["he_normal", "xavier_uniform", "orthogonal", "torch_default"])
    if case.task != "unsupervised" and case.recipe.epochs:
        values["epochs"] = round(case.recipe.epochs * dice.choice([0.3, 1.0, 3.0]), 3)
    net: dict[str, Any] = {}
    for name, drawn in _NET.items():
        if name in case.net_settings and not (name == "activation" and case.net in ("rnn", "vae")):
            net[name] = drawn(dice)
    if "hidden" in case.net_settings:
        net["hidden"] = [2 ** dice.randint(3, 8)] * dice.randint(1, 4)
    unset = tuple(name for name in ("optimiser_settings", "momentum") if case.gradient)
    return Cure(f"random recipe {dice.randrange(10**6):06}", "", "drawn at random", values, net, unset)


_NET = {
    "activation": lambda dice: dice.choice(["relu", "tanh", "sigmoid", "leaky_relu", "elu"]),
    "dropout": lambda dice: round(dice.choice([0.0, dice.uniform(0, 0.6)]), 3),
    "batch_norm": lambda dice: dice.random() < 0.5,
    "width": lambda dice: 2 ** dice.randint(4, 8),
    "units": lambda dice: 2 ** dice.randint(4, 8),
    "beta": lambda dice: float(f"{math.exp(dice.uniform(-3, 3)):.3g}"),
}
