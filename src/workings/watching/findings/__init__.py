"""Findings: one small file a symptom, each a function of the history alone.

A module has ``SYMPTOMS``, ``CODES``, the codes that it may tell, and ``look(history) -> list[Finding]``. It names the
statistic, the source of its threshold, and what healthy runs have (benchmarks/faults). A single crossing is no finding:
the evidence lasts over several looks, or has an interval.

``MODULES`` is the order in which findings are told: what is exact first (faults of a loop, of the data), then what the
steps do, then what happens in layers because of it, then what follows from others (a plateau, underfitting).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from workings.base.finding import Finding
from workings.watching.findings.evidence import Symptom
from workings.watching.findings.progress import worked_out_once
from workings.watching.history import History

MODULES = (
    # of the loop
    "no_zero_grad",
    "train_forgotten",
    "eval_forgotten",
    "not_in_optimiser",
    "detached",
    "frozen",
    "double_softmax",
    "wrong_loss",
    "loss_reduction",
    # of the data
    "constant_inputs",
    "unscaled_inputs",
    "no_shuffle",
    "leakage",
    "imbalance",
    "labels_shuffled",
    # of the net
    "no_nonlinearity",
    "bad_start",
    "small_batch_norm",
    "dead_embedding",
    "nonfinite",
    # of the steps
    "rbm_rate",
    "rate_too_high",
    "rate_too_low",
    "over_regularised",
    # in what it makes
    "posterior_collapse",
    "mode_collapse",
    "discriminator_wins",
    # in its layers
    "exploding_gradient",
    "dead_relu",
    "saturated",
    "vanishing_gradient",
    "forgetting_gradient",
    "attention_collapse",
    # what is left when nothing of the above explains it
    "label_noise",
    # what follows
    "oscillating",
    "overfitting",
    "underfitting",
    "plateau",
)


def look(history: History) -> list[Finding]:
    """Everything that is found in a history, in the order of ``MODULES``."""
    with worked_out_once():
        return [
            finding for name in MODULES for finding in import_module(f"workings.watching.findings.{name}").look(history)
        ]


def codes() -> list[str]:
    """Every code that may be told: what a healthy run was checked for."""
    return [code for name in MODULES for code in import_module(f"workings.watching.findings.{name}").CODES]


def symptoms() -> Iterator[Symptom]:
    """Every symptom, in that order; a code may have several."""
    for name in MODULES:
        yield from import_module(f"workings.watching.findings.{name}").SYMPTOMS
