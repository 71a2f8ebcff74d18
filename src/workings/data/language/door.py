"""Plain text to go on with, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workings.base.errors import UserError, refuse
from workings.base.events import Emit
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.language.checks import unknown_characters
from workings.data.language.dataset import LanguageDataset
from workings.data.language.prepare import LanguagePreparation
from workings.data.language.reading import is_text_path, options_problems, read_book
from workings.data.schema import Schema


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """A task of language; a plain text file without a target."""
    return task == "language" or (task is None and target is None and is_text_path(data))


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    problems = options_problems(options)
    if target is not None:
        what = f"A language model has no target; '{target}' was given."
        why = "It learns the next token of the text itself."
        problems.append(Problem("error", "target-of-language", what, why=why, do="Leave --target out."))
    try:
        book = read_book(data, options.get("lowercase") is True)
    except UserError as error:
        return None, problems + error.problems
    if problems:
        return None, problems
    dataset = LanguageDataset(book, dict(options))
    found = dataset.check()
    return (None if any(each.level == "error" for each in found) else dataset), list(found)


def read_for(
    prep: LanguagePreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`."""
    given = [name for name in options if name in ("tokens", "vocabulary", "length", "lowercase")]
    if given:
        what = f"{', '.join(given)} cannot be changed: the net was trained with its own."
        raise refuse("fixed-by-training", what, do="Leave it out.")
    book = read_book(data, prep.lowercase)
    dataset = LanguageDataset(book, {}, prep)
    name = f"'{Path(str(data)).name}'"
    if book.digest == prep.digest:
        what = f"{name} is the text that the net was trained on."
        why = "Most of it is known to the net, so the figures say nothing of new text."
        dataset.problems.append(Problem("warning", "trained-on", what, why=why, do="Judge it on another text."))
    if prep.tokens == "character":
        known = "".join(each for each in prep.load_tokeniser().words(range(prep.vocabulary)) if len(each) == 1)
        dataset.problems += unknown_characters(known, book.text, name)
    return dataset


def read_preparation(values: Mapping[str, Any]) -> LanguagePreparation:
    """See :class:`workings.data.opening.Kind`."""
    return LanguagePreparation.model_validate(values)
