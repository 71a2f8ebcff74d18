"""Settling how a table is prepared: what the user did not say follows from the training rows, with the reason."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workings.base.errors import refuse
from workings.base.events import Decided, Emit
from workings.data.schema import TaskKind
from workings.runs.recipe import Recipe
from workings.runs.settle import clamp, power_of_two

FEWEST_CLASSED, FEWEST_MEASURED = 1000, 100  # rows from which bins pay, for classes and for numbers
MOST_BINNED = 1024  # columns that bins may make; more would slow the first layer for little


def settle_preparation(recipe: Recipe, n: int, numbers: int, task: TaskKind, emit: Emit) -> Recipe:
    """How a table with so many columns of numbers is prepared for n training rows of that task, where it is not said.

    Numbers are also given as bins (piecewise-linear encoding) to nets with hidden layers: a dense net finds steps and
    bends hard to learn from one scaled number. Nets without a hidden layer and a person's own get the numbers alone,
    so that a hyperplane stays a hyperplane and an input of D columns stays D. So does a small table of classes: bins
    have many weights, and a class says less about them than a number does (measured: docs/decisions/0010).
    """
    if task == "unsupervised":
        if recipe.prepare.get("bins"):
            raise refuse(
                "bins-of-samples",
                "Numbers cannot also be cut into bins where the rows themselves are learnt.",
                why="Each number would be learnt, and judged, many times over.",
                do="Leave bins out.",
            )
        return recipe.settled("prepare", {**recipe.prepare, "bins": 0}, "each number is learnt once, scaled")
    if "bins" in recipe.prepare:
        return recipe
    dense = recipe.net in ("auto", "mlp", "maxout")
    fewest = FEWEST_MEASURED if task == "regression" else FEWEST_CLASSED
    if dense and n >= fewest:
        bins = clamp(power_of_two(math.sqrt(n) / 4), 8, 32)
        while bins > 1 and numbers * (bins + 1) > MOST_BINNED:
            bins = bins // 2 if bins > 4 else 0
        reason = f"numbers are also encoded by {bins} quantile bins each, as {n:,} training rows bear that"
        # The bins bound what an outlier can do, so the number itself may stay linear.
        recipe = recipe.settled("prepare", {"numeric": "standardise", **recipe.prepare}, reason)
    elif dense:
        of = "" if task == "regression" else " of classes"
        bins, reason = 0, f"{n} training rows{of} are too few to cut numbers into bins"
    else:
        bins, reason = 0, f"the net '{recipe.net}' gets every number as it is, scaled"
    emit(Decided("bins", bins, reason))
    return recipe.settled("prepare", {**recipe.prepare, "bins": bins}, reason)


def settle_zeros(recipe: Recipe, found: Sequence[str], emit: Emit) -> Recipe:
    """Where the recipe leaves it open, the columns in which 0 was found to mean missing; see ``data.table_zeros``."""
    if recipe.prepare.get("zeros_as_missing", "auto") != "auto":
        return recipe
    reason = "0 lies far below all other values there" if found else "in no column does 0 lie far below all others"
    if found:
        emit(Decided("zeros_as_missing", list(found), reason))
    reasons = "; ".join(filter(None, [recipe.reasons.get("prepare"), f"zeros_as_missing: {reason}"]))
    return recipe.settled("prepare", {**recipe.prepare, "zeros_as_missing": list(found)}, reasons)
