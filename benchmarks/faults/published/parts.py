"""What the published programs are made of: layers from a line of words, losses as Keras has them, made data.

Legend: n rows, D numbers of a row, K classes or outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional as F

from faults import models, samples
from faults.loop import Loop
from faults.program import Program
from faults.samples import Maker, Samples, parted, standardised
from faults.seeded import Fault

ENDS: dict[str, Callable[[], nn.Module]] = {
    **models.ACTIVATIONS,
    "softmax": lambda: nn.Softmax(1),
    "flat": nn.Flatten,
    "pool": lambda: nn.MaxPool2d(2),
}


def stack(layers: str, D: int = 0, side: int = 8) -> nn.Sequential:
    """Layers from words: ``16`` dense, ``conv8`` 3×3 on one-channel pictures, ``norm``, ``drop0.5``, activations."""
    made: list[nn.Module] = []
    width, pictures = D or 1, not D
    for word in layers.split():
        if word.isdigit():
            made.append(nn.Linear(width, int(word)))
            width = int(word)
        elif word.startswith("conv"):
            made.append(nn.Conv2d(width, int(word[4:]), 3, padding=1))
            width = int(word[4:])
        elif word.startswith("drop"):
            made.append(nn.Dropout(float(word[4:])))
        elif word == "norm":
            made.append(nn.BatchNorm2d(width) if pictures else nn.BatchNorm1d(width))
        else:
            made.append(ENDS[word]())
            if word == "pool":
                side //= 2
            elif word == "flat":
                width, pictures = width * side**2, False
    return nn.Sequential(*made)


DIGITS = samples.digits((1, 8, 8), 900)
FLAT = samples.digits(limit=900)


class Ended(nn.Module):
    """A recurrent net whose answer passes one more activation."""

    def __init__(self, end: str, **settings: Any) -> None:
        super().__init__()
        self.net, self.end = models.Recurrent(**settings), ENDS[end]()

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.net(x))


# ------------------------------------------------------------------------------------------------- losses


def binary(out: Tensor, y: Tensor) -> Tensor:
    """Of probabilities, clipped as Keras clips them."""
    return F.binary_cross_entropy(out.reshape(-1).clamp(1e-7, 1 - 1e-7), y.float())


def squared_classes(out: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(out, F.one_hot(y, out.shape[1]).float())


def squared_label(out: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(out.reshape(-1), y.float())


def risen(out: Tensor, y: Tensor) -> Tensor:
    """The sign is the wrong way round: descending makes it worse."""
    return -F.cross_entropy(out, y)


@dataclass(frozen=True)
class Meaned:
    """The reconstruction of a VAE as a mean over the numbers of a sample, beside the sum over the code."""

    def __call__(self, out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        o, μ, ln_v = out
        kl = 0.5 * (μ**2 + ln_v.exp() - 1 - ln_v).sum(1).mean()
        return F.binary_cross_entropy_with_logits(o, x) + kl


class Listed(nn.Module):
    """Hidden layers in a plain list, which ``parameters()`` does not see; ``known``: in a ModuleList."""

    def __init__(self, D: int, K: int, known: bool) -> None:
        super().__init__()
        layers = [nn.Linear(D, 48), nn.Linear(48, 32)]
        self.layers = nn.ModuleList(layers) if known else layers
        self.output = nn.Linear(32, K)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.output(x)


def absolute_label(out: Tensor, y: Tensor) -> Tensor:
    return F.l1_loss(out.reshape(-1), y.float())


def poisson(out: Tensor, y: Tensor) -> Tensor:
    return F.poisson_nll_loss(out, y, log_input=False)


def right_half(out: Tensor, y: Tensor) -> float:
    """Share right where the one output above ½ means class 1, each class counted alike."""
    right = ((out.reshape(-1) > 0.5).long() == y).float()
    return float(torch.stack([right[y == k].mean() for k in (0, 1)]).mean())


# --------------------------------------------------------------------------------------------------- data


def classes(n: int, D: int, K: int = 2, informative: int = 4, scale: float = 1.0, shift: float = 0.0) -> Maker:
    """Clusters at the corners of a cube, as the studies made them (``make_classification``)."""

    def make(seed: int) -> Samples:
        x, y = datasets.make_classification(
            n, D, n_classes=K, n_informative=min(informative, D), n_redundant=0, n_clusters_per_class=1,
            class_sep=1.5, random_state=seed,
        )  # fmt: skip
        return parted((scale * x + shift).astype(np.float32), y.astype(np.int64), seed, K)

    return make


def values(n: int, D: int, K: int = 1, shift: float = 0.0, scale: float = 1.0) -> Maker:
    """Numbers that depend on the inputs linearly (``make_regression``), standardised, then shifted and scaled."""

    def make(seed: int) -> Samples:
        x, y = datasets.make_regression(n, D, n_informative=D, n_targets=K, noise=5.0, random_state=seed)
        s = standardised(parted(x, y.reshape(n, -1), seed), True)
        return Samples(*((x, (scale * y + shift).astype(np.float32)) for x, y in (s.train, s.val, s.test)))

    return make


def curve(n: int, f: Callable[[np.ndarray], np.ndarray], low: float = -1.0, high: float = 1.0) -> Maker:
    """y = f(x) of one number between low and high."""

    def make(seed: int) -> Samples:
        x = np.random.default_rng([seed, 20]).uniform(low, high, (n, 1))
        return parted(x.astype(np.float32), f(x).astype(np.float32), seed)

    return make


def parity(n: int, D: int) -> Maker:
    """Whether an odd number of D bits is 1."""

    def make(seed: int) -> Samples:
        x = np.random.default_rng([seed, 21]).integers(0, 2, (n, D))
        return parted(x.astype(np.float32), x.sum(1) % 2, seed, 2)

    return make


def halves(maker: Maker) -> Maker:
    """Two classes: the lower half of the labels, and the upper."""

    def make(seed: int) -> Samples:
        s = maker(seed)
        assert s.classes is not None
        middle = s.classes // 2
        return Samples(*((x, (y >= middle).astype(np.int64)) for x, y in (s.train, s.val, s.test)), classes=2)

    return make


@dataclass(frozen=True)
class Case:
    """source: where it was asked. said: what was wrong. faulty, fixed: the loops, which differ in the mend alone."""

    source: str
    said: str
    code: str
    faulty: Loop
    fixed: Loop
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A short name for files."""
        return self.source.lower().replace(" ", "-").replace("/", "-").replace("#", "-")

    @property
    def program(self) -> Program:
        """The mended one, as a program of the bench."""
        return Program(self.name, "published", "published", "published", self.fixed, frozenset())

    @property
    def fault(self) -> Fault:
        """What turns it into the published one."""
        return Fault("as-published", self.code, lambda program: self.faulty, self.also)


def net(layers: str, D: int = 0) -> dict[str, Any]:
    """The settings of a ``stack``."""
    return {"layers": layers, "D": D}


def two_classes(maker: Maker, layers: str, D: int = 0, **more: Any) -> Loop:
    """A stack that ends in one number, learnt with 0 and 1."""
    return Loop(maker, stack, net(layers, D), binary, right_half, **more)
