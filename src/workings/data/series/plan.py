"""How far ahead, how far back, and which steps are for training: given by the user, or derived and told.

season   of the calendar: 12 months, 24 hours, 7 days …; 1 where there is none
horizon  one season; at most as many steps as the validation part can hold
window   the seasons that hold three and a half horizons, at most an eighth of the training steps
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workings.base.problems import Problem
from workings.data.series.steps import Step
from workings.data.split import Split

HORIZONS = 3.5  # that a window holds: 336 hours for 96, as in Zeng et al. 2023
FEWEST_WINDOWS = 8  # of the training part; fewer teach nothing
PARTS = ("training", "validation", "test")


@dataclass(frozen=True)
class Plan:
    """season, horizon H, window L, in steps. parts: steps of training, validation and test where the user gave them."""

    season: int
    horizon: int
    window: int
    parts: tuple[int, int, int] | None
    problems: list[Problem] = field(default_factory=list)

    def val_share(self) -> tuple[float, str] | None:
        """Of the steps before the test part, where the user gave the parts; and why."""
        if self.parts is None:
            return None
        train, val, _ = self.parts
        return round(val / max(1, train + val), 6), f"the split says {val:,} steps"


def given_plan(
    n: int, options: Mapping[str, Any]
) -> tuple[tuple[int, int, int] | None, int, list[Problem], list[Problem]]:
    """What the user gave: the parts or None, steps for training, what is told, and what is wrong."""
    wrong = [problem for name in ("horizon", "window", "season") for problem in _whole(name, options.get(name), 1)]
    parts, more = read_parts(options.get("split"), n)
    told = []
    if parts and sum(parts) < n:
        what = f"The last {n - sum(parts):,} of {n:,} steps are in no part of the split and are not used."
        told.append(Problem("warning", "steps-not-used", what, count=n - sum(parts), do="Give larger parts."))
    return parts, parts[0] if parts else round(0.68 * n), told, wrong + more


def season_of(n: int, train: int, step: Step, options: Mapping[str, Any]) -> tuple[int, str]:
    """Steps of a season, 1 where there is none; and why."""
    season, why = step.season
    if "season" in options:
        return int(options["season"]), "as asked"
    if season > train // 3:
        return 1, f"{n:,} steps hold too few seasons of {season}"
    return season, why


def make_plan(n: int, step: Step, options: Mapping[str, Any]) -> tuple[Plan | None, list[Problem]]:
    """The plan for a series of ``n`` steps; None where what was asked for cannot be, with every reason."""
    parts, train, unused, problems = given_plan(n, options)
    if problems:
        return None, problems
    told: list[Problem] = []
    spare = min(parts[1:]) if parts and min(parts[1:]) > 0 else max(1, int(0.12 * n))
    season, why = season_of(n, train, step, options)
    told.append(note("season", season, step, why))
    horizon, why = min(season, spare) if season > 1 else min(spare, max(1, min(12, n // 20))), "one season"
    if season == 1:
        why = "a twentieth of the series, at most 12"
    elif horizon < season:
        why = "as many steps as a part of the split can hold"
    if "horizon" in options:
        horizon, why = int(options["horizon"]), "as asked"
    told.append(note("horizon", horizon, step, why))
    window, why = _window(train, season, horizon)
    if "window" in options:
        window, why = int(options["window"]), "as asked"
    told.append(note("window", window, step, why))
    told += unused
    plan = Plan(season, horizon, window, parts, told)
    short = _too_short(n, plan, options)
    return (None, [*told, short]) if short else (plan, told)


def _window(train: int, season: int, horizon: int) -> tuple[int, str]:
    wanted = max(math.ceil(HORIZONS * horizon), 2 * season if season > 1 else 4)
    most = max(2, train // 8)
    limit = f"as an eighth of {train:,} training steps holds no more"
    if 1 < season <= train // 4:
        asked, bearable = math.ceil(wanted / season), max(1, most // season)
        seasons = min(asked, bearable)
        why = f"for {HORIZONS:g} horizons" if asked <= bearable else limit
        return seasons * season, f"{seasons} season{'s' * (seasons > 1)}, {why}"
    return min(wanted, most), f"{HORIZONS:g} horizons" if wanted <= most else limit


def note(name: str, value: int, step: Step, why: str) -> Problem:
    """``The window is 24 hours: one season.``"""
    unit = step.text if value == 1 else f"{step.text}s" if step.unit != "number" else "steps"
    unit = "step" if step.unit == "number" and value == 1 else unit
    many = f"{value:,} {unit}" if " " not in step.text or step.unit != "second" else f"{value:,} steps of {step.text}"
    return Problem("note", f"series-{name}", f"The {name} is {many}: {why}.")


def _whole(name: str, value: object, least: int) -> list[Problem]:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= least):
        return []
    what = f"The {name} is {value!r}; it must be a whole number of steps, {least} or more."
    return [Problem("error", "bad-value", what, do=f"Give --set {name}=12, for example, or leave it out.")]


def read_parts(given: object, n: int) -> tuple[tuple[int, int, int] | None, list[Problem]]:
    """Steps of the three parts, from rows ([8640, 2880, 2880]) or shares ([0.7, 0.1, 0.2])."""
    if given is None:
        return None, []
    do = "Give rows, [8640, 2880, 2880], or shares, [0.7, 0.1, 0.2]."
    if isinstance(given, str):
        try:
            given = [float(each) if "." in each else int(each) for each in given.strip("[]() ").split(",")]
        except ValueError:
            given = None
    numbers = list(given) if isinstance(given, Sequence) else []
    good = len(numbers) == 3 and all(isinstance(x, int | float) and not isinstance(x, bool) for x in numbers)
    if not good or min(numbers) < 0 or not numbers[0] > 0:
        what = f"The split {given!r} is not three numbers: training, validation, test."
        return None, [Problem("error", "bad-split", what, do=do)]
    if all(x <= 1 for x in numbers):
        if sum(numbers) > 1 + 1e-9:
            what = f"The shares of the split add up to {sum(numbers):g}, more than all."
            return None, [Problem("error", "bad-split", what, do=do)]
        ends = [round(n * share) for share in np.cumsum(numbers)]
        return (ends[0], ends[1] - ends[0], ends[2] - ends[1]), []
    if any(x != int(x) for x in numbers):
        what = f"The split {given!r} mixes rows and shares."
        return None, [Problem("error", "bad-split", what, do=do)]
    if sum(numbers) > n:
        what = f"The split asks for {int(sum(numbers)):,} steps; the series has {n:,}."
        return None, [Problem("error", "bad-split", what, do=do)]
    return (int(numbers[0]), int(numbers[1]), int(numbers[2])), []


def _too_short(n: int, plan: Plan, options: Mapping[str, Any]) -> Problem | None:
    """The refusal of a series that cannot hold what is needed."""
    H, L, parts = plan.horizon, plan.window, plan.parts
    needed = L + H + FEWEST_WINDOWS - 1
    if parts:
        for name, rows in zip(PARTS[1:], parts[1:], strict=True):
            if 0 < rows < H:
                what = f"The {name} part has {rows:,} steps; one forecast is of {H:,}."
                do = "Give a larger part, a part of 0, or a smaller horizon."
                return Problem("error", "too-short", what, count=rows, do=do)
    room = parts[0] if parts else n - H
    if room >= needed:
        return None
    asked = [f"{name} {options[name]}" for name in ("window", "horizon", "split") if name in options]
    what = f"The series is too short: {n:,} steps, of which {max(room, 0):,} are for training."
    why = f"{FEWEST_WINDOWS} windows of {L:,} steps back and {H:,} ahead need {needed:,} steps."
    do = f"Give less than {' and '.join(asked)}, or a longer series." if asked else "Give a longer series."
    return Problem("error", "too-short", what, count=n, why=why, do=do)


def split_by_time(n: int, plan: Plan, test_fraction: float, val_fraction: float) -> Split:
    """Steps of each part in order of time: the newest for testing. A part that is asked for holds one forecast at
    least, where the training part can spare it.
    """
    if plan.parts:
        train, val, test = plan.parts
        test = test if test_fraction > 0 else 0
        why = "as given, in order of time"
    else:
        H, least = plan.horizon, plan.window + plan.horizon + FEWEST_WINDOWS - 1
        test = max(round(n * test_fraction), H) if test_fraction > 0 else 0
        val = max(round(n * val_fraction), H) if val_fraction > 0 else 0
        test = min(test, max(H, n - least)) if test else 0
        if n - test - val < least:
            val = 0
        train = n - test - val
        why = "in order of time, the newest steps for testing"
    at = np.arange(n, dtype=np.int64)
    reason = f"{why}; what a window looks back on may lie in the part before, what it forecasts never does"
    return Split(at[:train], at[train : train + val], at[train + val : train + val + test], reason)
