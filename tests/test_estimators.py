"""The scikit-learn estimators: scikit-learn's own suite in full, and what it does not ask."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from workings.base.errors import UserError
from workings.base.events import Decided, EpochEnded, Event, Stopped
from workings.estimators import SMALL, NetClassifier, NetRegressor


@parametrize_with_checks([NetClassifier(), NetRegressor()])
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    """Every check of scikit-learn's suite passes; none is expected to fail."""
    check(estimator)


def blobs(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers, and a class that depends on both, curved."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, (X[:, 0] ** 2 + X[:, 1] > 0.5).astype(int)


def quick(**given: Any) -> NetClassifier:
    """A classifier of few steps."""
    return NetClassifier(**{"epochs": 20, "random_state": 0, "size": "small"} | given)


# ------------------------------------------------------------------------------------ what it learns


def test_iris_is_learnt() -> None:
    """With everything derived: mean accuracy of five folds at least 0.95, as for the best of classical models."""
    X, y = load_iris(return_X_y=True)
    scores = cross_val_score(NetClassifier(random_state=0), X, y, cv=5)
    assert scores.mean() >= 0.95


def test_diabetes_is_learnt() -> None:
    """442 noisy rows: R² of three folds above 0.4, where a net that learns by heart falls below 0.3."""
    X, y = load_diabetes(return_X_y=True)
    assert cross_val_score(NetRegressor(random_state=0), X, y, cv=3).mean() > 0.4


def test_many_rows_take_batches_and_set_some_aside() -> None:
    """Above 1,000 rows: float32 batches, and the weights of the best epoch on rows not learnt from."""
    X, y = blobs(2 * SMALL)
    told: list[Event] = []
    model = NetClassifier(random_state=0, epochs=8, emit=told.append).fit(X, y)
    assert model.recipe_.batch_size != "all"
    assert any("val_loss" in each.metrics for each in told if isinstance(each, EpochEnded))
    Z, t = blobs(500, seed=1)
    assert model.score(Z, t) > 0.93


def test_images_are_rows_with_a_shape() -> None:
    """``sample_shape`` lets a convolution net see a row as a picture."""
    bundle: Any = load_digits()
    X, y = bundle.data[:400], bundle.target[:400]
    settings = {"channels": [8], "dense": [16]}
    model = NetClassifier("cnn", sample_shape=(1, 8, 8), settings=settings, random_state=0).fit(X, y)
    assert model.score(bundle.data[400:600], bundle.target[400:600]) > 0.8
    with pytest.raises(UserError, match="1 × 8 × 9"):
        clone(model).set_params(sample_shape=(1, 8, 9)).fit(X, y)


def test_the_perceptron_learns_and_by_its_own_rule() -> None:
    """AND, exactly; but its rule has no place for sample weights, so they are refused, not ignored."""
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])
    model = NetClassifier("perceptron", random_state=0).fit(X, y)
    assert model.predict(X).tolist() == y.tolist()
    with pytest.raises(UserError, match="no sample weights"):
        clone(model).fit(X, y, sample_weight=[1, 1, 1, 2])


# --------------------------------------------------------------------------------- what it does not touch


def test_a_fit_is_its_random_state_and_leaves_no_trace() -> None:
    """Equal random states give equal bits, others others; torch's generator and threads stay as they were."""
    X, y = blobs(60)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first, again, other = (quick(random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_on_few_rows_order_and_weight_are_exact(kind: Any) -> None:
    """Rows in another order, weights in another scale, or rows repeated instead of weighted: the same net."""
    X, y = blobs(40)
    w = np.arange(40) % 4
    order = np.random.default_rng(0).permutation(40)
    model = kind(random_state=0, epochs=30, size="small")
    wanted = clone(model).fit(X, y, sample_weight=w)
    for other in (
        clone(model).fit(X[order], y[order], sample_weight=w[order]),
        clone(model).fit(X, y, sample_weight=w * 0.125),
        clone(model).fit(X.repeat(w, axis=0), y.repeat(w)),
    ):
        name = "predict_proba" if kind is NetClassifier else "predict"
        assert np.allclose(getattr(other, name)(X), getattr(wanted, name)(X), rtol=1e-7, atol=1e-9)


def test_a_prediction_does_not_depend_on_its_neighbours() -> None:
    """A row alone gets the very probability that it gets among others, to float64's rounding."""
    X, y = blobs(60)
    model = quick().fit(X, y)
    together = model.predict_proba(X)
    alone = np.vstack([model.predict_proba(row[None]) for row in X])
    assert np.allclose(together, alone, rtol=1e-12, atol=1e-14)


class Own(nn.Module):
    """A person's own net."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def test_an_own_net_is_copied_not_changed() -> None:
    """``net`` may be a module; the one given keeps its weights, as scikit-learn asks of every parameter."""
    own = Own()
    before = own.layer.weight.clone()
    X, y = blobs(60)
    model = NetClassifier(own, random_state=0, epochs=20).fit(X, y)
    assert torch.equal(own.layer.weight, before)
    assert not torch.equal(model.net_.layer.weight, before)
    assert np.array_equal(copy.deepcopy(model).predict_proba(X), model.predict_proba(X))
    assert isinstance(clone(model).net, Own)


# ----------------------------------------------------------------------------------- how it is kept


@pytest.mark.parametrize("model", [quick(), NetRegressor(epochs=5, random_state=0), quick(settings={"dropout": 0.2})])
def test_its_state_is_open(model: Any) -> None:
    """What a copy or a file gets of a fitted net is safetensors and JSON; from that it is whole again."""
    X, y = blobs(60)
    model = clone(model).fit(X, y)
    state = model.__getstate__()
    assert set(load(state["net_"])) == set(model.net_.state_dict())
    assert json.loads(state["recipe_"])["net"] == "mlp"
    assert not any(isinstance(each, torch.Tensor | nn.Module) for each in state.values())
    again = copy.deepcopy(model)
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.recipe_ == model.recipe_


def test_it_works_where_estimators_work() -> None:
    """In pipelines and grid search, with DataFrames, whose columns it remembers."""
    X, y = blobs(80)
    frame = pd.DataFrame(X, columns=["age", "weight"])
    label = np.where(y == 1, "ill", "well")
    search = GridSearchCV(quick(), {"learning_rate": [1e-9, 0.05]}, cv=2).fit(frame, label)
    assert search.best_params_ == {"learning_rate": 0.05}
    assert list(search.best_estimator_.feature_names_in_) == ["age", "weight"]
    assert set(make_pipeline(StandardScaler(), quick()).fit(X, label).predict(X)) == {"ill", "well"}


def test_it_tells_what_it_decides() -> None:
    """Events go to ``emit``; what was settled stays in ``recipe_`` with the reasons; the curve falls."""
    X, y = blobs(100)
    told: list[Event] = []
    model = NetClassifier(random_state=0, emit=told.append).fit(X, y)
    assert {type(each) for each in told} >= {Decided, EpochEnded, Stopped}
    assert model.recipe_.reasons["loss"]
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.n_iter_ == 100


# --------------------------------------------------------------------------------- what it refuses

REFUSED = [
    ({"net": "mpl"}, "Did you mean 'mlp'"),
    ({"settings": {"learning_rat": 0.1}}, "Did you mean 'learning_rate'"),
    ({"settings": {"hidden": [0]}}, "hidden"),
    ({"epochs": -1}, "epochs"),
    ({"size": "huge"}, "size"),
    ({"batch_size": 0}, "batch"),
    ({"net": "cnn"}, "takes images"),
    ({"validation_fraction": 1.0}, "validation_fraction"),
    ({"regularisation": "lots"}, "regularisation"),
]


@pytest.mark.parametrize(("given", "says"), REFUSED, ids=lambda each: str(each)[:30])
def test_parameters_that_mean_nothing_are_refused(given: dict[str, Any], says: str) -> None:
    """At ``fit``, as scikit-learn asks: a ``ValueError`` that names the parameter and what to do."""
    X, y = blobs(30)
    model = NetClassifier(**given)
    with pytest.raises(ValueError, match=says) as refused:
        model.fit(X, y)
    assert isinstance(refused.value, UserError)


@pytest.mark.parametrize("weights", [np.zeros(30), np.where(np.arange(30) == 3, 1.0, 0.0), -np.ones(30)])
def test_weights_that_leave_nothing_are_refused(weights: np.ndarray) -> None:
    """All zero, one class left, or negative: refused before any step."""
    X, y = blobs(30)
    with pytest.raises(ValueError, match=r"weight|class"):
        quick().fit(X, y, sample_weight=weights)
