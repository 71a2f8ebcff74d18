"""The generative adversarial network: one net makes samples, the other tells them from real ones.

    z ~ N(0, I)                              d = ``code`` numbers
    x̃ = G(z)                                 the generator; what its outputs become: ``nets.made_rows``
    D(x)                                     the discriminator: the logit of "x is real"
    L_D = E[−ln σ(D(x))] + E[−ln(1 − σ(D(x̃)))] + penalty
    L_G = E[−ln σ(D(x̃))]                     non-saturating: as steep where D is right as anywhere

    penalty  r1        ½γ E‖∇D(x)‖²              real samples are to lie on a plateau; Mescheder et al. 2018
             wgan-gp   γ E(‖∇D(x̂)‖ − 1)²         x̂ = εx + (1 − ε)x̃, ε uniform: slope 1 between; Gulrajani et al. 2017

At equilibrium x̃ is distributed as x, D = 0 everywhere, and L_D = 2 ln 2, L_G = ln 2. Goodfellow et al. 2014; for
images with strided and transposed convolutions and batch norm in G, as Radford et al. 2016; ``spectral`` divides D's
weights by their largest singular values, Miyato et al. 2018. How both learn is ``learning.adversarial``.

Legend: B batch, D numbers of a sample, d of z, C channels, H×W pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import refuse
from workings.base.form import Form
from workings.nets.activations import Activation
from workings.nets.coders import CODERS, halvings
from workings.nets.made_rows import Made
from workings.nets.registry import register
from workings.nets.settings import Setting
from workings.nets.spectral_norm import SpectralConv2d, SpectralLinear
from workings.nets.unsupervised import Unsupervised

PENALTIES = ("none", "r1", "wgan-gp")
SLOPE = 0.2  # of the discriminator's leaky ReLU
DRAWN_AT_ONCE = 512


def usual_noise(shape: Sequence[int]) -> int:
    """d for samples of that shape: 64 for images, else as many as a sample has numbers, from 8 to 64."""
    return 64 if len(shape) == 3 else max(8, min(64, math.prod(shape)))


@register(
    "gan",
    "a generator against a discriminator; it draws new samples",
    shapes="any",
    family="generative",
    sizes={
        "small": {"hidden": (64, 64), "channels": (8, 16)},
        "medium": {},
        "large": {"hidden": (512, 512), "channels": (32, 64)},
    },
    learns="samples",
)
class GAN(Unsupervised):
    """x (B, *shape) → (B, 2): D(x), and D(x̃) of as many samples made."""

    by_gradient = False
    judged_by_draws = True

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        code: Annotated[int, Setting("numbers of z; 0: 64 for images, else a sample's, 8 to 64", low=0)] = 0,
        coder: Annotated[str, Setting("both nets dense, or of convolutions for images", choices=CODERS)] = "auto",
        hidden: Annotated[Sequence[int], Setting("units of the dense layers of each net", low=1)] = (128, 128),
        channels: Annotated[Sequence[int], Setting("of D's stages, each halves the sides; G's are mirrored", low=1)] = (
            16,
            32,
        ),
        penalty: Annotated[str, Setting("on the slope of the discriminator", choices=PENALTIES)] = "r1",
        penalty_strength: Annotated[float, Setting("γ of the penalty", low=0)] = 1.0,
        spectral: Annotated[bool, Setting("divide D's weights by their largest singular value")] = False,
        discriminator_steps: Annotated[int, Setting("steps of D for one of G", low=1)] = 1,
    ) -> None:
        super().__init__()
        image = len(shape) == 3
        if coder == "convolution" and not image:
            raise refuse("no-image", "coder=convolution is for images; the samples are none.", do="Use coder=dense.")
        convolution = coder == "convolution" or (coder == "auto" and image and min(shape[1:]) >= 8)
        self.shape = tuple(shape)
        self.code = code or usual_noise(shape)
        self.penalty = penalty
        self.gamma = penalty_strength
        self.discriminator_steps = discriminator_steps
        self.made = Made(shape, form.columns)
        self.generator: nn.Module
        self.discriminator: nn.Module
        if convolution:
            self.generator = ConvolutionGenerator(shape, channels, self.code)
            self.discriminator = ConvolutionDiscriminator(shape, channels, spectral)
        else:
            D = math.prod(shape)
            self.generator = dense([self.code, *hidden, D], "relu", False)
            self.discriminator = nn.Sequential(nn.Flatten(), dense([D, *hidden, 1], "leaky_relu", spectral))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.judge(x), self.judge(self.make(self.noise(len(x))))], 1)

    def per_sample(self, out: Tensor, x: Tensor) -> Tensor:
        """The discriminator's loss without its penalty, each sample beside one that was made."""
        return F.softplus(-out[:, 0]) + F.softplus(out[:, 1])

    def judge(self, x: Tensor) -> Tensor:
        """D(x): (B, *shape) → (B, 1)."""
        return self.discriminator(x)

    def noise(self, n: int) -> Tensor:
        """z (n, d), from torch's global generator."""
        return torch.randn(n, self.code, dtype=next(self.parameters()).dtype)

    def make(self, z_Bd: Tensor) -> Tensor:
        """G(z) (B, *shape), with soft cells, so that gradients go through."""
        o_BD = self.generator(z_Bd)
        return self.made.sample(o_BD, torch.rand_like(o_BD) if self.made.noisy else None, whole=False)

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, *shape): new samples; of tables, whole rows."""
        z_nd = torch.randn(n, self.code, dtype=next(self.parameters()).dtype, generator=generator)
        o_nD = torch.cat([self.generator(z_Bd) for z_Bd in z_nd.split(DRAWN_AT_ONCE)])
        u_nD = torch.rand(o_nD.shape, dtype=o_nD.dtype, generator=generator) if self.made.noisy else None
        return self.made.sample(o_nD, u_nD, whole=True)


def dense(widths: Sequence[int], activation: str, spectral: bool) -> nn.Sequential:
    """Dense layers of these widths, an activation between; none after the last."""
    make = SpectralLinear if spectral else nn.Linear
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        layers += [make(a, b)] if i == len(widths) - 2 else [make(a, b), Activation(activation, slope=SLOPE)]
    return nn.Sequential(*layers)


class ConvolutionGenerator(nn.Module):
    """z (B, d) → (B, C·H·W), flat: a dense layer, then transposed convolutions that double the sides."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int], d: int) -> None:
        super().__init__()
        sides = halvings(shape[-2:], len(channels))
        widths = [*reversed(channels), shape[0]]
        H, W = sides[-1]
        self.first = nn.Linear(d, widths[0] * H * W, bias=False)  # batch norm shifts anyway
        self.unflatten = nn.Unflatten(1, (widths[0], H, W))
        stages: list[nn.Module] = [nn.BatchNorm2d(widths[0]), Activation("relu")]
        for i, (a, b) in enumerate(pairwise(widths)):
            (H, W), (H2, W2) = sides[-1 - i], sides[-2 - i]
            odd = (H2 - 2 * H, W2 - 2 * W)  # a side that was odd lost one in halving
            last = i == len(widths) - 2
            stages.append(nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, output_padding=odd, bias=last))
            stages += [] if last else [nn.BatchNorm2d(b), Activation("relu")]
        self.stages = nn.Sequential(*stages)

    def forward(self, z_Bd: Tensor) -> Tensor:
        return self.stages(self.unflatten(self.first(z_Bd))).flatten(1)


class ConvolutionDiscriminator(nn.Module):
    """x (B, C, H, W) → (B, 1): strided convolutions, a leaky ReLU after each; no norm that would mix samples."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int], spectral: bool) -> None:
        super().__init__()
        sides = halvings(shape[-2:], len(channels))
        stages: list[nn.Module] = []
        for a, b in pairwise([shape[0], *channels]):
            conv = SpectralConv2d(a, b, 4, 2, 1) if spectral else nn.Conv2d(a, b, 4, stride=2, padding=1)
            stages += [conv, Activation("leaky_relu", slope=SLOPE)]
        self.stages = nn.Sequential(*stages)
        D = channels[-1] * math.prod(sides[-1])
        self.output = SpectralLinear(D, 1) if spectral else nn.Linear(D, 1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.output(self.stages(x_BCHW).flatten(1))
