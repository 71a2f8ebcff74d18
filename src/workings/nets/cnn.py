"""Convolutional nets: convolution, activation, pooling; then dense layers.

    z_o(i, j) = Σ_c Σ_u Σ_v w_oc(u, v) x_c(S i + u − P, S j + v − P) + b_o     convolution (as the field computes
    a_o(i, j) = σ(z_o(i, j))                                                   it: cross-correlation)
    p_o(i, j) = max or mean of a_o over a window of F × F                      pooling, stride F

then flatten (every number of every map) or the global average of each map, dense layers, and logits.
Each size follows (I − F + 2P)/S + 1; sizes that cannot be are refused before anything is built.

LeCun et al. 1989, 1998. Legend: B batch, C channels, H × W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from torch import Tensor, nn

from workings.nets import activations
from workings.nets.activations import Activation
from workings.nets.geometry import conv_out, padding_size
from workings.nets.layers import Dropout
from workings.nets.mlp import DenseBlock
from workings.nets.registry import register
from workings.nets.settings import Setting


class ConvBlock(nn.Module):
    """x (B, C, H, W) → (B, channels, H', W'): convolution, batch norm, activation, pooling, dropout.

    The maximum of rising values is the value of the maximum, max σ(z) = σ(max z), so under a rising activation max
    pooling comes first in training: the same numbers and gradients, and the activation works on a quarter of the
    maps. Evaluation keeps the order of the design, for whoever looks at the maps.
    """

    def __init__(
        self,
        conv: nn.Conv2d,
        activation: Activation,
        pool: nn.Module | None,
        *,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.conv = conv
        rising = activations.activation_info(activation.name).rising
        self._pool_first = isinstance(pool, nn.MaxPool2d) and rising
        self.norm = nn.BatchNorm2d(conv.out_channels) if batch_norm else None
        self.activation = activation
        self.pool = pool
        self.dropout = Dropout(dropout) if dropout else None

    def forward(self, x_BCHW: Tensor) -> Tensor:
        z = self.conv(x_BCHW)
        if self.norm is not None:
            z = self.norm(z)
        if self.pool is None:
            a = self.activation(z)
        elif self._pool_first and self.training:
            a = self.activation(self.pool(z))
        else:
            a = self.pool(self.activation(z))
        return a if self.dropout is None else self.dropout(a)


def make_pool(kind: str, size: int) -> nn.Module | None:
    """The pooling layer of that kind over windows of size × size, stride size; None for ``none``."""
    if kind == "none" or size == 1:
        return None
    return nn.MaxPool2d(size) if kind == "max" else nn.AvgPool2d(size)


@register(
    "cnn",
    "convolutions with pooling, then dense layers",
    shapes="image",
    family="convolutional",
    sizes={"small": {"channels": (16, 32), "dense": (64,)}, "medium": {}, "large": {"channels": (64, 128, 256)}},
)
class CNN(nn.Module):
    """Blocks of convolution, activation and pooling, then dense layers."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        channels: Annotated[Sequence[int], Setting("filters of each convolution", low=1)] = (32, 64),
        kernel: Annotated[int, Setting("side of the square filters, F", low=1)] = 3,
        stride: Annotated[int, Setting("step of the filters, S", low=1)] = 1,
        padding: Annotated[
            int | str,
            Setting("zeros round the input, P; same keeps the size, valid adds none", low=0, choices=("same", "valid")),
        ] = "same",
        pool: Annotated[str, Setting("pooling after each convolution", choices=("max", "average", "none"))] = "max",
        pool_size: Annotated[int, Setting("side and stride of the pooling windows", low=1)] = 2,
        activation: Annotated[
            str, Setting("after each convolution and hidden dense layer", choices=activations.NAMES)
        ] = "relu",
        slope: Annotated[float, Setting("of leaky_relu for z ≤ 0 (textbooks also use 0.1)", low=0)] = 0.01,
        alpha: Annotated[float, Setting("of elu", low=0)] = 1.0,
        batch_norm: Annotated[bool, Setting("normalise z over the batch before the activation")] = False,
        conv_dropout: Annotated[float, Setting("part of each map set to 0 in training", low=0, high=0.95)] = 0.0,
        head: Annotated[
            str,
            Setting(
                "how maps become features: all their numbers, or each map's average", choices=("flatten", "average")
            ),
        ] = "flatten",
        dense: Annotated[Sequence[int], Setting("units of each hidden dense layer", low=1)] = (128,),
        dropout: Annotated[
            float, Setting("part of each hidden dense layer set to 0 in training", low=0, high=0.95)
        ] = 0.0,
    ) -> None:
        super().__init__()

        def sigma() -> Activation:
            return Activation(activation, slope=slope, alpha=alpha)

        C, H, W = shape
        P = padding_size(padding, kernel)
        blocks: list[nn.Module] = []
        for i, filters in enumerate(channels):
            H, W = (conv_out(size, kernel, P, stride, layer=f"convolution {i + 1}") for size in (H, W))
            pooling = make_pool(pool, pool_size)
            if pooling is not None:
                H, W = (conv_out(size, pool_size, 0, pool_size, layer=f"pooling {i + 1}") for size in (H, W))
            conv = nn.Conv2d(C, filters, kernel, stride, P, bias=not batch_norm)  # batch norm shifts already
            blocks.append(ConvBlock(conv, sigma(), pooling, batch_norm=batch_norm, dropout=conv_dropout))
            C = filters
        self.maps = nn.Sequential(*blocks)
        self.average = nn.AdaptiveAvgPool2d(1) if head == "average" else None
        self.flatten = nn.Flatten()
        features = C if head == "average" else C * H * W
        widths = [features, *dense]
        self.dense = nn.Sequential(
            *(
                DenseBlock(inputs, units, sigma(), dropout=dropout, batch_norm=batch_norm, residual=False)
                for inputs, units in pairwise(widths)
            )
        )
        self.output = nn.Linear(widths[-1], outputs)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        a = self.maps(x_BCHW)
        if self.average is not None:
            a = self.average(a)
        return self.output(self.dense(self.flatten(a)))


@register(
    "cnn-64",
    "32 and 64 filters of 3×3 with pooling, then dense: made for 64×64×3",
    shapes="image",
    family="convolutional",
)
class CNN64(CNN):
    """64×64×3 → 32@3×3 → max pool 2×2 → 64@3×3 → max pool 2×2 → flatten → dense; a sigmoid where there is one output.

    Unpadded, so 64 → 62 → 31 → 29 → 14. Other image sizes are taken as they come.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__(shape, outputs, channels=(32, 64), padding="valid", dense=())


@register(
    "cnn-32",
    "16 and 32 filters of 3×3 with pooling, then dense: made for 32×32×3",
    shapes="image",
    family="convolutional",
)
class CNN32(CNN):
    """32×32×3 → 16@3×3 → max pool 2×2 → 32@3×3 → max pool 2×2 → flatten → dense; a softmax over the classes.

    Unpadded, so 32 → 30 → 15 → 13 → 6. Other image sizes are taken as they come.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__(shape, outputs, channels=(16, 32), padding="valid", dense=())
