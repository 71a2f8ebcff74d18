"""Networks as scikit-learn estimators, for pipelines, cross-validation and grid search.

They are the same engine as ``workings.train``: a recipe, settled; a net; the loop. What differs is what surrounds it:
matrices of numbers come in, no folder comes out.

Up to ``SMALL`` rows, every step takes all rows in float64, without dropout and without setting rows aside. Then the
order of the rows changes nothing, and a row of weight k counts exactly like k equal rows. Above it, steps take
batches in float32, and some rows are set aside to choose the epoch whose weights are kept.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors.torch import load, save
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.events import Emit, silent
from workings.data.schema import TaskKind
from workings.data.source import MemorySource
from workings.learning.outputs import decide, outputs
from workings.nets import custom, registry
from workings.runs.fit import Fit, start_net
from workings.runs.machine import steady
from workings.runs.recipe import Recipe, make_recipe
from workings.runs.settle import Facts, settle

SMALL = 1000  # rows up to which all of them make one batch
# Found by five-fold cross-validation on the tables that scikit-learn ships (iris, wine, breast cancer, diabetes).
SMALL_DEFAULTS = {"batch_size": "all", "epochs": 100, "learning_rate": 0.02, "optimiser": "adamw"}
SMALL_DECAY = {"none": 0.0, "light": 0.5, "auto": 2.0, "strong": 5.0}

Floats = NDArray[np.float64]

# Their types are guessed from defaults that are texts.
_validate: Any = validate_data
_check_weight: Any = _check_sample_weight


class _NetEstimator(BaseEstimator):
    """What both estimators share; see :class:`NetClassifier` for the parameters."""

    def __init__(
        self,
        net: str | custom.Own = "mlp",
        *,
        size: Literal["auto", "small", "medium", "large"] = "auto",
        epochs: float | None = None,
        learning_rate: float | None = None,
        batch_size: int | Literal["all"] | None = None,
        regularisation: Literal["auto", "none", "light", "strong"] = "auto",
        random_state: int | np.random.RandomState | None = None,
        validation_fraction: float | None = None,
        sample_shape: tuple[int, ...] | None = None,
        settings: Mapping[str, Any] | None = None,
        emit: Emit | None = None,
    ) -> None:
        self.net = net
        self.size = size
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.regularisation = regularisation
        self.random_state = random_state
        self.validation_fraction = validation_fraction
        self.sample_shape = sample_shape
        self.settings = settings
        self.emit = emit

    # ------------------------------------------------------------------------------------------ fitting

    def _fit(self, X: Floats, y: Floats, w: Floats | None, task: TaskKind, outputs_: int, classes: int = 0) -> None:
        """Fit to checked rows: X (n, D) float64; y (n,) class numbers, or numbers to predict; w (n,) or None."""
        rows = np.arange(len(y))
        if w is not None:
            # A row of weight 0 is no row. The scale of weights says nothing, so their mean becomes 1.
            rows = np.flatnonzero(w > 0)
            X, y, w = X[rows], y[rows], w[rows] / w[rows].mean()
        shape = self._shape(X.shape[1])
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        train, val = self._split(y, task, seed)
        self._standardise(X[train], y[train], None if w is None else w[train], task)
        x, t = self._scaled(X).reshape(-1, *shape), (y - self.target_mean_) / self.target_scale_

        def source(which: NDArray[np.int64], dtype: torch.dtype) -> MemorySource:
            targets = torch.from_numpy(t[which])
            targets = targets.to(dtype) if task == "regression" else targets.long()
            weights = None if w is None else torch.from_numpy(w[which]).to(dtype)
            return MemorySource(torch.from_numpy(x[which]).to(dtype), targets, rows[which], weights)

        counts = np.bincount(y[train].astype(int), minlength=classes).tolist() if classes else []
        emit = self.emit or silent
        recipe = settle(self._recipe(len(y), seed), Facts(len(train), len(val), shape, task, outputs_, counts), emit)
        with steady(recipe.threads), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = self._start(recipe, shape, outputs_, task, exact=len(y) <= SMALL and recipe.batch_size == "all")
            dtype = next(net.parameters()).dtype
            fit = Fit(net, task, recipe, source(train, dtype), source(val, dtype) if len(val) else None, emit)
            fit.settle()
            fit.run()
        self.recipe_ = fit.recipe
        self.loss_curve_ = [point[4] for point in fit.state.points if point[2] == "train" and point[3] == "loss"]
        self.n_iter_ = max(1, fit.stream.epoch_of(fit.state.step))
        self.net_ = _exact(fit.net) if self._is_registered() else fit.net

    def _standardise(self, X: Floats, y: Floats, w: Floats | None, task: TaskKind) -> None:
        """Means and deviations of the columns and of a number to predict, over the rows that are learnt from."""
        self.mean_ = np.average(X, axis=0, weights=w)
        deviation = np.sqrt(np.average((X - self.mean_) ** 2, axis=0, weights=w))
        # A column of one value carries nothing; what is left of it is the rounding of its mean.
        flat = deviation <= 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
        self.scale_ = np.where(flat, 1.0, deviation)
        self.target_mean_, self.target_scale_ = 0.0, 1.0
        if task == "regression":
            self.target_mean_ = float(np.average(y, weights=w))
            self.target_scale_ = float(np.sqrt(np.average((y - self.target_mean_) ** 2, weights=w))) or 1.0

    def _start(self, recipe: Recipe, shape: tuple[int, ...], outputs_: int, task: TaskKind, exact: bool) -> nn.Module:
        """The net before the first step; in float64 where everything is to be exact and the net is one of ours."""
        net = _make_net(self.net, shape, outputs_, recipe.net_settings, task)
        if not self._is_registered():
            return net
        start_net(net, recipe)
        return net.double() if exact else net

    def _recipe(self, n: int, seed: int) -> Recipe:
        """What was asked for, and for few rows what makes their order and their weights exact."""
        given: dict[str, Any] = {
            "net": self.net if isinstance(self.net, str) else "custom",
            "size": self.size,
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "regularisation": self.regularisation,
            "seed": seed,
            # Measuring which lane is fastest takes longer than most fits.
            "lane": f"eager@{torch.get_num_threads()}",
        }
        given = {name: value for name, value in given.items() if value is not None}
        settings = dict(self.settings or {})
        usual: dict[str, Any] = {}
        if n <= SMALL and self.net != "perceptron":
            usual = dict(SMALL_DEFAULTS)
            if settings.get("optimiser", "adamw") == "adamw" and self.regularisation in SMALL_DECAY:
                usual["weight_decay"] = SMALL_DECAY[self.regularisation]
            if self._is_registered() and "dropout" in registry.info(str(self.net)).settings:
                usual["dropout"] = 0.0
        return make_recipe({**usual, **given, **settings}, "the estimator's parameters")

    def _split(self, y: Floats, task: TaskKind, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows to learn from, and rows that choose the weights to keep."""
        rows = np.arange(len(y))
        fraction = self.validation_fraction
        if fraction is None:
            fraction = 0.0 if len(y) <= SMALL else 0.1
        if not 0 <= fraction < 1:
            raise refuse(
                "bad-value", f"validation_fraction is {fraction}; it must be from 0 to below 1.", do="Give 0.1."
            )
        if round(fraction * len(y)) == 0:
            return rows, rows[:0]
        strata = y if task != "regression" and np.unique(y, return_counts=True)[1].min() > 1 else None
        train, val = train_test_split(rows, test_size=fraction, random_state=seed, stratify=strata)
        return np.asarray(train), np.asarray(val)

    def _shape(self, features: int) -> tuple[int, ...]:
        shape = tuple(self.sample_shape) if self.sample_shape is not None else (features,)
        if int(np.prod(shape)) != features:
            raise refuse(
                "wrong-shape",
                f"Rows of {features} numbers cannot have the shape {' × '.join(map(str, shape))}.",
                do="Give a sample_shape whose product is the number of columns, or leave it out.",
            )
        return shape

    def _is_registered(self) -> bool:
        """Whether the net is one of ours, which are exact in float64, rather than a person's own."""
        return isinstance(self.net, str) and not custom.is_custom(self.net)

    def _weights(self, w: ArrayLike | None, X: Floats) -> Floats | None:
        if w is None:
            return None
        if self.net == "perceptron":
            raise refuse("weights-unused", "The perceptron's rule knows no sample weights.", do="Use net='linear'.")
        weights: Floats = _check_weight(w, X, dtype=np.float64, ensure_non_negative=True)
        if not weights.any():
            raise refuse("no-weight", "All sample weights are 0, so there is no row to learn from.", do="Give others.")
        return weights

    # ------------------------------------------------------------------------------------------ using

    def _outputs(self, X: ArrayLike) -> Tensor:
        """The net's outputs, (n, K)."""
        rows: Floats = _validate(self, X, dtype=np.float64, reset=False)
        dtype = next(self.net_.parameters()).dtype
        x = torch.from_numpy(self._scaled(rows)).to(dtype).reshape(len(rows), *self._shape(rows.shape[1]))
        return outputs(self.net_, MemorySource(x, torch.zeros(len(rows))))

    def _scaled(self, X: Floats) -> Floats:
        return (X - self.mean_) / self.scale_

    # ------------------------------------------------------------------------------------- copies, files

    def __getstate__(self) -> dict[str, Any]:
        """The net as safetensors and the recipe as JSON: plain bytes and text, whoever stores them."""
        state: dict[str, Any] = {**cast("dict[str, Any]", super().__getstate__())}
        if "net_" in state:
            net: nn.Module = state.pop("net_")
            state["net_"] = save({name: tensor.contiguous() for name, tensor in net.state_dict().items()})
            state["recipe_"] = self.recipe_.model_dump_json()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        packed = state.get("net_")
        if isinstance(packed, bytes):
            recipe = Recipe.model_validate(json.loads(state["recipe_"]))
            tensors = load(packed)
            shape = tuple(state["sample_shape"] or (state["n_features_in_"],))
            net = _make_net(state["net"], shape, state["n_outputs_"], recipe.net_settings, state["task_"])
            net.to(next(tensor for tensor in tensors.values() if tensor.is_floating_point()).dtype)
            net.load_state_dict(tensors)
            state = {**state, "net_": net.eval(), "recipe_": recipe}
        super().__setstate__(state)


def _make_net(
    given: str | custom.Own, shape: tuple[int, ...], outputs_: int, settings: Mapping[str, Any], task: TaskKind
) -> nn.Module:
    """A net of that name with fresh weights; of a person's own net, a copy: the one given stays as it is."""
    if isinstance(given, str) and not custom.is_custom(given):
        return registry.build(given, shape, outputs_, **settings)
    return custom.load(given if isinstance(given, str) else copy.deepcopy(given), shape, outputs_, task).net


def _exact(net: nn.Module) -> nn.Module:
    """The net in float64 without gradients: in it, what a row gets does not depend on the rows beside it."""
    return copy.deepcopy(net).double().requires_grad_(False).eval()


class NetClassifier(ClassifierMixin, _NetEstimator):
    """A network that tells classes apart.

    Columns are standardised inside (with the weights, if there are any), so no scaler is needed before it.

    Parameters:
        net: a name of ``workings nets``, ``file.py:ClassName``, an ``nn.Module`` (a copy is trained) or its class.
        size: ``small``, ``medium`` or ``large``; ``auto`` chooses by the number of rows.
        epochs, learning_rate, batch_size: None derives them from the data; ``batch_size="all"`` takes all rows.
        regularisation: ``none``, ``light`` or ``strong``; ``auto`` is mild.
        random_state: the seed of everything random; None draws a new one for each fit.
        validation_fraction: part of the rows that only choose the weights to keep; None sets a tenth aside above
            1,000 rows and nothing below.
        sample_shape: what a row is reshaped to, such as ``(1, 8, 8)``, for nets that take images.
        settings: further settings of the recipe or the net, as after ``--set`` on the command line.
        emit: gets every event of the training (``workings.base.events``).

    Attributes:
        classes_: (K,) labels. net_: the trained net. recipe_: everything settled, with reasons.
        loss_curve_: training loss at each look. n_iter_: epochs done. mean_, scale_: (D,) of the columns.

    Raises:
        UserError: (a ``ValueError``) for parameters that no recipe takes, and where training stops at NaN.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> NetClassifier:
        """Fit to X (n, D) and labels y (n,); a row of weight k counts like k equal rows."""
        X_, y_ = _validate(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y_)
        w = self._weights(sample_weight, X_)
        self.classes_, number = np.unique(np.asarray(y_).reshape(-1), return_inverse=True)
        present = np.unique(number if w is None else number[w > 0])
        if len(present) < 2:
            raise refuse(
                "one-class",
                f"All rows are of one class, {self.classes_[present[0]]!r}.",
                why="There is nothing to tell apart.",
                do="Give rows of at least two classes.",
            )
        self.task_: TaskKind = "binary" if len(self.classes_) == 2 else "multiclass"
        self.n_outputs_ = 1 if self.task_ == "binary" else len(self.classes_)
        self._fit(X_, number.astype(np.float64), w, self.task_, self.n_outputs_, len(self.classes_))
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """The probability of each class, (n, K), in the order of ``classes_``."""
        check_is_fitted(self)
        _, probability = decide(self.task_, self._outputs(X))
        assert probability is not None
        return probability

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable label of each row, (n,)."""
        check_is_fitted(self)
        number, _ = decide(self.task_, self._outputs(X))
        return self.classes_[number]


class NetRegressor(RegressorMixin, _NetEstimator):
    """A network that predicts a number. Parameters and attributes as of :class:`NetClassifier`, without classes.

    Attributes:
        target_mean_, target_scale_: of the target; the net predicts it standardised.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> NetRegressor:
        """Fit to X (n, D) and numbers y (n,); a row of weight k counts like k equal rows."""
        X_, y_ = _validate(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        w = self._weights(sample_weight, X_)
        self.task_: TaskKind = "regression"
        self.n_outputs_ = 1
        self._fit(X_, np.asarray(y_, np.float64).reshape(-1), w, self.task_, self.n_outputs_)
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """The predicted number of each row, (n,)."""
        check_is_fitted(self)
        value, _ = decide(self.task_, self._outputs(X))
        return value * self.target_scale_ + self.target_mean_
