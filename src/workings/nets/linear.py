"""Linear and logistic regression as a net: out = W x + b.

With the loss of a regression it is linear regression; with cross-entropy on its logits, logistic regression.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from workings.nets.registry import register


@register("linear", "linear or logistic regression: one dense layer", shapes="any", family="linear")
class Linear(nn.Module):
    """out (B, outputs) = W x + b; images are flattened first."""

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.output = nn.Linear(math.prod(shape), outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(x.flatten(1))
