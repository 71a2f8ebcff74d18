"""Forgotten train(): steps are taken in evaluation mode, usually since the first evaluation.

Statistic: the share of steps whose forward pass had dropout or batch norm layers, all of them in evaluation mode.
Frozen batch norm beside layers in training mode is healthy, and so is a net without such layers.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History

STEPS = 4


def _measure(history: History) -> Evidence | None:
    steps, in_eval = history.counts.get("steps", 0), history.counts.get("step-in-eval", 0)
    if steps < STEPS:
        return None
    share = in_eval / steps
    return Evidence(share, share, share, steps - in_eval, "", (), {"count": in_eval, "steps": steps})


SYMPTOMS = (
    Symptom(
        "train-forgotten",
        "share of steps taken in evaluation mode",
        _measure,
        0.1,
        "Exact: loops that call model.train() have none.",
        "{count:,} of {steps:,} steps were taken in evaluation mode.",
        "Dropout does nothing, and batch norm uses old statistics that it no longer learns.",
        "Call model.train() at the start of every epoch, after model.eval().",
    ),
)
CODES = ("train-forgotten",)
look = first_of(SYMPTOMS)
