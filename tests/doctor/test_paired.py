"""The gain of one recipe over another, and how often chance alone passes for one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from workings.doctor.paired import LEVEL, gain
from workings.doctor.treating import verdict
from workings.doctor.trial import Trial


def trial(score: float, rows: np.ndarray | None = None) -> Trial:
    return Trial(score, None if rows is None else torch.from_numpy(rows), {}, 1, 0.0, 0.0, 0.0)


def test_the_interval_of_seeds_is_that_of_the_paired_t_test() -> None:
    """Against scipy's."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5), rng.normal(size=5)
    found = gain([trial(x) for x in a], [trial(x) for x in b])
    expected = stats.ttest_rel(a, b).confidence_interval(LEVEL)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx((a - b).mean())


def test_rows_that_judge_every_time_count_too() -> None:
    """Where seeds agree to the last digit, the interval is that of the rows."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=40), rng.normal(size=40)
    found = gain([trial(float(a.mean()), a)] * 5, [trial(float(b.mean()), b)] * 5)
    expected = stats.ttest_rel(a, b).confidence_interval(LEVEL)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_change_that_does_nothing_is_accepted_at_most_once_in_fifty() -> None:
    """Scores that differ by noise alone, also noise that depends on the row: the bar is above 1 in 100, as intervals
    say, for 2,000 draws may give a few more."""
    rng = np.random.default_rng(2)
    accepted = 0
    for _ in range(2000):
        nothing, placebo, cure = ([trial(1 + 0.1 * x) for x in rng.normal(size=5)] for _ in range(3))
        accepted += verdict(gain(nothing, cure), gain(placebo, cure)) == "better"
    assert accepted <= 40


def test_where_all_trials_of_one_stop_and_none_of_the_other_it_is_better() -> None:
    """Without a score to subtract, five pairs that agree decide, and four do not."""
    stopped, fine = [trial(float("inf"))] * 5, [trial(1.0)] * 5
    assert gain(stopped, fine).better
    assert gain(fine, stopped).worse
    assert not gain(stopped[:4], fine[:4]).better
    assert not gain(stopped, stopped).better
