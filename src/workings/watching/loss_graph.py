"""What a loss is, read from the graph that ``backward`` will follow: its name, what it was given, and by what.

The graph says what was really computed, however it was written: ``cross_entropy`` of a softmax, a loss scaled by a
``GradScaler`` or divided for accumulation, a sum where a mean was meant. Nothing is computed again and nothing kept.
Losses that torch has no one operation for (or that are compiled) have no name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# A node of the graph → the loss's name. "NllLoss" of a log-softmax is cross-entropy.
NAMES = {
    "NllLossBackward0": "nll_loss",
    "NllLoss2DBackward0": "nll_loss",
    "MseLossBackward0": "mse_loss",
    "SmoothL1LossBackward0": "smooth_l1_loss",
    "HuberLossBackward0": "huber_loss",
    "BinaryCrossEntropyBackward0": "binary_cross_entropy",
    "BinaryCrossEntropyWithLogitsBackward0": "binary_cross_entropy_with_logits",
}
REDUCTIONS = ("none", "mean", "sum")
# What only lays numbers out anew, or stores them otherwise.
LAYOUTS = (
    "View",
    "UnsafeView",
    "ReshapeAlias",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Permute",
    "ToCopy",
    "Clone",
    "T",
    "Expand",
)
DEEP = 60  # nodes looked at


@dataclass
class LossCall:
    """One loss function as it was called.

    name: torch's, "" where there is none of torch's. reduction: mean, sum, none, or "" where it is not known. given:
    the operation that made what it was given: softmax, sigmoid, log_softmax, tanh, relu, affine or "". kind: how out
    and y are to be read (``targets.measure``). out, y: prediction and truth, as far as the graph holds them.
    log_shares: whether ``out`` is a log-softmax, which the loss itself takes. scale: what it was multiplied by.
    weighted: whether classes or samples have weights. spread: whether out and y had other shapes, so that one was
    spread over the other.
    """

    name: str = ""
    reduction: str = ""
    given: str = ""
    kind: str = "numbers"
    out: Tensor | None = None
    y: Tensor | None = None
    log_shares: bool = False
    ignored: int | None = None
    scale: float = 1.0
    weighted: bool = False
    spread: bool = False


def scale_of(loss: Tensor) -> float:
    """By what constant a loss was multiplied last: by a ``GradScaler``, or for accumulated gradients; else 1."""
    return _unscaled(loss.grad_fn)[1]


def read_loss(loss: Tensor) -> LossCall:
    """What is known of the loss that ``backward`` is called on."""
    node, scale = _unscaled(loss.grad_fn)
    found = LossCall(scale=scale)
    outer = "" if node is None else _short(node)
    loss_node = _search(node)
    if loss_node is None:
        return found
    found.name = NAMES[loss_node.name()]
    try:
        _fill(found, loss_node)
    except RuntimeError:  # what it saved was freed or changed in place: then it says no more than its name
        return found
    if found.reduction == "none":
        found.reduction = {"Mean": "mean", "Sum": "sum"}.get(outer, "none")
    return found


def _fill(found: LossCall, node: Any) -> None:
    found.reduction = REDUCTIONS[node._saved_reduction]
    y: Tensor = node._saved_target
    found.y = y
    weights = (getattr(node, "_saved_weight", None), getattr(node, "_saved_pos_weight", None))
    found.weighted = any(each is not None for each in weights)
    before = node.next_functions[0][0]
    found.spread = any(n > 1 and stride == 0 for n, stride in zip(y.shape, y.stride(), strict=True))
    found.spread = found.spread or (before is not None and _short(before) == "Expand")
    before = _through_layouts(before)
    out: Tensor
    if found.name == "nll_loss":
        found.kind = "classes"
        found.ignored = int(node._saved_ignore_index - (1 << 64 if node._saved_ignore_index > 1 << 62 else 0))
        if before is not None and _short(before) == "LogSoftmax":
            found.name, found.log_shares = "cross_entropy", True
            out = _classes_last(node._saved_self, y)
            before = _through_layouts(before.next_functions[0][0])
        else:
            out = _classes_last(node._saved_self, y)
    else:
        out = node._saved_self
        if found.name.startswith("binary"):
            found.kind = "yes" if out.numel() == out.shape[0] else "numbers"
    found.out = out
    found.given = _made_by(before)
    if before is not None and found.log_shares and found.given in ("softmax", "sigmoid", "relu", "tanh"):
        found.out = _classes_last(before._saved_result, y).view(out.shape)
        found.log_shares = False


def _classes_last(out: Tensor, y: Tensor | None) -> Tensor:
    """(B, K, …) → (B·…, K), where each place has a class of its own."""
    return out if y is None or y.ndim < 2 or out.ndim < 3 else out.movedim(1, -1).reshape(-1, out.shape[1])


def _unscaled(node: Any) -> tuple[Any, float]:
    """The node below products with and divisions by one number, and what they multiply to."""
    scale = 1.0
    for _ in range(4):
        if node is None or _short(node) not in ("Mul", "Div") or len(node.next_functions) != 2:
            break
        if node.next_functions[1][0] is not None or node.next_functions[0][0] is None:
            break
        try:
            other = node._saved_other
        except RuntimeError:
            break
        if not isinstance(other, Tensor) or other.numel() != 1:
            break
        scale *= float(other) if _short(node) == "Mul" else 1 / float(other)
        node = node.next_functions[0][0]
    return node, scale


def _search(node: Any) -> Any:
    """The nearest node that is a loss of torch's."""
    queue, seen = [node], 0
    while queue and seen < DEEP:
        node = queue.pop(0)
        if node is None:
            continue
        if node.name() in NAMES:
            return node
        seen += 1
        queue += [each for each, _ in node.next_functions]
    return None


def _short(node: Any) -> str:
    return node.name().split("Backward")[0]


def _through_layouts(node: Any) -> Any:
    while node is not None and _short(node) in LAYOUTS and node.next_functions:
        node = node.next_functions[0][0]
    return node


def _made_by(node: Any) -> str:
    name = "" if node is None else _short(node)
    named = {"Softmax": "softmax", "Sigmoid": "sigmoid", "LogSoftmax": "log_softmax", "Tanh": "tanh", "Relu": "relu"}
    affine = ("Addmm", "Mm", "Bmm", "Linear", "Convolution", "MkldnnConvolution", "Baddbmm")
    return named.get(name, "affine" if name in affine else "")


def entropy_of(shares: Tensor) -> float:
    """−Σ p ln p of shares, in nats."""
    return float(torch.special.entr(shares.double() / shares.sum().clamp_min(1)).sum())


def baseline_of(name: str, class_counts: Any, std: Any) -> float | None:
    """The loss that the best constant answer would have, per sample; None where it is not known."""
    if name in ("cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
        return entropy_of(torch.tensor(class_counts)) if class_counts and sum(class_counts) else None
    return float(std) ** 2 if name == "mse_loss" and isinstance(std, float) and std > 0 else None
