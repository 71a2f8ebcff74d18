"""The autoencoder: a sample through a narrow code and back.

    z = encoder(x̃)          x̃ = x + σn in training where ``noise`` (denoising); d = ``code`` numbers, fewer than x has
    o = decoder(z)
    x̂ = o, or σ(o) where ``likelihood`` is bernoulli
    L = −ln p(x | o)        ½ Σ (x − x̂)² where squared: x itself is the target, never x̃

What cannot be rebuilt from the code was not seen in training. How unusual a sample is, by ``score``:

    error         L
    contrast      ‖x − x̂‖² / (‖x − m‖² + εD), m the mean of the image's own numbers, ε = 0.001: the share of the image
                  that is not rebuilt; L alone finds a few thin strokes regular, whatever they show

Rumelhart, Hinton and Williams 1986; Hinton and Salakhutdinov 2006; denoising: Vincent et al. 2008.

Legend: B batch, D numbers of a sample, d of a code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from torch import Tensor

from workings.base.errors import refuse
from workings.base.form import Form
from workings.nets import activations
from workings.nets.coders import CODERS, coders, usual_code
from workings.nets.layers import GaussianNoise
from workings.nets.likelihood import LIKELIHOODS, Likelihood
from workings.nets.registry import register
from workings.nets.settings import Setting
from workings.nets.unsupervised import Unsupervised

SCORES = ("auto", "error", "contrast")
EPSILON = 1e-3  # of an image of one grey, so that nothing is divided by 0


@register(
    "autoencoder",
    "through a narrow code and back; what it cannot rebuild is unusual",
    shapes="any",
    family="generative",
    sizes={"small": {"hidden": (64,), "channels": (16, 32)}, "medium": {}, "large": {"hidden": (512, 256)}},
    learns="samples",
)
class Autoencoder(Unsupervised):
    """x (B, *shape) → o (B, D), flat."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        code: Annotated[int, Setting("numbers of the code; 0: a quarter of a sample's, at most 32", low=0)] = 0,
        coder: Annotated[str, Setting("dense, or convolution for images and series", choices=CODERS)] = "auto",
        hidden: Annotated[Sequence[int], Setting("units of dense layers before the code, mirrored behind", low=1)] = (
            256,
        ),
        channels: Annotated[Sequence[int], Setting("of convolution stages, each halves the sides", low=1)] = (32, 64),
        activation: Annotated[str, Setting("of the hidden layers", choices=activations.NAMES)] = "relu",
        likelihood: Annotated[str, Setting("of a number given the code", choices=LIKELIHOODS)] = "auto",
        noise: Annotated[float, Setting("standard deviation of noise on the input in training", low=0)] = 0.0,
        score: Annotated[
            str,
            Setting("of the unusual: error, or its share of an image's contrast", choices=SCORES),
        ] = "auto",
        neighbours: Annotated[
            int,
            Setting("training samples whose codes' distance adds to the score of images by contrast; 0: none", low=0),
        ] = 5,
    ) -> None:
        super().__init__()
        D = math.prod(shape)
        code = code or usual_code(D)
        if code >= D:
            raise refuse(
                "code-too-wide",
                f"The code has {code} numbers and a sample {D}.",
                why="A net that can copy learns nothing about the samples.",
                do=f"Give a code of at most {D - 1}.",
            )
        image = len(shape) == 3
        if score == "contrast" and not image:
            raise refuse("no-image", "score=contrast is for images; the samples are none.", do="Use score=error.")
        # Of a table the score is told column by column, which a distance of codes could not be.
        self.by_contrast = score == "contrast" or (score == "auto" and image)
        self.neighbours = neighbours if self.by_contrast else 0
        self.shape = tuple(shape)
        self.code = code
        self.noise = GaussianNoise(noise) if noise else None
        self.encoder, self.decoder = coders(shape, coder, hidden, channels, code, code, 1, activation)
        self.likelihood = Likelihood("squared" if likelihood == "auto" else likelihood, form.columns)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x if self.noise is None else self.noise(x)))

    def per_sample(self, out: Tensor, x: Tensor) -> Tensor:
        return self.likelihood.negative_log(out, x)

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        return self.likelihood.mean(self.decoder(z), self.shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def unusual(self, x: Tensor) -> Tensor:
        if not self.by_contrast:
            return self.per_sample(self.decoder(self.encoder(x)), x)
        x_BD, rebuilt_BD = x.flatten(1), self.reconstruct(x).flatten(1)
        contrast_B = (x_BD - x_BD.mean(1, keepdim=True)).square().sum(1) + EPSILON * x_BD.shape[1]
        return (x_BD - rebuilt_BD).square().sum(1) / contrast_B

    def unusual_columns(self, x: Tensor) -> Tensor:
        """Of a table; see :class:`workings.nets.unsupervised.Explains`."""
        return self.likelihood.by_column(self.decoder(self.encoder(x)), x)
