"""What is told about texts before any of them is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workings.base.errors import UserError
from workings.base.problems import Problem, shorten, unknown_name
from workings.data.text.brought import Brought
from workings.data.text.tokeniser import FEWEST_BPE, KINDS

BAD_ROWS = ("refuse", "drop")


def check_options(options: Mapping[str, Any], task: str | None) -> None:
    """Refuse values that the options for texts do not take.

    Raises:
        UserError: all of them at once.
    """
    from workings.data.table_target import TASKS

    found: list[Problem] = []
    tokens = options.get("tokens", "word")
    if tokens not in KINDS:
        found.append(unknown_name("kind of tokens", str(tokens), KINDS))
    if task is not None and task not in TASKS:
        found.append(unknown_name("task", task, TASKS))
    if options.get("on_bad_row", "refuse") not in BAD_ROWS:
        found.append(unknown_name("choice for bad rows", str(options["on_bad_row"]), BAD_ROWS))
    for name in ("vocabulary", "length"):
        value = options.get(name, 1000)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            found.append(_bad_value(name, value, "a whole number of 1 or more"))
        elif name == "vocabulary" and tokens == "bpe" and value < FEWEST_BPE:
            found.append(_bad_value(name, value, f"{FEWEST_BPE} or more, as bpe begins with the 256 bytes"))
    for name in ("text", "group"):
        if name in options and not isinstance(options[name], str):
            found.append(_bad_value(name, options[name], "the name of a column"))
    if not isinstance(options.get("lowercase", True), bool):
        found.append(_bad_value("lowercase", options["lowercase"], "true or false"))
    if found:
        raise UserError(found)


def _bad_value(name: str, value: object, wanted: str) -> Problem:
    return Problem("error", "bad-value", f"The value {value!r} does not fit '{name}'.", do=f"Give {wanted}.")


def normal(text: str) -> str:
    """A text as it is compared: lower case, one space between words."""
    return " ".join(text.lower().split())


def equal_texts(texts: Sequence[str]) -> np.ndarray:
    """(n,) numbers, equal for texts that are equal but for case and spaces."""
    number: dict[str, int] = {}
    return np.array([number.setdefault(normal(text), len(number)) for text in texts], dtype=np.int64)


def empty_problems(brought: Brought, on_bad_row: str, *, must_keep: bool) -> list[Problem]:
    """Empty texts are refused, or dropped and told; blank lines between texts are dropped. Changes ``brought``.

    must_keep: every row wants its prediction; an empty text then counts as one unknown token.
    """
    empty = np.array([i for i, text in enumerate(brought.texts) if text is None or not text.strip()], dtype=np.int64)
    if not len(empty):
        return []
    n, where = len(empty), brought.where(empty)
    if len(empty) == len(brought.texts):
        why = "There is nothing to learn from."
        return [Problem("error", "empty-text", f"All {n:,} texts are empty.", where, n, why, "Give other data.")]
    if brought.unit == "line":
        brought.keep(np.setdiff1d(np.arange(len(brought.texts)), empty))
        return [Problem("note", "blank-lines", f"{n:,} blank line(s) were left out.", where, n)]
    if must_keep:
        what = f"{n:,} text(s) are empty; each counts as one unknown token."
        why = "What is predicted for them says nothing about them."
        return [Problem("warning", "empty-text", what, where, n, why)]
    if on_bad_row == "drop":
        brought.keep(np.setdiff1d(np.arange(len(brought.texts)), empty))
        return [Problem("note", "dropped-rows", f"{n:,} row(s) were dropped: their text is empty.", where, n)]
    why = "A text without a word can teach nothing but the commonest answer."
    do = "Fill them in, remove them, or drop them: --set on_bad_row=drop."
    return [Problem("error", "empty-text", f"{n:,} text(s) are empty.", where, n, why, do)]


def duplicate_problems(
    brought: Brought, same: np.ndarray, y: np.ndarray | None, names: Sequence[str] | None
) -> list[Problem]:
    """Texts that come more than once, and those of them whose labels differ."""
    _, first, group = np.unique(same, return_index=True, return_inverse=True)
    again = np.setdiff1d(np.arange(len(same)), first)
    if not len(again):
        return []
    n = len(again)
    kept = "Equal texts stay on one side of the split, so that none is tested on that was trained on."
    what = f"{n:,} of {len(same):,} texts repeat an earlier one but for case and spaces. {kept}"
    found = [Problem("note", "duplicate-texts", what, brought.where(again), n)]
    if y is None:
        return found
    differ = again[y[again] != y[first[group[again]]]]
    if len(differ):

        def said(i: int) -> str:
            earlier = int(first[group[i]])
            labels = "" if names is None else f": '{names[int(y[earlier])]}' and '{names[int(y[i])]}'"
            return f"{brought.place(earlier)} and {brought.place(i)}{labels}"

        what = f"{len(differ):,} text(s) repeat an earlier one with a different label."
        why = "No network can get both right."
        do = "Look at them, and correct the labels that are wrong."
        where = shorten((said(int(i)) for i in differ), 3)
        found.append(Problem("warning", "contradicting-labels", what, where, len(differ), why, do))
    return found


def length_note(texts: Sequence[str]) -> Problem:
    """How long the texts are, in words between spaces."""
    words = np.array([len(text.split()) for text in texts])
    low, middle, high = (int(q) for q in np.quantile(words, [0.05, 0.5, 0.95]))
    most = f"the longest has {words.max():,}"
    what = f"{len(texts):,} texts: half have {middle:,} words or fewer, nine in ten {low:,} to {high:,}; {most}."
    return Problem("note", "text-lengths", what)


def label_problems(counts: Counter[str]) -> list[Problem]:
    """Classes named by files or folders: what is told of them is what is told of a table's."""
    from workings.data.table_target import count_problems

    return count_problems("class", dict(counts), sum(counts.values()))
