"""What is wrong or odd with a set of labelled images, found before any training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from workings.base.problems import Problem, nearest, shorten

FEW = 10  # images of a class, below which its test rows are a handful
IMBALANCE = 3.0  # largest class over smallest


def class_problems(labels: Sequence[str], by_folder: bool) -> list[Problem]:
    """One class, classes with too few images, imbalance."""
    counts = Counter(labels)
    if len(counts) < 2:
        only = next(iter(counts), "")
        return [
            Problem(
                "error",
                "one-class",
                f"There is one class only, '{only}', with {len(labels):,} images.",
                why="A network that always says the same would be right.",
                do="Give a folder that holds a folder per class." if by_folder else "Choose another target.",
            )
        ]
    found: list[Problem] = []
    single = sorted(name for name, count in counts.items() if count < 3)
    few = sorted(name for name, count in counts.items() if 3 <= count < FEW)
    if single:
        found.append(
            Problem(
                "error",
                "class-too-small",
                f"{len(single)} class(es) have fewer than 3 images.",
                shorten(f"{name} ({counts[name]})" for name in single),
                len(single),
                why="A class needs images to train, to validate and to test.",
                do="Add images, or take these classes out.",
            )
        )
    if few:
        found.append(
            Problem(
                "warning",
                "class-with-few-images",
                f"{len(few)} class(es) have fewer than {FEW} images.",
                shorten(f"{name} ({counts[name]})" for name in few),
                len(few),
                why="Their test figures rest on one or two images.",
            )
        )
    (most, largest), (least, smallest) = counts.most_common(1)[0], counts.most_common()[-1]
    if largest >= IMBALANCE * smallest:
        found.append(
            Problem(
                "warning",
                "imbalance",
                f"The largest class, '{most}', has {largest:,} images, the smallest, '{least}', {smallest:,}.",
                count=len(counts),
                why="Accuracy is then high for a network that never names the small class.",
                do="Look at the figures of each class; class weights are proposed in the recipe.",
            )
        )
    return found


def duplicate_problems(hashes: np.ndarray, names: Sequence[str], labels: Sequence[object] | None) -> list[Problem]:
    """Pictures that occur more than once, apart by whether their labels agree."""
    _, group, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(sizes[group] > 1)
    if not len(repeated):
        return []
    groups: dict[int, list[int]] = {}
    for row in repeated.tolist():
        groups.setdefault(int(group[row]), []).append(row)
    found: list[Problem] = []
    alike = [rows for rows in groups.values() if labels is None or len({labels[row] for row in rows}) == 1]
    unlike = [rows for rows in groups.values() if labels is not None and len({labels[row] for row in rows}) > 1]
    if unlike and labels is not None:
        found.append(
            Problem(
                "warning",
                "conflicting-labels",
                f"{len(unlike):,} picture(s) occur more than once with different labels.",
                shorten(" = ".join(f"{names[row]} ({labels[row]})" for row in rows[:4]) for rows in unlike),
                len(unlike),
                why="No network can learn both labels of one picture, and nobody can score them.",
                do="Decide on one label, or take the pictures out.",
            )
        )
    if alike:
        extra = sum(len(rows) - 1 for rows in alike)
        found.append(
            Problem(
                "warning",
                "duplicate-images",
                f"{extra:,} image(s) repeat the pixels of another image.",
                shorten(" = ".join(names[row] for row in rows[:4]) for rows in alike),
                extra,
                why="In training and test at once they would make the test too kind; equal pictures are therefore "
                "kept on one side of the split.",
            )
        )
    return found


def unknown_classes(labels: Sequence[str], classes: Sequence[str]) -> Problem | None:
    """Labels that the network was not trained on, each with the nearest name that it was."""
    counts = Counter(label for label in labels if label not in set(classes))
    if not counts:
        return None
    guesses = {label: nearest(label, list(classes)) for label in counts}
    hints = [f"'{label}' (did you mean '{guess}'?)" if guess else f"'{label}'" for label, guess in guesses.items()]
    return Problem(
        "error",
        "unknown-class",
        f"{sum(counts.values()):,} image(s) are of {len(counts)} class(es) that the network was not trained on.",
        shorten(hints),
        sum(counts.values()),
        why="The network can never give these answers, so they cannot be scored.",
        do=f"Rename or take out. The classes are: {shorten(classes, 30)}.",
    )
