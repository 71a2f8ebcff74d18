"""Healthy loops of PyTorch that learn from samples alone."""

from __future__ import annotations

from faults import loop, models, samples
from faults.adversarial import Adversarial
from faults.loop import Elbo, Loop
from faults.program import CALIBRATION, TEST, Programs


def programs() -> Programs:
    """Autoencoders, variational ones, players against each other."""
    found = Programs()
    add, a, b = found.add, CALIBRATION, TEST
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
    # Moved from the test part: its alarms led to a mend (several numbers as targets had been taken for classes).
    add("autoencoder-swings", a, "autoencoder", "series", s, "float dense unlabelled")
    s = Loop(
        samples.itself(samples.bundled("breast_cancer")),
        models.mlp,
        {"D": 30, "K": 30, "hidden": (24, 8, 24)},
        loop.squared,
        loop.explained,
        epochs=30,
    )
    add("autoencoder-cells", b, "autoencoder", "tables", s, "float dense unlabelled")
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
    return found
