"""Kneser–Ney: the sorted counts give what the formula gives when it is followed word by word."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from workings.learning.ngrams import KneserNey

V, BEFORE = 7, 3


def by_formula(tokens: list[int], order: int, possible: int, history: list[int], w: int) -> float:
    """p(w|history) straight from the docstring, with dictionaries."""
    padded = [BEFORE] * (order - 1) + tokens
    a: dict[int, Counter[tuple[int, ...]]] = {order: Counter(tuple(padded[i : i + order]) for i in range(len(tokens)))}
    for n in range(order - 1, 0, -1):
        a[n] = Counter(gram[1:] for gram in a[n + 1])
    p = 1 / possible
    for n in range(1, order + 1):
        c = Counter(min(count, 5) for count in a[n].values())
        if all(c[i] for i in (1, 2, 3, 4)):
            Y = c[1] / (c[1] + 2 * c[2])
            D = [0.0, *(min(max(i - (i + 1) * Y * c[i + 1] / c[i], 0), i - 0.05) for i in (1, 2, 3))]
        else:
            D = [0.0, 0.5, 0.5, 0.5]
        h = tuple(history[len(history) - (n - 1) :])
        following: dict[int, int] = defaultdict(int)
        for gram, count in a[n].items():
            if gram[:-1] == h:
                following[gram[-1]] += count
        A = sum(following.values())
        if A:
            gamma = sum(D[min(count, 3)] for count in following.values()) / A
            p = (following[w] - D[min(following[w], 3)]) / A + gamma * p
    return p


def text(n: int, seed: int = 0) -> list[int]:
    """Tokens 3 … 6 that depend on the one before."""
    chance = np.random.default_rng(seed)
    found = [3]
    for _ in range(n - 1):
        found.append(int(3 + (found[-1] + chance.choice(4, p=[0.6, 0.25, 0.1, 0.05])) % 4))
    return found


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_sorted_counts_follow_the_formula(order: int) -> None:
    """On a text that was not counted, token by token."""
    known, new = text(120), text(25, seed=1)
    nats = KneserNey(np.array(known), order, V, BEFORE, possible=4).nats(np.array(new))
    padded = [BEFORE] * (order - 1) + new
    for i, w in enumerate(new):
        assert nats[i] == pytest.approx(-math.log(by_formula(known, order, 4, padded[i : i + order - 1], w)))


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_the_probabilities_of_all_tokens_sum_to_one(order: int) -> None:
    """After any history, seen or not."""
    model = KneserNey(np.array(text(200)), order, V, BEFORE, possible=4)
    for seed in range(5):
        history = text(6, seed=seed)
        p = [math.exp(-model.nats(np.array([*history, w]))[-1]) for w in (3, 4, 5, 6)]
        assert sum(p) == pytest.approx(1)


def test_longer_contexts_help_where_the_text_has_memory() -> None:
    """And the mean comes near the entropy of the chain that made the text."""
    known, new = np.array(text(20_000)), np.array(text(5_000, seed=2))
    single, pairs = (KneserNey(known, n, V, BEFORE, possible=4).nats(new).mean() for n in (1, 2))
    entropy = -sum(p * math.log(p) for p in (0.6, 0.25, 0.1, 0.05))
    assert single == pytest.approx(math.log(4), abs=0.01)
    assert pairs == pytest.approx(entropy, abs=0.03)
