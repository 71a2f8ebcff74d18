"""The rules, one small file a kind of operation, and which rule is for which operation."""

from __future__ import annotations

from workings.solutions.calls import Call
from workings.solutions.rules import choices, complex_numbers, moves, powers, stepped
from workings.solutions.rules.attention import Attention
from workings.solutions.rules.base import Rule
from workings.solutions.rules.binary_cross_entropy import BinaryCrossEntropy, BinaryEach
from workings.solutions.rules.choices import Largest, Made, Where
from workings.solutions.rules.convolution import Convolution
from workings.solutions.rules.cross_entropy import CrossEntropy
from workings.solutions.rules.dense import Dense
from workings.solutions.rules.dropout import Dropout
from workings.solutions.rules.elementwise import ACTIVATIONS, ARITHMETIC
from workings.solutions.rules.embedding import Embedding
from workings.solutions.rules.losses import Squared
from workings.solutions.rules.moves import Moves
from workings.solutions.rules.norms import BatchNorm, LayerNorm
from workings.solutions.rules.pooling import AdaptiveLargest, AdaptiveMean, MaxPooling, MeanPooling
from workings.solutions.rules.products import MatrixProduct, SumAndProduct, Total
from workings.solutions.rules.recurrent import NAMES as RECURRENT
from workings.solutions.rules.recurrent import Recurrent
from workings.solutions.rules.softmax import LogSoftmax, Softmax
from workings.solutions.rules.stepped import Stepped
from workings.solutions.rules.sums import AddedAt, Running

# By the operation's name (without the _ of an operation in place); the first that fits the arguments is taken.
_RULES: dict[str, tuple[Rule, ...]] = {
    "linear": (Dense(),),
    "conv1d": (Convolution(1),),
    "conv2d": (Convolution(2),),
    "max_pool2d": (MaxPooling(),),
    "avg_pool2d": (MeanPooling(),),
    "adaptive_avg_pool2d": (AdaptiveMean(),),
    "adaptive_max_pool2d": (AdaptiveLargest(),),
    "batch_norm": (BatchNorm(),),
    "layer_norm": (LayerNorm(),),
    "embedding": (Embedding(),),
    "dropout": (Dropout(),),
    "Dropout": (Dropout(),),
    "sum": (Total(mean=False),),
    "mean": (Total(mean=True),),
    **dict.fromkeys(("matmul", "rmatmul", "mm", "bmm"), (MatrixProduct(),)),
    **dict.fromkeys(("addmm", "baddbmm"), (SumAndProduct(),)),
    **dict.fromkeys(("where", "masked_fill"), (Where(),)),
    "scaled_dot_product_attention": (Attention(),),
    "amax": (Largest(1, shared=True),),
    "amin": (Largest(-1, shared=True),),
    "max": (Largest(1, shared=False),),
    "min": (Largest(-1, shared=False),),
    "softmax": (Softmax(),),
    "log_softmax": (LogSoftmax(),),
    "mse_loss": (Squared("mean"),),
    "cross_entropy": (CrossEntropy(),),
    "binary_cross_entropy_with_logits": (BinaryCrossEntropy(), BinaryEach()),
    # The losses of Workings, taken whole.
    "HalfSquared": (Squared("half"),),
    "MeanSquared": (Squared("mean"),),
    "CrossEntropy": (CrossEntropy(),),
    "TokenCrossEntropy": (CrossEntropy(),),
    "BinaryCrossEntropy": (BinaryCrossEntropy(),),
    **{rule.name: (rule,) for rule in (*ACTIVATIONS, *ARITHMETIC)},
    **dict.fromkeys(RECURRENT, (Recurrent(),)),
    "_Turned": (Moves(),),  # a sequence read from its end
    **{rule.name: (rule,) for rule in powers.FUNCTIONS},
    **{name: (Stepped(name),) for name in stepped.NAMES},
    "cumsum": (Running(product=False),),
    "cumprod": (Running(product=True),),
    **dict.fromkeys(("scatter_add", "index_add", "scatter_reduce"), (AddedAt(),)),
    "part_of": (Moves("a part of what was changed in place"),),
    "written_into": (Moves("the whole of which a part was changed"),),
    **dict.fromkeys(moves.NAMES, (Moves(), Made())),
    **dict.fromkeys(choices.MAKING, (Made(),)),
    **dict.fromkeys(moves.FILLING, (Made(), Moves())),
}
_RULES["pow"] = (*_RULES["pow"], powers.POWER)
for _name, _rule in complex_numbers.NUMBERS.items():
    _RULES[_name] = (_rule, *_RULES.get(_name, ()))
_RULES |= dict.fromkeys(complex_numbers.TRANSFORMS, (complex_numbers.Fourier(),))
_RULES["index_put"] = (AddedAt(), Moves())
_RULES |= {
    "log_sigmoid": _RULES["logsigmoid"],
    "multiply": _RULES["mul"],
    "divide": _RULES["div"],
    "true_divide": _RULES["div"],
}
_RULES |= {"subtract": _RULES["sub"], "negative": _RULES["neg"], "max_of_two": _RULES["maximum"]}

LOSSES = ("HalfSquared", "MeanSquared", "CrossEntropy", "BinaryCrossEntropy", "TokenCrossEntropy")
_MODULES = frozenset(("Dropout",))
FALLBACK, MADE = Rule(), Made()


def find(call: Call) -> Rule:
    """The rule for an operation; one without an equation, by replaying it, where there is none."""
    for name in (call.name, call.name.rstrip("_")):
        for rule in _RULES.get(name, ()):
            if rule.fits(call):
                return rule
    if not any(v.data.is_floating_point() for v in call.inputs) and not any(o.needs_grad for o in call.outputs):
        return MADE
    return FALLBACK


def atomic(module: object) -> bool:
    """Whether a module is taken as one operation, with a rule of its own."""
    return type(module).__name__ in _MODULES and type(module).__module__.startswith(("workings.", "torch."))
