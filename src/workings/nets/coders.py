"""Encoders and decoders of autoencoders: dense, or of convolutions for images and for windows of series, whose
variables are then channels; one gives numbers, one takes them.

    dense           h^l = σ(W^l h^(l−1) + b^l), widths n_1 … n_L; the decoder goes through them backwards
    convolution     each stage halves the sides: 4×4 kernels, stride 2, padding 1; the decoder doubles them again by
                    transposed convolution. Dumoulin and Visin 2016.

Legend: B batch, D numbers of a sample, C channels, H×W pixels, L steps of a window, V
variables, d numbers of a code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

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


def halvings(sides: Sequence[int], stages: int) -> list[tuple[int, ...]]:
    """The sides, (H, W) or (L,), before the first stage and after each: H → ⌊H/2⌋ by kernels of 4, stride 2, padding 1.

    Raises:
        UserError: the samples are too small for so many stages.
    """
    found = [tuple(sides)]
    for _ in range(stages):
        if min(found[-1]) < 2:
            said = "×".join(map(str, sides))
            what = f"images of {said} pixels" if len(sides) == 2 else f"windows of {said} steps"
            raise refuse(
                "too-many-stages",
                f"{stages} stages of halving are too many for {what}.",
                do=f"Give {len(found) - 1} channel numbers at most, or coder=dense.",
            )
        found.append(tuple(side // 2 for side in found[-1]))
    return found


def channels_and_sides(shape: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """C and the sides (H, W) of an image; V and (L,) of a window, whose variables are its channels."""
    return (shape[0], tuple(shape[1:])) if len(shape) == 3 else (shape[1], (shape[0],))


class ConvolutionEncoder(nn.Module):
    """(B, C, H, W), or windows (B, L, V) → (B, outputs)."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int], outputs: int, activation: str) -> None:
        super().__init__()
        C, first = channels_and_sides(shape)
        sides = halvings(first, len(channels))
        self.windows = len(first) == 1
        convolution = nn.Conv1d if self.windows else nn.Conv2d
        self.stages = nn.Sequential(
            *(
                nn.Sequential(convolution(a, b, 4, stride=2, padding=1), Activation(activation))
                for a, b in pairwise([C, *channels])
            )
        )
        self.output = nn.Linear(channels[-1] * math.prod(sides[-1]), outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.stages(x.transpose(1, 2) if self.windows else x).flatten(1))


class ConvolutionDecoder(nn.Module):
    """(B, d) → (B, outputs·H·W), or (B, L·outputs), flat: transposed convolutions that mirror the encoder's sides."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int], d: int, outputs: int, activation: str) -> None:
        super().__init__()
        sides = halvings(channels_and_sides(shape)[1], len(channels))
        self.windows = len(sides[0]) == 1
        transposed: Any = nn.ConvTranspose1d if self.windows else nn.ConvTranspose2d
        widths = [*reversed(channels), outputs]
        self.first = nn.Sequential(nn.Linear(d, widths[0] * math.prod(sides[-1])), Activation(activation))
        self.unflatten = nn.Unflatten(1, (widths[0], *sides[-1]))
        stages = []
        for i, (a, b) in enumerate(pairwise(widths)):
            # a side that was odd lost one in halving
            odd = tuple(big - 2 * small for small, big in zip(sides[-1 - i], sides[-2 - i], strict=True))
            up = transposed(a, b, 4, stride=2, padding=1, output_padding=odd)
            stages.append(up if i == len(widths) - 2 else nn.Sequential(up, Activation(activation)))
        self.stages = nn.Sequential(*stages)

    def forward(self, z_Bd: Tensor) -> Tensor:
        made = self.stages(self.unflatten(self.first(z_Bd)))
        return (made.transpose(1, 2) if self.windows else made).flatten(1)


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
        UserError: convolution of rows of a table, or more stages than the sides bear.
    """
    image = len(shape) == 3
    if coder == "convolution" and len(shape) == 1:
        what = "coder=convolution is for images and windows of series; the samples are rows of a table."
        raise refuse("no-image", what, do="Use coder=dense.")
    if coder == "convolution" or (coder == "auto" and image and min(shape[1:]) >= 8):
        return (
            ConvolutionEncoder(shape, channels, encoder_outputs, activation),
            ConvolutionDecoder(shape, channels, code, channels_and_sides(shape)[0] * parameters, activation),
        )
    D = math.prod(shape)
    return (
        DenseCoder(D, hidden, encoder_outputs, activation),
        DenseCoder(code, [*reversed(hidden)], D * parameters, activation),
    )
