"""A compact residual net for images: the strong default where there is data enough.

    stem     x → σ(norm(conv x))
    stage i  x → σ(norm(pool(conv x))), widths[i] channels, half the size; then blocks[i] blocks of
             x → x + f(x),  f(x) = σ(norm(conv σ(norm(conv x))))         (without ``residual``: x → f(x), as in VGG)
    head     the average (or maximum) of each map, dropout, dense

All filters are 3 × 3 with same padding. Pooling stands before the norm and activation: they then work on a quarter
of the numbers, and for max pooling under a rising activation and a positive scale the result is the same.

He, Zhang, Ren and Sun 2016; Simonyan and Zisserman 2015 (VGG); Ioffe and Szegedy 2015 (batch norm).
The short form follows Page 2018 ("How to train your ResNet").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn

from workings.base.errors import refuse
from workings.nets import activations
from workings.nets.activations import Activation
from workings.nets.geometry import conv_out
from workings.nets.layers import Add, Dropout, Scale
from workings.nets.registry import register
from workings.nets.settings import Setting


class ConvNorm(nn.Module):
    """x (B, C, H, W) → σ(norm(pool(conv x))), (B, channels, H', W')."""

    def __init__(
        self,
        inputs: int,
        channels: int,
        sigma: Activation,
        *,
        kernel: int = 3,
        stride: int = 1,
        pool: nn.Module | None = None,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, channels, kernel, stride, (kernel - 1) // 2, bias=not batch_norm)
        self.pool = pool
        self.norm = nn.BatchNorm2d(channels) if batch_norm else None
        self.activation = sigma

    def forward(self, x_BCHW: Tensor) -> Tensor:
        z = self.conv(x_BCHW)
        if self.pool is not None:
            z = self.pool(z)
        return self.activation(z if self.norm is None else self.norm(z))


class Block(nn.Module):
    """x → x + f(x), or f(x) without ``residual``; f is two convolutions with norm and activation."""

    def __init__(
        self, channels: int, first: Activation, second: Activation, *, batch_norm: bool, residual: bool
    ) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, first, batch_norm=batch_norm)
        self.second = ConvNorm(channels, channels, second, batch_norm=batch_norm)
        self.add = Add() if residual else None

    def forward(self, x_BCHW: Tensor) -> Tensor:
        f = self.second(self.first(x_BCHW))
        return f if self.add is None else self.add(x_BCHW, f)


@register(
    "resnet",
    "a compact residual net: convolutions with batch norm and shortcuts",
    shapes="image",
    family="convolutional",
    sizes={
        "small": {"stem": 16, "widths": (32, 64, 128)},
        "medium": {},
        "large": {"stem": 64, "widths": (128, 256, 512)},
    },
)
class ResNet(nn.Module):
    """Stem, stages of convolutions that halve the size and widen, global pooling, dense."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        stem: Annotated[int, Setting("filters of the first convolution; 0 leaves it out", low=0)] = 32,
        stem_kernel: Annotated[int, Setting("side of the stem's filters", low=1)] = 3,
        stem_stride: Annotated[int, Setting("step of the stem's filters; 2 makes large images cheap", low=1)] = 1,
        widths: Annotated[Sequence[int], Setting("channels of each stage", low=1)] = (64, 128, 256),
        blocks: Annotated[Sequence[int], Setting("residual blocks of each stage, or one number for all", low=0)] = (
            1,
            0,
            1,
        ),
        residual: Annotated[bool, Setting("add a block's input to its output; false makes a plain net")] = True,
        pool: Annotated[
            str, Setting("how a stage halves the size; stride costs least", choices=("max", "average", "stride"))
        ] = "max",
        activation: Annotated[str, Setting("after each convolution", choices=activations.NAMES)] = "relu",
        slope: Annotated[float, Setting("of leaky_relu for z ≤ 0", low=0)] = 0.01,
        alpha: Annotated[float, Setting("of elu", low=0)] = 1.0,
        batch_norm: Annotated[bool, Setting("normalise z over the batch before the activation")] = True,
        head: Annotated[str, Setting("how each map becomes one number", choices=("average", "max"))] = "average",
        dropout: Annotated[
            float, Setting("part of the features before the last layer set to 0", low=0, high=0.95)
        ] = 0.0,
        scale: Annotated[float, Setting("factor on the logits; below 1 keeps them mild at first", low=0.001)] = 1.0,
    ) -> None:
        super().__init__()
        if len(blocks) not in (1, len(widths)):
            raise refuse(
                "bad-setting",
                f"The net 'resnet' has {len(widths)} stages but {len(blocks)} numbers of blocks.",
                where=f"widths = {tuple(widths)}, blocks = {tuple(blocks)}",
                do="Give one number of blocks for each width, or one for all.",
            )
        counts = list(blocks) * len(widths) if len(blocks) == 1 else list(blocks)

        def sigma() -> Activation:
            return Activation(activation, slope=slope, alpha=alpha)

        C, H, W = shape
        layers: list[nn.Module] = []
        if stem:
            layers.append(ConvNorm(C, stem, sigma(), kernel=stem_kernel, stride=stem_stride, batch_norm=batch_norm))
            P = (stem_kernel - 1) // 2
            H, W = (conv_out(size, stem_kernel, P, stem_stride, layer="stem") for size in (H, W))
            C = stem
        for i, (width, count) in enumerate(zip(widths, counts, strict=True)):
            stride = 2 if pool == "stride" else 1
            pooling = {"max": nn.MaxPool2d(2), "average": nn.AvgPool2d(2), "stride": None}[pool]
            H, W = (
                conv_out(size, 3, 1, 2) if stride == 2 else conv_out(size, 2, 0, 2, layer=f"stage {i + 1}")
                for size in (H, W)
            )
            layers.append(ConvNorm(C, width, sigma(), stride=stride, pool=pooling, batch_norm=batch_norm))
            layers += [Block(width, sigma(), sigma(), batch_norm=batch_norm, residual=residual) for _ in range(count)]
            C = width
        self.maps = nn.Sequential(*layers)
        self.gather = nn.AdaptiveAvgPool2d(1) if head == "average" else nn.AdaptiveMaxPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = Dropout(dropout) if dropout else None
        self.output = nn.Linear(C, outputs)
        self.scale = Scale(scale) if scale != 1 else None

    def forward(self, x_BCHW: Tensor) -> Tensor:
        a = self.flatten(self.gather(self.maps(x_BCHW)))
        if self.dropout is not None:
            a = self.dropout(a)
        out = self.output(a)
        return out if self.scale is None else self.scale(out)
