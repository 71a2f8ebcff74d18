"""What is wrong or odd with the labels of images or recordings, found before any training; labels as numbers.

``noun`` is what one sample is called: image, recording. Its plural ends in s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workings.base.errors import UserError
from workings.base.problems import Problem, nearest, shorten, unknown_name
from workings.data.schema import Task
from workings.data.targets import number

FEW = 10  # samples of a class, below which its test rows are a handful
IMBALANCE = 3.0  # largest class over smallest


def wrong_choices(task: str | None, tasks: Sequence[str], on_bad_file: str) -> list[Problem]:
    """The problems of a task that there is not for these samples, and of what is to be done about bad files."""
    problems = [] if task is None or task in tasks else [unknown_name("task", task, tasks)]
    if on_bad_file not in ("refuse", "skip"):
        problems.append(unknown_name("choice for bad files", on_bad_file, ("refuse", "skip")))
    return problems


def class_problems(labels: Sequence[str], by_folder: bool, noun: str) -> list[Problem]:
    """One class, classes with too few samples, imbalance."""
    counts = Counter(labels)
    if len(counts) < 2:
        return [
            Problem(
                "error",
                "one-class",
                f"There is one class only, '{next(iter(counts), '')}', with {len(labels):,} {noun}s.",
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
                f"{len(single)} class(es) have fewer than 3 {noun}s.",
                shorten(f"{name} ({counts[name]})" for name in single),
                len(single),
                why=f"A class needs {noun}s to train, to validate and to test.",
                do=f"Add {noun}s, or take these classes out.",
            )
        )
    if few:
        found.append(
            Problem(
                "warning",
                f"class-with-few-{noun}s",
                f"{len(few)} class(es) have fewer than {FEW} {noun}s.",
                shorten(f"{name} ({counts[name]})" for name in few),
                len(few),
                why=f"Their test figures rest on one or two {noun}s.",
            )
        )
    (most, largest), (least, smallest) = counts.most_common(1)[0], counts.most_common()[-1]
    if largest >= IMBALANCE * smallest:
        found.append(
            Problem(
                "warning",
                "imbalance",
                f"The largest class, '{most}', has {largest:,} {noun}s, the smallest, '{least}', {smallest:,}.",
                count=len(counts),
                why="Accuracy is then high for a network that never names the small class.",
                do="Look at the figures of each class, or --set 'imbalance=class weights'.",
            )
        )
    return found


def duplicate_problems(
    hashes: np.ndarray, names: Sequence[str], labels: Sequence[str] | None, noun: str, made_of: str
) -> list[Problem]:
    """Samples that occur more than once, apart by whether their labels agree. made_of: pixels, samples of sound."""
    _, group, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(sizes[group] > 1)
    same: dict[int, list[int]] = {}
    for row in repeated.tolist():
        same.setdefault(int(group[row]), []).append(row)
    alike = [rows for rows in same.values() if labels is None or len({labels[row] for row in rows}) == 1]
    unlike = [rows for rows in same.values() if labels is not None and len({labels[row] for row in rows}) > 1]
    found: list[Problem] = []
    if unlike and labels is not None:
        found.append(
            Problem(
                "warning",
                "conflicting-labels",
                f"{len(unlike):,} {noun}(s) occur more than once with different labels.",
                shorten(" = ".join(f"{names[row]} ({labels[row]})" for row in rows[:4]) for rows in unlike),
                len(unlike),
                why=f"No network can learn both labels of one {noun}, and nobody can score them.",
                do=f"Decide on one label, or take the {noun}s out.",
            )
        )
    if alike:
        extra = sum(len(rows) - 1 for rows in alike)
        found.append(
            Problem(
                "warning",
                f"duplicate-{noun}s",
                f"{extra:,} {noun}(s) repeat the {made_of} of another {noun}.",
                shorten(" = ".join(names[row] for row in rows[:4]) for rows in alike),
                extra,
                why=f"In training and test at once they would make the test too kind; equal {noun}s are therefore "
                "kept on one side of the split.",
            )
        )
    return found


def unknown_classes(labels: Sequence[str], classes: Sequence[str], noun: str) -> Problem | None:
    """Labels that the network was not trained on, each with the nearest name that it was."""
    counts = Counter(label for label in labels if label not in set(classes))
    if not counts:
        return None
    guesses = {label: nearest(label, list(classes)) for label in counts}
    hints = [f"'{label}' (did you mean '{guess}'?)" if guess else f"'{label}'" for label, guess in guesses.items()]
    return Problem(
        "error",
        "unknown-class",
        f"{sum(counts.values()):,} {noun}(s) are of {len(counts)} class(es) that the network was not trained on.",
        shorten(hints),
        sum(counts.values()),
        why="The network can never give these answers, so they cannot be scored.",
        do=f"Rename or take out. The classes are: {shorten(classes, 30)}.",
    )


def known_labels(
    labels: list[str] | None, task: Task, problems: list[Problem], require: bool, noun: str
) -> list[str] | None:
    """The labels of new samples; None, and a note in ``problems``, where some are no class of the network's.

    Raises:
        UserError: such labels where they are required, together with the errors among ``problems``.
    """
    if labels is None or task.classes is None:
        return labels
    unknown = unknown_classes(labels, task.classes, noun)
    if unknown is None:
        return labels
    if require:
        raise UserError([unknown, *(each for each in problems if each.level == "error")])
    what = "The labels were not used: " + unknown.what
    problems.append(replace(unknown, level="note", what=what, why="", do=""))
    return None


def of_kept(values: list[str] | None, kept: np.ndarray) -> list[str] | None:
    """The values of the samples that could be used, by their positions in what was listed."""
    return None if values is None else [values[k] for k in kept.tolist()]


def numbered(labels: Sequence[str], task: Task, names: Sequence[str], problems: list[Problem]) -> np.ndarray:
    """(n,) class numbers (int64), or numbers (float64); labels that are none are an error in ``problems``."""
    if task.classes is not None:
        number_of = {name: k for k, name in enumerate(task.classes)}
        return np.array([number_of[label] for label in labels], dtype=np.int64)
    values = [number(label) for label in labels]
    wrong = [names[k] for k, value in enumerate(values) if value is None]
    if wrong:
        problems.append(
            Problem(
                "error",
                "target-not-a-number",
                f"{len(wrong):,} value(s) of '{task.target}' are not finite numbers.",
                shorten(wrong),
                len(wrong),
                why="One of them makes the loss NaN.",
                do="Correct the values, or take the rows out.",
            )
        )
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
