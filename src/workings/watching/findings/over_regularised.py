"""Too much regularisation: the penalty, not the data, decides where the weights go.

Statistics: size of the weight matrices over that at the start, where little was learnt (decay pulls them to 0); the
greatest probability of dropout, likewise; the strength λ of the penalty ½λ‖w‖² over the loss of a constant answer,
where not all was learnt: it says how much loss a weight may save before it costs more. Weights that shrink in a net
that learns are healthy. Published: TheDeepChecker, growth of the penalty's gradient over the data's; UMLAUT, dropout
above 0.5.
"""

from __future__ import annotations

from statistics import median

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting
from workings.watching.findings.progress import progress
from workings.watching.findings.weights import matrices
from workings.watching.history import History

LEARNT = 0.5
STRONG = 0.1  # of L2 in the loss: then a net that learnt more may be held back as well
MUCH = 0.9
ADDED = ("sgd", "adam", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam")  # decay is in the gradient
LEARNT_MOST = 0.7
WEAK = 0.02  # a penalty that by itself shrinks little in a run of ordinary length


def shrunk(history: History) -> Evidence | None:
    """Median over the weight matrices of size over size at the start."""
    done, l2 = progress(history), history.facts.get("l2")
    strong = isinstance(l2, int | float) and l2 >= STRONG
    most = MUCH if strong else LEARNT
    if done is None or done.most > most or history.facts.get("net") in ("rbm", "dbn"):
        return None
    strengths = [history.facts.get(name) for name in ("weight_decay", "l2", "l1")]
    if all(isinstance(each, int | float) and each < WEAK for each in strengths if each is not None):
        return None  # Adam makes full steps of the weakest penalty where no other gradient is left: a consequence
    by_step: dict[int, list[float]] = {}
    for where in matrices(history, "weight"):
        course = finite(history.of("weight", where))
        for step, value in course:
            if course[0][1] > 0:
                by_step.setdefault(step, []).append(value / course[0][1])
    course = [(step, float(median(values))) for step, values in sorted(by_step.items())]
    return lasting(course, "", 2, learnt=done.learnt)


def strong(history: History) -> Evidence | None:
    """λ over the loss of a constant answer."""
    done, facts = progress(history), history.facts
    strengths = [facts.get("l2"), facts.get("weight_decay") if facts.get("optimiser") in ADDED else None]
    if done is None or done.most > LEARNT_MOST:
        return None
    λ = sum(float(each) for each in strengths if isinstance(each, int | float))
    value = λ / done.reference
    return Evidence(value, value, value, 0, "", done.course, {"learnt": done.learnt, "λ": λ})


def dropped(history: History) -> Evidence | None:
    """The greatest probability of dropout."""
    done, p = progress(history), history.facts.get("dropout")
    if done is None or not isinstance(p, int | float):
        return None
    if done.most > LEARNT:
        return None
    p = float(p)
    return Evidence(p, p, p, 0, "", done.course, {"learnt": done.learnt})


_LESS = "Divide weight decay, L1 and L2 by 10, or leave them out."
_WHY = "The net is kept from learning what the data would tell it."
SYMPTOMS = (
    Symptom(
        "over-regularised",
        "size of the weight matrices over that at the start",
        shrunk,
        0.4,
        "Measured on 6 healthy runs of the calibration part only, none below 1.9.",
        "The weights have shrunk to {value:.0%} of their first size, and {learnt:.0%} of the loss was learnt away.",
        _WHY,
        _LESS,
        least=True,
    ),
    Symptom(
        "over-regularised",
        "λ of the penalty ½λ‖w‖² over the loss of a constant answer, where less than 70 % was learnt away",
        strong,
        0.09,
        "Of 59 healthy runs of the calibration part 99 % lie below 0.014, none above 0.014.",
        "The penalty on the weights is strong (λ = {λ:.3g}), and {learnt:.0%} of the loss was learnt away.",
        _WHY,
        _LESS,
    ),
    Symptom(
        "over-regularised",
        "the greatest probability of dropout, where less than half of the loss was learnt away",
        dropped,
        0.7,
        "Of 34 healthy runs of the calibration part 99 % lie below 0, none above 0.",
        "Dropout leaves out {value:.0%} of a layer's numbers, and {learnt:.0%} of the loss was learnt away.",
        _WHY,
        "Lower dropout to 0.1 to 0.3, or leave it out.",
    ),
)
CODES = ("over-regularised",)
look = first_of(SYMPTOMS)
