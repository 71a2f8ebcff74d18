"""From family, difficulty and seed to an exercise."""

from __future__ import annotations

import torch

from workings.base.errors import UserError
from workings.base.problems import Problem, unknown_name
from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.families import FAMILIES
from workings.solutions.exercises.sheet import Exercise

DIFFICULTIES = (1, 2, 3)
TRIES = 100_000


def exercise(family: str, seed: int = 0, difficulty: int = 1) -> Exercise:
    """A new exercise; the same arguments give the same one.

    family: one of ``FAMILIES``. difficulty: 1 to 3. seed: any whole number from 0.

    Raises:
        UserError: there is no such family or difficulty; all that is wrong at once, the nearest name suggested.
    """
    known = {name.lower(): name for name in FAMILIES}
    problems: list[Problem] = []
    if family.lower() not in known:
        problems.append(unknown_name("family of exercises", family, list(FAMILIES)))
    if difficulty not in DIFFICULTIES:
        what = f"There is no difficulty {difficulty}."
        problems.append(Problem("error", "bad-value", what, do="Take 1, 2 or 3."))
    if seed < 0:
        problems.append(Problem("error", "bad-value", f"A seed cannot be {seed}.", do="Take a whole number from 0."))
    if problems:
        raise UserError(problems)
    name = known[family.lower()]
    draw = Draw(name, difficulty, seed)
    # Layers made on the way draw first weights that nothing uses: the caller's random numbers stay as they are.
    with torch.random.fork_rng(devices=[]):
        for _ in range(TRIES):
            sheet = FAMILIES[name].make(draw, difficulty)
            if sheet is not None:
                return Exercise(name, difficulty, seed, sheet)
    raise AssertionError(f"no numbers of {TRIES} draws make an exercise of {name}, difficulty {difficulty}")
