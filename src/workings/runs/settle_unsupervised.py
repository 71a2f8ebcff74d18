"""Settling the recipe of a net that learns from samples alone: what all of them share.

A net whose rule is another, or that needs other values, has a part of its own in ``_PARTS``: one function
``settle(s, facts)`` that fills what is otherwise, before the common values.
"""

from __future__ import annotations

import math
from importlib import import_module

from workings.base.events import Decided, Emit
from workings.data.images.opening import looks_like_images
from workings.nets.coders import usual_code
from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, Settling, clamp, imbalance, schedule, setting

STEPS = 3000
_PARTS: dict[str, str] = {
    "gan": "workings.runs.settle_gan",
    "vae": "workings.runs.settle_vae",
    "rbm": "workings.runs.settle_rbm",
    "dbn": "workings.runs.settle_dbn",
}


# Nets that images are read otherwise for: modules with ``reading(recipe)``, an option, its value and why, or None.
_READING: dict[str, str] = {"rbm": "workings.runs.settle_rbm"}


def settle_reading(recipe: Recipe, data: object, emit: Emit) -> Recipe:
    """How what was brought is to be read for the net, where the user did not say."""
    found = None
    if recipe.net in _READING and recipe.task in (None, "unsupervised") and looks_like_images(data):
        found = import_module(_READING[recipe.net]).reading(recipe)
    if found is None or found[0] in recipe.data_options:
        return recipe
    name, value, reason = found
    emit(Decided(name, value, reason))
    return recipe.settled("data_options", {**recipe.data_options, name: value}, f"{name}: {reason}")


def settle_unsupervised(s: Settling, facts: Facts) -> Recipe:
    """The recipe with everything settled that can be settled without measuring."""
    n, D = facts.n, math.prod(facts.shape)
    s.fill("net", "autoencoder", "the samples are to be learnt, without labels", ("auto",))
    if s.recipe.net in _PARTS:
        import_module(_PARTS[s.recipe.net]).settle(s, facts)
    s.fill("loss", "own", "the net's own objective")
    setting(s, "code", usual_code(D), f"a quarter of the {D:,} numbers of a sample, at most 32")
    s.fill("batch_size", min(n, 128), f"for {n:,} samples")
    per_epoch = max(1.0, n / (n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or 128)))
    epochs = float(clamp(math.ceil(STEPS / per_epoch), 10, 200))
    s.fill("epochs", epochs, f"about {STEPS:,} steps for {n:,} samples, 10 to 200 epochs; the best weights are kept")
    s.fill("optimiser", "adam", "it scales each weight's step by how large its gradients were")
    s.fill("weight_decay", 0.0, "the narrow code is what keeps the net from copying")
    s.fill("initialisation", "own", "each layer draws its weights as torch does")
    s.fill("learning_rate", 1e-3, "the usual rate of adam")
    imbalance(s, facts)
    optimiser = {"weight_decay": s.recipe.weight_decay or 0.0} | dict(s.recipe.optimiser_settings)
    if optimiser != s.recipe.optimiser_settings:
        s.put("optimiser_settings", optimiser, "from weight_decay")
    s.fill("average", 0.0, "the weights themselves are kept")
    schedule(s, "cosine", "η falls to 0 along half a cosine: large steps first, small ones to settle", 0.05)
    s.fill("augmentation", "none", "the samples are what is learnt, as they are", ("auto",))
    if facts.n_val == 0:
        s.fill("keep_best", False, "there are no validation rows to judge by")
    s.fill("keep_best", True, "the weights with the best validation value are kept")
    s.fill("monitor", "loss", "what is minimised")
    return s.recipe
