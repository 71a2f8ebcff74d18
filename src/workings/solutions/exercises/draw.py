"""Numbers that are humane to work with, the same for the same seed on every machine."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Draws by ``random()`` alone: that its sequence stays the same, Python guarantees of no other method."""

    def __init__(self, *seeds: object) -> None:
        self._random = random.Random(" ".join(map(str, seeds))).random

    def whole(self, low: int, high: int, *, but: Sequence[int] = ()) -> int:
        """A whole number from low to high, none of ``but``."""
        return self.one_of([n for n in range(low, high + 1) if n not in but])

    def tenths(self, low: float = -1.0, high: float = 1.0) -> float:
        """A number with one decimal, not 0."""
        return self.whole(round(10 * low), round(10 * high), but=(0,)) / 10

    def one_of(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[int(self._random() * len(choices))]

    def some_of(self, choices: Sequence[T], count: int) -> list[T]:
        """So many of them, none twice."""
        left, taken = list(choices), []
        for _ in range(count):
            taken.append(left.pop(int(self._random() * len(left))))
        return taken

    def row(self, n: int, low: float = -1.0, high: float = 1.0) -> list[float]:
        """n tenths."""
        return [self.tenths(low, high) for _ in range(n)]

    def rows(self, m: int, n: int, low: float = -1.0, high: float = 1.0) -> list[list[float]]:
        """m rows of n tenths."""
        return [self.row(n, low, high) for _ in range(m)]

    def wholes(self, n: int, low: int, high: int, *, but: Sequence[int] = ()) -> list[int]:
        """n whole numbers."""
        return [self.whole(low, high, but=but) for _ in range(n)]

    def image(self, m: int, n: int, low: int = 0, high: int = 9) -> list[list[int]]:
        """m rows of n whole numbers."""
        return [self.wholes(n, low, high) for _ in range(m)]
