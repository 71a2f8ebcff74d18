"""Healthy programs of every family and kind of data, and healthy ways to vary them.

The part of each program (calibration or test) was fixed here before any threshold was looked at: findings may be
calibrated on the one and are judged on the other. What a program ``has`` says which faults apply to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional as F

from faults import loop, models, recipe, samples
from faults.adversarial import Adversarial
from faults.loop import Elbo, Loop
from faults.recipe import Recipe

Setup = Loop | Recipe | Adversarial


@dataclass(frozen=True)
class Program:
    """name: of the program. part: calibration or test. family: of the net. kind: of the data. has: what faults need."""

    name: str
    part: Literal["calibration", "test"]
    family: str
    kind: str
    setup: Setup
    has: frozenset[str]


def _programs() -> list[Program]:
    found: list[Program] = []

    def add(name: str, part: Any, family: str, kind: str, setup: Setup, has: str) -> None:
        found.append(Program(name, part, family, kind, setup, frozenset(has.split())))

    a, b = "calibration", "test"
    SGD = torch.optim.SGD
    # ------------------------------------------------------------------------------- dense nets, tables, loops
    digits = Loop(samples.digits(limit=1200), models.mlp, {"D": 64, "K": 10})
    add("mlp-digits", a, "mlp", "table", digits, "float classes dense")
    s = Loop(
        samples.bundled("wine"),
        models.mlp,
        {"D": 13, "K": 3, "hidden": (32, 32, 32), "activation": "tanh"},
        epochs=40,
        batch=16,
    )
    add("tanh-wine", b, "mlp", "table", s, "float classes dense")
    s = Loop(
        samples.bundled("breast_cancer"),
        models.mlp,
        {"D": 30, "K": 2, "hidden": (24,), "dropout": 0.2, "norm": True},
        epochs=20,
        rate=1e-3,
    )
    add("norm-cancer", a, "mlp", "table", s, "float classes dense norm dropout")
    s = Loop(
        samples.rings(),
        models.mlp,
        {"D": 2, "K": 3, "hidden": (24,) * 6},
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=25,
    )
    add("deep-rings", a, "mlp", "table", s, "float classes dense deep sgd")
    s = Loop(
        samples.digits(limit=1200),
        models.mlp,
        {"D": 64, "K": 10, "hidden": (48,) * 4, "dropout": 0.1},
        optimiser=SGD,
        rate=0.03,
        start=he,
        more={"momentum": 0.9},
        epochs=20,
    )
    add("deep-digits", b, "mlp", "table", s, "float classes dense deep sgd dropout")
    s = Loop(
        samples.moons(),
        models.mlp,
        {"D": 2, "K": 2, "hidden": (32, 32)},
        optimiser=SGD,
        rate=0.2,
        more={"momentum": 0.9},
        epochs=25,
    )
    add("sgd-moons", b, "mlp", "table", s, "float classes dense sgd")
    s = Loop(
        samples.friedman(),
        models.mlp,
        {"D": 10, "K": 1, "hidden": (48, 48)},
        loop.squared,
        loop.explained,
        epochs=15,
        more={"weight_decay": 1e-4},
    )
    add("mlp-friedman", a, "mlp", "table", s, "float values dense")
    s = Loop(
        samples.friedman(1200, 2.0),
        models.mlp,
        {"D": 10, "K": 1, "hidden": (24, 24), "activation": "tanh"},
        loop.squared,
        loop.explained,
        SGD,
        0.03,
        {"momentum": 0.9},
        epochs=30,
    )
    add("tanh-friedman", b, "mlp", "table", s, "float values dense sgd")
    s = Loop(
        samples.rare(),
        models.mlp,
        {"D": 12, "K": 2, "hidden": (32, 32), "dropout": 0.1},
        Weighted((1.0, 6.0)),
        epochs=10,
        rate=1e-3,
    )
    add("weighted-rare", a, "mlp", "table", s, "float classes dense dropout rare")
    s = Loop(
        samples.rare(share=0.2),
        models.mlp,
        {"D": 12, "K": 2, "hidden": (24,), "norm": True},
        Weighted((1.0, 4.0)),
        epochs=10,
        rate=1e-3,
    )
    add("norm-rare", b, "mlp", "table", s, "float classes dense norm rare")
    # ------------------------------------------------------------------------------------- images, loops
    pictures = samples.digits((1, 8, 8), 1000)
    s = Loop(pictures, models.cnn, {"K": 10, "dropout": 0.2}, epochs=10)
    add("cnn-digits", a, "cnn", "images", s, "float classes dense dropout")
    s = Loop(
        pictures,
        models.cnn,
        {"K": 10, "hidden": (16, 16), "norm": True},
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=8,
    )
    add("norm-cnn-digits", b, "cnn", "images", s, "float classes dense norm sgd")
    s = Loop(
        pictures,
        models.resnet,
        {"K": 10, "width": 8, "blocks": 1},
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=8,
        schedule="cosine",
    )
    add("resnet-digits", a, "resnet", "images", s, "float classes norm sgd")
    s = Loop(pictures, models.resnet, {"K": 10, "width": 10, "blocks": 2}, epochs=6, rate=2e-3)
    add("deep-resnet-digits", b, "resnet", "images", s, "float classes norm")
    # ---------------------------------------------------------------------------------- sequences, loops
    s = Loop(
        samples.waves(), models.Recurrent, {"K": 4, "D": 1, "width": 24, "cell": "lstm"}, epochs=12, rate=1e-2, clip=1.0
    )
    add("lstm-waves", a, "lstm", "series", s, "float classes recurrent")
    s = Loop(
        samples.waves(T=20),
        models.Recurrent,
        {"K": 4, "D": 1, "width": 24, "cell": "gru"},
        epochs=12,
        rate=1e-2,
        clip=1.0,
    )
    add("gru-waves", b, "gru", "series", s, "float classes recurrent")
    s = Loop(
        samples.swings(),
        models.Recurrent,
        {"K": 1, "D": 1, "width": 24, "cell": "rnn"},
        loop.squared,
        loop.explained,
        epochs=15,
        clip=1.0,
    )
    add("rnn-swings", a, "rnn", "series", s, "float values recurrent")
    s = Loop(
        samples.swings(T=24),
        models.Recurrent,
        {"K": 1, "D": 1, "width": 20, "cell": "lstm"},
        loop.squared,
        loop.explained,
        epochs=15,
        rate=5e-3,
    )
    add("lstm-swings", b, "lstm", "series", s, "float values recurrent")
    s = Loop(
        samples.first_of(T=12),
        models.Recurrent,
        {"K": 4, "D": 5, "width": 24, "cell": "gru"},
        epochs=12,
        rate=1e-2,
        clip=1.0,
    )
    add("gru-first", a, "gru", "series", s, "float classes recurrent long")
    s = Loop(
        samples.first_of(T=10),
        models.Recurrent,
        {"K": 4, "D": 5, "width": 24, "cell": "lstm"},
        epochs=16,
        rate=1e-2,
        clip=1.0,
    )
    add("lstm-first", b, "lstm", "series", s, "float classes recurrent long")
    s = Loop(samples.words(), models.Bag, {"K": 2, "V": 60, "dropout": 0.2}, epochs=10)
    add("bag-words", a, "mlp", "texts", s, "tokens classes dense dropout")
    s = Loop(
        samples.words(1500),
        models.Recurrent,
        {"K": 2, "V": 60, "width": 24, "cell": "lstm"},
        epochs=10,
        rate=1e-2,
        clip=1.0,
        more={"weight_decay": 1e-4},
    )
    add("lstm-words", b, "lstm", "texts", s, "tokens classes recurrent")
    s = Loop(samples.words(), models.Encoder, {"K": 2, "V": 60, "T": 16, "dropout": 0.2}, epochs=6, rate=1e-3)
    add("encoder-words", a, "transformer", "texts", s, "tokens classes attention dropout")
    s = Loop(
        samples.words(),
        models.Encoder,
        {"K": 2, "V": 60, "T": 16, "width": 24, "layers": 2, "dropout": 0.2},
        epochs=6,
        rate=1e-3,
        schedule="warm-up",
    )
    add("deep-encoder-words", b, "transformer", "texts", s, "tokens classes attention dropout")
    s = Loop(
        samples.brackets(500),
        models.GPT,
        {"V": 10, "T": 24},
        loop.token_cross_entropy,
        loop.nats_of_tokens,
        epochs=10,
        clip=1.0,
    )
    add("gpt-brackets", a, "gpt", "language", s, "tokens language attention")
    s = Loop(
        samples.reversed_(1200, 5),
        models.GPT,
        {"V": 12, "T": 10},
        loop.token_cross_entropy,
        loop.nats_of_tokens,
        epochs=12,
        rate=5e-3,
        clip=1.0,
    )
    add("gpt-reversed", b, "gpt", "pairs", s, "tokens language attention")
    s = Loop(
        samples.brackets(T=20),
        models.Speller,
        {"V": 10, "cell": "gru"},
        loop.token_cross_entropy,
        loop.nats_of_tokens,
        epochs=12,
        rate=1e-2,
        clip=1.0,
    )
    add("gru-brackets", b, "gru", "language", s, "tokens language recurrent")
    # ------------------------------------------------------------------------------ without labels, loops
    s = Loop(
        samples.itself(samples.digits(limit=1200)),
        models.mlp,
        {"D": 64, "K": 64, "hidden": (48, 12, 48)},
        loop.squared,
        loop.explained,
        epochs=20,
    )
    add("autoencoder-digits", a, "autoencoder", "images", s, "float dense unlabelled")
    s = Loop(
        samples.itself(samples.swings_flat()),
        models.mlp,
        {"D": 20, "K": 20, "hidden": (32, 8, 32), "activation": "tanh"},
        loop.squared,
        loop.explained,
        epochs=20,
    )
    add("autoencoder-swings", b, "autoencoder", "series", s, "float dense unlabelled")
    s = Loop(samples.itself(samples.digits(limit=1200)), models.VAE, {"D": 64}, Elbo(), loop.likelihood, epochs=20)
    add("vae-digits", a, "vae", "images", s, "float vae dense unlabelled")
    s = Loop(
        samples.itself(samples.digits()),
        models.VAE,
        {"D": 64, "Z": 8, "width": 48, "activation": "tanh"},
        Elbo(),
        loop.likelihood,
        epochs=15,
    )
    add("tanh-vae-digits", b, "vae", "images", s, "float vae dense unlabelled")
    add("gan-ring", a, "gan", "table", Adversarial(modes=6), "gan")
    add("gan-line", b, "gan", "table", Adversarial(modes=4, shape="line"), "gan")
    # --------------------------------------------------------------------------------- trained by Workings
    adam = {"optimiser": "adam", "learning_rate": 3e-3}
    sgd = {"optimiser": "sgd", "momentum": 0.9, "learning_rate": 0.05}
    s = Recipe(samples.digits(limit=1200), {"net": "mlp", "epochs": 10, **adam})
    add("workings-mlp-digits", a, "mlp", "table", s, "float classes dense")
    s = Recipe(
        samples.bundled("breast_cancer"),
        {"net": "mlp", "epochs": 30, "hidden": [24, 24], "batch_norm": True, "dropout": 0.2, **adam},
    )
    add("workings-norm-cancer", b, "mlp", "table", s, "float classes dense norm dropout")
    s = Recipe(samples.friedman(), {"net": "mlp", "epochs": 20, **adam}, "r2")
    add("workings-mlp-friedman", a, "mlp", "table", s, "float values dense")
    s = Recipe(samples.rings(), {"net": "mlp", "hidden": [24] * 6, "epochs": 25, **sgd})
    add("workings-deep-rings", b, "mlp", "table", s, "float classes dense deep sgd")
    pictures = samples.digits((1, 8, 8), 900)
    s = Recipe(
        pictures,
        {
            "net": "cnn",
            "channels": [12, 24],
            "dense": [32],
            "dropout": 0.1,
            "epochs": 16,
            "augmentation": "none",
            **adam,
        },
    )
    add("workings-cnn-digits", b, "cnn", "images", s, "float classes dense dropout")
    s = Recipe(
        pictures,
        {"net": "resnet", "stem": 8, "widths": [8, 16], "blocks": [1, 0], "epochs": 14, "augmentation": "none", **adam},
    )
    add("workings-resnet-digits", a, "resnet", "images", s, "float classes norm")
    words = {
        "tokens": "word",
        "dropout": 0.1,
        "epochs": 10,
        "batch_size": 32,
        **adam,
        "learning_rate": 1e-2,
        "schedule": "constant",
    }
    s = Recipe(samples.texts(1200), {"net": "lstm", "embedding": 16, "width": 24, "pooling": "last", **words})
    add("workings-lstm-texts", a, "lstm", "texts", s, "texts classes recurrent dropout")
    s = Recipe(
        samples.texts(1200),
        {
            "net": "gru",
            "embedding": 24,
            "width": 32,
            "pooling": "max",
            **words,
            "batch_size": 16,
            "learning_rate": 3e-3,
        },
    )
    add("workings-gru-texts", b, "gru", "texts", s, "texts classes recurrent dropout")
    s = Recipe(
        samples.texts(1200), {"net": "transformer-encoder", "layers": 1, "width": 32, **words, "learning_rate": 3e-3}
    )
    add("workings-encoder-texts", b, "transformer", "texts", s, "texts classes attention dropout")
    s = Recipe(
        samples.sampled("stories", 500),
        {
            "net": "gpt",
            "layers": 2,
            "width": 32,
            "length": 48,
            "batch_size": 16,
            "tokens": "character",
            "epochs": 4,
            "learning_rate": 5e-3,
            "optimiser": "adamw",
        },
        "perplexity",
        -1,
        files=True,
    )
    add("workings-gpt-stories", a, "gpt", "language", s, "attention")
    s = Recipe(
        samples.sampled("dates", 1200),
        {
            "net": "encoder-decoder",
            "width": 64,
            "embedding": 32,
            "dropout": 0.1,
            "epochs": 6,
            "batch_size": 32,
            "optimiser": "adam",
            "learning_rate": 5e-3,
        },
        "perplexity",
        -1,
        files=True,
    )
    add("workings-seq2seq-dates", b, "encoder-decoder", "pairs", s, "recurrent")
    s = Recipe(
        samples.tides,
        {"net": "lstm", "width": 24, "dropout": 0.0, "horizon": 2, "window": 20, "season": 12, "epochs": 40, **adam},
        "mase",
        -1,
        files=True,
    )
    add("workings-lstm-series", b, "lstm", "series", s, "recurrent")
    s = Recipe(
        samples.sampled("sound"),
        {"net": "spectral-cnn", "widths": [8, 16], "epochs": 15, "dropout": 0.1, **adam},
        files=True,
    )
    add("workings-sound", a, "cnn", "sound", s, "norm")
    free = {"task": "unsupervised", "augmentation": "none"}
    s = Recipe(
        samples.digits((1, 8, 8), 900),
        {"net": "autoencoder", "coder": "dense", "hidden": [48], "code": 12, "epochs": 60, **free, **adam},
        "explained",
    )
    add("workings-autoencoder-digits", b, "autoencoder", "images", s, "dense")
    s = Recipe(
        samples.digits((1, 8, 8), 900),
        {"net": "vae", "coder": "dense", "hidden": [64], "code": 6, "epochs": 25, **free, **adam},
        "nats_per_sample",
        -1,
    )
    add("workings-vae-digits", b, "vae", "images", s, "vae dense")
    s = Recipe(
        samples.digits((1, 8, 8), 900),
        {"net": "rbm", "units": 32, "epochs": 40, "batch_size": 20, "binarise": 0.5, "learning_rate": 0.1, **free},
        "pseudo_log_likelihood",
    )
    add("workings-rbm-digits", a, "rbm", "images", s, "rbm")
    s = Recipe(
        samples.digits((1, 8, 8), 900),
        {
            "net": "rbm",
            "units": 24,
            "chains": 0,
            "epochs": 30,
            "batch_size": 20,
            "binarise": 0.5,
            "learning_rate": 0.1,
            **free,
        },
        "pseudo_log_likelihood",
    )
    add("workings-cd-digits", b, "rbm", "images", s, "rbm")
    return found


@dataclass(frozen=True)
class Weighted:
    """Cross-entropy with a weight for each class."""

    weights: tuple[float, ...]

    def __call__(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(out, y, torch.tensor(self.weights))


@dataclass(frozen=True)
class Smoothed:
    """Cross-entropy with smoothed labels: its loss has a floor well above 0."""

    share: float = 0.1

    def __call__(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(out, y, label_smoothing=self.share)


def he(model: nn.Module) -> None:
    """He's initialisation of dense layers (He et al. 2015)."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


def absolute(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.l1_loss(out.reshape(y.shape), y)


def first_frozen(model: nn.Module) -> None:
    """The first layer keeps its random features, on purpose and declared."""
    next(model.parameters()).requires_grad_(False)


Vary = Callable[[Program], Setup | None]


def _rate(factor: float) -> Vary:
    def vary(program: Program) -> Setup | None:
        s = program.setup
        if isinstance(s, Recipe):
            if "rbm" in program.has:
                return None
            return replace(s, settings={**s.settings, "learning_rate": factor * s.settings["learning_rate"]})
        return replace(s, rate=factor * s.rate)

    return vary


def _schedule(name: str) -> Vary:
    def vary(program: Program) -> Setup | None:
        s = program.setup
        return replace(s, schedule=name) if isinstance(s, Loop) else None

    return vary


def _batch(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Recipe):
        return None if s.files else replace(s, settings={**s.settings, "batch_size": 16})
    return replace(s, batch=s.batch // 2)


def _wide(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Adversarial) or "hidden" not in s.settings:
        return None
    hidden = tuple(int(1.5 * width) for width in s.settings["hidden"])
    return replace(s, settings={**s.settings, "hidden": list(hidden) if isinstance(s, Recipe) else hidden})


def _accumulated(program: Program) -> Setup | None:
    """Two small batches to a step: no zero_grad between their backward passes, and rightly so."""
    s = program.setup
    return replace(s, accumulate=2, batch=s.batch // 2) if isinstance(s, Loop) and "norm" not in program.has else None


def _smoothed(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Loop):
        return replace(s, loss=Smoothed()) if s.loss is loop.cross_entropy else None
    if isinstance(s, Recipe) and "classes" in program.has and s.settings["net"] != "rbm":
        return replace(s, settings={**s.settings, "label_smoothing": 0.1}) if program.kind == "images" else None
    return None


def _absolute(program: Program) -> Setup | None:
    s = program.setup
    return replace(s, loss=absolute) if isinstance(s, Loop) and s.loss is loop.squared else None


def _frozen(program: Program) -> Setup | None:
    s = program.setup
    if not isinstance(s, Loop) or "dense" not in program.has or "deep" in program.has:
        return None
    given = _trained_ones
    return replace(s, start=first_frozen, given=given)


def _trained_ones(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.requires_grad]


def _sparse(program: Program) -> Setup | None:
    """Hidden biases begin below 0: four of five ReLU outputs are 0, and all units live."""
    s = program.setup
    dense = isinstance(s, Loop) and s.model is models.mlp and s.settings.get("activation", "relu") == "relu"
    return replace(s, start=_low_biases) if dense and isinstance(s, Loop) else None


def _low_biases(model: nn.Module) -> None:
    for layer in list(model.modules())[1:-1]:
        if isinstance(layer, nn.Linear):
            layer.bias -= 0.4


# Healthy ways to vary a program; the last six are the hard ones, which look like faults.
VARIATIONS: dict[str, Vary] = {
    "half-rate": _rate(0.5),
    "rate-up": _rate(1.5),
    "small-batch": _batch,
    "wide": _wide,
    "cosine": _schedule("cosine"),
    "warm-up": _schedule("warm-up"),
    "restarts": _schedule("restarts"),
    "accumulated": _accumulated,
    "smoothed": _smoothed,
    "absolute": _absolute,
    "frozen-on-purpose": _frozen,
    "sparse": _sparse,
}

PROGRAMS: list[Program] = _programs()


def run(setup: Setup, seed: int) -> loop.Result:
    """Train a program once."""
    if isinstance(setup, Loop):
        return loop.run(setup, seed)
    return setup.run(seed) if isinstance(setup, Adversarial) else recipe.run(setup, seed)
