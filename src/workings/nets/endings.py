"""What a net ends in, found by trying, and whether that fits a loss that takes logits or values.

The losses here apply the softmax or sigmoid themselves. A net that applies it too still trains, slowly and to a
worse end, without any error: so it is looked for. A net's own weights prove little (small logits may happen to lie
between 0 and 1), so its parameters are replaced for a moment by large random ones; what stays within bounds then is
bounded by construction, whether the net calls torch's function or writes the formula itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workings.base.problems import Problem
from workings.nets.arithmetic import SHAPE_ERRORS, untouched, zeros_for

Ending = Literal["linear", "softmax", "log_softmax", "sigmoid", "tanh", "relu", "unknown"]

_DRAWS = 16  # a linear ending keeps one sign in all of them with probability 2⁻¹⁵
_BATCH = 4
_SPREAD = 5.0


def ending(net: nn.Module, shape: Sequence[int]) -> Ending:
    """What bounds the outputs of ``net`` on samples of ``shape``; ``linear`` where nothing does.

    The net stays as it was. ``unknown`` where no draw gave finite numbers.
    """
    outputs: list[Tensor] = []
    with untouched(net):
        generator = torch.Generator().manual_seed(0)
        x = zeros_for(net, shape, _BATCH)
        for _ in range(_DRAWS):
            parameters = {
                name: _SPREAD * torch.randn(p.shape, generator=generator).to(p)
                for name, p in net.named_parameters()
                if p.is_floating_point()
            }
            x = 3 * torch.randn(x.shape, generator=generator).to(x)
            try:
                out = functional_call(net, parameters, (x,))
            except SHAPE_ERRORS:  # a layer that cannot work with such weights proves nothing
                continue
            out = out.reshape(out.shape[0], -1).double()
            if bool(torch.isfinite(out).all()):
                outputs.append(out)
                if float(out.min()) < -1.01 and float(out.max()) > 1.01:
                    return "linear"
    return _bounds(torch.cat(outputs)) if outputs else "unknown"


def _bounds(out_BK: Tensor) -> Ending:
    low, high, slack = float(out_BK.min()), float(out_BK.max()), 1e-4
    several = out_BK.shape[1] > 1
    if several and high <= slack and bool((out_BK.logsumexp(1).abs() < slack).all()):
        return "log_softmax"
    if low >= -slack and high <= 1 + slack:
        return "softmax" if several and bool(((out_BK.sum(1) - 1).abs() < slack).all()) else "sigmoid"
    if low >= -slack:
        return "relu"
    return "tanh" if low >= -1 - slack and high <= 1 + slack else "linear"


def misfit(found: str, net: str, outputs: int, task: str | None = None) -> Problem | None:
    """What is wrong with a net that ends so, where the loss takes logits or standardised values; None if nothing.

    Args:
        found: the ending.
        net: its name.
        outputs: how many it has.
        task: ``binary``, ``multiclass``, ``regression``, or None where not known.
    """
    if found in ("softmax", "sigmoid"):
        if task == "regression":
            why = "Targets are standardised, with values below 0 and above 1 that it can never give."
        else:
            why = "The loss turns logits into probabilities itself: twice, gradients shrink and it cannot come near 0."
        return Problem(
            "error",
            "loss-activation",
            f"The loss and the last activation do not fit: the net {net} ends in a {found}, the loss takes "
            + ("plain values." if task == "regression" else "logits."),
            where="the last step of forward",
            why=why,
            do=f"Leave the {found} out; predictions are turned into probabilities for you.",
        )
    if found == "relu":
        serious = outputs == 1 or task == "regression"
        why = "It never gives a number below 0: " + (
            "values below the mean cannot be predicted."
            if task == "regression"
            else "with one output that is always the class 1."
            if outputs == 1
            else "where a logit reaches 0 its gradient is 0 too, and it may stay there."
        )
        return Problem(
            "error" if serious else "warning",
            "loss-activation",
            f"The loss and the last activation do not fit: the net {net} ends in a ReLU or another bound at 0.",
            where="the last step of forward",
            why=why,
            do="End in a dense layer without an activation.",
        )
    if found == "tanh":
        return Problem(
            "warning",
            "loss-activation",
            f"The net {net} ends in a tanh or another bound at −1 and 1.",
            where="the last step of forward",
            why="Larger values or surer logits cannot be given, so the loss keeps away from its minimum.",
            do="End in a dense layer without an activation.",
        )
    return None
