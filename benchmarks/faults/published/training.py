"""Published bugs of rates, data and nets."""

from __future__ import annotations

from dataclasses import replace

import torch

from faults import damage, loop, samples
from faults.loop import Loop
from faults.published import parts
from faults.published.parts import FLAT, Case, classes, net, stack, two_classes, values

SGD = torch.optim.SGD


def _rates() -> list[Case]:
    mnist = Loop(
        FLAT,
        stack,
        net("30 sigmoid 10 sigmoid", 64),
        parts.squared_classes,
        optimiser=SGD,
        rate=3.0,
        batch=10,
        epochs=10,
    )
    bits = two_classes(parts.parity(400, 3), "12 relu 1 sigmoid", 3, rate=2e-2, epochs=40)
    curve = Loop(
        parts.curve(500, lambda x: x**2, -2, 2),
        stack,
        net("50 relu 30 relu 1", 1),
        loop.squared,
        loop.explained,
        SGD,
        0.02,
        epochs=40,
    )
    return [
        Case(
            "SO 48385830",
            "squared error on ten sigmoids with a rate that suits neither; mended by softmax and cross-entropy",
            "rate-too-high",
            replace(mnist, rate=30.0),
            replace(mnist, settings=net("30 sigmoid 10", 64), loss=loop.cross_entropy, rate=0.5),
            ("saturated", "oscillating", "wrong-loss"),
        ),
        Case(
            "SO 41596619",
            "plain descent at 0.001 over a few hundred rows",
            "rate-too-low",
            replace(bits, optimiser=SGD, rate=1e-3),
            bits,
            ("plateau", "underfitting"),
        ),
        Case(
            "SO 48934338",
            "plain descent at too high a rate on a curve of one number",
            "rate-too-high",
            replace(curve, rate=1.5),
            curve,
            ("nonfinite", "dead-relu", "exploding-gradient"),
        ),
        Case(
            "SO 31556268",
            "plain descent of the absolute error at a small rate does not learn XOR",
            "rate-too-low",
            replace(
                bits,
                data=parts.parity(400, 2),
                settings=net("8 tanh 1 sigmoid", 2),
                loss=parts.absolute_label,
                optimiser=SGD,
                rate=5e-3,
                epochs=25,
            ),
            replace(bits, data=parts.parity(400, 2), settings=net("8 tanh 1 sigmoid", 2), loss=parts.squared_label),
            ("plateau", "wrong-loss", "underfitting"),
        ),
    ]


def _data() -> list[Case]:
    table = two_classes(classes(900, 3, informative=3), "12 relu 3 relu 1 sigmoid", 3, epochs=20)
    table = replace(table, settings=net("12 relu 8 relu 1 sigmoid", 3))
    wide = two_classes(classes(900, 11, informative=5), "12 relu 12 relu 1 sigmoid", 11, epochs=20, batch=16)
    four = Loop(classes(900, 8, 4, 5), stack, net("16 sigmoid 16 sigmoid 4", 8), rate=1e-2, epochs=20)
    return [
        Case(
            "SO 39525358",
            "inputs of very different sizes were not scaled",
            "unscaled-inputs",
            replace(table, change=damage.raw),
            table,
        ),
        Case(
            "SO 44066044",
            "eleven inputs in units of their own were not scaled",
            "unscaled-inputs",
            replace(wide, change=damage.raw),
            wide,
        ),
        Case(
            "SO 58064701",
            "eight inputs were not scaled",
            "unscaled-inputs",
            replace(
                wide,
                data=classes(900, 8, informative=5),
                settings=net("10 relu 10 relu 1 sigmoid", 8),
                change=damage.raw,
            ),
            replace(wide, data=classes(900, 8, informative=5), settings=net("10 relu 10 relu 1 sigmoid", 8)),
        ),
        Case(
            "SO 39217567",
            "the labels were shuffled, and the inputs were not",
            "labels-shuffled",
            replace(four, change=damage.permuted),
            four,
        ),
    ]


def _nets() -> list[Case]:
    line = Loop(
        parts.curve(600, lambda x: x**2, -2, 2),
        stack,
        net("12 1", 1),
        loop.squared,
        loop.explained,
        rate=1e-2,
        epochs=25,
    )
    fifteen = Loop(samples.rings(900), stack, net("15 15 15 3", 2), rate=1e-2, epochs=15)
    deep = Loop(
        values(800, 4),
        stack,
        net("20 sigmoid 20 sigmoid 20 sigmoid 20 sigmoid 1", 4),
        loop.squared,
        loop.explained,
        SGD,
        0.05,
        epochs=30,
    )
    many = two_classes(
        classes(900, 20), "28 sigmoid 48 sigmoid 48 sigmoid 48 sigmoid 32 sigmoid 1 sigmoid", 20, epochs=10
    )
    one = two_classes(parts.halves(samples.rings(900)), "1 sigmoid 1 sigmoid", 2, rate=1e-2, epochs=20)
    two = Loop(classes(900, 12, 6, 6), stack, net("2 sigmoid 6", 12), rate=1e-2, epochs=15)
    tiny = Loop(
        values(900, 6),
        stack,
        net("norm 4 relu drop0.5 norm 4 relu drop0.5 norm 4 relu drop0.5 1", 6),
        loop.squared,
        loop.explained,
        rate=1e-2,
        epochs=15,
    )
    return [
        Case(
            "SO 48486598",
            "no activation between the layers, and the curve is no line",
            "no-nonlinearity",
            line,
            replace(line, settings=net("12 relu 12 relu 1", 1)),
            ("underfitting",),
        ),
        Case(
            "SO 56888491",
            "linear activations all through a classifier",
            "no-nonlinearity",
            fifteen,
            replace(fifteen, settings=net("15 relu 15 relu 15 relu 3", 2)),
            ("underfitting",),
        ),
        Case(
            "SO 49583466",
            "sigmoids layer upon layer by plain descent",
            "vanishing-gradient",
            deep,
            replace(deep, settings=net("20 relu 20 relu 20 relu 20 relu 1", 4)),
            ("plateau",),
        ),
        Case(
            "SO 57407973",
            "five sigmoid layers before the output",
            "vanishing-gradient",
            replace(many, optimiser=SGD, rate=0.05),
            replace(
                many, settings=net("28 relu 48 relu 48 relu 48 relu 32 relu 1 sigmoid", 20), optimiser=SGD, rate=0.05
            ),
            ("plateau",),
        ),
        Case("SO 46359741", "one hidden unit", "underfitting", one, replace(one, settings=net("16 tanh 1 sigmoid", 2))),
        Case(
            "SO 50306988",
            "two hidden units for six classes",
            "underfitting",
            two,
            replace(two, settings=net("24 tanh 6", 12)),
        ),
        Case(
            "SO 56317174",
            "half of four units dropped in each of three layers",
            "over-regularised",
            tiny,
            replace(tiny, settings=net("norm 24 relu norm 24 relu 1", 6)),
            ("underfitting",),
        ),
    ]


CASES: list[Case] = [*_rates(), *_data(), *_nets()]
