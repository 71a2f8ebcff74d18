"""How data is read: every option, what it means, and the kinds of data that it is for.

The one list: the recipe's keys, the checks of the doors and the docs are made from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from workings.base.errors import UserError
from workings.base.problems import Problem, unknown_name

TEXTS = ("text", "language", "pairs")


@dataclass(frozen=True)
class Option:
    """``doc`` says what it is; ``kinds`` names the kinds of data it is for."""

    doc: str
    kinds: tuple[str, ...]


OPTIONS: dict[str, Option] = {
    "kinds": Option("the kind of a column where the one found is wrong: {zip: categorical}", ("table",)),
    "drop": Option("columns to leave out", ("table", "series")),
    "time_column": Option("the column of time; the split is then by time, newest for testing", ("table", "series")),
    "on_bad_row": Option("of rows without a usable target: refuse, or drop and tell", ("table", "text", "pairs")),
    "in_memory": Option("true or false forces the place of the prepared data", ("table", "images")),
    "memory_limit": Option("bytes that the prepared table may take in memory", ("table",)),
    "pixels": Option("the side, or [height, width], that every image is brought to", ("images",)),
    "channels": Option("1 to read images as grey, 3 as RGB", ("images",)),
    "anomalies": Option(
        "of a task unsupervised: the classes that are anomalies, kept out of training", ("table", "images", "series")
    ),
    "binarise": Option("from 0 to 1: pixels above become 1, others 0; for nets of binary units", ("images",)),
    "cache": Option("folder for the memory-mapped copy of large data", ("table", "images")),
    "text": Option("the column that holds the text", ("text",)),
    "tokens": Option("what a token is: character, word or bpe", TEXTS),
    "vocabulary": Option("the most tokens that the vocabulary may have", TEXTS),
    "lowercase": Option("whether upper and lower case are one", TEXTS),
    "length": Option("the most tokens of a sample; longer texts are cut, and told", TEXTS),
    "source": Option("the column of the text to start from", ("pairs",)),
    "horizon": Option("how many steps ahead to forecast", ("series",)),
    "window": Option("how many past steps the net sees; of a task unsupervised, steps of a sample", ("series",)),
    "season": Option("steps of one season, for the seasonal-naive forecast", ("series",)),
    "fill": Option("of missing steps and values: refuse, linear or previous; what is filled is told", ("series",)),
    "transform": Option("auto, none, log, difference (over a season) or log+difference", ("series",)),
    "split": Option("the parts for training, validation and test, in rows or shares: [0.7, 0.1, 0.2]", ("series",)),
    "pattern": Option("how file names say label and group: {label}_{group}_{take}", ("sound",)),
    "group": Option("the column of a group, such as the speaker, that stays on one side", ("sound", "text")),
    "hold_out": Option("the group that is tested on", ("sound",)),
    "sample_rate": Option("hertz that every recording is brought to", ("sound",)),
    "seconds": Option("the longest a recording may be; longer ones are cut, and told", ("sound",)),
}


def check_options(options: Mapping[str, Any], kind: str) -> None:
    """Refuse options that are unknown, or for another kind of data.

    Raises:
        UserError: all that is wrong, at once.
    """
    problems = []
    for name in options:
        if name not in OPTIONS:
            problems.append(unknown_name("option", name, list(OPTIONS)))
        elif kind not in OPTIONS[name].kinds:
            own = ", ".join(of_kind(kind)) or "none"
            problems.append(
                Problem(
                    "error",
                    "option-of-another-kind",
                    f"The option '{name}' is for {' and '.join(OPTIONS[name].kinds)} data; this data is {kind}.",
                    why=f"It is {OPTIONS[name].doc}.",
                    do=f"Leave it out. Options for {kind}: {own}.",
                )
            )
    if problems:
        raise UserError(problems)


def of_kind(kind: str) -> Collection[str]:
    """Names of the options that a kind of data has."""
    return [name for name, option in OPTIONS.items() if kind in option.kinds]
