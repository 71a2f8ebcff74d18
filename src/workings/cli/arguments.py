"""What the user typed, read and checked before anything slow is imported; all problems are collected."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workings.base.errors import UserError
from workings.base.problems import Problem, nearest, shorten, unknown_name

BAD_FILES = ("refuse", "skip")
TASKS = ("binary", "multiclass", "classification", "regression", "language", "forecast", "translation", "unsupervised")


def stop_if_any(problems: Sequence[Problem]) -> None:
    """Raise what was found, at once."""
    if problems:
        raise UserError(problems)


def existing(path: str, what: str = "data") -> list[Problem]:
    """The problem of a path that does not lead anywhere, with the nearest name in its folder."""
    place = Path(path)
    if not path.strip():
        return [Problem("error", "no-path", f"The path of the {what} is empty.", do="Give a file or a folder.")]
    if place.exists():
        return []
    folder = place.parent
    if not folder.is_dir():
        known = next((str(each) for each in folder.parents if each.is_dir()), ".")
        where = f"the folder '{folder}' does not exist either; '{known}' does"
        return [Problem("error", "no-file", f"There is no {what} at '{path}'.", where=where, do="Check the path.")]
    names = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    guess = nearest(place.name, names)
    if guess is not None:
        do = f"Did you mean '{folder / guess}'?"
    else:
        do = f"In that folder there is: {shorten(names, 8)}." if names else "That folder is empty."
    return [Problem("error", "no-file", f"There is no {what} at '{path}'.", do=do)]


def is_run(path: str) -> list[Problem]:
    """The problem of a path that is not the folder of a run."""
    if found := existing(path, "run"):
        return found
    if (Path(path) / "recipe.yaml").is_file():
        return []
    runs = sorted(Path(path).glob("*/recipe.yaml"))
    inside = [each.parent.name for each in runs]
    do = f"Runs in that folder: {shorten(inside, 8)}." if inside else "Give the folder that `workings train` made."
    return [
        Problem(
            "error",
            "not-a-run",
            f"'{path}' is not a run.",
            why="The folder of a run has a recipe.yaml.",
            do=do,
        )
    ]


def free(path: str, *, force: bool = False) -> list[Problem]:
    """The problem of a file to be written that is already there, or of a folder in its place."""
    place = Path(path)
    if place.is_dir():
        return [
            Problem("error", "is-a-folder", f"'{path}' is a folder, not a file.", do=f"Give a file in it: {path}/NAME.")
        ]
    if place.exists() and not force:
        return [
            Problem(
                "error",
                "exists",
                f"'{path}' is already there.",
                why="Nothing is written over without being asked.",
                do="Choose another name, or say --force.",
            )
        ]
    return []


def free_folder(path: str) -> list[Problem]:
    """The problem of a folder to be filled that is a file, or is not empty."""
    place = Path(path)
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return []
    what = f"'{path}' is a file." if place.is_file() else f"The folder '{path}' is not empty."
    is_a_run = (place / "recipe.yaml").is_file()
    resume = f" To go on with the run in it: workings train --resume {path}" if is_a_run else ""
    return [
        Problem(
            "error",
            "exists",
            what,
            why="Nothing is written over.",
            do=f"Choose another folder.{resume}",
        )
    ]


def one_of(name: str, value: str | None, choices: Sequence[str]) -> list[Problem]:
    """The problem of a value that is none of the choices."""
    return [] if value is None or value in choices else [unknown_name(name, value, choices)]


def above_zero(name: str, value: float | None) -> list[Problem]:
    """The problem of an amount that is not a finite number above zero."""
    if value is None or (math.isfinite(value) and value > 0):
        return []
    return [Problem("error", "bad-value", f"{name} is {value:g}; it must be above 0.", do=f"Give a larger {name}.")]


def settings_of(given: Iterable[str]) -> tuple[dict[str, Any], list[Problem]]:
    """``key=value`` texts as a dict; values are read as YAML, so ``[64, 32]``, ``true``, ``0.1`` mean what they say."""
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    for text in given:
        key, equals, written = text.partition("=")
        key = key.strip()
        if not equals or not key:
            problems.append(
                Problem(
                    "error", "bad-setting", f"'{text}' is not of the form key=value.", do="Write --set batch_size=64."
                )
            )
        elif key in settings:
            problems.append(
                Problem("error", "bad-setting", f"'{key}' is set more than once.", do="Give --set once for each key.")
            )
        else:
            value, problem = _scalar(key, written)
            settings[key] = value
            problems += [problem] if problem else []
    return settings, problems


_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def _scalar(key: str, written: str) -> tuple[Any, Problem | None]:
    import yaml

    if key == "pattern":  # {label}_{take} is a text, though YAML takes a brace for the start of a mapping
        return written, None
    # YAML 1.1 takes 1e-3 for a text; people mean the number.
    if _NUMBER.fullmatch(written.strip()):
        return float(written), None
    try:
        return yaml.safe_load(written), None
    except yaml.YAMLError:
        return None, Problem(
            "error",
            "bad-setting",
            f"The value of '{key}' is not readable: {written}",
            do="Write a number, true, false, a word, or a list like [64, 32]; put quotes around anything else.",
        )


def shape_of(text: str) -> tuple[int, ...]:
    """``20`` or ``3x32x32`` (or with commas) as the shape of one sample.

    Raises:
        UserError: anything else.
    """
    parts = re.split(r"\s*[x×,]\s*", text.strip().lower())
    if parts and all(re.fullmatch(r"\d+", part) and int(part) > 0 for part in parts):
        return tuple(int(part) for part in parts)
    raise UserError(
        Problem(
            "error",
            "bad-shape",
            f"'{text}' is not the shape of a sample.",
            do="Write 20 for a row of 20 numbers, or 3x32x32 for a picture: channels x height x width.",
        )
    )


def vocabulary_of(text: str | None) -> int | tuple[int, int] | None:
    """``1000``, or ``1000,900`` for the source and the target tokens of pairs.

    Raises:
        UserError: anything else.
    """
    if text is None:
        return None
    numbers = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if len(numbers) == text.count(",") + 1 <= 2 and min(numbers) > 0:
        return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
    raise UserError(
        Problem(
            "error",
            "bad-vocabulary",
            f"'{text}' is not a number of tokens.",
            do="Write --vocabulary 1000, or for pairs of texts two numbers: --vocabulary 1000,900.",
        )
    )
