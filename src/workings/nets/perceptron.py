"""The perceptron: z = w · x + b, and 1 where z ≥ 0.

It learns by its own rule, w ← w + η(y − ŷ)x, which has no loss and no gradient; that rule is in ``learning``.
For K > 2 classes there are K of them, each telling one class from the rest; the largest z wins.

Rosenblatt 1958. Convergence on separable data: Novikoff 1962.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from workings.nets.registry import register


@register("perceptron", "the first neuron: a hyperplane learnt from mistakes only", shapes="any", family="perceptron")
class Perceptron(nn.Module):
    """x (B, *shape) → z (B, outputs); the prediction of one output is 1 where z ≥ 0, of several the argmax.

    Starts from zeros: then η only scales w and b, and the predictions on the way do not depend on it.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.output = nn.Linear(math.prod(shape), outputs)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(x.flatten(1))

    def predict(self, x: Tensor) -> Tensor:
        """ŷ (B,) int64: the Heaviside step of z for one output, the class of the largest z for several."""
        z = self(x)
        return (z[:, 0] >= 0).long() if z.shape[1] == 1 else torch.argmax(z, dim=1)
