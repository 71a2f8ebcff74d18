"""A plateau: the training loss stays at that of the best constant answer, so nothing of the input is used.

Statistic: the share of that loss which was learnt away in the last quarter of the run. A pause on the way is healthy
(warm-up; grokking, where the training loss falls long before the validation loss does), so only the end counts. Noise
that cannot be learnt leaves a high loss too, but hardly the whole of it.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.findings.progress import progress
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or not done.known:
        return None
    return done.evidence()


def still(history: History) -> Evidence | None:
    """Where no constant answer is known: against the start."""
    done = progress(history)
    if done is None or done.known or not history.facts.get("loss"):
        return None
    return done.evidence()


_WHY = "The net answers the same whatever it is given; more of the same training will not change that."
_DO = (
    "See the other findings for the cause: rate, dead or saturated units, gradients that do not arrive, inputs, "
    "labels. A net that cannot learn 16 samples by heart has a fault; one that can may need more training or better "
    "inputs."
)
SYMPTOMS = (
    Symptom(
        "plateau",
        "share of the constant answer's loss that was learnt away at the end",
        _measure,
        0.05,
        "Of 226 healthy runs of the calibration part 99 % lie above 0.31, none below 0.27.",
        "Nothing was learnt: the loss ends at {late:.3g}, a constant answer has {reference:.3g}.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "plateau",
        "share of the first losses that was learnt away at the end",
        still,
        0.001,
        "Of 28 healthy runs of the calibration part 99 % lie above 0.4, none below 0.4.",
        "The loss has not fallen: {start:.3g} at the start, {late:.3g} at the end.",
        _WHY,
        _DO,
        least=True,
    ),
)
CODES = ("plateau",)
look = first_of(SYMPTOMS)
