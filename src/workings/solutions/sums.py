"""Sums as they are written: of a long one the terms that count most, and what the others come to."""

from __future__ import annotations

from collections.abc import Sequence

from workings.solutions.evaluation import evaluate
from workings.solutions.expressions import Entry, Expr, Number, Rest, Sum


def total(terms: Sequence[Expr]) -> Expr:
    """A sum; of one term itself, of none 0."""
    if not terms:
        return Number(0.0)
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


TERMS = 6  # of a long sum that are written out


def products(pairs: Sequence[tuple[Entry, Entry]], more: Sequence[Expr] = (), limit: int | None = None) -> Expr:
    """Σ left·right + more; of a long sum the terms that count most are written out, the others summed up."""
    limit = TERMS if limit is None else limit
    if len(pairs) <= limit + 2:
        return total([left * right for left, right in pairs] + list(more))
    values = [left.value * right.value for left, right in pairs]
    largest_first = sorted(range(len(pairs)), key=lambda i: (-abs(values[i]), i))
    kept = sorted(largest_first[:limit])
    rest = sum(values[i] for i in sorted(largest_first[limit:]))
    written: list[Expr] = [pairs[i][0] * pairs[i][1] for i in kept]
    return total([*written, Rest(len(pairs) - limit, rest), *more])


def sum_of(entries: Sequence[Expr], limit: int | None = None) -> Expr:
    """Σ of entries, a long one shortened as :func:`products` does."""
    limit = TERMS if limit is None else limit
    if len(entries) <= limit + 2:
        return total(list(entries))
    values = [evaluate(e) for e in entries]
    largest_first = sorted(range(len(entries)), key=lambda i: (-abs(values[i]), i))
    kept = sorted(largest_first[:limit])
    rest = sum(values[i] for i in sorted(largest_first[limit:]))
    return total([*(entries[i] for i in kept), Rest(len(entries) - limit, rest)])
