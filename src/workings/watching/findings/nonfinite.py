"""Numbers that are none: a loss or a weight is NaN or infinite.

Statistic: how many losses and weights seen were not finite; healthy runs have none, so one is enough. Gradients alone
do not count: mixed precision scales its loss until they overflow, skips that step and goes on.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    bad = [step for step, value in history.of("loss") if not math.isfinite(value)]
    for where in history.places("weight"):
        bad += [step for step, value in history.of("weight", where) if not math.isfinite(value)]
    if not bad:
        return None
    first, count = min(bad), float(len(bad))
    place = next(
        (w for w in history.order if any(v > 0 and s <= first for s, v in history.of("nonfinite", w))),
        "",
    )
    course = [(step, float(not math.isfinite(value))) for step, value in history.of("loss")]
    said = f", first in '{place}'" if place else ""
    return Evidence(count, count, count, first, place, course, {"first": first, "said": said})


SYMPTOMS = (
    Symptom(
        "nonfinite",
        "losses and weights that are NaN or infinite",
        _measure,
        1,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "From step {first:,} on numbers are NaN or infinite{said}.",
        "Nothing is learnt from then on: one NaN makes every weight NaN.",
        "Divide the learning rate by 10 and clip gradients (torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)); "
        "look for NaN in the inputs; use losses of logits instead of log(softmax(…)), and eps in divisions and roots.",
    ),
)
CODES = ("nonfinite",)
look = first_of(SYMPTOMS)
