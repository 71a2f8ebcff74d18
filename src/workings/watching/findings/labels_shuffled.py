"""Inputs and labels that do not belong together: shuffled apart, or joined by the wrong rows.

Two things must be so. No dependence between inputs and targets is seen on some training samples: the t value of the
bias-corrected distance correlation (Székely and Rizzo 2013), which follows Student's t where there is none, whatever
the dimension. And nothing was learnt that holds beyond the training samples: the loss on validation samples, or of
batches where there are none, is not below that of a constant answer. Hard tasks may look independent to the first, and
slow nets fail the second; only both together are told.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of
from workings.watching.findings.progress import progress
from workings.watching.history import History

LEARNT = 0.05
SAMPLES = 64


def _measure(history: History) -> Evidence | None:
    t, n = history.facts.get("dependence"), history.facts.get("dependence_samples", 0)
    done = progress(history)
    if done is None or not isinstance(t, int | float) or not isinstance(n, int) or n < SAMPLES:
        return None
    held_out = [value for _, value in finite(history.of("val_loss"))]
    if not done.known and not (held_out and held_out[0] >= (1 - LEARNT) * done.reference):
        return None  # what a constant answer loses is not known: only validation samples never better than the start
    if held_out:
        # Whether validation samples are as hard as the training samples is not known; their first loss says it, too.
        if min(held_out) < (1 - LEARNT) * min(done.reference, held_out[0]):
            return None
    elif done.most > LEARNT:
        return None
    where = "validation samples" if held_out else "training batches"
    value = min(held_out) if held_out else done.late
    return Evidence(t, t, t, 0, "", done.course, {"n": n, "on": where, "late": value, "reference": done.reference})


SYMPTOMS = (
    Symptom(
        "labels-shuffled",
        "t value of the dependence between inputs and targets",
        _measure,
        5.0,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "Inputs and targets look independent (t = {value:.1f} on {n:,} samples), and the loss on {on} is not below "
        "a constant answer's ({late:.3g} against {reference:.3g}).",
        "There is nothing to learn but the training samples by heart.",
        "Look at some samples with their labels; shuffle inputs and labels by one permutation: "
        "order = torch.randperm(n); x, y = x[order], y[order].",
        least=True,
    ),
)
CODES = ("labels-shuffled",)
look = first_of(SYMPTOMS)
