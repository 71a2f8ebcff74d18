"""Laws of the metrics: scikit-learn's values, honest intervals, nothing undefined in silence."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from workings.base.errors import UserError
from workings.learning.intervals import LARGEST, bootstrap, delong, wilson
from workings.learning.judged import judged
from workings.learning.metrics import METRICS, evaluate, find, headline, higher_is_better, quick, score
from workings.learning.resampled import statistics


def binary(n: int, seed: int = 0, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction and probability of n rows; calibrated, both classes present."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(size=n) * 2))
    if ties:
        p = np.round(p, 1) * 0.98 + 0.01
    y = (rng.random(n) < p).astype(int)
    y[:2] = [0, 1]
    return y, (p > 0.5).astype(int), p


def multiclass(n: int, K: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction and probabilities of n rows of K classes, all present where n ≥ K."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, K))
    y = (z + rng.gumbel(size=z.shape)).argmax(1)
    y[:K] = np.arange(K)[:n]
    P = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return y, P.argmax(1), P


def statistics_of(t: np.ndarray, a: np.ndarray, s: np.ndarray):  # type: ignore[no-untyped-def]
    """The bootstrap's formulas for two metrics of these rows."""
    return lambda rows: statistics(judged("binary", t, a, s, None), rows, {"average_precision", "f1"})


# ------------------------------------------------------------------------------------------- values


@given(n=st.integers(12, 80), seed=st.integers(0, 99), ties=st.booleans(), weighted=st.booleans())
@settings(max_examples=25)
def test_every_metric_equals_its_formula_by_row_weights(n: int, seed: int, ties: bool, weighted: bool) -> None:
    """The bootstrap's formulas at the rows' own weights are scikit-learn's values."""
    w = np.random.default_rng(seed).integers(1, 4, n).astype(float) if weighted else None
    ones = np.ones(n) if w is None else w
    regression = np.random.default_rng(seed).normal(5, 1, size=(2, n))
    cases = [
        ("binary", *binary(n, seed, ties)),
        ("multiclass", *multiclass(n, 12, seed)),
        ("regression", regression[0], regression[1], None),
    ]
    for task, y, prediction, P in cases:
        expected = score(task, y, prediction, P, w).metrics
        prepared = statistics(judged(task, y, prediction, P, w), np.arange(n), set(expected))
        found = prepared(ones)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            # Medians of weighted rows have several definitions between two values; ours is scikit-learn's unweighted.
            tolerance = 0.5 if name == "median_ae" and weighted else 1e-9
            assert found[name] == pytest.approx(value, abs=tolerance), name


def test_whole_weights_equal_repeated_rows() -> None:
    """A row of weight 3 counts as three rows, in every metric of every task."""
    rng = np.random.default_rng(0)
    times = rng.integers(1, 4, 60)
    regression = rng.normal(5, 1, size=(2, 60))
    cases = [
        ("binary", *binary(60)),
        ("multiclass", *multiclass(60, 4)),
        ("regression", regression[0], regression[1], None),
    ]
    for task, y, prediction, P in cases:
        repeated = [None if a is None else np.repeat(a, times, axis=0) for a in (y, prediction, P)]
        assert score(task, y, prediction, P, times).metrics == pytest.approx(
            score(task, *repeated).metrics  # type: ignore[arg-type]
        )


def test_binary_probabilities_may_have_one_column_or_two() -> None:
    """(n,), (n, 1) and (n, 2) say the same."""
    y, prediction, p = binary(50)
    expected = score("binary", y, prediction, p).metrics
    assert score("binary", y, prediction, p[:, None]).metrics == expected
    assert score("binary", y, prediction, np.column_stack([1 - p, p])).metrics == pytest.approx(expected)


def test_float32_probabilities_are_taken_as_they_are() -> None:
    """Rows of a float32 softmax miss one by rounding; no warning, no error, the same figures."""
    y, prediction, P = multiclass(300, 7)
    exact = score("multiclass", y, prediction, P).metrics
    assert score("multiclass", y, prediction, P.astype(np.float32)).metrics == pytest.approx(exact, abs=1e-5)


def test_without_probabilities_only_their_metrics_are_missing() -> None:
    """What needs only the predicted class is still told."""
    y, prediction, _ = binary(50)
    found = score("binary", y, prediction).metrics
    assert set(found) == {name for name, metric in METRICS["binary"].items() if not metric.probability}


# ---------------------------------------------------------------------------------------- undefined


@pytest.mark.parametrize(
    ("task", "y", "prediction", "P", "missing"),
    [
        ("binary", [0, 0, 0], [0, 0, 0], [0.1, 0.2, 0.3],
         {"roc_auc", "average_precision", "balanced_accuracy", "f1", "precision", "recall", "mcc"}),
        ("binary", [1, 1, 1], [1, 0, 1], [0.9, 0.2, 0.8], {"roc_auc", "balanced_accuracy", "mcc"}),
        ("binary", [0, 1, 0], [0, 0, 0], [0.1, 0.2, 0.3], {"precision", "mcc"}),
        ("multiclass", [0, 1, 1], [0, 1, 2], [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]],
         {"roc_auc_ovr_macro"}),
        ("regression", [2.0, 2.0], [1.0, 3.0], None, {"r2"}),
        ("regression", [0.0, 2.0], [1.0, 3.0], None, {"mape"}),
        ("regression", [2.0], [1.0], None, {"r2"}),
    ],
)  # fmt: skip
def test_an_undefined_metric_is_left_out_and_told(task, y, prediction, P, missing) -> None:  # type: ignore[no-untyped-def]
    """Never NaN, never 0 in its place: absent, with a note that names it and says why."""
    found = evaluate(task, y, prediction, P)
    applicable = {name for name, metric in METRICS[task].items() if metric.classes == 2}
    assert applicable - set(found.metrics) == missing
    told = " ".join(note.what for note in found.notes if note.code == "undefined-metric")
    assert all(name in told for name in missing)
    json.dumps(found.to_dict(), allow_nan=False)


def test_no_rows_and_non_finite_predictions_are_refused() -> None:
    """One message, with the rows."""
    with pytest.raises(UserError, match="no rows to evaluate"):
        evaluate("regression", [], [])
    with pytest.raises(UserError, match="NaN or infinite in 2 of 4 rows") as refused:
        evaluate("regression", [1.0, 2.0, 3.0, 4.0], [1.0, math.nan, 3.0, math.inf])
    assert refused.value.problems[0].where == "test rows 2, 4"
    with pytest.raises(UserError, match="NaN or infinite in 1 of 2 rows"):
        evaluate("binary", [0, 1], [0, 1], [0.2, math.nan])


# ---------------------------------------------------------------------------------------- intervals


def test_wilson_is_the_published_interval() -> None:
    """Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_delong_equals_the_sum_over_pairs() -> None:
    """The variance by its definition, with sample variances of the placements, ties counted half."""
    y, _, p = binary(70, ties=True)
    pairs = (p[y == 1][:, None] > p[y == 0]) + 0.5 * (p[y == 1][:, None] == p[y == 0])
    A = pairs.mean()
    assert pytest.approx(sk.roc_auc_score(y, p)) == A
    variance = pairs.mean(1).var(ddof=1) / len(pairs) + pairs.mean(0).var(ddof=1) / pairs.shape[1]
    half = 1.959963984540054 * math.sqrt(variance) / (A * (1 - A))
    logit = math.log(A / (1 - A))
    expected = [1 / (1 + math.exp(-(logit + sign * half))) for sign in (-1, 1)]
    assert delong(p, y == 1) == pytest.approx(expected)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_interval_holds_its_estimate_and_stays_in_bounds(task: str) -> None:
    """Low ≤ value ≤ high, within the metric's range, for every metric of the task."""
    rng = np.random.default_rng(1)
    t = rng.normal(5, 1, 400)
    arrays = {"binary": binary(400), "multiclass": multiclass(400, 12), "regression": (t, t + rng.normal(size=400))}
    found = evaluate(task, *arrays[task])  # type: ignore[arg-type]
    assert set(found.intervals) == set(found.metrics) == set(found.method)
    for name, (low, high) in found.intervals.items():
        least, most = METRICS[task][name].bounds  # type: ignore[index]
        assert least <= low <= found.metrics[name] <= high <= most, name
        assert low < high


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Over samples of a known population most 95 % intervals hold its value, and not all of them."""
    y, prediction, p = binary(200_000, seed=7)
    population = score("binary", y, prediction, p).metrics
    rng = np.random.default_rng(0)
    held = dict.fromkeys(("accuracy", "roc_auc", "average_precision", "f1"), 0)
    for seed in range(60):
        rows = rng.choice(len(y), 200, replace=False)
        t, a, s = y[rows], prediction[rows], p[rows]
        prepare = statistics_of(t, a, s)
        names = {"average_precision", "f1"} if seed % 2 else set()
        values = score("binary", t, a, s).metrics
        found = bootstrap(prepare, {name: values[name] for name in names}, 200, None, seed) if names else {}
        found |= {"accuracy": wilson((t == a).sum(), 200), "roc_auc": delong(s, t == 1)}
        for name, (low, high) in found.items():
            held[name] += low <= population[name] <= high
    assert 53 <= held["accuracy"] < 60
    assert 53 <= held["roc_auc"] < 60
    assert held["average_precision"] >= 26
    assert held["f1"] >= 26


def test_a_perfect_score_has_no_interval_of_width_zero() -> None:
    """No mistake among 50 rows is not proof of perfection."""
    y = np.arange(50) % 2
    found = evaluate("binary", y, y, np.where(y == 1, 0.9, 0.1))
    assert found.metrics["roc_auc"] == found.metrics["accuracy"] == found.metrics["f1"] == 1
    assert found.intervals["accuracy"][0] < 0.95
    assert found.intervals["roc_auc"][0] < 0.99
    assert "f1" not in found.intervals
    assert any("f1" in note.what for note in found.notes if note.code == "no-interval")


def test_the_same_seed_gives_the_same_intervals() -> None:
    """Bit-equal, whatever the global generators did."""
    rows = binary(300)
    first = evaluate("binary", *rows, seed=3)
    np.random.random(7)
    assert evaluate("binary", *rows, seed=3) == first
    assert evaluate("binary", *rows, seed=4).intervals["f1"] != first.intervals["f1"]


def test_many_rows_are_resampled_in_part_with_the_right_width() -> None:
    """Beyond `LARGEST` rows the interval of a mean is still ± 1.96 s/√n."""
    n = 5 * LARGEST
    values = np.random.default_rng(0).normal(size=n)
    found = bootstrap(lambda rows: lambda w: {"mean": float(w @ values[rows] / w.sum())}, {"mean": values.mean()}, n,
                      None, 0)["mean"]  # fmt: skip
    assert found[1] - found[0] == pytest.approx(2 * 1.96 / math.sqrt(n), rel=0.1)
    assert sum(found) / 2 == pytest.approx(values.mean(), abs=0.3 / math.sqrt(n))


# -------------------------------------------------------------------------------------------- names


def test_an_unknown_metric_is_refused_with_the_nearest_name() -> None:
    """Also a metric of another task, which is told apart from a typo."""
    with pytest.raises(UserError, match="Did you mean 'accuracy'"):
        find("binary", "acuracy")
    with pytest.raises(UserError, match="is for regression tasks; this task is binary"):
        find("binary", "r2")
    with pytest.raises(UserError, match="Did you mean 'roc_auc'"):
        higher_is_better("roc_auk")


def test_metrics_are_found_by_the_names_of_the_field() -> None:
    """scikit-learn's function names and the usual short forms."""
    assert find("regression", "mean_absolute_error").name == "mae"
    assert find("binary", "AUC").name == "roc_auc"
    assert not higher_is_better("val_loss")
    assert higher_is_better("val_r2")


def test_the_headline_of_rare_positives_is_average_precision() -> None:
    """Accuracy flatters whoever never says 'yes'."""
    assert headline("binary", [980, 20]) == "average_precision"
    assert headline("binary", [60, 40]) == headline("multiclass", [98, 1, 1]) == "accuracy"
    assert headline("regression") == "r2"


# -------------------------------------------------------------------------------------------- quick


@given(n=st.integers(3, 60), seed=st.integers(0, 99), ties=st.booleans())
@settings(max_examples=25)
def test_quick_metrics_equal_scikit_learn(n: int, seed: int, ties: bool) -> None:
    """The cheap metrics after each epoch are the ones of the test rows."""
    y, prediction, p = binary(n, seed, ties)
    z = torch.logit(torch.tensor(p))
    found = quick("binary", z[:, None].float(), torch.tensor(y))
    assert found["accuracy"] == pytest.approx(((z.float() > 0).numpy() == y).mean())
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, z.float()))
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(y, z.float()))
    assert found["loss"] == pytest.approx(sk.log_loss(y, p), rel=1e-4)
    y, prediction, P = multiclass(n, 3, seed)
    found = quick("multiclass", torch.tensor(P).log(), torch.tensor(y))
    assert found["accuracy"] == pytest.approx((prediction == y).mean())
    if set(prediction) <= set(y):
        assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y, prediction))
    assert found["loss"] == pytest.approx(sk.log_loss(y, P, labels=range(3)), rel=1e-4)
    t, a = np.random.default_rng(seed).normal(size=(2, n))
    found = quick("regression", torch.tensor(a)[:, None], torch.tensor(t))
    assert found["r2"] == pytest.approx(sk.r2_score(t, a), rel=1e-4)


def test_quick_leaves_out_what_is_undefined() -> None:
    """One class, or a constant target: the loss is still told."""
    assert set(quick("binary", torch.zeros(3, 1), torch.ones(3))) == {"loss", "accuracy"}
    assert set(quick("regression", torch.zeros(3, 1), torch.ones(3))) == {"loss"}


def test_quick_uses_the_loss_it_is_given() -> None:
    """The validation loss is the one trained with, so both curves are of one kind."""
    given = quick("regression", torch.zeros(3, 1), torch.ones(3), loss=lambda out, y, w: (out[:, 0] - y).abs().sum())
    assert given["loss"] == 3
    weighted = quick("regression", torch.zeros(2, 1), torch.tensor([1.0, 2.0]), w=torch.tensor([3.0, 1.0]))
    assert weighted["loss"] == pytest.approx((3 * 1 + 1 * 4) / 4)
