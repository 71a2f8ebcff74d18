"""Encoders and decoders of autoencoders: dense, or of convolutions for images; one gives numbers, one takes them.

    dense           h^l = σ(W^l h^(l−1) + b^l), widths n_1 … n_L; the decoder goes through them backwards
    convolution     each stage halves the sides: 4×4 kernels, stride 2, padding 1; the decoder doubles them again by
                    transposed convolution. Dumoulin and Visin 2016.

Legend: B batch, D numbers of a sample, C channels, H×W pixels, d numbers of a code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from workings.base.errors import refuse
from workings.nets.activations import Activation

CODERS = ("auto", "dense", "convolution")


def usual_code(D: int) -> int:
    """d for samples of D numbers: a quarter, from 1 to 32."""
    return max(1, min(32, D // 4))


class DenseCoder(nn.Module):
    """(B, …) → (B, outputs): flattened, hidden layers with an activation, one dense layer without."""

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int, activation: str) -> None:
        super().__init__()
        widths = [inputs, *hidden]
        self.hidden = nn.Sequential(
            *(nn.Sequential(nn.Linear(a, b), Activation(activation)) for a, b in pairwise(widths))
        )
        self.output = nn.Linear(widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.hidden(x.flatten(1)))


def halvings(shape: Sequence[int], stages: int) -> list[tuple[int, int]]:
    """The sides (H, W) before the first stage and after each: H → ⌊H/2⌋, from 4×4 kernels of stride 2, padding 1.

    Raises:
        UserError: the images are too small for so many stages.
    """
    sides = [(shape[-2], shape[-1])]
    for _ in range(stages):
        H, W = sides[-1]
        if min(H, W) < 2:
            raise refuse(
                "too-many-stages",
                f"{stages} stages of halving are too many for images of {shape[-2]}×{shape[-1]} pixels.",
                do=f"Give {len(sides) - 1} channel numbers at most, or coder=dense.",
            )
        sides.append((H // 2, W // 2))
    return sides


class ConvolutionEncoder(nn.Module):
    """(B, C, H, W) → (B, outputs)."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int], outputs: int, activation: str) -> None:
        super().__init__()
        sides = halvings(shape, len(channels))
        self.stages = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 4, stride=2, padding=1), Activation(activation))
                for a, b in pairwise([shape[0], *channels])
            )
        )
        self.output = nn.Linear(channels[-1] * math.prod(sides[-1]), outputs)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.output(self.stages(x_BCHW).flatten(1))


class ConvolutionDecoder(nn.Module):
    """(B, d) → (B, outputs·H·W), flat: transposed convolutions that mirror the encoder's sides."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int], d: int, outputs: int, activation: str) -> None:
        super().__init__()
        sides = halvings(shape, len(channels))
        widths = [*reversed(channels), outputs]
        self.first = nn.Sequential(nn.Linear(d, widths[0] * math.prod(sides[-1])), Activation(activation))
        self.unflatten = nn.Unflatten(1, (widths[0], *sides[-1]))
        stages = []
        for i, (a, b) in enumerate(pairwise(widths)):
            (H, W), (H2, W2) = sides[-1 - i], sides[-2 - i]
            odd = (H2 - 2 * H, W2 - 2 * W)  # a side that was odd lost one in halving
            up = nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, output_padding=odd)
            stages.append(up if i == len(widths) - 2 else nn.Sequential(up, Activation(activation)))
        self.stages = nn.Sequential(*stages)

    def forward(self, z_Bd: Tensor) -> Tensor:
        return self.stages(self.unflatten(self.first(z_Bd))).flatten(1)


def coders(
    shape: Sequence[int],
    coder: str,
    hidden: Sequence[int],
    channels: Sequence[int],
    code: int,
    encoder_outputs: int,
    parameters: int,
    activation: str,
) -> tuple[nn.Module, nn.Module]:
    """An encoder to ``encoder_outputs`` numbers, and a decoder from ``code`` numbers to ``parameters`` a number of
    the sample, flat.

    coder: dense, convolution, or auto: convolution for images with sides of 8 pixels or more.

    Raises:
        UserError: convolution of what is no image, or more stages than its sides bear.
    """
    image = len(shape) == 3
    if coder == "convolution" and not image:
        raise refuse("no-image", "coder=convolution is for images; the samples are none.", do="Use coder=dense.")
    if coder == "convolution" or (coder == "auto" and image and min(shape[1:]) >= 8):
        return (
            ConvolutionEncoder(shape, channels, encoder_outputs, activation),
            ConvolutionDecoder(shape, channels, code, shape[0] * parameters, activation),
        )
    D = math.prod(shape)
    return (
        DenseCoder(D, hidden, encoder_outputs, activation),
        DenseCoder(code, [*reversed(hidden)], D * parameters, activation),
    )
