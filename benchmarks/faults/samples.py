"""Samples for the programs of the bench: all made here or shipped with scikit-learn, different for each seed.

A program sees ``train`` and looks at ``val``; what its result counts by is ``test``, which no fault touches except
those that would also be there when the net is used (scales of inputs, lost inputs).

Legend: n samples, D numbers of a sample, T steps, V tokens of the vocabulary.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn import datasets

Array = np.ndarray
Part = tuple[Array, Array]


@dataclass(frozen=True)
class Samples:
    """Three parts of (x, y), rows first. classes: how many, None where y is no class number."""

    train: Part
    val: Part
    test: Part
    classes: int | None = None


Maker = Callable[[int], Samples]


def parted(x: Array, y: Array, seed: int, classes: int | None = None, limit: int | None = None) -> Samples:
    """Half to train, a fifth to look at, the rest to test; drawn anew for each seed."""
    order = np.random.default_rng([seed, 11]).permutation(len(x))[:limit]
    a, b = int(0.5 * len(order)), int(0.7 * len(order))
    train, val, test = order[:a], order[a:b], order[b:]
    return Samples((x[train], y[train]), (x[val], y[val]), (x[test], y[test]), classes)


def standardised(samples: Samples, target: bool = False) -> Samples:
    """Each number by mean and deviation of the training rows; ``target`` too."""
    x, y = samples.train
    m, s = x.mean(0), x.std(0) + 1e-6
    m_y, s_y = (y.mean(0), y.std(0) + 1e-6) if target else (0, 1)

    def of(part: Part) -> Part:
        values = ((part[1] - m_y) / s_y).astype(np.float32) if target else part[1]
        return ((part[0] - m) / s).astype(np.float32), values

    return Samples(of(samples.train), of(samples.val), of(samples.test), samples.classes)


# ----------------------------------------------------------------------------------------------- tables


def digits(shape: tuple[int, ...] = (64,), limit: int | None = None) -> Maker:
    """Handwritten digits of 8×8 pixels from 0 to 1."""

    def make(seed: int) -> Samples:
        x, y = datasets.load_digits(return_X_y=True)
        return parted((x / 16).astype(np.float32).reshape(-1, *shape), y.astype(np.int64), seed, 10, limit)

    return make


def bundled(name: str, target: bool = False) -> Maker:
    """A table of scikit-learn's, standardised."""

    def make(seed: int) -> Samples:
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        classes = None if target else int(y.max()) + 1
        y = y.astype(np.float64 if target else np.int64)
        return standardised(parted(x, y, seed, classes), target)

    return make


def friedman(n: int = 1600, noise: float = 1.0) -> Maker:
    """y of five of ten numbers, smooth and not linear (Friedman 1991)."""

    def make(seed: int) -> Samples:
        x, y = datasets.make_friedman1(n, noise=noise, random_state=seed)
        return standardised(parted(x, y, seed), True)

    return make


def moons(n: int = 1200) -> Maker:
    """Two half moons in a plane, which no line parts."""

    def make(seed: int) -> Samples:
        x, y = datasets.make_moons(n, noise=0.15, random_state=seed)
        return standardised(parted(x, y.astype(np.int64), seed, 2))

    return make


def rings(n: int = 1500) -> Maker:
    """Three rings in a plane."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng([seed, 3])
        y = rng.integers(0, 3, n)
        r, φ = 1 + y + 0.2 * rng.normal(size=n), rng.uniform(0, 2 * np.pi, n)
        return standardised(parted(np.stack([r * np.cos(φ), r * np.sin(φ)], 1), y, seed, 3))

    return make


def rare(n: int = 3000, share: float = 0.12) -> Maker:
    """Two classes, one of them rare, with some rows on the wrong side."""

    def make(seed: int) -> Samples:
        x, y = datasets.make_classification(
            n, 12, n_informative=6, weights=[1 - share], class_sep=1.2, flip_y=0.01, random_state=seed
        )
        return standardised(parted(x, y.astype(np.int64), seed, 2))

    return make


# -------------------------------------------------------------------------------------------- sequences


def waves(n: int = 900, T: int = 24) -> Maker:
    """Which of four frequencies a noisy wave has: (n, T, 1)."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng([seed, 4])
        y = rng.integers(0, 4, n)
        phase = rng.uniform(0, 2 * np.pi, (n, 1))
        x = np.sin(phase + np.arange(T) * (0.3 + 0.35 * y[:, None])) + 0.3 * rng.normal(size=(n, T))
        return parted(x[..., None].astype(np.float32), y, seed, 4)

    return make


def first_of(n: int = 1200, T: int = 20) -> Maker:
    """Which of four values the first step had; the steps after it are noise: (n, T, 5)."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng([seed, 5])
        y = rng.integers(0, 4, n)
        x = 0.3 * rng.normal(size=(n, T, 5))
        x[np.arange(n), 0, y] += 2
        return parted(x.astype(np.float32), y, seed, 4)

    return make


def swings(n: int = 900, T: int = 20) -> Maker:
    """The next value of two waves laid over each other: (n, T, 1) → (n, 1)."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng([seed, 6])
        t = np.arange(T + 1) + rng.uniform(0, 100, (n, 1))
        s = np.sin(0.5 * t) + 0.5 * np.sin(1.3 * t) + 0.1 * rng.normal(size=(n, T + 1))
        return parted(s[:, :-1, None].astype(np.float32), s[:, -1:].astype(np.float32), seed)

    return make


def swings_flat(n: int = 900, T: int = 20) -> Maker:
    """The waves of ``swings`` as rows: (n, T)."""

    def make(seed: int) -> Samples:
        s = swings(n, T)(seed)
        return Samples(*((x[..., 0], x[..., 0]) for x, _ in (s.train, s.val, s.test)))

    return make


def words(n: int = 1200, T: int = 16, V: int = 60) -> Maker:
    """Tokens from 2 on: of which of two groups of words there are more; 1 is an unknown word."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng([seed, 7])
        x = rng.integers(22, V, (n, T))
        y = rng.integers(0, 2, n)
        for i in range(n):
            own = rng.choice(T, 5, replace=False)
            other = rng.integers(0, 3)
            x[i, own] = 2 + 10 * y[i] + rng.integers(0, 10, 5)
            x[i, own[:other]] = 2 + 10 * (1 - y[i]) + rng.integers(0, 10, other)
        return parted(x.astype(np.int64), y, seed, 2)

    return make


def brackets(n: int = 800, T: int = 24) -> Maker:
    """Tokens that follow rules: a language of ten signs; y is x a step on."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng([seed, 8])
        made = np.zeros((n, T + 1), np.int64)
        for i in range(n):
            open_: list[int] = []
            for t in range(T + 1):
                if open_ and (len(open_) > 4 or rng.random() < 0.5):
                    made[i, t] = 5 + open_.pop()
                else:
                    open_.append(int(rng.integers(0, 5)))
                    made[i, t] = open_[-1]
        return parted(made[:, :-1], made[:, 1:], seed)

    return make


def reversed_(n: int = 1600, T: int = 6, V: int = 12) -> Maker:
    """A row of tokens, and after a sign (1) the same from its end: x and y are each other's shift, (n, 2T)."""

    def make(seed: int) -> Samples:
        rng = np.random.default_rng([seed, 9])
        source = rng.integers(2, V, (n, T))
        whole = np.concatenate([source, np.ones((n, 1), int), source[:, ::-1]], 1)
        y = whole[:, 1:].copy()
        y[:, :T] = -100  # the source is not to be told
        return parted(whole[:, :-1].astype(np.int64), y.astype(np.int64), seed)

    return make


def itself(maker: Maker) -> Maker:
    """The target is the sample: for nets without labels."""

    def make(seed: int) -> Samples:
        s = maker(seed)
        return Samples((s.train[0], s.train[0]), (s.val[0], s.val[0]), (s.test[0], s.test[0]))

    return make


def texts(n: int = 900) -> Maker:
    """The tokens of ``words`` as made words in texts."""

    def make(seed: int) -> Samples:
        s = words(n)(seed)
        syllables = ["ba", "de", "fi", "go", "hu", "ka", "le", "mi"]
        said = np.array([syllables[k // 8] + syllables[k % 8] for k in range(64)])

        def of(x: Array, y: Array) -> Part:
            return np.array([" ".join(said[row]) for row in x]), np.where(y == 1, "good", "bad")

        return Samples(of(*s.train), of(*s.val), of(*s.test), 2)

    return make


# ------------------------------------------------------------------------------------------------ files


def sampled(name: str, lines: int | None = None) -> Callable[[Path, int], Path]:
    """The file or folder of ``workings sample NAME``, or its first lines; the same for each seed."""

    def make(folder: Path, seed: int) -> Path:
        from workings.cli.sample import sample

        ending = {"sound": "", "dates": "", "stories": ".txt"}.get(name, ".csv")
        path = folder / f"{name}{ending}"
        with contextlib.redirect_stdout(io.StringIO()):
            sample(name, str(path))
        for file in (*path.glob("dates.*"), path) if lines else ():
            if file.is_file():
                file.write_text("".join(file.read_text(encoding="utf-8").splitlines(True)[:lines]), encoding="utf-8")
        return path / "dates.said" if name == "dates" else path

    return make


def tides(folder: Path, seed: int) -> Path:
    """A table of 420 steps of two waves laid over each other, with noise."""
    t, rng = np.arange(420), np.random.default_rng([seed, 12])
    value = np.sin(0.5 * t) + 0.5 * np.sin(1.3 * t + rng.uniform(0, 6)) + 0.1 * rng.normal(size=420)
    lines = ["step,level", *(f"{i},{v:.4f}" for i, v in zip(t.tolist(), value.tolist(), strict=True))]
    path = folder / "tides.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def beats(folder: Path, seed: int) -> Path:
    """A table of 480 steps of a beat of 8 steps whose strength rises and falls, with noise."""
    t, rng = np.arange(480), np.random.default_rng([seed, 13])
    strength = 1 + 0.5 * np.sin(t / 37 + rng.uniform(0, 6))
    value = strength * np.array([2, 0, 1, 0, 1.5, 0, 1, 0.5])[t % 8] + 0.1 * rng.normal(size=480)
    lines = ["step,beat", *(f"{i},{v:.4f}" for i, v in zip(t.tolist(), value.tolist(), strict=True))]
    path = folder / "beats.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
