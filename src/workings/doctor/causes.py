"""From findings to causes: which may lie behind a symptom, in the order in which they are asked after.

A cause is a code like that of a finding; where a symptom is its own cause, it stands in its own list. It is a guess
until its trial: ``named`` gives the causes whose cures did better beyond their interval.
"""

from __future__ import annotations

from collections.abc import Sequence

from workings.base.finding import Finding
from workings.doctor.cures import Case, Cure, every
from workings.nets import registry
from workings.runs.recipe import Recipe

# Of each symptom, the causes in the order in which they are asked after.
BEHIND: dict[str, tuple[str, ...]] = {
    "nonfinite": ("rate-too-high", "exploding-gradient", "bad-start", "unscaled-inputs", "rbm-rate"),
    "exploding-gradient": (
        "rate-too-high",
        "bad-start",
        "exploding-gradient",
        "unscaled-inputs",
        "forgetting-gradient",
    ),
    "vanishing-gradient": ("bad-start", "vanishing-gradient", "saturated", "rate-too-low", "no-nonlinearity"),
    "dead-relu": ("rate-too-high", "bad-start", "dead-relu", "unscaled-inputs"),
    "saturated": ("rate-too-high", "bad-start", "vanishing-gradient", "saturated", "unscaled-inputs"),
    "rate-too-high": ("rate-too-high", "exploding-gradient", "oscillating"),
    "rate-too-low": ("rate-too-low", "over-regularised", "bad-start", "underfitting"),
    "oscillating": ("rate-too-high", "oscillating", "no-shuffle", "exploding-gradient"),
    "plateau": (
        "rate-too-high",
        "rate-too-low",
        "bad-start",
        "over-regularised",
        "vanishing-gradient",
        "saturated",
        "dead-relu",
        "no-shuffle",
        "wrong-loss",
        "underfitting",
    ),
    "underfitting": (
        "over-regularised",
        "rate-too-low",
        "underfitting",
        "no-nonlinearity",
        "rate-too-high",
        "bad-start",
        "no-shuffle",
    ),
    "overfitting": ("overfitting", "label-noise", "rate-too-high"),
    "over-regularised": ("over-regularised", "underfitting"),
    "bad-start": ("bad-start", "unscaled-inputs"),
    "unscaled-inputs": ("unscaled-inputs", "bad-start"),
    "wrong-loss": ("wrong-loss",),
    "loss-reduction": ("wrong-loss", "rate-too-high"),
    "no-shuffle": ("no-shuffle",),
    "label-noise": ("label-noise", "overfitting"),
    "imbalance": ("imbalance", "overfitting"),
    "small-batch-norm": ("small-batch-norm", "oscillating"),
    "dead-embedding": ("rate-too-low", "over-regularised", "bad-start"),
    "mode-collapse": ("mode-collapse", "discriminator-wins", "rate-too-high"),
    "discriminator-wins": ("discriminator-wins", "rate-too-high", "mode-collapse"),
    "posterior-collapse": ("posterior-collapse", "rate-too-high"),
    "rbm-rate": ("rbm-rate",),
    "forgetting-gradient": ("forgetting-gradient", "vanishing-gradient", "bad-start"),
    "attention-collapse": ("rate-too-high", "attention-collapse", "bad-start"),
    "no-nonlinearity": ("no-nonlinearity", "underfitting"),
}

# What no change to a recipe can mend: the data or the code has to change.
BEYOND: dict[str, str] = {
    "labels-shuffled": "Pair every row with its own label again; look where rows or labels were sorted alone.",
    "constant-inputs": "Leave these columns out, or mend how they were read.",
    "leakage": "Take the column out that tells the answer, or split by group.",
    "label-noise": "Look at the worst mistakes in the report and correct their labels.",
    "double-softmax": "Leave the softmax out of the net: the loss takes raw outputs.",
    "no-zero-grad": "Call optimizer.zero_grad() before each backward().",
    "eval-forgotten": "Call model.eval() before validating, and model.train() after.",
    "train-forgotten": "Call model.train() before training.",
    "not-in-optimiser": "Give the optimiser every parameter: Optimizer(model.parameters()).",
    "detached": "Take out .detach(), .data, .item() or no_grad() between input and loss.",
    "frozen": "Set requires_grad to True for what is to learn.",
    "no-shuffle": "Draw rows in a new order each epoch: DataLoader(..., shuffle=True).",
    "loss-reduction": "Take the mean over the batch: reduction='mean'.",
}

NAMES: dict[str, str] = {
    "rate-too-high": "the learning rate is too high",
    "rate-too-low": "the learning rate is too low",
    "rbm-rate": "the learning rate of the Boltzmann machine does not suit it",
    "bad-start": "the first weights do not suit the net",
    "vanishing-gradient": "gradients vanish on their way to the first layers",
    "exploding-gradient": "gradients explode",
    "saturated": "units are saturated",
    "dead-relu": "ReLU units died",
    "oscillating": "steps are too noisy or too long to settle",
    "over-regularised": "regularisation is too strong",
    "underfitting": "the net or its training is too small for the data",
    "overfitting": "rows are learnt by heart",
    "unscaled-inputs": "inputs are badly scaled",
    "no-shuffle": "rows are not shuffled",
    "wrong-loss": "the loss does not fit",
    "label-noise": "labels are noisy",
    "imbalance": "rare classes are not learnt",
    "small-batch-norm": "batches are too small for batch norm",
    "mode-collapse": "the generator draws too few kinds of samples",
    "discriminator-wins": "the discriminator wins",
    "posterior-collapse": "the code is not used",
    "forgetting-gradient": "gradients die on their way back through time",
    "attention-collapse": "attention looks at one place only",
    "no-nonlinearity": "the layers are linear, so they make one linear layer",
    "labels-shuffled": "inputs and labels do not belong together",
    "constant-inputs": "inputs are constant",
    "leakage": "the answer is among the inputs",
    "nonfinite": "numbers blow up",
}


LENGTHS = {"epochs", "patience"}

# Causes that only some nets can have.
OF_NETS: dict[str, tuple[str, ...]] = {
    "rbm-rate": ("rbm", "dbn"),
    "posterior-collapse": ("vae",),
    "mode-collapse": ("gan",),
    "discriminator-wins": ("gan",),
    "forgetting-gradient": ("rnn", "gru", "lstm", "encoder-decoder"),
    "attention-collapse": ("encoder-decoder", "transformer-encoder", "transformer", "gpt"),
}


def candidates(findings: Sequence[Finding], net: str = "") -> list[str]:
    """The causes that may lie behind findings, the likeliest first; symptoms that are causes of others come once.

    net: its name, where causes are left out that such a net cannot have; a person's own net may have any.
    """
    ranked: dict[str, tuple[int, int]] = {}
    for i, finding in enumerate(findings):
        for rank, cause in enumerate(BEHIND.get(finding.code, (finding.code,))):
            # A cause that is itself among the findings goes before one that is only thought of.
            told = any(cause == each.code for each in findings)
            place = (0 if told else 1, rank * len(findings) + i)
            ranked[cause] = min(ranked.get(cause, place), place)
    known = net in registry.names()
    able = [cause for cause in ranked if not known or net in OF_NETS.get(cause, (net,))]
    return sorted(able, key=lambda cause: ranked[cause])


def cures_for(findings: Sequence[Finding], case: Case) -> list[Cure]:
    """What may be tried, in order of expected gain: by the cause; given values derived anew one cause sooner.

    Not so the number of epochs: nearly every net gets better with more of them, and such a trial takes long.
    """
    causes = candidates(findings, case.net)
    if not causes:
        return []
    chosen = []
    for i, cure in enumerate(every(case)):
        anew = bool(cure.unset) and not cure.values and not cure.net and not set(cure.unset) & LENGTHS
        if cure.shows in causes:
            chosen.append(((causes.index(cure.shows) - anew, anew, i), cure))
        elif not cure.shows:  # what is given and may be wrong in either way
            rate = "learning_rate" in cure.unset and {"rate-too-high", "rate-too-low"} & set(causes)
            if len(cure.unset) > 1 or rate:
                chosen.append(((-1 if rate else 3, anew, i), cure))
    return [cure for _, cure in sorted(chosen, key=lambda each: each[0])]


def shown(cure: Cure, before: Recipe, after: Recipe | None) -> str:
    """The cause that a cure's success shows, "" where it is one of several; ``after``: the recipe as it was tried."""
    if after is None or not cure.unset:
        return cure.shows
    if cure.unset == ("learning_rate",) and cure.shows == "":
        return "rate-too-high" if (after.learning_rate or 0) < (before.learning_rate or 0) else "rate-too-low"
    if cure.shows in ("over-regularised", "underfitting") and not set(cure.unset[1:]) - {"learning_rate"}:
        old, new = (_size(each, cure.unset[0]) for each in (before, after))
        if (new > old) == (cure.shows == "over-regularised") and new != old:
            return "overfitting"  # more of what regularises, or a smaller net, did better
    return cure.shows


def _size(recipe: Recipe, name: str) -> float:
    usual = registry.settle(recipe.net, {}).get(name) if recipe.net in registry.names() else None
    value = recipe.net_settings.get(name, getattr(recipe, name, usual))
    if isinstance(value, list | tuple):
        return float(sum(value))
    return float(value) if isinstance(value, int | float) else 0.0
