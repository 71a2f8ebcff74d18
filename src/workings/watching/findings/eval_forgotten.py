"""Forgotten eval(): the net is judged in training mode, dropout and batch statistics and all.

Statistic: of the forward passes without gradient of a net with dropout or batch norm, the share in training mode.
Repeated passes in training mode beside others in evaluation mode (Monte Carlo dropout) are healthy, so only a loop that
never judges in evaluation mode is told.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    train, judged = history.counts.get("judged-in-train", 0), history.counts.get("judged-in-eval", 0)
    if not train or judged:
        return None
    share = train / (train + judged)
    return Evidence(share, share, share, 0, "", (), {"passes": train})


SYMPTOMS = (
    Symptom(
        "eval-forgotten",
        "share of forward passes without gradient that were in training mode",
        _measure,
        1.0,
        "Exact: loops that call model.eval() have none.",
        "The net was judged {passes:,} times in training mode, and never in evaluation mode.",
        "Dropout blurs what is measured; batch norm uses and changes its statistics by what it is judged on.",
        "Call model.eval() before judging and model.train() after it.",
    ),
)
CODES = ("eval-forgotten",)
look = first_of(SYMPTOMS)
