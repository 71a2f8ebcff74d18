"""The variables of a series: which columns are numbers, and what is wrong with their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from workings.base.problems import Problem, shorten
from workings.data.schema import Field
from workings.data.table_cells import clean, numbers
from workings.data.table_kinds import find_field
from workings.data.table_profile import ColumnProfile

TEXT_SHARE = 0.5  # of cells that are numbers, from which on a column is meant to be one of numbers


@dataclass(frozen=True)
class Columns:
    """values: (n, V) float64, NaN where missing, in the order of ``names``: the targets first, ``targets`` of them."""

    values: np.ndarray
    names: list[str]
    targets: int
    fields: list[Field]


def read_columns(
    frame: pl.DataFrame,
    wanted: Sequence[str],
    targets: Sequence[str],
    rows: np.ndarray,
    *,
    fills: bool,
    trained: bool,
) -> tuple[Columns | None, list[Problem]]:
    """The columns of numbers among ``wanted``, and every problem; None where none can be forecast.

    rows: (n,) row numbers in the user's data, from 0. fills: missing values will be filled in. trained: for a net that
    exists, which may also see a variable that does not change for a while.
    """
    profiles = {name: ColumnProfile(name) for name in wanted}
    for name, profile in profiles.items():
        profile.add(frame[name], rows, True)
    problems = _no_numbers(profiles, targets) + _bad_cells(profiles, fills)
    used = [name for name, profile in profiles.items() if _is_variable(profile)]
    constant = [] if trained else [name for name in used if profiles[name].min == profiles[name].max]
    problems += _constant(constant, targets, profiles, len(used))
    used = [name for name in used if name not in constant]
    asked = [name for name in targets if name in used] or ([] if targets else used)
    if not used:
        if not any(each.level == "error" for each in problems):
            do = "Give a column of numbers that change."
            problems.append(Problem("error", "no-variables", "No column of numbers is left to forecast.", do=do))
        return None, problems
    names = [*asked, *(name for name in used if name not in asked)]
    if targets and len(names) > len(asked):
        what = f"{len(names) - len(asked)} other column(s) are given to the net and not forecast."
        problems.append(Problem("note", "inputs-only", what, shorten(names[len(asked) :]), len(names) - len(asked)))
    fields = [_field(profiles[name], name in used) for name in wanted]
    values = np.column_stack([_numbers(frame[name], profiles[name]) for name in names])
    return Columns(values, names, len(asked), fields), problems


def _is_variable(profile: ColumnProfile) -> bool:
    return profile.finite > 0 and profile.number >= TEXT_SHARE * profile.present


def _numbers(column: pl.Series, profile: ColumnProfile) -> np.ndarray:
    found = numbers(clean(column).values, bool(profile.decimal_comma)).to_numpy().astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _field(profile: ColumnProfile, used: bool) -> Field:
    found = find_field(profile, "numeric" if used else None)
    if used:
        return found.model_copy(update={"reason": f"numbers, {profile.distinct:,} different", "used": True})
    return found.model_copy(update={"used": False})


def _no_numbers(profiles: dict[str, ColumnProfile], targets: Sequence[str]) -> list[Problem]:
    """Columns of text and empty ones: an error where one is a target, else told."""
    problems: list[Problem] = []
    others = [name for name, profile in profiles.items() if not _is_variable(profile)]
    for name in others:
        if name in targets:
            profile = profiles[name]
            held = "has no value in any row" if not profile.present else "holds text, no numbers"
            where = shorten(repr(value) for value, _ in profile.values()[:3])
            problems.append(
                Problem(
                    "error",
                    "target-not-a-number",
                    f"The target '{name}' {held}.",
                    where=f"cells such as {where}" if where else "",
                    why="A forecast is of numbers.",
                    do="Name a column of numbers.",
                )
            )
    left = [name for name in others if name not in targets]
    if left:
        what = f"{len(left)} column(s) hold no numbers and are left out."
        problems.append(Problem("warning", "left-out-columns", what, shorten(left), len(left)))
    return problems


def _bad_cells(profiles: dict[str, ColumnProfile], fills: bool) -> list[Problem]:
    """Text among numbers and infinities, which are refused; missing values, which are filled only when asked."""
    problems: list[Problem] = []
    variables = [profile for profile in profiles.values() if _is_variable(profile)]
    for profile in variables:
        if profile.not_numbers.count:
            many = f"{profile.not_numbers.count:,} of its {profile.present:,}"
            problems.append(
                Problem(
                    "error",
                    "text-in-numbers",
                    f"'{profile.name}' holds numbers, but {many} values are text.",
                    profile.not_numbers.where(),
                    profile.not_numbers.count,
                    "A series needs a number at every step; what the text stands for cannot be known.",
                    "Write the numbers, or leave the cells empty and say --set fill=linear.",
                )
            )
        if profile.infinite.count:
            problems.append(
                Problem(
                    "error",
                    "infinite-values",
                    f"{profile.infinite.count:,} value(s) of '{profile.name}' are infinite or too large.",
                    profile.infinite.where(),
                    profile.infinite.count,
                    "No mean and no error can be computed from them.",
                    "Correct them, or leave the cells empty and say --set fill=linear.",
                )
            )
        if profile.decimal_comma:
            problems.append(Problem("note", "decimal-comma", f"The numbers of '{profile.name}' are written 3,14."))
    if not fills:
        problems += [missing_values(profile) for profile in variables if profile.missing]
    return problems


def missing_values(profile: ColumnProfile) -> Problem:
    """The refusal of cells without a value."""
    return Problem(
        "error",
        "missing-values",
        f"'{profile.name}' has no value in {profile.missing:,} of {profile.rows:,} rows.",
        profile.missing_cells.where(),
        profile.missing,
        "A series needs a number at every step, and a made-up one is not silently put in.",
        "Fill them yourself, or say --set fill=linear (a straight line between the neighbours) or fill=previous "
        "(the value before, which knows nothing of the future).",
    )


def _constant(
    constant: Sequence[str], targets: Sequence[str], profiles: dict[str, ColumnProfile], variables: int
) -> list[Problem]:
    problems = [
        Problem(
            "error",
            "constant-target",
            f"The target '{name}' is {profiles[name].min:g} in every row.",
            why="There is nothing to forecast in a series that never changes.",
            do="Name a column that changes.",
        )
        for name in constant
        if name in targets or len(constant) == variables
    ]
    left = [name for name in constant if name not in targets]
    if left and len(constant) < variables:
        what = f"{len(left)} column(s) never change and are left out."
        problems.append(Problem("warning", "constant-columns", what, shorten(left), len(left)))
    return problems


def still(names: Sequence[str], std: np.ndarray, why: str) -> list[Problem]:
    """Variables whose deviation ``std`` (V,) over the training steps is 0, told once."""
    found = [name for name, each in zip(names, std, strict=True) if each == 0]
    what = f"{len(found)} variable(s) do not change in the training part."
    return [Problem("warning", "still-in-training", what, shorten(found), len(found), why)] if found else []
