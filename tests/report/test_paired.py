"""Laws of the comparison with a baseline on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from workings.base.files import read_json, write_json
from workings.report.baselines import run_baselines
from workings.report.paired import Said, gain
from workings.report.reading import read_run
from workings.report.verdict import judge


def said(truth: np.ndarray, wrong: np.ndarray) -> Said:
    """Predictions that are wrong in the rows ``wrong``."""
    return Said(np.where(np.isin(np.arange(len(truth)), wrong), 1 - truth, truth))


def test_the_interval_of_two_accuracies_is_that_of_their_row_by_row_difference() -> None:
    """The bootstrap's interval lies within a fifth of its width of the normal one of the mean difference."""
    rng = np.random.default_rng(1)
    n = 800
    truth = rng.integers(0, 2, n)
    hard = rng.choice(n, 160, replace=False)
    ours, theirs = said(truth, hard[:100]), said(truth, hard)
    low, high = gain("binary", truth, ours, theirs, "accuracy") or (0.0, 0.0)
    difference = (ours.prediction == truth).astype(float) - (theirs.prediction == truth)
    half = 1.96 * difference.std() / np.sqrt(n)
    assert [low, high] == pytest.approx([difference.mean() - half, difference.mean() + half], abs=0.2 * half)
    assert low > 0, "right wherever the other is, and in 60 of 800 rows besides"
    assert gain("binary", truth, theirs, ours, "accuracy") == pytest.approx([-high, -low])


def test_errors_count_the_other_way_round() -> None:
    """Of a smaller error the gain is above 0; of equal predictions there is no interval."""
    y = np.random.default_rng(0).normal(size=300)
    near, far = Said(y + 0.1), Said(y + np.where(y > 0, 0.5, 0.2))
    low, _ = gain("regression", y, near, far, "mae") or (0.0, 0.0)
    assert low > 0
    assert gain("regression", y, near, near, "mae") is None


def test_the_best_baseline_is_held_against_the_net_and_no_other() -> None:
    """By each metric that a binary run may be judged by; baselines are as they are without it."""
    X, y = map(np.asarray, load_breast_cancer(return_X_y=True))
    X = ((X - X.mean(0)) / X.std(0)).astype("f4")
    train, test = np.arange(0, 400), np.arange(400, 569)
    net = LogisticRegression(C=1e-4).fit(X[train], y[train])
    ours = Said(net.predict(X[test]), net.predict_proba(X[test]))
    plain = run_baselines("binary", X[train], y[train], X[test], y[test], kinds=["constant", "linear"])
    held = run_baselines("binary", X[train], y[train], X[test], y[test], kinds=["constant", "linear"], ours=ours)
    assert "gain" not in held[0]
    assert held[1].pop("gain").keys() == {"accuracy", "average_precision"}
    for a, b in zip(plain, held, strict=True):
        assert a["metrics"] == b["metrics"]


@pytest.mark.parametrize(
    ("theirs", "apart", "head", "standing"),
    [
        (0.87, [0.01, 0.05], "It beats every baseline.", "better"),
        (0.87, [-0.01, 0.07], "Ahead of every baseline, but not clearly.", "ahead"),
        (0.90, [-0.02, 0.02], "A simpler model does as well.", "behind"),
        (0.91, [-0.03, 0.01], "A simpler model is ahead.", "behind"),
        (0.92, [-0.03, -0.01], "A simpler model is better.", "worse"),
    ],
)
def test_the_verdict_goes_by_the_paired_comparison_where_there_is_one(
    run_folder: Callable[[str], Path], theirs: float, apart: list[float], head: str, standing: str
) -> None:
    """Though the net's own interval, from 86 to 94 %, holds every one of these baselines."""
    run: Path = run_folder("binary")
    metrics = read_json(run / "metrics.json")
    write_json(run / "metrics.json", metrics | {"metrics": {"accuracy": 0.90}, "intervals": {"accuracy": [0.86, 0.94]}})
    baseline = {"name": "a tree", "metrics": {"accuracy": theirs}, "seconds": 1.0, "gain": {"accuracy": apart}}
    write_json(run / "baselines.json", {"schema_version": 1, "baselines": [baseline]})
    verdict = judge(read_run(run))
    assert verdict.comparison.startswith(head)
    assert verdict.standing == standing
