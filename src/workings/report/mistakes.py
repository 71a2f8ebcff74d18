"""The worst mistakes: what the net was surest of and wrong, or furthest off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workings.data.schema import TaskKind
from workings.learning.judged import judged


def losses(
    task: TaskKind, truth: ArrayLike, prediction: ArrayLike, probability: ArrayLike | None = None
) -> NDArray[np.float64]:
    """How bad each row is, (n,): −ln of the truth's probability, or |truth − prediction|.

    Without probabilities a wrong class counts 1 and a right one 0. Arguments as in `workings.learning.metrics.score`.
    """
    j = judged(task, truth, prediction, probability, None)
    if task == "regression":
        return np.abs(j.truth - j.prediction)
    if j.P is None:
        return (j.truth != j.prediction).astype(np.float64)
    tiny = np.finfo(np.float64).tiny
    return -np.log(np.maximum(j.P[np.arange(j.n), j.truth], tiny))


def worst(
    task: TaskKind, truth: ArrayLike, prediction: ArrayLike, probability: ArrayLike | None = None, k: int = 12
) -> NDArray[np.intp]:
    """Positions of the k worst rows, worst first; of equal ones the earlier first.

    For classes only rows that were predicted wrong are mistakes, so there may be fewer than k.
    """
    loss = losses(task, truth, prediction, probability)
    order: NDArray[Any] = np.argsort(-loss, kind="stable")
    if task == "regression":
        return order[loss[order] > 0][:k]
    wrong = np.asarray(truth).reshape(-1) != np.asarray(prediction).reshape(-1)
    return order[wrong[order]][:k]
