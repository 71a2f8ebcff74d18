"""How well a text can be expected from counting alone: n-grams with modified Kneser–Ney smoothing.

Of a text, a(hw) says how often the token w came after the context h of n − 1 tokens; for shorter contexts, after how
many different tokens hw came, as the longer contexts take the rest. Then

    p(w|h)  = (a(hw) − D(a(hw))) / A(h) + γ(h) p(w|h')        A(h) = Σ_w a(hw), h' = h without its oldest token
    γ(h)    = Σ_w D(a(hw)) / A(h)                             so that Σ_w p(w|h) = 1
    D(a)    = a + … : D₁ = 1 − 2Y n₂/n₁, D₂ = 2 − 3Y n₃/n₂, D₃₊ = 3 − 4Y n₄/n₃, Y = n₁/(n₁ + 2n₂)

with n_c the number of n-grams whose a is c; below the single tokens all tokens are equally likely. A context never
seen leaves all to h'. Kneser and Ney 1995; Chen and Goodman 1999.

An n-gram is one number, its tokens as digits to the base V, so counting is sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST = 2**62


@dataclass(frozen=True)
class _Level:
    """One length of n-gram. grams: sorted; share: of each, (a − D)/A. contexts: sorted; gamma: of each, γ."""

    grams: np.ndarray
    share: np.ndarray
    contexts: np.ndarray
    gamma: np.ndarray


class KneserNey:
    """Counts of ``tokens`` (N,), each below ``vocabulary``, for contexts of up to ``order`` − 1 tokens.

    before: the token that stands before the text. possible: how many tokens can come at all.
    """

    def __init__(self, tokens: np.ndarray, order: int, vocabulary: int, before: int, possible: int) -> None:
        assert order >= 1
        assert vocabulary**order < LARGEST, "an n-gram must fit in one number"
        self.order, self.vocabulary, self.before, self.possible = order, vocabulary, before, possible
        keys = self._keys(tokens, order)
        grams, a = np.unique(keys, return_counts=True)
        levels = []
        for n in range(order, 0, -1):
            levels.append(_level(grams, a, vocabulary))
            grams, a = np.unique(grams % vocabulary ** (n - 1), return_counts=True)
        self._levels = levels[::-1]

    def _keys(self, tokens: np.ndarray, n: int) -> np.ndarray:
        """(N,) the n-gram that ends at each token; before the text stands ``before`` as often as needed."""
        padded = np.concatenate([np.full(n - 1, self.before), tokens]).astype(np.int64)
        keys = np.zeros(len(tokens), dtype=np.int64)
        for i in range(n):
            keys = keys * self.vocabulary + padded[i : i + len(tokens)]
        return keys

    def nats(self, tokens: np.ndarray) -> np.ndarray:
        """(N,) −ln p of each of other tokens, from those before it."""
        p = np.full(len(tokens), 1.0 / self.possible)
        for n, level in enumerate(self._levels, 1):
            keys = self._keys(tokens, n)
            share = _looked_up(level.grams, level.share, keys, 0.0)
            gamma = _looked_up(level.contexts, level.gamma, keys // self.vocabulary, 1.0)
            p = share + gamma * p
        return -np.log(p)


def _level(grams: np.ndarray, a: np.ndarray, vocabulary: int) -> _Level:
    contexts, first = np.unique(grams // vocabulary, return_index=True)
    A = np.add.reduceat(a, first)
    D = _discounts(a)[np.minimum(a, 3)]
    gamma = np.add.reduceat(D, first) / A
    of = np.repeat(np.arange(len(contexts)), np.diff(np.append(first, len(grams))))
    return _Level(grams, (a - D) / A[of], contexts, gamma)


def _discounts(a: np.ndarray) -> np.ndarray:
    """(4,) D of a = 0, 1, 2, 3 and more. Where there are too few n-grams to tell, half a count each."""
    n = np.bincount(np.minimum(a, 5), minlength=6)[:5].astype(np.float64)
    if (n[1:] == 0).any():
        return np.array([0.0, 0.5, 0.5, 0.5])
    Y = n[1] / (n[1] + 2 * n[2])
    D = np.array([0.0, *(c - (c + 1) * Y * n[c + 1] / n[c] for c in (1, 2, 3))])
    return np.clip(D, 0.0, [0.0, 0.95, 1.95, 2.95])


def _looked_up(known: np.ndarray, values: np.ndarray, keys: np.ndarray, missing: float) -> np.ndarray:
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, values[at], missing)
