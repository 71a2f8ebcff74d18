"""Settling greedy layer-wise pre-training: whether, of which kind, and how long."""

from __future__ import annotations

import math

from workings.base.errors import UserError
from workings.base.problems import Problem
from workings.learning.init import suited
from workings.runs.pretraining import BATCH
from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, Settling, clamp, setting

NETS = ("mlp", "dbn")
STEPS = 1000
# Of images; found on validation digits, ten labels a class: with 100 steps 0.79 of them are right, with 400 0.87.
FINE_STEPS, FEW, FEW_BATCH = 400, 300, 32
LABELS = ("binary", "multiclass", "regression")


def kind_of(recipe: Recipe) -> str:
    """What pre-training there is, or will be once it is settled."""
    usual = "rbm" if recipe.net == "dbn" or recipe.unlabelled is not None else "none"
    return recipe.pretraining or usual


def unit_pixels(recipe: Recipe) -> str | None:
    """Why pixels are to stay 0…1, where they are."""
    if (recipe.net == "dbn" or kind_of(recipe) == "rbm") and recipe.net_settings.get("visible", "auto") != "gaussian":
        return "Boltzmann machines take a pixel from 0 to 1 for the probability of a 1; they are not standardised"
    return None


def check_pretraining(recipe: Recipe, facts: Facts) -> None:
    """Refuse what does not go together.

    Raises:
        UserError: all of it.
    """
    kind = recipe.pretraining
    wanted = kind not in (None, "none") or recipe.unlabelled is not None
    problems = []
    if wanted and (recipe.net not in (*NETS, "auto") or facts.task not in LABELS):
        asked = f"pretraining={kind}" if kind not in (None, "none") else "unlabelled"
        what = f"{asked} is for the nets {' and '.join(NETS)} and for labels; the net is {recipe.net}, "
        what += f"the task {facts.task}."
        do = "Leave it out, or use --net mlp." if facts.task in LABELS else "Leave it out."
        if facts.task == "unsupervised":
            do = "Leave it out: without labels all samples belong into the data itself."
        problems.append(_error("no-pretraining", what, do))
    if recipe.unlabelled is not None and kind == "none":
        what = "Unlabelled samples are given, but pretraining is none, so nothing would see them."
        problems.append(_error("unlabelled-unused", what, "Give pretraining=rbm, or leave unlabelled out."))
    if recipe.unlabelled is not None and kind == "supervised":
        what = "Unlabelled samples are given, but supervised pre-training learns from labels."
        problems.append(_error("unlabelled-unused", what, "Give pretraining=rbm, autoencoder or denoising."))
    if recipe.corruption is not None and kind != "denoising":
        what = "corruption is the noise of denoising pre-training only."
        problems.append(_error("corruption-unused", what, "Give pretraining=denoising, or leave it out."))
    activation = recipe.net_settings.get("activation", "sigmoid")
    if kind == "rbm" and activation != "sigmoid":
        what = f"A Boltzmann machine's units are sigmoids; the activation is {activation}."
        problems.append(_error("rbm-of-another-activation", what, "Leave activation out, or use another pretraining."))
    if problems:
        raise UserError(problems)


def settle_pretraining(s: Settling, facts: Facts) -> None:
    """Fill what concerns pre-training; nothing where there is none."""
    if s.recipe.net == "dbn":
        setting(s, "output", True, "the task has labels")
    kind = kind_of(s.recipe)
    if s.recipe.net == "dbn":
        small = "small weights, so that the units of a Boltzmann machine begin undecided"
        s.fill("initialisation", *(("own", small) if kind == "rbm" else suited("sigmoid")))
    if kind == "none":
        return
    s.fill("pretraining", kind, "each layer first learns what its samples are like, then the net their labels")
    n = facts.n + facts.unlabelled
    batch = BATCH if facts.unlabelled else s.recipe.batch_size or BATCH
    per_epoch = max(1.0, n / (n if batch == "all" else min(n, int(batch))))
    epochs = float(clamp(math.ceil(STEPS / per_epoch), 5, 100))
    s.fill("pretraining_epochs", epochs, f"for each layer: about {STEPS:,} steps for {n:,} samples, 5 to 100 epochs")
    if facts.is_image and facts.n < FEW:
        size = s.recipe.batch_size or FEW_BATCH
        rows = facts.n if size == "all" else min(facts.n, int(size))
        epochs = float(math.ceil(FINE_STEPS * rows / facts.n))
        s.fill("epochs", epochs, f"about {FINE_STEPS} steps of fine-tuning: what the layers know does not wear off")
    if kind == "rbm":
        setting(s, "activation", "sigmoid", "a Boltzmann machine's units are sigmoids")
        s.fill("pretraining_rate", 0.1, "a usual rate of contrastive divergence; a tenth where units see numbers")
    else:
        s.fill("pretraining_rate", 1e-3, "the usual rate of adam")
    if kind == "denoising":
        s.fill("corruption", 0.25, "a quarter of the numbers a layer sees are set to 0, and are to be guessed")


def _error(code: str, what: str, do: str) -> Problem:
    return Problem("error", code, what, do=do)
