"""Settling a recipe: every value that was not given is derived from the data, with the reason.

One rule for all data sets; the constants were found on validation rows, never on test rows
(docs/decisions/ says how).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workings.base.errors import refuse
from workings.base.events import Decided, Emit
from workings.learning import losses
from workings.learning.init import suited
from workings.learning.lr_range import RangeTest
from workings.learning.metrics import headline
from workings.nets import registry
from workings.runs.recipe import Recipe


@dataclass(frozen=True)
class Facts:
    """What settling needs to know of the prepared data.

    n: training rows. shape: of one sample. task: binary, multiclass or regression. outputs: of the net.
    class_counts: training rows of each class, or empty.
    """

    n: int
    n_val: int
    shape: tuple[int, ...]
    task: str
    outputs: int
    class_counts: Sequence[int] = ()

    @property
    def is_image(self) -> bool:
        return len(self.shape) == 3


class _Settling:
    """Fills one value after another, telling each."""

    def __init__(self, recipe: Recipe, emit: Emit) -> None:
        self.recipe = recipe
        self.emit = emit

    def put(self, name: str, value: Any, reason: str) -> None:
        self.recipe = self.recipe.settled(name, value, reason)
        self.emit(Decided(name, value, reason))

    def fill(self, name: str, value: Any, reason: str, unset: tuple[Any, ...] = (None, "auto")) -> None:
        """Put the value where the user gave none."""
        if getattr(self.recipe, name) in unset:
            self.put(name, value, reason)


def settle(recipe: Recipe, facts: Facts, emit: Emit) -> Recipe:
    """The recipe with everything settled that can be settled without measuring."""
    s = _Settling(recipe, emit)
    _net(s, facts)
    _loss(s, facts)
    if s.recipe.net == "perceptron":
        return _perceptron(s, facts)
    _images(s, facts) if facts.is_image else _table(s, facts)
    s.fill("augmentation", "none", "the samples are not images")
    _monitor(s, facts)
    return s.recipe


def _net(s: _Settling, facts: Facts) -> None:
    if facts.is_image:
        s.fill("net", "resnet" if min(facts.shape[1:]) >= 8 else "mlp", "the samples are images", ("auto",))
    else:
        s.fill("net", "mlp", "the samples are rows of a table", ("auto",))


def _loss(s: _Settling, facts: Facts) -> None:
    s.fill("loss", losses.choose(facts.task), f"the usual loss of a {facts.task} task")
    kind = losses.LOSSES[s.recipe.loss or ""]
    if facts.task not in kind.tasks:
        usual = losses.choose(facts.task)
        raise refuse(
            "loss-does-not-fit",
            f"The loss '{s.recipe.loss}' is for {' and '.join(kind.tasks)} tasks; this task is {facts.task}.",
            why="The loss fixes what the net's outputs mean.",
            do=f"Choose loss={usual}, or leave it out.",
        )


def _perceptron(s: _Settling, facts: Facts) -> Recipe:
    if facts.task == "regression":
        raise refuse(
            "perceptron-regression",
            "The perceptron tells classes apart; this task is regression.",
            do="Choose net=linear or net=mlp.",
        )
    s.fill("learning_rate", 1.0, "from zero weights η scales w and b only; no prediction depends on it")
    s.fill("batch_size", facts.n, "samples are taken one by one; a batch is only how they are fetched")
    s.fill("epochs", 1000, "at most; the rule stops by itself after an epoch without a mistake")
    for name, value in (("optimiser", "sgd"), ("schedule", "constant"), ("initialisation", "zeros")):
        s.fill(name, value, "part of the perceptron's own rule")
    s.fill("lane", "eager@1", "the perceptron's rule has one way to be executed", ("auto",))
    s.fill("augmentation", "none", "the perceptron's rule is run on the samples as they are", ("auto",))
    s.fill("keep_best", False, "the rule ends with the weights it converged to")
    s.fill("imbalance", "none", "the perceptron's rule knows no weights", ("auto",))
    s.fill("monitor", "accuracy", "the perceptron has no loss")
    return s.recipe


def _setting(s: _Settling, name: str, value: Any, reason: str) -> None:
    """A net setting, where the net has it and the user did not give it."""
    known = registry.info(s.recipe.net).settings if s.recipe.net in registry.names() else {}
    if name not in known or name in s.recipe.net_settings:
        return
    reasons = [*filter(None, [s.recipe.reasons.get("net_settings")]), f"{name}: {reason}"]
    s.recipe = s.recipe.settled("net_settings", {**s.recipe.net_settings, name: value}, "; ".join(reasons))
    s.emit(Decided(name, value, reason))


def _table(s: _Settling, facts: Facts) -> None:
    n, recipe = facts.n, s.recipe
    width = {"small": 64, "medium": 128, "large": 512}.get(recipe.size) or (
        64 if n < 1000 else 128 if n < 20_000 else 256
    )
    _setting(s, "hidden", [width, width], f"{width} units for {n:,} rows")
    drop = {"none": 0.0, "light": 0.1, "strong": 0.3}.get(recipe.regularisation, 0.1)
    _setting(s, "dropout", drop, "keeps units from relying on each other")
    s.fill("batch_size", max(16, min(256, 2 ** round(math.log2(max(1, n / 50))))), f"about n/50 of {n:,} rows")
    s.fill("epochs", max(10.0, min(200.0, round(60_000 / n * 4) * 1.0)), f"for {n:,} rows", (None,))
    s.fill("optimiser", "adamw", "adapts the step of each weight")
    s.fill("weight_decay", {"none": 0.0, "light": 0.01, "strong": 0.3}.get(recipe.regularisation, 0.03), "mild")
    _finish(s, facts)
    s.fill("schedule", "cosine", "a slow end finds a lower minimum")
    s.fill("warmup", 0.05, "Adam's first estimates are rough")
    s.fill("learning_rate", 2e-3, "")


def _images(s: _Settling, facts: Facts) -> None:
    s.fill("batch_size", 64 if facts.n < 20_000 else 128, f"for {facts.n:,} images")
    s.fill("epochs", 10.0, "the usual budget", (None,))
    s.fill("optimiser", "adamw", "adapts the step of each weight")
    s.fill("weight_decay", 0.05, "mild")
    _finish(s, facts)
    s.fill("schedule", "one_cycle", "a high peak in the middle regularises, a slow end settles")
    s.fill("learning_rate", 3e-3, "")


def _finish(s: _Settling, facts: Facts) -> None:
    """What tables and images share."""
    recipe = s.recipe
    activation = str(recipe.net_settings.get("activation", "relu"))
    name, reason = suited(activation)
    s.fill("initialisation", name, reason)
    _imbalance(s, facts)
    if recipe.loss in ("bce", "cross_entropy"):
        s.fill("label_smoothing", 0.0, "targets are taken as they are")
    settings = dict(s.recipe.loss_settings)
    if s.recipe.label_smoothing:
        settings.setdefault("label_smoothing", s.recipe.label_smoothing)
    if s.recipe.imbalance == "class weights":
        counts = facts.class_counts
        settings.setdefault("class_weights", [sum(counts) / (len(counts) * max(1, c)) for c in counts])
    if settings != s.recipe.loss_settings:
        s.put("loss_settings", settings, "from label_smoothing and imbalance")
    optimiser = dict(s.recipe.optimiser_settings)
    optimiser.setdefault("weight_decay", s.recipe.weight_decay or 0.0)
    if s.recipe.optimiser == "sgd":
        s.fill("momentum", 0.9, "carries the descent over small bumps")
        optimiser.setdefault("momentum", s.recipe.momentum)
        optimiser.setdefault("nesterov", bool(s.recipe.momentum))
    if optimiser != s.recipe.optimiser_settings:
        s.put("optimiser_settings", optimiser, "from weight_decay and momentum")
    s.fill("average", 0.0, "the weights themselves are kept")


def _imbalance(s: _Settling, facts: Facts) -> None:
    counts = [c for c in facts.class_counts if c]
    if not counts:
        s.fill("imbalance", "none", "the target is a number", ("auto",))
        return
    share = min(counts) / sum(counts)
    s.fill("imbalance", "none", f"the rarest class has {share:.1%} of the rows", ("auto",))


def _monitor(s: _Settling, facts: Facts) -> None:
    if facts.n_val == 0:
        s.fill("keep_best", False, "there are no validation rows to judge by")
        s.fill("monitor", "loss", "there are no validation rows")
        return
    if headline(facts.task, list(facts.class_counts) or None) == "average_precision":  # type: ignore[arg-type]
        s.fill("monitor", "average_precision", "the rarer class is what is looked for")
    s.fill("monitor", "loss", "smoother than any metric, and what is minimised")
    s.fill("keep_best", True, "the weights with the best validation value are kept")


def learning_rate_from_range(test: RangeTest, recipe: Recipe) -> tuple[float, str]:
    """η from a range test: a third of the rate at the lowest loss, at most a tenth of where it blew up."""
    eta = min(test.lowest / 3, test.diverged / 10)
    low, high = (1e-4, 1e-2) if recipe.optimiser != "sgd" else (1e-3, 0.5)
    bounded = float(f"{min(high, max(low, eta)):.2g}")
    return bounded, (
        f"range test: the loss was lowest at {test.lowest:.2g} and blew up at {test.diverged:.2g}; "
        f"a third of the first, at most a tenth of the second, within {low:g} to {high:g}"
    )
