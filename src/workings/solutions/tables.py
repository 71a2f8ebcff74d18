"""Tensors written whole, as tables of numbers: what a reader needs to work a question out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from workings.solutions.expressions import Quantity
from workings.solutions.rounding import Printed, printed

EXACT = 12  # digits: what is given is written in full
Table = tuple[tuple[int, ...], list[list[Printed]]]


def scalar(q: Quantity) -> Printed | None:
    """The number, where there is one alone."""
    return printed(float(q.data), EXACT) if q.data.ndim == 0 else None


def tables(q: Quantity) -> Iterator[Table]:
    """The last two axes as rows, for each index of the axes before them; that index as written, from 1."""
    data = q.data[0] if q.one_sample and q.data.ndim > 1 else q.data
    data = data[None] if data.ndim == 1 else data
    for index in itertools.product(*(range(n) for n in data.shape[:-2])):
        rows = [[printed(float(v), EXACT) for v in row] for row in data[index]]
        yield tuple(i + 1 for i in index), rows


BESIDE = 5  # lone numbers in a row


def grouped(given: list[Quantity]) -> list[list[Quantity]]:
    """Lone numbers in a row go together, those of layers by letter; any other tensor stands by itself."""
    groups: list[list[Quantity]] = []

    def kind(q: Quantity) -> tuple[int, str]:
        return q.data.ndim, q.letter if q.layer else ""

    for q in given:
        if groups and q.data.ndim == 0 and kind(groups[-1][0]) == kind(q) and len(groups[-1]) < BESIDE:
            groups[-1].append(q)
        else:
            groups.append([q])
    return groups
