"""Where a NaN or an infinity came from: the layer, and the rows of the batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workings.base.errors import NonFiniteError
from workings.base.problems import Problem, shorten
from workings.learning.flat import FlatParameters


def first_layer(net: nn.Module, x: Tensor) -> tuple[str, Tensor] | None:
    """The first layer whose output is not finite on ``x`` (B, *shape), and which rows of the batch these are."""
    found: list[tuple[str, Tensor]] = []

    def look(name: str) -> object:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not found and not bool(torch.isfinite(output).all()):
                bad = ~torch.isfinite(output.reshape(output.shape[0], -1)).all(dim=1)
                found.append((f"{name} ({type(module).__name__})", torch.nonzero(bad)[:, 0]))

        return hook

    leaves = [(name, module) for name, module in net.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(look(name or "the net")) for name, module in leaves]  # type: ignore[arg-type]
    try:
        with torch.no_grad():
            net(x)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None


def explain(net: nn.Module, x: Tensor, step: int, epoch: int, where: list[str], eta: float) -> NonFiniteError:
    """The error to raise for a loss that was not finite at ``step`` (0-based) on the batch ``x``.

    where: the place of each row of the batch in the user's data.
    """
    flat = x.reshape(x.shape[0], -1)
    # NaN is what sequences of frames are padded with; within a sequence the data room refuses it.
    bad_input = (torch.isinf(flat) if x.ndim == 3 else ~torch.isfinite(flat)).any(dim=1)
    weight = FlatParameters(net).first_non_finite()
    layer = first_layer(net, x)
    if bool(bad_input.any()):
        rows = torch.nonzero(bad_input)[:, 0]
        cause, do = "the inputs of these rows are not finite", "Mend these rows of the data."
        place = "the input, before the first layer"
    elif weight is not None:
        rows = layer[1] if layer else torch.arange(0)
        cause = f"the parameter {weight} is not finite: the update of the step before was too large"
        do = f"Train with a smaller learning rate (it was {eta:.3g}), or limit the gradient: clip_norm=1."
        place = f"layer {layer[0]}" if layer else f"layer of {weight}"
    elif layer is not None:
        rows = layer[1]
        cause = "its output overflowed: weights or inputs are too large"
        do = f"Train with a smaller learning rate (it was {eta:.3g}), clip_norm=1, or scaled inputs."
        place = f"layer {layer[0]}"
    else:
        rows = torch.arange(0)
        cause = "every layer's output is finite; the loss overflowed"
        do = f"Train with a smaller learning rate (it was {eta:.3g}), or check the targets of these rows."
        place = "the loss, after the last layer"
    which = [where[int(i)] for i in rows] or where
    return NonFiniteError(
        Problem(
            "error",
            "non-finite-loss",
            f"The loss is not finite at step {step + 1} (epoch {epoch}): {cause}.",
            f"{place}; the batch of step {step + 1}, {len(which)} of its {len(where)} rows: {shorten(which)}",
            len(which),
            "From here on every weight would become NaN; training was stopped before that.",
            do,
        )
    )
