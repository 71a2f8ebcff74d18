"""What the tests of every kind of data ask: what it opens as, and the problems with which it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest

from workings.base.errors import UserError
from workings.base.problems import Problem
from workings.data import open_dataset
from workings.data.dataset import Dataset

D = TypeVar("D", bound=Dataset)


def opened_as(kind: type[D], data: Any, target: str | None = None, **options: Any) -> D:
    """``data`` opened through the common door; it must turn out to be of one kind."""
    dataset = open_dataset(data, target, **options)
    assert isinstance(dataset, kind)
    return dataset


def by_code(problems: Iterable[Problem]) -> dict[str, Problem]:
    """Problems by their codes."""
    return {problem.code: problem for problem in problems}


def refused(data: Any, open_: Callable[..., object] = open_dataset, **options: Any) -> dict[str, Problem]:
    """The errors of data that must not open, by their codes; each is a sentence."""
    with pytest.raises(UserError) as stopped:
        open_(data, **options)
    found = stopped.value.problems
    assert all(problem.level == "error" and problem.what.endswith((".", "?")) for problem in found)
    return by_code(found)
