"""One door for all data, checked as a whole before it is handed out.

Each kind of data has a door, a module with ``recognise``, ``inspect`` and ``read_for``; the first that recognises
the data has it, and a table takes what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal, Protocol

from workings.base.errors import UserError, refuse
from workings.base.events import Emit, Noticed, silent
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.options import OPTIONS, check_options
from workings.data.schema import Schema

OnBad = Literal["refuse", "skip"]
OnBadRow = Literal["refuse", "drop"]

# In the order in which they are asked; each name is also the ``kind`` of its datasets and preparations.
KINDS = {
    "pairs": "workings.data.pairs.door",
    "language": "workings.data.language.door",
    "sound": "workings.data.sound.door",
    "series": "workings.data.series.door",
    "text": "workings.data.text.door",
    "images": "workings.data.images.door",
    "table": "workings.data.table_door",
}

UNSUPERVISED = ("table", "images", "series")  # kinds that can be learnt without labels


class Kind(Protocol):
    """What the module of a kind of data offers."""

    def recognise(self, data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
        """Whether ``data`` is of this kind. Cheap, and silent about everything that is not."""
        ...

    def inspect(
        self,
        data: object,
        target: str | None,
        task: str | None,
        on_bad_file: OnBad,
        emit: Emit,
        **options: Any,
    ) -> tuple[Dataset | None, list[Problem]]:
        """The dataset and its problems, none raised; None where an error forbids to use it."""
        ...

    def read_for(
        self,
        prep: Any,
        schema: Schema,
        data: object,
        require_target: bool,
        on_bad_file: OnBad,
        emit: Emit,
        **options: Any,
    ) -> Dataset:
        """New data for a trained net; raises ``UserError``."""
        ...

    def read_preparation(self, values: Mapping[str, Any]) -> Any:
        """The preparation that ``prepare.json`` holds."""
        ...


def kind_module(name: str) -> Kind:
    """The module of a kind of data, imported when it is needed."""
    return import_module(KINDS[name])  # type: ignore[return-value]


def open_dataset(
    data: object,
    target: str | None = None,
    task: str | None = None,
    on_bad_file: OnBad = "refuse",
    emit: Emit = silent,
    **options: Any,
) -> Dataset:
    """Read and check ``data``, of whichever kind it is.

    data: a path (CSV, TSV, Parquet; a folder with a folder per class; a CSV of paths; texts; recordings), a polars or
        pandas DataFrame, a dict of arrays, or an ``(X, y)`` pair of NumPy arrays.
    target: the column to learn. Tables need it; for ``(X, y)`` it is ``y``. Of a text file: the file of its
        translations, line by line.
    task: ``binary``, ``multiclass``, ``classification``, ``regression``, ``language``, ``forecast``,
        ``translation`` or ``unsupervised``; found from the data where None.
    on_bad_file: of images and recordings: ``refuse``, or ``skip`` and list.
    emit: told about every warning and note.
    options: see :data:`workings.data.options.OPTIONS`.

    Raises:
        UserError: everything that is wrong, together.
    """
    dataset, problems = inspect_dataset(data, target, task, on_bad_file, emit, **options)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors or dataset is None:
        raise UserError(errors)
    return _told(dataset, emit)


def inspect_dataset(
    data: object,
    target: str | None = None,
    task: str | None = None,
    on_bad_file: OnBad = "refuse",
    emit: Emit = silent,
    **options: Any,
) -> tuple[Dataset | None, list[Problem]]:
    """What :func:`open_dataset` does, with all problems returned, errors among them, and none raised.

    The dataset is None where an error forbids to use it.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        name = _kind_of(data, target, task, given)
        check_options(given, name)
        if task == "unsupervised" and name not in UNSUPERVISED:
            raise refuse(
                "no-samples-to-learn",
                f"Without labels only tables, images and series can be learnt; this data is {name}.",
                do="Leave out --task unsupervised, and a --net that learns without labels; or bring another kind.",
            )
        return kind_module(name).inspect(data, target, task, on_bad_file, emit, **given)
    except UserError as error:
        return None, error.problems


def _kind_of(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> str:
    return next(name for name in KINDS if kind_module(name).recognise(data, target, task, options))


def read_for(
    prep: Any,
    schema: Schema,
    data: object,
    require_target: bool = True,
    *,
    on_bad_file: OnBad = "refuse",
    emit: Emit = silent,
    **options: Any,
) -> Dataset:
    """New data for a trained net: checked against the ``schema`` it was trained with, ready for ``prep``.

    require_target: evaluating needs the truth; predicting does not.

    Raises:
        UserError: missing columns with the nearest name, unknown classes, unreadable files, together.
    """
    given = {name: value for name, value in options.items() if value is not None}
    check_options(given, prep.kind)
    module = kind_module(prep.kind)
    return _told(module.read_for(prep, schema, data, require_target, on_bad_file, emit, **given), emit)


def read_preparation(values: Mapping[str, Any]) -> Any:
    """The preparation that ``prepare.json`` holds, of whichever kind."""
    kind = values.get("kind")
    if kind not in KINDS:
        what = f"The kind of preparation is {kind!r}; known are {', '.join(KINDS)}."
        raise refuse("not-a-preparation", what)
    return kind_module(str(kind)).read_preparation(values)


def _told(dataset: Dataset, emit: Emit) -> Dataset:
    for problem in dataset.problems:
        emit(Noticed(problem))
    return dataset


__all__ = ["KINDS", "OPTIONS", "OnBad", "OnBadRow", "inspect_dataset", "open_dataset", "read_for", "read_preparation"]
