"""Fitting a net to arrays in memory, without a run folder: what the scikit-learn estimators stand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from workings.base.events import Emit, silent
from workings.data.source import MemorySource
from workings.learning.outputs import outputs
from workings.nets import build, custom, registry
from workings.runs.fit import Fit, start_net
from workings.runs.machine import steady
from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, settle


@dataclass
class FittedNet:
    """A net fitted to standardised features x = (X − mean)/std, and for regression to (y − y_mean)/y_std."""

    net: nn.Module
    recipe: Recipe
    task: str
    mean: np.ndarray
    std: np.ndarray
    y_mean: float = 0.0
    y_std: float = 1.0
    steps: int = 0

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """Logits (n, K), or values (n, 1) in the target's own units, of X (n, features)."""
        x = _standardised(X, self.mean, self.std)
        out = outputs(self.net, MemorySource(x, torch.zeros(len(x)))).double().numpy()
        return out * self.y_std + self.y_mean if self.task == "regression" else out


def fit_arrays(
    X: np.ndarray,
    y: np.ndarray,
    task: str,
    recipe: Recipe,
    *,
    classes: int = 0,
    sample_weight: np.ndarray | None = None,
    net: nn.Module | None = None,
    emit: Emit = silent,
) -> FittedNet:
    """Fit a net to X (n, features) float and y (n,): class numbers 0 … classes − 1, or finite values.

    task: binary, multiclass or regression. recipe: what is not given is settled as everywhere; its val_fraction
    sets rows aside to choose the best weights by (0 for none). net: a person's own module instead of recipe.net.

    Raises:
        UserError: settings that do not fit; NonFiniteError: the loss was not finite.
    """
    n, features = X.shape
    generator = np.random.default_rng(recipe.seed)
    val_fraction = recipe.val_fraction if recipe.val_fraction is not None else (0.15 if n >= 200 else 0.0)
    order = generator.permutation(n)
    val_rows, rows = np.split(order, [round(n * val_fraction)])
    mean, std = X[rows].mean(axis=0, dtype=np.float64), X[rows].std(axis=0, dtype=np.float64)
    std[~(std > 0)] = 1.0
    y_mean, y_std = 0.0, 1.0
    if task == "regression":
        y_mean, y_std = float(np.mean(y[rows], dtype=np.float64)), float(np.std(y[rows], dtype=np.float64)) or 1.0
        t = torch.tensor((y - y_mean) / y_std, dtype=torch.float32)
    else:
        t = torch.tensor(y, dtype=torch.int64)
    x = _standardised(X, mean, std)
    w = None if sample_weight is None else torch.tensor(sample_weight, dtype=torch.float32)

    def part(which: np.ndarray) -> MemorySource:
        index = torch.as_tensor(which)
        return MemorySource(x[index], t[index], which, None if w is None else w[index])

    outs = classes if task == "multiclass" else 1
    counts = [] if task == "regression" else np.bincount(y[rows], minlength=classes).tolist()
    with steady(recipe.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        recipe = settle(recipe, Facts(len(rows), len(val_rows), (features,), task, outs, counts), emit)
        recipe = recipe.model_copy(update={"batch_size": _batch(recipe, len(rows))})
        if net is not None:
            made = custom.load(net, (features,), outs, task).net
        else:
            made = build(recipe.net, (features,), outs, **registry.settle(recipe.net, recipe.net_settings))
            start_net(made, recipe)
        val = part(val_rows) if len(val_rows) else None
        fit = Fit(made, task, recipe, part(rows), val, emit, may_compile=net is None)
        fit.settle()
        fit.run()
    return FittedNet(made, fit.recipe, task, mean, std, y_mean, y_std, fit.state.step)


def _standardised(X: np.ndarray, mean: np.ndarray, std: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(((X - mean) / std).astype(np.float32)))


def _batch(recipe: Recipe, n: int) -> int:
    return n if recipe.batch_size in ("all", None) else min(int(recipe.batch_size), n)
