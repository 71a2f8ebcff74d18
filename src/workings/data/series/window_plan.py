"""How long a window is that is itself learnt: given by the user, or derived and told.

window   one season of 8 steps or more; of a shorter season as many as make 16 steps; without one, 32 steps; an eighth
         of the training steps at most
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workings.base.problems import Problem
from workings.data.series.plan import FEWEST_WINDOWS, PARTS, Plan, given_plan, note, season_of
from workings.data.series.steps import Step

SHORT_SEASON, OF_SHORT, WITHOUT = 8, 16, 32


def make_window_plan(n: int, step: Step, options: Mapping[str, Any]) -> tuple[Plan | None, list[Problem]]:
    """The plan for a series of ``n`` steps; None where what was asked for cannot be, with every reason.

    Its horizon is the window, since a part must hold one.
    """
    parts, train, told, problems = given_plan(n, options)
    if problems:
        return None, problems
    season, why = season_of(n, train, step, options)
    told = [note("season", season, step, why), *told]
    window, why = _window(train, season)
    if "window" in options:
        window, why = int(options["window"]), "as asked"
    told.append(note("window", window, step, why))
    wrong = _too_short(n, window, parts)
    return (None, [*told, *wrong]) if wrong else (Plan(season, window, window, parts, told), told)


def _window(train: int, season: int) -> tuple[int, str]:
    most = max(2, train // 8)
    seasons = 1 if season >= SHORT_SEASON else -(-OF_SHORT // season)
    wanted = seasons * season if season > 1 else WITHOUT
    if wanted > most:
        return most, f"an eighth of {train:,} training steps"
    if season > 1:
        return wanted, "one season" if seasons == 1 else f"{seasons} seasons"
    return wanted, "there is no season"


def _too_short(n: int, L: int, parts: tuple[int, int, int] | None) -> list[Problem]:
    found = []
    needed = L + FEWEST_WINDOWS - 1
    for name, steps, least in zip(PARTS, parts or (), (needed, L, L), strict=bool(parts)):
        if 0 < steps < least:
            what = f"The {name} part has {steps:,} steps; it needs {least:,}, for windows of {L:,}."
            do = "Give a larger part, or a smaller window: --set window=N."
            found.append(Problem("error", "too-short", what, count=steps, do=do))
    if not parts and n < needed + L:
        what = f"The series is too short: {n:,} steps."
        why = f"{FEWEST_WINDOWS} windows of {L:,} steps to learn from, and one to test on, need {needed + L:,}."
        found.append(Problem("error", "too-short", what, count=n, why=why, do="Give a longer series."))
    return found
