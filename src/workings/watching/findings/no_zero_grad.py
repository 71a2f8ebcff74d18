"""Missing zero_grad: gradients of all steps so far are added up.

Statistic: the share of steps whose first backward pass met gradients of the step before. Accumulating over several
backward passes before one step, and then zeroing, is healthy and counts as none.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History

STEPS = 3
STALE = 3  # steps; gradients that are NaN tell nothing, so it may be few of those looked at


def _measure(history: History) -> Evidence | None:
    seen, stale = history.counts.get("gradients-checked", 0), history.counts.get("stale-gradient", 0)
    if seen < STEPS or 0 < stale < STALE:
        return None
    share = min(1.0, stale / seen)
    return Evidence(share, share, share, 1, "", history.of("gradient_norm"), {"stale": stale, "seen": seen})


SYMPTOMS = (
    Symptom(
        "no-zero-grad",
        "share of steps that met gradients of the step before",
        _measure,
        0.05,
        "Exact: loops that zero their gradients have none.",
        "Gradients are not set to 0: {stale:,} of {seen:,} steps looked at added theirs to those of the step before.",
        "Each step follows the sum of all gradients so far, as a momentum of 1 would: it overshoots and swings.",
        "Call optimizer.zero_grad() before loss.backward().",
    ),
)
CODES = ("no-zero-grad",)
look = first_of(SYMPTOMS)
