"""All parameters of a net as one vector.

With the parameters as views of one vector w (P,), an optimiser, a penalty, a clip, a snapshot and a
checkpoint are each one operation on one tensor, and the equations in ``optimisers.py`` read as printed.

Traps: the views must be made after the net is on its device and in its dtype; ``net.to(...)`` afterwards
would break them. Weights come first and everything else (biases, norm scales) after them, so that weight decay
is a slice, not a mask.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workings.base.errors import refuse


class FlatParameters:
    """The trainable parameters of ``net``, laid out in ``w``; each parameter becomes a view of it.

    w: (P,) the parameters; ``w[:decayed]`` are weights (two or more dimensions), the rest biases and scales.
    names, shapes, sizes: of the parameters, in the order of ``w``; the first ``weights`` of them are weights.
    """

    def __init__(self, net: nn.Module) -> None:
        named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
        if not named:
            raise refuse("no-parameters", "The net has no trainable parameters.", do="Give a net with parameters.")
        kinds = {p.dtype for _, p in named}
        if len(kinds) > 1:
            raise refuse(
                "mixed-dtypes",
                f"The net's parameters have several number types: {', '.join(sorted(map(str, kinds)))}.",
                why="One learning step works on parameters of one type.",
                do="Convert the net, for example with net.float().",
            )
        named.sort(key=lambda item: item[1].ndim < 2)  # stable: weights first, otherwise the net's own order
        self.net = net
        self.names = [name for name, _ in named]
        self.parameters = [p for _, p in named]
        self.shapes = [p.shape for p in self.parameters]
        self.sizes = [p.numel() for p in self.parameters]
        self.weights = sum(p.ndim >= 2 for p in self.parameters)
        self.decayed = sum(p.numel() for p in self.parameters if p.ndim >= 2)
        self.w = torch.cat([p.detach().reshape(-1) for p in self.parameters])
        for p, view in zip(self.parameters, self.views(self.w), strict=True):
            p.data = view

    def views(self, w: Tensor) -> list[Tensor]:
        """``w`` cut into tensors of the parameters' shapes, sharing its memory."""
        return [piece.view(shape) for piece, shape in zip(w.split(self.sizes), self.shapes, strict=True)]

    def gather(self, gradients: tuple[Tensor | None, ...]) -> Tensor:
        """Gradients of the parameters as one vector (P,); a parameter that the loss does not reach gets zeros."""
        pieces = [
            torch.zeros(size, dtype=self.w.dtype, device=self.w.device) if g is None else g.reshape(-1)
            for g, size in zip(gradients, self.sizes, strict=True)
        ]
        return torch.cat(pieces)

    def first_non_finite(self) -> str | None:
        """The name of the first parameter that holds a NaN or an infinity."""
        for name, p in zip(self.names, self.parameters, strict=True):
            if not bool(torch.isfinite(p).all()):
                return name
        return None
