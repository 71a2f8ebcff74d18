"""What is wrong or odd with recordings alone: rates that tell the class, groups, lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workings.base.problems import Problem, nearest, shorten


def label_is_rate(rates: Sequence[int], labels: Sequence[str] | None) -> list[Problem]:
    """Whether the sampling rate tells the class by itself: mixed rates that go with the labels."""
    if labels is None or len(set(rates)) < 2 or len(set(labels)) < 2:
        return []
    of_rate: dict[int, set[str]] = {}
    for rate, label in zip(rates, labels, strict=True):
        of_rate.setdefault(rate, set()).add(label)
    telling = {rate: found for rate, found in of_rate.items() if len(found) < len(set(labels))}
    if not telling:
        return []
    return [
        Problem(
            "warning",
            "rate-tells-class",
            "The sampling rate goes with the class: not every class occurs at every rate.",
            shorten(f"{rate:,} Hz: {shorten(sorted(found), 3)}" for rate, found in sorted(telling.items())),
            len(telling),
            why="The network may learn how a recording was made instead of what is heard in it.",
            do="Record all classes alike, or choose a sample_rate that all recordings reach.",
        )
    ]


def group_problems(groups: Sequence[str], labels: Sequence[str], column: str) -> list[Problem]:
    """One group, groups too few to test on others, a group for every recording."""
    counts = Counter(groups)
    if len(counts) == 1:
        what = f"All recordings are of one group, '{groups[0]}'."
        do = f"Leave the group out; '{column}' tells nothing apart."
        return [Problem("error", "one-group", what, why="No other group is left to test on.", do=do)]
    if len(counts) == 2:
        what = f"There are two groups only, {shorten(sorted(counts))}: one is trained on, one tested on."
        why = "Validation rows are then of the group that is trained on, and the test rests on a single other one."
        return [Problem("warning", "two-groups", what, why=why)]
    if len(counts) == len(groups):
        what = f"Every recording is a group of its own: '{column}' has {len(counts):,} different values."
        return [Problem("warning", "groups-of-one", what, why="Such groups keep nothing together.")]
    absent = [name for name in counts if len({b for a, b in zip(groups, labels, strict=True) if a == name}) == 1]
    if len(absent) == len(counts) and len(set(labels)) > 1:
        what = "Each group holds recordings of one class only."
        why = "The network may learn the voice or the place instead of the class; the split by group will show it."
        return [Problem("warning", "group-tells-class", what, shorten(sorted(absent)), len(absent), why)]
    return []


def held_out_problems(groups: Sequence[str] | None, labels: Sequence[str], options: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the groups, and with the one that is to be held out."""
    hold_out = options.get("hold_out")
    if groups is None:
        if hold_out is None:
            return []
        what = f"The group '{hold_out}' cannot be held out: nothing says which group a recording is of."
        do = "For a folder: --set pattern={label}_{group}_{take}. For a table: --set group=COLUMN."
        return [Problem("error", "hold-out-without-groups", what, do=do)]
    problems = group_problems(groups, labels, str(options.get("group") or "group"))
    if hold_out is not None and str(hold_out) not in groups:
        guess = nearest(str(hold_out), sorted(set(groups)))
        hint = f"Did you mean '{guess}'? " if guess else ""
        do = f"{hint}The groups are: {shorten(sorted(set(groups)), 30)}."
        problems.append(Problem("error", "unknown-group", f"There is no group called '{hold_out}'.", do=do))
    return problems


def far_lengths(names: Sequence[str], seconds: np.ndarray, shortest: float, longest: float) -> list[Problem]:
    """New recordings much longer or shorter than any that the network was trained on."""
    found: list[Problem] = []
    for code, of, word, edge in (
        ("far-longer-recordings", seconds > 2 * longest, "longer", longest),
        ("far-shorter-recordings", seconds < shortest / 2, "shorter", shortest),
    ):
        if of.any():
            what = f"{int(of.sum()):,} recording(s) are far {word} than any that was trained on ({edge:.2g} seconds)."
            where = shorten(name for name, far in zip(names, of, strict=True) if far)
            why = "The network was never tried on such recordings."
            found.append(Problem("warning", code, what, where, int(of.sum()), why))
    return found
