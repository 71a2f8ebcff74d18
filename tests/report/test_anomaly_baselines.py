"""Detectors beside a net without labels: what they find, and that they keep to their time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workings.base.events import Event, Noticed
from workings.data.source import MemorySource
from workings.report.anomaly_baselines import anomaly_baselines


def source(x: np.ndarray) -> MemorySource:
    return MemorySource(torch.from_numpy(x.astype(np.float32)), torch.zeros(len(x), dtype=torch.int64))


def far_out(n: int = 200) -> tuple[MemorySource, MemorySource, np.ndarray]:
    """(train, test, which test samples are anomalies): these lie ten deviations away."""
    rng = np.random.default_rng(0)
    odd = np.arange(n // 2) % 10 == 0
    return source(rng.normal(size=(n, 3))), source(rng.normal(size=(n // 2, 3)) + 10 * odd[:, None]), odd


def test_both_find_what_lies_far_out() -> None:
    """Every sample ten deviations away scores above every regular one."""
    found = anomaly_baselines(*far_out(), seed=0, emit=lambda event: None)
    assert [each["name"].split(",")[0] for each in found] == ["isolation forest", "local outlier factor"]
    for each in found:
        assert each["metrics"]["anomaly_roc_auc"] == pytest.approx(1.0)


def test_equal_seeds_find_equal_figures() -> None:
    """Same samples, same seed, same metrics."""
    one, two = (anomaly_baselines(*far_out(), seed=3, emit=lambda event: None) for _ in range(2))
    assert [each["metrics"] for each in one] == [each["metrics"] for each in two]


def test_a_baseline_without_time_is_told() -> None:
    """What does not run says so, in the file and to the reader."""
    told: list[Event] = []
    found = anomaly_baselines(*far_out(), seed=0, emit=told.append, seconds=-1.0)
    assert [each["metrics"] for each in found] == [{}, {}]
    assert all("not run" in each["note"] for each in found)
    assert sum(isinstance(event, Noticed) for event in told) == 2


@pytest.mark.parametrize("all_odd", [True, False])
def test_without_both_kinds_there_is_nothing_to_tell_apart(all_odd: bool) -> None:
    """Only regular samples, or only anomalies: no baseline."""
    train, test, odd = far_out()
    assert anomaly_baselines(train, test, np.full_like(odd, all_odd), 0, lambda event: None) == []
