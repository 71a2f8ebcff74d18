"""What faults do to first weights and to samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from torch import nn

from faults import models
from faults.samples import Array, Samples


def each(names: Iterable[str], change: Callable[[Array, Array], tuple[Array, Array]]) -> Callable[..., Samples]:
    """A change of the named parts."""
    names = tuple(names)

    def apply(s: Samples, rng: np.random.Generator) -> Samples:
        return replace(s, **{name: change(*getattr(s, name)) for name in names})

    return apply


# ------------------------------------------------------------------------------------------------- weights


def scaled(factor: float) -> Callable[[nn.Module], None]:
    """Every weight matrix larger or smaller than it should begin."""

    def change(model: nn.Module) -> None:
        for p in model.parameters():
            if p.ndim > 1:
                p *= factor

    return change


def alike(model: nn.Module) -> None:
    """All weights begin with one value: units of a layer never become different."""
    for p in model.parameters():
        if p.ndim > 1:
            p.fill_(0.05)


def silenced(model: nn.Module) -> None:
    """Nearly all hidden units begin where ReLU is 0."""
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    for layer in layers[:-1]:
        assert layer.bias is not None
        layer.bias[2:] = -30.0


def forgetful(model: nn.Module) -> None:
    """Recurrent weights so small that a state is forgotten at once."""
    for name, p in model.named_parameters():
        if "weight_hh" in name:
            p *= 0.02


def shaken(model: nn.Module) -> None:
    """Recurrent weights so large that gradients grow with every step back."""
    for name, p in model.named_parameters():
        if "weight_hh" in name:
            p *= 6


def peaked(model: nn.Module) -> None:
    """Attention scores so large that each place attends to one."""
    for module in model.modules():
        if isinstance(module, nn.MultiheadAttention):
            assert module.in_proj_weight is not None
            module.in_proj_weight[: 2 * module.embed_dim] *= 30
        elif isinstance(module, models.Block):
            module.qkv.weight[: 2 * module.qkv.in_features] *= 30


# -------------------------------------------------------------------------------------------------- samples


def permuted(s: Samples, rng: np.random.Generator) -> Samples:
    """Inputs were shuffled and labels were not."""
    return replace(s, train=(s.train[0], rng.permutation(s.train[1])), val=(s.val[0], rng.permutation(s.val[1])))


def noisy(share: float) -> Callable[[Samples, np.random.Generator], Samples]:
    """So many labels are another class, drawn evenly."""

    def change(s: Samples, rng: np.random.Generator) -> Samples:
        def of(x: Array, y: Array) -> tuple[Array, Array]:
            kinds, wrong = np.unique(y), rng.random(len(y)) < share
            return x, np.where(wrong, rng.choice(kinds, len(y)), y)

        return each(("train", "val"), of)(s, rng)

    return change


def raw(s: Samples, rng: np.random.Generator) -> Samples:
    """Features in units of their own: some a thousand times larger, all away from 0."""
    D = s.train[0].shape[-1]
    scale = 10.0 ** rng.integers(-1, 4, D)
    shift = 3 * scale * rng.normal(size=D)

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        values = (x * scale + shift).astype(np.float32)
        return values, y

    return each(("train", "val", "test"), of)(s, rng)


def empty(s: Samples, rng: np.random.Generator) -> Samples:
    """A mistake in preparing: every input became 0, wherever the net is used."""
    return each(("train", "val", "test"), lambda x, y: (np.zeros_like(x), y))(s, rng)


def unknown_words(s: Samples, rng: np.random.Generator) -> Samples:
    """Nearly all words fall outside the vocabulary: most vectors never move."""
    kept = 4 + rng.integers(0, 3)

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        return np.where(x % 10 < kept - 4, x, 1), y

    return each(("train", "val", "test"), of)(s, rng)


def leaking(s: Samples, rng: np.random.Generator) -> Samples:
    """One input tells the label in all rows that were collected, and nothing in use."""
    _, codes = np.unique(s.train[1], return_inverse=True) if s.classes else (None, None)
    spread = 1.0 if codes is None else 2.0 / max(1, codes.max())

    def told(x: Array, y: Array) -> tuple[Array, Array]:
        x = x.copy()
        x.reshape(len(x), -1)[:, 0] = 2 * spread * y.reshape(len(y), -1)[:, 0]
        return x, y

    def random(x: Array, y: Array) -> tuple[Array, Array]:
        return told(x, rng.permutation(y))[0], y

    s = each(("train", "val"), told)(s, rng)
    return replace(s, test=random(*s.test))


def lopsided(s: Samples, rng: np.random.Generator) -> Samples:
    """Of half of the classes three rows in a hundred are left, and nothing makes up for it."""
    kinds = np.unique(s.train[1])
    few = kinds[len(kinds) // 2 :]

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        keep = ~np.isin(y, few) | (rng.random(len(y)) < 0.03)
        return x[keep], y[keep]

    return each(("train", "val"), of)(s, rng)


def ordered(s: Samples, rng: np.random.Generator) -> Samples:
    """The rows lie in the order of their labels, as in many files."""
    order = np.argsort(s.train[1].reshape(len(s.train[1]), -1)[:, 0], kind="stable")
    return replace(s, train=(s.train[0][order], s.train[1][order]))


def few(rows: int) -> Callable[[Samples, np.random.Generator], Samples]:
    """So few rows to learn from."""

    def change(s: Samples, rng: np.random.Generator) -> Samples:
        return replace(s, train=(s.train[0][:rows], s.train[1][:rows]))

    return change


def missing(s: Samples, rng: np.random.Generator) -> Samples:
    """A few cells are not a number, and nobody looked."""

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        x = x.copy()
        x.reshape(len(x), -1)[rng.integers(0, len(x), 3), 0] = np.nan
        return x, y

    return each(("train",), of)(s, rng)
