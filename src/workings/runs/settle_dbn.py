"""Settling the recipe of a deep belief network without labels, where it differs from other nets."""

from __future__ import annotations

import math

import torch

from workings.runs.pretraining import BATCH, DECAY, MOMENTUM
from workings.runs.settle import Facts, Settling, clamp
from workings.runs.settle_rbm import refuse_what_is_not_its_own

STEPS = 5000


def settle(s: Settling, facts: Facts) -> None:
    """Fill what is otherwise, before the common values."""
    refuse_what_is_not_its_own(s.recipe)
    n = facts.n
    s.fill("batch_size", min(n, BATCH), f"for {n:,} samples")
    per_epoch = max(1.0, n / (n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or BATCH)))
    epochs = float(clamp(math.ceil(STEPS / per_epoch), 5, 200))
    s.fill("epochs", epochs, f"for each layer: about {STEPS:,} steps for {n:,} samples")
    s.fill("optimiser", "sgd", "contrastive divergence has steps of its own: along its estimate, with momentum")
    s.fill("momentum", MOMENTUM, "carries steps over the noise of the estimate")
    s.fill("weight_decay", DECAY, "small weights keep the chains mixing")
    s.fill("learning_rate", 0.1, "a usual rate of contrastive divergence; a tenth of it where units see numbers")
    s.fill("schedule", "linear", "η falls to 0 in each layer, so that its statistics settle")
    s.fill("warmup", 0.0, "the first estimates are as good as later ones")
    threads = s.recipe.threads or torch.get_num_threads()
    s.fill("lane", f"eager@{threads}", "contrastive divergence has one way to be executed", ("auto",))
    s.fill("keep_best", False, "a good reconstruction is no sign of a good model, so the last weights are kept")
