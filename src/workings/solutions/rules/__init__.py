"""The rules, one small file a kind of operation, and which rule is for which operation."""

from __future__ import annotations

from workings.solutions.record import Call
from workings.solutions.rules import moves
from workings.solutions.rules.base import Rule
from workings.solutions.rules.dense import Dense
from workings.solutions.rules.elementwise import ACTIVATIONS, ARITHMETIC
from workings.solutions.rules.losses import BinaryCrossEntropy, CrossEntropy, Squared
from workings.solutions.rules.moves import Moves
from workings.solutions.rules.softmax import LogSoftmax, Softmax

# By the operation's name (without the _ of an operation in place); the first that fits the arguments is taken.
_RULES: dict[str, tuple[Rule, ...]] = {
    "linear": (Dense(),),
    "softmax": (Softmax(),),
    "log_softmax": (LogSoftmax(),),
    "mse_loss": (Squared("mean"),),
    "cross_entropy": (CrossEntropy(),),
    "binary_cross_entropy_with_logits": (BinaryCrossEntropy(),),
    # The losses of Workings, taken whole.
    "HalfSquared": (Squared("half"),),
    "MeanSquared": (Squared("mean"),),
    "CrossEntropy": (CrossEntropy(),),
    "BinaryCrossEntropy": (BinaryCrossEntropy(),),
    **{rule.name: (rule,) for rule in (*ACTIVATIONS, *ARITHMETIC)},
    **dict.fromkeys(moves.NAMES, (Moves(),)),
}
_RULES |= {"multiply": _RULES["mul"], "divide": _RULES["div"], "true_divide": _RULES["div"]}
_RULES |= {"subtract": _RULES["sub"], "negative": _RULES["neg"], "max_of_two": _RULES["maximum"]}

LOSSES = ("HalfSquared", "MeanSquared", "CrossEntropy", "BinaryCrossEntropy")
_MODULES: frozenset[str] = frozenset()
FALLBACK = Rule()


def find(call: Call) -> Rule:
    """The rule for an operation; one without an equation, by replaying it, where there is none."""
    for name in (call.name, call.name.rstrip("_")):
        for rule in _RULES.get(name, ()):
            if rule.fits(call):
                return rule
    return FALLBACK


def atomic(module: object) -> bool:
    """Whether a module is taken as one operation, with a rule of its own."""
    return type(module).__name__ in _MODULES and type(module).__module__.startswith(("workings.", "torch."))
