"""The maxout net: each hidden unit is the largest of k affine pieces.

    z^l_uj = w^l_uj · a^(l−1) + b^l_uj       a^0 = x,  j = 1 … k
    a^l_u  = max_j z^l_uj                    for the hidden layers l = 1 … L
    out    = W^(L+1) a^L + b^(L+1)

With k = 2, one piece held at 0, it is ReLU; with many pieces it comes near any convex function.
Goodfellow, Warde-Farley, Mirza, Courville and Bengio 2013, who train it with dropout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from torch import Tensor, nn

from workings.nets.layers import Dropout, Maxout
from workings.nets.registry import register
from workings.nets.settings import Setting


@register(
    "maxout",
    "dense layers whose units learn their own activation, the largest of k pieces",
    shapes="any",
    family="feedforward",
    sizes={"small": {"hidden": (32,)}, "medium": {}, "large": {"hidden": (256, 256), "pieces": 3}},
)
class MaxoutNet(nn.Module):
    """Maxout layers, one after another, then a dense layer; images are flattened first."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        hidden: Annotated[Sequence[int], Setting("units of each hidden layer", low=1)] = (64, 64),
        pieces: Annotated[int, Setting("affine pieces of a unit, k", low=1)] = 2,
        dropout: Annotated[float, Setting("part of each hidden layer set to 0 in training", low=0, high=0.95)] = 0.0,
    ) -> None:
        super().__init__()
        widths = [math.prod(shape), *hidden]
        layers: list[nn.Module] = []
        for inputs, units in pairwise(widths):
            layers.append(Maxout(inputs, units, pieces))
            if dropout:
                layers.append(Dropout(dropout))
        self.flatten = nn.Flatten() if len(shape) > 1 else None
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        if self.flatten is not None:
            x = self.flatten(x)
        return self.output(self.hidden(x))
