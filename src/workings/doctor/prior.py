"""The loss of the prior alone: what is lost by someone who knows the training rows' targets and no input.

    classes      −ln q_y, q_k = (n_k + 1) / (n + K)      shares of the training rows
    numbers      (t − t̄)², t̄ the training rows' mean     in standardised units

A net that does no better has learnt nothing from its inputs, and a trial that blew up counts as this: whoever trains
such a net is left with the prior.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LABELS = ("binary", "multiclass", "regression")


def prior_rows(task: str, train_y: Tensor, y: Tensor) -> Tensor:
    """The loss (n,) float64 of the prior of ``train_y`` on each target of ``y`` (n,)."""
    if task == "regression":
        return (y.double() - train_y.double().mean()).square()
    K = int(max(train_y.max(), y.max())) + 1
    counts = torch.bincount(train_y.long(), minlength=K).double()
    return -((counts + 1) / (counts.sum() + K)).log()[y.long()]


def loss_rows(task: str, out: Tensor, y: Tensor) -> Tensor:
    """The loss (n,) float64 of a net's raw outputs (n, K) on each target: −ln p of the truth, or the squared error.

    Without class weights or smoothing of labels, so that nets that were trained differently can be compared.
    """
    out = out.double()
    if task == "regression":
        return (out.reshape(-1) - y.double().reshape(-1)).square()
    if task == "binary" and out.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(out[:, 0], y.double(), reduction="none")
    return F.cross_entropy(out, y.long(), reduction="none")


def balanced_error_rows(task: str, out: Tensor, y: Tensor) -> Tensor:
    """Shares (n,) of the balanced error: their mean is one less the mean over classes of the rows found."""
    said = (out[:, 0] > 0).long() if task == "binary" and out.shape[1] == 1 else out.argmax(1)
    y = y.long()
    counts = torch.bincount(y).double()
    weight = len(y) / (counts.gt(0).sum() * counts)[y]
    return weight * (said != y).double()
