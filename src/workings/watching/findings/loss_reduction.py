"""A sum where a mean was meant: the loss, and with it every gradient, grows with the size of the batch.

Statistic: by how much the loss is larger than its mean over samples: the batch size, where torch's loss function was
called with reduction="sum" and not divided afterwards. A sum on purpose is healthy where one sample has many targets
(images in autoencoders), so only losses of one label or number a sample count.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    batch = history.facts.get("batch")
    if history.facts.get("reduction") != "sum" or not isinstance(batch, int | float):
        return None
    if not history.facts.get("one_target", True):
        return None
    value = float(batch)
    return Evidence(value, value, value, 0, "", history.of("loss"))


SYMPTOMS = (
    Symptom(
        "loss-reduction",
        "times that the loss is larger than its mean over samples",
        _measure,
        2.0,
        "Exact.",
        "The loss is a sum over the batch, {value:.0f} times its mean.",
        "Gradients are as many times larger, so the learning rate means something else for every batch size, and the "
        "last, smaller batch counts less.",
        "Leave out reduction='sum', or divide by the number of samples.",
    ),
)
CODES = ("loss-reduction",)
look = first_of(SYMPTOMS)
