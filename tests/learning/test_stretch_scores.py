"""Scores of steps against scikit-learn, and intervals that resample blocks of neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from workings.learning.stretch_scores import Curves, block_of, gain, of_steps, resampled, stretches

rows = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40)


@given(rows)
def test_areas_are_those_of_scikit_learn_with_steps_counted_so_often(drawn: list[tuple[int, bool, int]]) -> None:
    """Ties and numbers of times included."""
    score, odd, w = (np.array(column) for column in zip(*drawn, strict=True))
    if not 0 < (w * odd).sum() < w.sum():
        return
    area, precision = Curves(score.astype(float), odd).areas(w.astype(float))
    many, among = np.repeat(score, w), np.repeat(odd, w)
    assert area == pytest.approx(roc_auc_score(among, many))
    assert precision == pytest.approx(average_precision_score(among, many))


@given(st.lists(st.booleans(), max_size=30))
def test_stretches_are_all_of_the_true_ones_and_no_two_touch(odd: list[bool]) -> None:
    """Put back, they are what they were found in."""
    found = stretches(np.array(odd, dtype=bool))
    again = np.zeros(len(odd), dtype=bool)
    for begin, end in found:
        assert begin < end
        again[begin:end] = True
    assert again.tolist() == odd
    assert (found[1:, 0] > found[:-1, 1]).all()


def test_a_resample_is_of_whole_blocks() -> None:
    """Each holds as many steps as blocks hold, and each step about once on average."""
    odd = np.arange(100) % 25 < 3
    drawn = np.array(list(resampled(100, 10, odd, 0)))
    assert (drawn.sum(1) == 100).all()
    assert drawn.mean(0) == pytest.approx(np.ones(100), abs=0.15)
    changes = (np.diff(drawn, axis=1) != 0).sum(1)
    assert changes.max() <= 20


def test_metrics_and_intervals_of_steps() -> None:
    """A stretch is found by one step of it; intervals hold the figure; without enough anomalies there is none."""
    rng = np.random.default_rng(0)
    odd = np.arange(400) % 40 >= 36
    score = rng.normal(size=400) + 1.5 * odd
    found = of_steps(score, odd, 8, 2.0)
    assert found.metrics["anomaly_roc_auc"] == pytest.approx(roc_auc_score(odd, score))
    hit = sum(bool((score[b:e] > 2).any()) for b, e in stretches(odd))
    assert found.metrics["stretches_found"] == hit / 10
    assert found.metrics["false_alarms"] == pytest.approx((score[~odd] > 2).mean())
    low, high = found.intervals["anomaly_roc_auc"]
    assert low < found.metrics["anomaly_roc_auc"] < high
    few = of_steps(score[:60], odd[:60], 8, None)
    assert not few.intervals
    assert [each.code for each in few.notes] == ["no-interval"]
    assert block_of(odd, 500) is None


def test_the_gain_over_itself_is_nothing_and_over_noise_is_much() -> None:
    """Compared on the same blocks."""
    rng = np.random.default_rng(1)
    odd = np.arange(400) % 40 >= 36
    good, noise = rng.normal(size=400) + 3 * odd, rng.normal(size=400)
    assert gain(good, good, odd, 8) == [0.0, 0.0]
    interval = gain(good, noise, odd, 8)
    assert interval is not None
    assert interval[0] > 0.2
