"""Laws of the baselines: scikit-learn's own figures, everything left out is told, a refusal is recorded."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_friedman1
from sklearn.linear_model import LogisticRegression, Ridge

from workings.base.errors import UserError
from workings.base.events import Event, Noticed, Phase
from workings.report import baselines
from workings.report.baselines import BASELINES, FOR_IMAGES, FOR_TABLES, run_baselines


def iris() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Iris, standardised, every third row for testing."""
    X, y = load_iris(return_X_y=True)
    X = ((X - X.mean(0)) / X.std(0)).astype(np.float32)
    test = np.arange(len(y)) % 3 == 0
    return X[~test], y[~test], X[test], y[test]


def test_baselines_are_scikit_learn_s_models_on_the_same_rows() -> None:
    """Each figure is that of the estimator, trained by hand."""
    X, y, X_test, y_test = iris()
    results = run_baselines("multiclass", X, y, X_test, y_test)
    assert [each["name"] for each in results] == [
        "always the commonest class",
        "logistic regression",
        "gradient-boosted trees",
        "decision tree",
        "nearest neighbours, k = 10",
    ]
    by_hand = LogisticRegression(max_iter=300).fit(X, y)
    assert results[1]["metrics"]["accuracy"] == by_hand.score(X_test, y_test)
    assert results[0]["metrics"]["accuracy"] == pytest.approx((y_test == np.bincount(y).argmax()).mean())
    assert all(each["note"] == "" for each in results)
    json.dumps(results, allow_nan=False)


def test_regression_baselines_are_judged_in_the_target_s_units() -> None:
    """Ridge on Friedman's function."""
    X, y = make_friedman1(400, noise=0.5, random_state=0)
    results = run_baselines("regression", X[:300], y[:300], X[300:], y[300:], kinds=["constant", "linear"])
    assert results[1]["metrics"]["r2"] == pytest.approx(
        Ridge().fit(X[:300].astype("f4"), y[:300]).score(X[300:], y[300:])
    )
    assert results[0]["metrics"]["mae"] == pytest.approx(np.abs(y[300:] - y[:300].mean()).mean())


def test_a_baseline_that_scikit_learn_refuses_is_recorded_in_its_words() -> None:
    """One class cannot be separated: logistic regression says so, the others still run, nothing is raised."""
    X, _, X_test, y_test = iris()
    told: list[Event] = []
    results = run_baselines("multiclass", X, np.zeros(len(X), int), X_test, y_test, emit=told.append)
    assert results[1]["metrics"] == {}
    assert "at least 2 classes" in results[1]["note"]
    assert results[3]["metrics"]["accuracy"] == pytest.approx((y_test == 0).mean())
    assert [event.problem.code for event in told if isinstance(event, Noticed)].count("baseline-without-result") >= 1
    assert sum(isinstance(event, Phase) for event in told) == 5


def test_rows_left_out_for_time_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a baseline may read: a random part, said in its note."""
    monkeypatch.setitem(BASELINES, "linear", replace(BASELINES["linear"], most=5_000.0))
    monkeypatch.setattr(baselines, "MOST_TEST_ROWS", 100)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 5))
    y = (X[:, 0] > 0).astype(int)
    results = run_baselines("binary", X, y, X[:500], y[:500], kinds=["linear"])
    assert results[0]["note"] == (
        "trained on 1,000 of 3,000 rows, drawn at random; tested on 100 of 500 rows, drawn at random"
    )


def test_a_spent_budget_skips_the_rest_and_says_so() -> None:
    """Nothing is left out in silence, the clock included."""
    results = run_baselines("multiclass", *iris(), seconds_budget=0.0)
    assert all(each["metrics"] == {} and each["note"].startswith("not run: the baselines before it took")
               for each in results[1:])  # fmt: skip


def test_images_are_flattened_and_large_ones_averaged_down() -> None:
    """Pixels are features; beyond 1,024 of them neighbours are averaged; both are told."""
    digits = load_digits()
    X, y = (digits.images / 16.0)[:, None].astype(np.float32), digits.target
    small = run_baselines("multiclass", X[:800], y[:800], X[800:], y[800:], kinds=["neighbours"])[0]
    assert small["note"] == "on the flattened pixels"
    assert small["metrics"]["accuracy"] > 0.9
    large = np.repeat(np.repeat(X, 6, axis=2), 6, axis=3)  # 48 × 48
    result = run_baselines("multiclass", large[:800], y[:800], large[800:], y[800:], kinds=["neighbours"])[0]
    assert result["note"] == "on the flattened pixels of images averaged down to 24 × 24"
    assert result["metrics"]["accuracy"] == pytest.approx(small["metrics"]["accuracy"], abs=0.01)


def test_rows_may_be_read_when_asked_for() -> None:
    """Anything with a shape and rows by number will do, so that data larger than memory need not be held."""

    class Lazy:
        def __init__(self, array: np.ndarray) -> None:
            self.array, self.shape = array, array.shape

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            return self.array[rows]

    X, y, X_test, y_test = iris()
    lazy = run_baselines("multiclass", Lazy(X), y, Lazy(X_test), y_test, kinds=["tree"])
    assert lazy[0]["metrics"] == run_baselines("multiclass", X, y, X_test, y_test, kinds=["tree"])[0]["metrics"]


def test_a_class_that_training_lacks_has_probability_zero() -> None:
    """The metrics of all K classes are still defined."""
    X, y, X_test, y_test = iris()
    results = run_baselines("multiclass", X[y < 2], y[y < 2], X_test, y_test, kinds=["neighbours"])
    assert results[0]["metrics"]["log_loss"] > 5


def test_an_unknown_baseline_is_refused_with_the_nearest_name() -> None:
    """All of them at once."""
    with pytest.raises(UserError, match="Did you mean 'boosting'") as refused:
        run_baselines("multiclass", *iris(), kinds=["bosting", "lineer"])
    assert len(refused.value.problems) == 2
    assert set(BASELINES) == {*FOR_TABLES, *FOR_IMAGES}
