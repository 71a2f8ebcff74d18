"""The multilayer perceptron: dense layers, one after another.

    z^l = W^l a^(l−1) + b^l        a^0 = x
    a^l = σ(z^l)                   for the hidden layers l = 1 … L
    out = W^(L+1) a^L + b^(L+1)    logits or values: no activation, it belongs to the loss

With ``batch_norm``, z^l is normalised before σ; with ``dropout``, numbers of a^l are set to 0 in training; with
``residual``, a^l = a^(l−1) + σ(z^l) wherever both have the same width.

Legend: B batch, D numbers of a sample, n_l units of layer l.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from torch import Tensor, nn

from workings.nets import activations
from workings.nets.activations import Activation
from workings.nets.layers import Add, Dropout, GaussianNoise
from workings.nets.registry import register
from workings.nets.settings import Setting


class DenseBlock(nn.Module):
    """a^(l−1) (B, n_(l−1)) → a^l (B, n_l): dense, batch norm, activation, residual sum, dropout."""

    def __init__(
        self, inputs: int, units: int, activation: Activation, *, dropout: float, batch_norm: bool, residual: bool
    ) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, units, bias=not batch_norm)  # batch norm shifts: a bias would cancel
        self.norm = nn.BatchNorm1d(units) if batch_norm else None
        self.activation = activation
        self.add = Add() if residual and inputs == units else None
        self.dropout = Dropout(dropout) if dropout else None

    def forward(self, a_BD: Tensor) -> Tensor:
        z = self.dense(a_BD)
        if self.norm is not None:
            z = self.norm(z)
        a = self.activation(z)
        if self.add is not None:
            a = self.add(a_BD, a)
        return a if self.dropout is None else self.dropout(a)


@register(
    "mlp",
    "dense layers with an activation between them, any depth and width",
    shapes="any",
    family="feedforward",
    sizes={"small": {"hidden": (32,)}, "medium": {}, "large": {"hidden": (256, 256, 256)}},
)
class MLP(nn.Module):
    """Dense layers, one after another; images are flattened first.

    Rosenblatt 1961; Rumelhart, Hinton and Williams 1986.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        hidden: Annotated[Sequence[int], Setting("units of each hidden layer; none makes a linear net", low=1)] = (
            64,
            64,
        ),
        activation: Annotated[
            str, Setting("after each hidden layer; step passes no gradient", choices=activations.NAMES)
        ] = "relu",
        slope: Annotated[float, Setting("of leaky_relu for z ≤ 0 (textbooks also use 0.1)", low=0)] = 0.01,
        alpha: Annotated[float, Setting("of elu", low=0)] = 1.0,
        dropout: Annotated[float, Setting("part of each hidden layer set to 0 in training", low=0, high=0.95)] = 0.0,
        batch_norm: Annotated[bool, Setting("normalise z over the batch before the activation")] = False,
        noise: Annotated[float, Setting("standard deviation of noise added to the input in training", low=0)] = 0.0,
        residual: Annotated[bool, Setting("add a layer's input to its output where the widths are equal")] = False,
    ) -> None:
        super().__init__()
        widths = [math.prod(shape), *hidden]
        self.flatten = nn.Flatten() if len(shape) > 1 else None
        self.noise = GaussianNoise(noise) if noise else None
        self.hidden = nn.Sequential(
            *(
                DenseBlock(
                    inputs,
                    units,
                    Activation(activation, slope=slope, alpha=alpha),
                    dropout=dropout,
                    batch_norm=batch_norm,
                    residual=residual,
                )
                for inputs, units in pairwise(widths)
            )
        )
        self.output = nn.Linear(widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        if self.flatten is not None:
            x = self.flatten(x)
        if self.noise is not None:
            x = self.noise(x)
        return self.output(self.hidden(x))
