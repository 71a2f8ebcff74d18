"""A loss that does not fit what the net ends in, or what it shall predict.

Statistics, of what the loss function was given: how much of the targets lies outside what the outputs can reach (a
sigmoid, tanh or ReLU at the end); predictions and truths of different shape; log-probabilities above 0; a cross-entropy
below 0; a cross-entropy of exactly 0 from the start, or outputs that are exactly 1 throughout (softmax of one output);
classes under a squared loss. They are exact, so a healthy loop shows none of them. Source of the rules: DeepDiagnosis,
NeuraLint, Zhang et al. 2018.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of
from workings.watching.findings.progress import SQUARES, class_shares
from workings.watching.history import History

CROSS = ("cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits")
LOOKS = 2
BOUNDS = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, math.inf)}
UNBOUNDED = ("affine", "log_softmax")


def edges(history: History, where: str) -> tuple[float, float] | None:
    """The least and the greatest number seen."""
    low, high = finite(history.of("low", where)), finite(history.of("high", where))
    if len(low) < LOOKS or len(high) < LOOKS:
        return None
    return min(v for _, v in low), max(v for _, v in high)


def unreachable(history: History) -> Evidence | None:
    """How far targets lie beyond the bound that outputs never pass, in standard deviations of the targets.

    The bound is that of the operation that made them; where that is not known, where they stop just short of one.
    """
    made, inf = history.facts.get("loss_given"), math.inf
    if made in UNBOUNDED or history.facts.get("net"):
        return None  # a run of Workings ends in what its loss takes
    out, target, std = edges(history, "output"), edges(history, "target"), history.facts.get("target_std")
    if out is None or target is None or not isinstance(std, int | float) or std <= 0:
        return None
    (low, high), (t_low, t_high) = out, target
    near = (low if 0 <= low < 1e-3 * std or -1 <= low < -0.98 else -inf, high if 0.98 < high <= 1 else inf)
    bottom, top = BOUNDS.get(str(made), near)
    if bottom == -inf and top == inf:
        return None
    value = max(bottom - t_low, t_high - top) / std
    return Evidence(value, value, value, 0, "output", (), {"low": low, "high": high, "t_low": t_low, "t_high": t_high})


def shapes(history: History) -> Evidence | None:
    """Loss functions that spread one of their arguments over the other."""
    count = float(history.counts.get("broadcast", 0))
    return Evidence(count, count, count) if count else None


def positive(history: History) -> Evidence | None:
    """Log-probabilities above 0."""
    out = edges(history, "output")
    if history.facts.get("loss") != "nll_loss" or out is None:
        return None
    return Evidence(out[1], out[1], out[1], 0, "output", history.of("high", "output"))


def below_zero(history: History) -> Evidence | None:
    """A cross-entropy below 0: the least of the losses."""
    course = finite(history.of("loss"))
    if history.facts.get("loss") not in CROSS or not course or history.facts.get("target_std") is not None:
        return None
    ranked = sorted(value for _, value in course)
    value, second = ranked[0], ranked[min(1, len(ranked) - 1)]
    return Evidence(value, value, second, course[0][0], "", course)


def always_zero(history: History) -> Evidence | None:
    """A cross-entropy that is exactly 0 from the first step on."""
    course = finite(history.of("loss"))[:8]
    if history.facts.get("loss") != "cross_entropy" or len(course) < 4:
        return None
    largest = max(abs(value) for _, value in course)
    return Evidence(largest, largest, largest, course[0][0], "", course)


def one_always(history: History) -> Evidence | None:
    """How far the outputs are from 1 at most, from before the first step to the end."""
    low, high = finite(history.of("low", "output")), finite(history.of("high", "output"))
    if len(low) < LOOKS or low[0][0] > 0:
        return None
    farthest = max(abs(value - 1) for _, value in (*low, *high))
    return Evidence(farthest, farthest, farthest, 0, "output", high)


def squared_classes(history: History) -> Evidence | None:
    """Classes under a squared loss: how many classes there are."""
    if history.facts.get("loss") not in SQUARES or history.facts.get("task") not in ("binary", "multiclass"):
        return None
    n = float(len(class_shares(history)))
    return Evidence(n, n, n) if n else None


_DO = (
    "Classes: logits, nothing behind the last layer, and nn.CrossEntropyLoss (two classes and one output: "
    "nn.BCEWithLogitsLoss). Numbers: no activation behind the last layer, and nn.MSELoss; shapes of both alike."
)
_EXACT = "Exact: a loss that fits shows none."
SYMPTOMS = (
    Symptom(
        "wrong-loss",
        "loss functions that were given predictions and truths of different shape",
        shapes,
        1,
        _EXACT,
        "Predictions and truths have different shapes, so every one is compared with every other.",
        "The net learns the mean of all targets, whatever it is given.",
        "Give both one shape, such as loss(model(x).squeeze(1), y).",
    ),
    Symptom(
        "wrong-loss",
        "the greatest |cross-entropy| of the first steps",
        always_zero,
        0.0,
        _EXACT,
        "The cross-entropy is exactly 0 from the start: the net has one output, and softmax of one number is 1.",
        "The gradient is 0 and nothing is learnt.",
        _DO,
        least=True,
    ),
    Symptom(
        "wrong-loss",
        "how far the outputs are from 1 at most",
        one_always,
        0.0,
        _EXACT,
        "The net gives exactly 1 whatever it is given, from the start on: softmax of one number is 1.",
        "The gradient is 0 and nothing is learnt.",
        _DO,
        least=True,
    ),
    Symptom(
        "wrong-loss",
        "the greatest of what should be log-probabilities",
        positive,
        0.5,
        _EXACT,
        "nll_loss was given numbers up to {value:.3g}; log-probabilities are at most 0.",
        "Without a log-softmax before it this loss falls without end and means nothing.",
        _DO,
    ),
    Symptom(
        "wrong-loss",
        "the least cross-entropy",
        below_zero,
        -1e-3,
        _EXACT,
        "The cross-entropy falls below 0, to {value:.3g}: it was not given what it takes.",
        "It falls without end and means nothing.",
        _DO,
        least=True,
    ),
    Symptom(
        "wrong-loss",
        "how far targets lie beyond what the outputs can reach, in their standard deviations",
        unreachable,
        0.5,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "The outputs never leave {low:.3g} … {high:.3g}, the targets lie in {t_low:.3g} … {t_high:.3g}.",
        "The last activation keeps the net from what it shall predict.",
        _DO,
    ),
    Symptom(
        "wrong-loss",
        "classes predicted under a squared loss",
        squared_classes,
        2,
        _EXACT,
        "{value:.0f} classes are learnt by a squared loss.",
        "Its gradient vanishes where the net is surely wrong.",
        _DO,
    ),
)
CODES = ("wrong-loss",)
look = first_of(SYMPTOMS)
