"""Rows to be judged, as every metric wants them: checked, in float64, probabilities with one column a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workings.base.errors import refuse
from workings.base.problems import shorten
from workings.data.schema import TaskKind

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Truth and what the net said.

    truth, prediction: (n,) int64 class numbers 0 … K − 1, or float64 values. P: (n, K) probabilities, rows summing to
    one, or None. w: (n,) weights of the rows, or None where all are equal.
    """

    task: TaskKind
    truth: NDArray[Any]
    prediction: NDArray[Any]
    P: Floats | None
    w: Floats | None

    @property
    def n(self) -> int:
        """How many rows."""
        return len(self.truth)

    @property
    def probability(self) -> Floats:
        """P, for metrics that are computed only where it is known."""
        if self.P is None:
            raise ValueError("a metric that needs probabilities was asked of predictions without them")
        return self.P

    @property
    def score(self) -> Floats:
        """P of class 1; (n,). For binary tasks."""
        return self.probability[:, 1]

    @property
    def labels(self) -> list[int]:
        """The class numbers there may be, whether or not a row has them."""
        if self.P is not None:
            return list(range(self.P.shape[1]))
        return list(range(max(2, int(self.truth.max()) + 1, int(self.prediction.max()) + 1)))


def judged(
    task: TaskKind,
    truth: ArrayLike,
    prediction: ArrayLike,
    probability: ArrayLike | None,
    weights: ArrayLike | None,
) -> Judged:
    """Check and convert.

    truth, prediction: (n,) or (n, 1). probability: (n, K); for binary tasks also (n,) or (n, 1), of class 1.

    Raises:
        UserError: no rows, or predictions that are not finite.
        ValueError: arrays that do not fit one another.
    """
    kind = np.float64 if task == "regression" else np.int64
    t, p = (np.asarray(array).reshape(-1) for array in (truth, prediction))
    if len(t) == 0:
        raise refuse("no-test-rows", "There are no rows to evaluate on.", do="Give data with at least one row.")
    if len(t) != len(p):
        raise ValueError(f"{len(t)} true values but {len(p)} predictions")
    P = None if probability is None or task == "regression" else np.asarray(probability, np.float64)
    if P is not None:
        P = P.reshape(len(t), -1)
        P = np.column_stack([1 - P, P]) if P.shape[1] == 1 else P
    said = p.astype(np.float64) if P is None else P.sum(1)
    bad = np.flatnonzero(~np.isfinite(said))
    if len(bad):
        raise refuse(
            "non-finite-prediction",
            f"The net's output is NaN or infinite in {len(bad):,} of {len(t):,} rows.",
            where=f"test rows {shorten(bad + 1)}",
            count=len(bad),
            why="No metric can be computed from it.",
            do="Look for extreme values in these rows; train again with a smaller learning rate.",
        )
    if P is not None:
        # float32 softmax rows miss 1 by 1e-7, which scikit-learn warns of.
        P = P / P.sum(1, keepdims=True)
    w = None if weights is None else np.asarray(weights, np.float64).reshape(-1)
    if w is not None and len(w) != len(t):
        raise ValueError(f"{len(t)} rows but {len(w)} weights")
    return Judged(task, t.astype(kind), p.astype(kind), P, w)
