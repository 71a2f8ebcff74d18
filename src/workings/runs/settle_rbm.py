"""Settling the recipe of a restricted Boltzmann machine, where it differs from other nets without labels."""

from __future__ import annotations

import math

import torch

from workings.base.errors import UserError
from workings.base.problems import Problem
from workings.nets.visible import Visible
from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, Settling, clamp, setting

STEPS = 8000
FEWEST_PRODUCTS = 4_000_000  # of a pass that more than one thread is worth it for


def reading(recipe: Recipe) -> tuple[str, object, str] | None:
    """How images are read where nobody says: the option, its value and why; None to leave them as they are."""
    if recipe.net_settings.get("visible", "auto") == "gaussian":
        return None
    return "binarise", 0.5, "binary units know 0 and 1 only: a pixel above half is 1; visible=gaussian keeps greys"


def settle(s: Settling, facts: Facts) -> None:
    """Fill what is otherwise, before the common values."""
    refuse_what_is_not_its_own(s.recipe)
    n, V = facts.n, math.prod(facts.shape)
    setting(s, "units", clamp(V // 3, 8, 256), f"a third of the {V:,} numbers of a sample, 8 to 256")
    numbers = has_numbers(s.recipe, facts)
    s.fill("batch_size", min(n, 50), "in the same time likelier on validation digits than 100")
    batch = n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or 50)
    setting(s, "chains", min(batch, 100), "one for each sample of a batch, 100 at most")
    per_epoch = max(1.0, n / batch)
    epochs = float(clamp(math.ceil(STEPS / per_epoch), 10, 300))
    s.fill("epochs", epochs, f"about {STEPS:,} steps for {n:,} samples, 10 to 300 epochs")
    s.fill("optimiser", "sgd", "contrastive divergence has steps of its own: along its estimate, with momentum")
    s.fill("momentum", 0.5, "carries steps over the noise of the estimate")
    s.fill("weight_decay", 1e-3, "small weights keep the chains mixing; likelier on validation digits than 0.0001")
    if numbers:
        s.fill("learning_rate", 0.01, "a tenth of the rate of binary units: numbers have no bound (Hinton 2012)")
    else:
        s.fill("learning_rate", 0.1, "of 0.02 to 0.2 the likeliest on validation digits")
    s.fill("schedule", "linear", "η falls to 0, so that the chains can follow the weights to the end (Tieleman 2008)")
    s.fill("warmup", 0.0, "the first estimates are as good as later ones")
    work = batch * V * int(s.recipe.net_settings.get("units", 256))
    threads = 1 if work < FEWEST_PRODUCTS else s.recipe.threads or torch.get_num_threads()
    why = f"contrastive divergence has one way to be executed; {work:,} products for each pass through the weights"
    s.fill("lane", f"eager@{threads}", why, ("auto",))
    if facts.n_val and not numbers:
        s.fill("monitor", "pseudo_log_likelihood", "a good reconstruction is no sign of a good model: Hinton 2012")
    else:
        s.fill("keep_best", False, "what can be looked at on the way does not say which weights are the likeliest")


def has_numbers(recipe: Recipe, facts: Facts) -> bool:
    """Whether some of the visible units are not binary."""
    kind = recipe.net_settings.get("visible", "auto")
    auto = Visible("binary" if facts.is_image else "gaussian", facts.form.columns)
    return (auto.kind if kind == "auto" else kind) != "binary"


def refuse_what_is_not_its_own(recipe: Recipe) -> None:
    """Settings of gradient descent that contrastive divergence has no place for."""
    given = {
        "optimiser": recipe.optimiser not in (None, "sgd"),
        "l1": recipe.l1 > 0,
        "l2": recipe.l2 > 0,
        "clip_norm": recipe.clip_norm is not None,
        "clip_value": recipe.clip_value is not None,
        "lane": recipe.lane != "auto" and not recipe.lane.startswith("eager@"),
    }
    problems = [
        Problem(
            "error",
            "not-of-this-rule",
            f"The net '{recipe.net}' learns by contrastive divergence, which knows no {name}={getattr(recipe, name)}.",
            do="Leave it out; learning_rate, momentum, weight_decay and schedule are what it knows.",
        )
        for name, is_given in given.items()
        if is_given
    ]
    if problems:
        raise UserError(problems)
