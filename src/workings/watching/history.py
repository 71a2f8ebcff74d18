"""What was seen of a training run: named values over steps, and facts that hold throughout.

A value belongs to a place (``where``: a layer's path and operation such as ``layers.2·relu``, a parameter's name, or ""
for the run as a whole) and has a name (``NAMES``). Findings are functions of a history and of nothing else, so that a
run of Workings and anybody's loop are judged by the same code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

KEPT_OF_RUN = 2_000  # values of the run as a whole, of one name; at twice as many every second is dropped
KEPT = 200  # values of a place

NAMES: dict[str, str] = {
    # of the run as a whole
    "loss": "the training loss of the step",
    "val_loss": "the loss on validation samples; other metrics on them are val_… too",
    "train_…": "what a rule tells of training samples beside its loss, at looks at the validation samples",
    "pretraining_loss": "the loss of steps before the last stage",
    "loss_of_look": "the loss on the samples of a look, where these are not the whole batch",
    "learning_rate": "η of the step",
    "gradient_norm": "‖∂L/∂w‖ over all parameters, before clipping",
    # of what an operation gave: an activation
    "mean": "mean of all its numbers",
    "std": "their standard deviation",
    "largest": "the greatest |number|",
    "zero": "share of its numbers that are exactly 0",
    "saturated": "share within 1 % of a bound, of an activation that has bounds",
    "dead": "of ReLU: share of its units that gave 0 for every sample of the last looks",
    "rare": "of ReLU: share of its units that are active for less than 1 % of the samples of a look",
    "nonfinite": "1 where any of its numbers is NaN or infinite; not told where none is",
    "delta": "root mean square of ∂L/∂output",
    "delta_first": "‖∂L/∂s_1‖, s_1 the state after step 1, over ‖∂L/∂h_T‖, of what L owes to step T's output alone",
    "entropy": "of attention: the mean entropy of its rows, over that of equal shares; largest is of its scores",
    "normed_over": "of batch norm in training: from how many numbers the mean of a channel comes",
    "rows_used": "of an embedding: different rows that the batch asked for",
    "rows": "of an embedding: how many it has",
    # of a parameter
    "weight": "root mean square of its numbers",
    "gradient": "root mean square of ∂L/∂w",
    "update": "root mean square of the step's change, over that of the numbers before it",
    "unmoved": "of an embedding: share of its rows that never moved since the first look, weight decay not counted",
    "gain": "of a weight matrix, at the first look: root mean square times the root of the number of inputs, about 1",
    "alike": "of a weight matrix, at the first look: share of its rows (units) that equal another row",
    # of "input", the first thing that the net is given (floating point; features lie along all axes but the first)
    "constant": "share of its features that are the same in all samples of the batch",
    "scales": "the greatest standard deviation of a feature, over the median of those that vary",
    "offset": "|mean| of all its numbers, over their standard deviation",
    # of "output", what the loss function is given as prediction (also mean, std)
    "low": 'the least of its numbers; of "target" too',
    "high": 'the greatest of its numbers; of "target" too',
    "shares": "of classes: share of rows that are non-negative and sum to 1: they come from a softmax",
    "spread": "standard deviation over the samples, meaned over outputs, over that of all its numbers",
    "right": "of classes: share of samples whose class has the greatest output",
    "second": "of classes, three or more: how many samples that are not right, but whose class is the second choice",
    "wrong": "how many samples are not right",
    "surest": "of classes: share right of the quarter of the samples of which the net is surest",
    "rare_right": "of classes: share right of the samples of the rarest class, of all looks so far; with ten or more",
    "contradicted": "of classes: share of samples where a class has p > 0.8, but is not the true one",
    # of "target", what the loss function is given as truth (also mean, std, low, high)
    "same": "of classes: the chance that two samples of the batch have the same class",
    # of nets that make samples
    "judged_right": "of a discriminator: share of real and made samples that it tells apart, of half of each",
    "spread_made": "mean distance between two made samples, over that between two real ones",
    "kl": "of a variational autoencoder: KL(q(z|x) ‖ p(z)), nats a sample",
    "active": "of codes: share of units whose mean varies over samples by more than 0.01 (Burda et al. 2015)",
    "reconstruction": "mean squared difference between samples and what is rebuilt, over the samples' variance",
    "free_energy_gap": "of a Boltzmann machine: mean free energy of validation samples less that of training samples",
}

# What ``facts`` may hold, beside what runs of Workings know of their recipe (``runs.watched.facts``).
FACTS: dict[str, str] = {
    "task": "binary, multiclass, regression, language, forecast, translation, unlabelled; None where unknown",
    "batch": "samples a batch",
    "rows": "training samples",
    "class_counts": "samples of each class, as far as seen",
    "target_mean": "mean of the targets, as far as seen",
    "target_std": "standard deviation of the targets, as far as seen",
    "baseline": "the training loss that the best constant answer would have: entropy of the class shares, variance …",
    "loss": "the loss's name",
    "reduction": "mean, sum or none: how the loss function of torch was called",
    "optimiser": "its name, in small letters",
    "clip_norm": "gradients are cut to this norm",
    "weight_decay": "of the optimiser; l2 of the loss",
    "dropout": "the greatest probability of a dropout layer",
    "label_smoothing": "of the loss",
    "one_target": "whether a sample has one label or number; a sum over samples is then likely meant to be a mean",
    "val_in_train": "share of (some) validation samples that are training samples, number by number",
    "twice_in_train": "share of (some) training samples that occur twice",
    "dependence": "t value of the distance correlation of inputs and targets on some samples (watching.dependence)",
    "dependence_samples": "on how many",
    "told_by_one": "share of the targets' variance that one input alone explains",
    "told_by": "which input that is, counted from 1",
    "told_by_next": "the same share of the next best input",
    "norms": "how many batch norm layers there are",
    "nonlinear": "how many operations that are not linear a forward pass had: activations, attention, recurrence …",
    "affine": "how many affine operations it had",
    "not_in_optimiser": "parameters that have a gradient and are not in the optimiser",
    "no_gradient": "parameters in the optimiser that never had a gradient, though they require one",
    "loss_given": "the operation that made what the loss was given: softmax, sigmoid, log_softmax, tanh, relu, affine",
    "momentum": "of the optimiser",
    "layers": "{class of module without parts: how many}",
    "mode_matters": "whether the model has dropout or batch norm layers",
    "not_seen": "what of the model cannot be looked into, in words",
    "resumed": "steps from which the run went on after it was stopped",
    "cost": "of watching: {share allowed, seconds spent, of so many seconds, looks}",
    "frozen": "parameters of two axes or more that require no gradient: {name: whether they look as drawn at random, "
    "though the optimiser was given them}",
    "weighted": "whether the loss has weights of classes or samples",
    "optimisers": "how many take turns",
    "simple": "what a linear answer or one by neighbours gets right on samples left out: share of classes, or R²",
}

# What ``counts`` may hold.
COUNTS: dict[str, str] = {
    "steps": "steps of the optimiser",
    "gradients-checked": "steps at which it was seen whether gradients were cleared since the step before",
    "step-without-backward": "steps before which there was no backward pass",
    "output-without-gradient": "looks at which what the model gave had no gradient, though gradients were on",
    "stale-gradient": "of these: steps whose gradients came on top of those of the step before, not cleared by anyone",
    "broadcast": "loss functions whose prediction and truth had different shapes: one was spread over the other",
    "step-in-eval": "steps whose forward pass had dropout or batch norm layers, all of them in eval mode",
    "judged-in-train": "forward passes without gradient with dropout or batch norm layers in training mode",
    "judged-in-eval": "forward passes without gradient, all such layers in eval mode",
}


@dataclass
class History:
    """Values over steps and facts.

    values: (where, name) → [(step, value)], steps rising. order: places as a forward pass meets them.
    facts: what does not change: the kind of task, classes and their shares, batch size, the loss, the optimiser …
    counts: how often something was seen, by name (such as ``backward-without-zero-grad``).
    """

    values: dict[tuple[str, str], list[tuple[int, float]]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, step: int, where: str, name: str, value: float) -> None:
        """Keep one value. Of a long course every second one is dropped, so that a history of any run is bounded."""
        course = self.values.get((where, name))
        if course is None:
            course = self.values[where, name] = []
            self.place(where)
        course.append((step, value))
        if len(course) > (2 * KEPT if where else 2 * KEPT_OF_RUN):
            del course[1:-1:2]

    def place(self, where: str) -> None:
        """Keep a place in the order of the forward pass."""
        if where and where not in self.order:
            self.order.append(where)

    def count(self, name: str, times: int = 1) -> None:
        """Something was seen ``times`` times more."""
        self.counts[name] = self.counts.get(name, 0) + times

    def of(self, name: str, where: str = "") -> list[tuple[int, float]]:
        """The values of that name at that place, by step; empty where there are none."""
        return self.values.get((where, name), [])

    def places(self, name: str) -> list[str]:
        """The places that have values of that name, in forward order."""
        return [where for where in self.order if (where, name) in self.values]

    def rows(self) -> Iterable[tuple[int, str, str, float]]:
        """Every value: (step, where, name, value)."""
        for (where, name), found in self.values.items():
            for step, value in found:
                yield step, where, name, value

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, of six digits: what ``from_dict`` reads. NaN and infinities are strings."""
        return {
            "order": self.order,
            "facts": self.facts,
            "counts": self.counts,
            "values": [
                [where, name, [(step, _written(value)) for step, value in found]]
                for (where, name), found in self.values.items()
            ],
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> History:
        """What ``to_dict`` wrote."""
        values = {(where, name): [(int(s), float(v)) for s, v in found] for where, name, found in given["values"]}
        return cls(values, list(given["order"]), dict(given["facts"]), dict(given["counts"]))

    def until(self, step: int) -> History:
        """What was seen up to a step: where a run goes on from it, the rest is seen again."""
        values = {key: [each for each in found if each[0] <= step] for key, found in self.values.items()}
        kept = {key: found for key, found in values.items() if found}
        return History(kept, list(self.order), dict(self.facts), dict(self.counts))


def _written(value: float) -> float | str:
    return (
        float(f"{value:.6g}")
        if math.isfinite(value)
        else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    )
