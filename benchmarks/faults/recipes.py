"""Healthy programs that Workings trains itself."""

from __future__ import annotations

from faults import samples
from faults.program import CALIBRATION, TEST, Programs
from faults.recipe import Recipe


def programs() -> Programs:
    """Every family and kind of data."""
    found = Programs()
    add, a, b = found.add, CALIBRATION, TEST
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
    # Moved from the test part: its alarms led to a mend (several numbers as targets had been taken for classes).
    add("workings-lstm-series", a, "lstm", "series", s, "recurrent")
    s = Recipe(
        samples.beats,
        {"net": "gru", "width": 20, "dropout": 0.0, "horizon": 3, "window": 24, "season": 8, "epochs": 40, **adam},
        "mase",
        -1,
        files=True,
    )
    add("workings-gru-series", b, "gru", "series", s, "recurrent")
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
