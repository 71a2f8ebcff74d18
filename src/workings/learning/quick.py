"""Validation metrics that are cheap enough for every epoch: torch only, one sort at most.

The values are those of scikit-learn, which a test checks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from workings.data.schema import TaskKind

LossOf = Callable[[Tensor, Tensor, Tensor | None], Tensor]


@torch.no_grad()
def quick(
    task: TaskKind, out: Tensor, y: Tensor, w: Tensor | None = None, loss: LossOf | None = None
) -> dict[str, float]:
    """Metrics of the net's raw outputs on the validation rows.

    out: (n, 1) or (n,) logits, (n, K) logits, or (n, 1) standardised values. y: (n,) class numbers or values.
    w: (n,) weights; they count in the loss alone. loss: the one trained with, ``Loss(out, y, w)``; without it the
        task's own: cross-entropy, or the mean squared error.

    Returns ``loss`` always. Binary: ``accuracy``, and with both classes present ``roc_auc`` and
    ``average_precision``. Multiclass: ``accuracy``, ``balanced_accuracy``. Regression: ``r2``, unless y is constant.
    """
    out = out.float()
    found = {"loss": float((loss or _own_loss(task))(out, y, w))}
    if task == "regression":
        a, t = out.reshape(-1).double(), y.reshape(-1).double()
        spread = ((t - t.mean()) ** 2).sum()
        if spread > 0:
            found["r2"] = float(1 - ((t - a) ** 2).sum() / spread)
        return found
    if task == "binary":
        z, t = out.reshape(-1), y.reshape(-1) == 1
        found["accuracy"] = float(((z > 0) == t).double().mean())
        return found | _ranked(z, t)
    t, predicted = y.reshape(-1).long(), out.argmax(1)
    K = out.shape[1]
    support = torch.bincount(t, minlength=K).double()
    hits = torch.bincount(t[predicted == t], minlength=K).double()
    present = support > 0
    found["accuracy"] = float(hits.sum() / support.sum())
    found["balanced_accuracy"] = float((hits[present] / support[present]).mean())
    return found


def _own_loss(task: TaskKind) -> LossOf:
    def weighted_mean(losses: Tensor, w: Tensor | None) -> Tensor:
        return losses.mean() if w is None else (losses * w).sum() / w.sum()

    def squared(out: Tensor, y: Tensor, w: Tensor | None) -> Tensor:
        return weighted_mean((out.reshape(-1) - y.reshape(-1)) ** 2, w)

    def binary(out: Tensor, y: Tensor, w: Tensor | None) -> Tensor:
        return weighted_mean(
            F.binary_cross_entropy_with_logits(out.reshape(-1), y.reshape(-1).float(), reduction="none"), w
        )

    def multiclass(out: Tensor, y: Tensor, w: Tensor | None) -> Tensor:
        return weighted_mean(F.cross_entropy(out, y.reshape(-1).long(), reduction="none"), w)

    return {"regression": squared, "binary": binary, "multiclass": multiclass}[task]


def _ranked(z: Tensor, positive: Tensor) -> dict[str, float]:
    """ROC AUC and average precision from one sort; equal scores make one threshold."""
    m = int(positive.sum())
    n = len(positive) - m
    if m == 0 or n == 0:
        return {}
    ordered, order = torch.sort(z, descending=True)
    tp = torch.cumsum(positive[order].double(), 0)
    last = torch.ones(len(z), dtype=torch.bool, device=z.device)
    last[:-1] = ordered[:-1] != ordered[1:]
    tp, predicted = tp[last], torch.nonzero(last).reshape(-1).double() + 1
    fp = predicted - tp
    zero = tp.new_zeros(1)
    gained = torch.diff(tp, prepend=zero)
    area = (torch.diff(fp, prepend=zero) * (2 * tp - gained)).sum() / (2 * m * n)
    return {"roc_auc": float(area), "average_precision": float((gained * tp / predicted).sum() / m)}
