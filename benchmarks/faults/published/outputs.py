"""Published bugs of the last activation and of the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from faults import loop, samples
from faults.loop import Loop
from faults.published import parts
from faults.published.parts import DIGITS, Case, classes, net, stack, two_classes, values

SGD, RMS = torch.optim.SGD, torch.optim.RMSprop
WRONG = "wrong-loss"


def _case(
    source: str, said: str, base: Loop, end: tuple[str, str], also: tuple[str, ...] = (), **mended: object
) -> Case:
    """Faulty and mended differ in the last word of the layers: (as published, as mended)."""
    layers, D = base.settings["layers"], {k: v for k, v in base.settings.items() if k != "layers"}
    faulty = replace(base, settings={"layers": f"{layers} {end[0]}", **D})
    fixed = replace(base, settings={"layers": f"{layers} {end[1]}", **D}, **mended)  # type: ignore[arg-type]
    return Case(source, said, WRONG, faulty, fixed, also)


def _one_softmax() -> list[Case]:
    """A softmax over one unit is 1 whatever the net says."""
    said, ends = "softmax over one output unit, which always gives 1", ("softmax", "sigmoid")
    mse = {"loss": parts.squared_label}
    return [
        _case(
            "SO 31880720",
            said,
            two_classes(classes(900, 12), "64 relu drop0.2 32 relu drop0.2 1", 12, optimiser=RMS, rate=1e-3, batch=24),
            ends,
        ),
        _case(
            "SO 33969059",
            said,
            replace(two_classes(classes(900, 6), "6 tanh 2 tanh 1", 6, optimiser=SGD, rate=0.1, epochs=30), **mse),
            ends,
        ),
        _case(
            "SO 34311586",
            said,
            replace(two_classes(parts.parity(400, 2), "4 tanh 3 tanh 1", 2, rate=1e-2, epochs=40), **mse),
            ends,
        ),
        _case("SO 45337371", said, two_classes(classes(900, 8), "16 relu 8 relu 1", 8, epochs=15), ends),
        _case("SO 51581521", said, two_classes(parts.halves(DIGITS), "flat 64 relu drop0.5 1", batch=64), ends),
        _case("SO 57397440", said, two_classes(classes(1000, 20), "30 relu norm 60 relu norm 1", 20, epochs=6), ends),
        _case("SO 58055105", said, two_classes(classes(900, 22), "48 relu drop0.5 1", 22, batch=16), ends),
        _case(
            "SO 47704695",
            said,
            two_classes(
                parts.halves(DIGITS), "conv8 relu conv8 relu pool conv16 relu pool flat 32 relu 1", rate=2e-3, epochs=8
            ),
            ends,
        ),
        _case(
            "SO 58844149",
            said,
            two_classes(parts.halves(DIGITS), "conv12 relu pool conv16 relu pool flat 48 relu drop0.2 1", epochs=8),
            ends,
        ),
        Case("SO 47241622", said, WRONG, *_recurrent("lstm")),
        Case("SO 52983831", said, WRONG, *_recurrent("gru")),
        _case(
            "SO 54738769",
            "softmax over the one output of a regression",
            Loop(
                values(800, 18),
                stack,
                net("18 tanh 36 relu 32 relu 16 relu 1", 18),
                loop.squared,
                loop.explained,
                epochs=15,
            ),
            ("softmax", "linear"),
        ),
    ]


def _recurrent(cell: str) -> tuple[Loop, Loop]:
    settings = {"K": 1, "D": 1, "width": 16, "cell": cell}
    base = Loop(
        parts.halves(samples.waves(700, 16)), parts.Ended, {}, parts.binary, parts.right_half, rate=1e-2, epochs=8
    )
    return replace(base, settings={"end": "softmax", **settings}), replace(
        base, settings={"end": "sigmoid", **settings}
    )


def _relu_ends() -> list[Case]:
    """A ReLU behind the last layer: what is below 0 has no gradient, and cannot be said."""
    ends, also = ("relu", "linear"), ("dead-relu",)
    said = "ReLU behind the output of a regression whose targets go below 0"
    base = Loop(values(900, 8), stack, net("32 relu 16 relu 1", 8), loop.squared, loop.explained, epochs=15)
    short = replace(
        base, data=values(700, 4), settings=net("30 relu 30 relu 1", 4), optimiser=RMS, rate=1e-3, batch=64, epochs=25
    )
    narrow = replace(base, data=values(700, 3), settings=net("4 relu 9 relu 1", 3), rate=1e-2, epochs=20)
    sums = replace(base, data=values(700, 2), settings=net("4 relu 1", 2), optimiser=SGD, rate=0.05, epochs=30)
    class_said = "ReLU behind the logits of a classifier"
    logits = Loop(DIGITS, stack, net("conv12 relu pool conv16 relu pool flat 48 relu 10"), epochs=8)
    return [
        _case("SO 46247619", said, base, ends, also),
        _case("SO 59758722", said, short, ends, also),
        _case("SO 56452176", said, narrow, ends, also),
        _case("SO 48251943", said, sums, ends, also),
        _case("SO 51901386", class_said, logits, ends, also),
        _case("SO 53700537", class_said, replace(logits, settings=net("conv8 relu pool flat 32 relu 10")), ends, also),
        _case(
            "SO 51185079",
            "ReLU as the last activation before a binary cross-entropy",
            two_classes(classes(900, 16), "64 relu 32 relu 1", 16, optimiser=RMS, rate=1e-3),
            ("relu", "sigmoid"),
            also,
        ),
        _case(
            "SO 44758894",
            "ReLU as the last activation, squared error, for two classes",
            replace(two_classes(classes(900, 7), "16 relu 1", 7, optimiser=SGD, rate=0.05), loss=parts.squared_label),
            ("relu", "sigmoid"),
            also,
            loss=parts.binary,
        ),
        _case(
            "SO 58572274",
            "ReLU as the last activation before a binary cross-entropy, in a net two units wide",
            two_classes(classes(700, 2, informative=2), "8 relu 8 relu 1", 2, rate=1e-2),
            ("relu", "sigmoid"),
            also,
        ),
    ]


def _bounded_ends() -> list[Case]:
    """Targets that the last activation cannot reach."""
    said = "the last activation is bounded, and the targets of the regression go beyond it"
    base = Loop(values(800, 6), stack, net("20 relu 15 relu 1", 6), loop.squared, loop.explained, epochs=20)
    six = replace(base, data=values(900, 12, 4), settings=net("24 relu 16 relu 4", 12))
    sine = replace(
        base, data=parts.curve(600, lambda x: 3 * np.sin(3 * x)), settings=net("16 tanh 1", 1), rate=1e-2, epochs=40
    )
    plain = replace(base, data=values(800, 5), settings=net("12 tanh 8 tanh 1", 5), optimiser=SGD, rate=0.1, epochs=30)
    return [
        _case("SO 48221692", said, sine, ("sigmoid", "linear")),
        _case("SO 50555434", said, six, ("sigmoid", "linear")),
        _case("SO 52566823", said, plain, ("sigmoid", "linear")),
        _case("SO 54811239", said, replace(base, data=values(800, 6, scale=3.0)), ("tanh", "linear")),
        _case(
            "SO 53749895",
            said,
            replace(six, data=values(900, 10, 3), settings=net("32 relu 3", 10)),
            ("softmax", "linear"),
        ),
        _case(
            "SO 60766775",
            said,
            replace(six, settings=net("32 sigmoid 20 sigmoid 4", 12), rate=1e-2),
            ("softmax", "linear"),
        ),
        _case("SO 60574843", said, replace(base, settings=net("24 tanh 24 tanh 1", 6)), ("sigmoid", "linear")),
    ]


def _sigmoid_classes() -> list[Case]:
    """Sigmoids before a cross-entropy that takes its own softmax."""
    said, ends, also = (
        "sigmoid outputs given to a cross-entropy over classes",
        ("sigmoid", "linear"),
        ("double-softmax",),
    )
    base = Loop(classes(1000, 10, 5, 5), stack, net("48 relu drop0.5 5", 10), optimiser=RMS, rate=1e-3)
    return [
        _case("SO 41823068", said, base, ends, also),
        _case(
            "SO 50914860",
            said,
            replace(base, data=DIGITS, settings=net("conv8 relu pool conv8 relu pool flat 32 relu 10"), epochs=8),
            ends,
            also,
        ),
        _case(
            "SO 55198221",
            said,
            replace(base, data=DIGITS, settings=net("conv8 relu conv12 relu pool flat 32 relu 10"), epochs=8),
            ends,
            also,
        ),
        _case(
            "SO 55328966",
            said,
            replace(base, data=samples.digits(limit=900), settings=net("64 48 relu 10", 64), optimiser=SGD, rate=0.1),
            ends,
            also,
        ),
        _case(
            "SO 51930566",
            said,
            replace(base, data=samples.bundled("iris"), settings=net("4 relu 3", 4), rate=1e-2, batch=5, epochs=30),
            ends,
            also,
        ),
    ]


CASES: list[Case] = [*_one_softmax(), *_relu_ends(), *_bounded_ends(), *_sigmoid_classes()]
