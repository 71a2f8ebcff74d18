"""The recipe of a generative adversarial network, where it differs from that of other nets without labels."""

from __future__ import annotations

import math

import torch

from workings.nets.gan import usual_noise
from workings.runs.settle import Facts, Settling, clamp, setting

AVERAGE = 0.995
STEPS = 8000  # of images; of rows of tables as many


def settle(s: Settling, facts: Facts) -> None:
    """See :mod:`workings.runs.settle_unsupervised`."""
    image = facts.is_image
    setting(s, "code", usual_noise(facts.shape), "numbers of noise that a sample is made from")
    penalty = s.recipe.net_settings.get("penalty", "r1")
    if penalty == "wgan-gp":
        setting(s, "penalty_strength", 10.0, "as its authors have it")
    elif penalty == "r1":
        setting(s, "penalty_strength", 1.0 if image else 0.1, "what was learnt fastest with, by validation samples")
    threads = (s.recipe.threads or torch.get_num_threads()) if image else 1
    s.fill("lane", f"eager@{threads}", "the two players' turns have one way to be executed", ("auto",))
    s.fill("batch_size", min(facts.n, 64 if image else 256), "small batches: a game needs many turns")
    per_epoch = max(1.0, facts.n / (facts.n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or 64)))
    epochs = float(clamp(math.ceil(STEPS / per_epoch), 10, 1000))
    s.fill("epochs", epochs, f"about {STEPS:,} turns of each player for {facts.n:,} samples, 10 to 1,000 epochs")
    s.fill("optimiser", "adam", "it scales each weight's step by how large its gradients were")
    beta1 = {"beta1": 0.5} if s.recipe.optimiser in ("adam", "adamw") else {}
    s.fill("weight_decay", 0.0, "the penalty is what holds the players")
    wanted = {**beta1, "weight_decay": s.recipe.weight_decay or 0.0} | dict(s.recipe.optimiser_settings)
    if wanted != s.recipe.optimiser_settings:
        s.put("optimiser_settings", wanted, "little momentum: the other player turns the slope at each step")
    if penalty == "r1":
        s.fill("learning_rate", 2e-3, "large for a game: the penalty on the discriminator's slope holds it")
    s.fill("learning_rate", 2e-4, "small steps, so that neither player outruns the other")
    s.fill("schedule", "constant", "a game has no minimum to settle in; the averaged weights are what settles")
    s.fill("warmup", 0.0, "the players start alike")
    s.fill("average", AVERAGE, "the players circle; the mean of their weights lies nearer to the middle")
    if facts.n_val:
        s.fill("monitor", "energy_distance", "how far draws are from validation samples; no loss says it")
