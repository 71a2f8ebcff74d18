"""A bad start: units that are copies of each other, or first weights far too large or small.

Statistics, all at the first look: the share of units (rows of a weight matrix) that equal another of their layer: they
get equal gradients for ever; how much weight matrices enlarge what they are given; log₁₀ of the largest over the
smallest spread of what the layers give; the first losses over that of a constant answer. Sources: Glorot and Bengio
2010; He et al. 2015; Karpathy, CS231n notes, loss at step 0. Published: SageMaker Debugger, ratio of variances 10;
TheDeepChecker's bounds [0.5, 2] alarm on its own clean net.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, worst
from workings.watching.findings.progress import SQUARES, progress
from workings.watching.history import History

FIRST = 1  # step: weights that were first seen later have been changed by steps


def copies(history: History) -> Evidence | None:
    """Share of units that equal another."""
    found = []
    for where in history.places("alike"):
        step, value = history.of("alike", where)[0]
        found.append(Evidence(value, value, value, step, where, [(step, value)]))
    return worst(found)


def gains(history: History) -> list[tuple[str, int, float]]:
    """Of each matrix: where, step, log₁₀ of its gain at the first look."""
    found = []
    for where in history.places("gain"):
        step, value = history.of("gain", where)[0]
        if math.isfinite(value) and value >= 0 and step <= FIRST:
            found.append((where, step, math.log10(max(value, 1e-12))))
    return found


def large(history: History) -> Evidence | None:
    """The largest gain, log₁₀."""
    return worst([Evidence(g, g, g, step, where, [(step, g)], {"gain": 10**g}) for where, step, g in gains(history)])


def small(history: History) -> Evidence | None:
    """The middle gain, log₁₀: single layers begin at 0 on purpose."""
    found = sorted(gains(history), key=lambda each: each[2])
    if not found:
        return None
    where, step, g = found[len(found) // 2]
    return Evidence(g, g, g, step, where, [(step, g)], {"gain": 10**g})


def of_zero(history: History) -> float:
    """The squared loss of the answer 0, which is where a net begins: targets that were not centred are no bad start."""
    mean, std = history.facts.get("target_mean"), history.facts.get("target_std")
    if (
        history.facts.get("loss") not in SQUARES
        or not isinstance(mean, int | float)
        or not isinstance(std, int | float)
    ):
        return 0.0
    return mean * mean + std * std if math.isfinite(mean) and math.isfinite(std) else 0.0


def first_loss(history: History) -> Evidence | None:
    """The first losses over that of a constant answer."""
    done = progress(history)
    if done is None or not done.known or done.course[0][0] > FIRST:
        return None
    reference = max(done.reference, of_zero(history))
    values = [value / reference for _, value in finite(history.of("loss"))[:3]]
    value = sorted(values)[1]
    words = {"first": value * reference, "reference": reference}
    return Evidence(value, min(values), max(values), done.course[0][0], "", done.course, words)


_DO = (
    "Start by He's initialisation for ReLU (nn.init.kaiming_normal_), Xavier's for tanh and sigmoid, orthogonal for "
    "recurrent weights; biases 0; never equal weights for all units."
)
SYMPTOMS = (
    Symptom(
        "bad-start",
        "share of a layer's units that equal another of its units at the first look",
        copies,
        0.5,
        "Of 272 healthy runs of the calibration part 99 % lie below 0, none above 0.",
        "{value:.0%} of the units of '{where}' begin as copies of each other.",
        "Copies get the same gradient and stay copies: the layer is as wide as its different units.",
        _DO,
    ),
    Symptom(
        "bad-start",
        "log₁₀ of the largest gain of a weight matrix (root mean square · √inputs) at the first look",
        large,
        0.4,
        "Of 217 healthy runs of the calibration part 99 % lie below -0.15, none above -0.14.",
        "The first weights of '{where}' make what it is given {gain:.2g} times as large; about 1 is usual.",
        "Activations and gradients grow from layer to layer, and from step to step of a sequence.",
        _DO,
    ),
    Symptom(
        "bad-start",
        "log₁₀ of the middle gain of the weight matrices (root mean square · √inputs) at the first look",
        small,
        -1.2,
        "Of 217 healthy runs of the calibration part 99 % lie above -0.26, none below -0.26.",
        "The first weights are so small that a layer such as '{where}' makes what it is given {gain:.1e} times as "
        "large; about 1 is usual.",
        "What the layers pass on dies out, forwards and backwards.",
        _DO,
        least=True,
    ),
    Symptom(
        "bad-start",
        "the first losses over that of a constant answer",
        first_loss,
        3.0,
        "Of 177 healthy runs of the calibration part 99 % lie below 1.2, none above 1.3.",
        "The loss begins at {first:.3g}; a constant answer has {reference:.3g}.",
        "The net begins with large wrong answers and spends its first steps on unlearning them.",
        _DO + " The last layer may begin smaller.",
    ),
)
CODES = ("bad-start",)
look = first_of(SYMPTOMS)
