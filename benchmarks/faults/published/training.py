"""Published bugs of rates, data, nets and loops."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from faults import faults, loop, models, samples
from faults.loop import Loop
from faults.published import parts
from faults.published.parts import Case, classes, stack, values

SGD = torch.optim.SGD
DIGITS = samples.digits((1, 8, 8), 900)
FLAT = samples.digits(limit=900)


def _net(layers: str, D: int = 0) -> dict[str, object]:
    return {"layers": layers, "D": D}


def _binary(maker: samples.Maker, layers: str, D: int, **more: object) -> Loop:
    return Loop(maker, stack, _net(layers, D), parts.binary, parts.right_half, **more)  # type: ignore[arg-type]


def _rates() -> list[Case]:
    mnist = Loop(
        FLAT,
        stack,
        _net("30 sigmoid 10 sigmoid", 64),
        parts.squared_classes,
        optimiser=SGD,
        rate=3.0,
        batch=10,
        epochs=10,
    )
    bits = _binary(parts.parity(400, 3), "12 relu 1 sigmoid", 3, rate=2e-2, epochs=40)
    curve = Loop(
        parts.curve(500, lambda x: x**2, -2, 2),
        stack,
        _net("50 relu 30 relu 1", 1),
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
            replace(mnist, settings=_net("30 sigmoid 10", 64), loss=loop.cross_entropy, rate=0.5),
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
                settings=_net("8 tanh 1 sigmoid", 2),
                loss=parts.absolute_label,
                optimiser=SGD,
                rate=5e-3,
                epochs=25,
            ),
            replace(bits, data=parts.parity(400, 2), settings=_net("8 tanh 1 sigmoid", 2), loss=parts.squared_label),
            ("plateau", "wrong-loss", "underfitting"),
        ),
    ]


def _data() -> list[Case]:
    table = _binary(classes(900, 3, informative=3), "12 relu 3 relu 1 sigmoid", 3, epochs=20)
    table = replace(table, settings=_net("12 relu 8 relu 1 sigmoid", 3))
    wide = _binary(classes(900, 11, informative=5), "12 relu 12 relu 1 sigmoid", 11, epochs=20, batch=16)
    four = Loop(classes(900, 8, 4, 5), stack, _net("16 sigmoid 16 sigmoid 4", 8), rate=1e-2, epochs=20)
    return [
        Case(
            "SO 39525358",
            "inputs of very different sizes were not scaled",
            "unscaled-inputs",
            replace(table, change=faults.raw),
            table,
        ),
        Case(
            "SO 44066044",
            "eleven inputs in units of their own were not scaled",
            "unscaled-inputs",
            replace(wide, change=faults.raw),
            wide,
        ),
        Case(
            "SO 58064701",
            "eight inputs were not scaled",
            "unscaled-inputs",
            replace(
                wide,
                data=classes(900, 8, informative=5),
                settings=_net("10 relu 10 relu 1 sigmoid", 8),
                change=faults.raw,
            ),
            replace(wide, data=classes(900, 8, informative=5), settings=_net("10 relu 10 relu 1 sigmoid", 8)),
        ),
        Case(
            "SO 39217567",
            "the labels were shuffled, and the inputs were not",
            "labels-shuffled",
            replace(four, change=faults.permuted),
            four,
        ),
    ]


def _nets() -> list[Case]:
    line = Loop(
        parts.curve(600, lambda x: x**2, -2, 2),
        stack,
        _net("12 1", 1),
        loop.squared,
        loop.explained,
        rate=1e-2,
        epochs=25,
    )
    fifteen = Loop(samples.rings(900), stack, _net("15 15 15 3", 2), rate=1e-2, epochs=15)
    deep = Loop(
        values(800, 4),
        stack,
        _net("20 sigmoid 20 sigmoid 20 sigmoid 20 sigmoid 1", 4),
        loop.squared,
        loop.explained,
        SGD,
        0.05,
        epochs=30,
    )
    many = _binary(classes(900, 20), "28 sigmoid 48 sigmoid 48 sigmoid 48 sigmoid 32 sigmoid 1 sigmoid", 20, epochs=10)
    one = _binary(parts.halves(samples.rings(900)), "1 sigmoid 1 sigmoid", 2, rate=1e-2, epochs=20)
    two = Loop(classes(900, 12, 6, 6), stack, _net("2 sigmoid 6", 12), rate=1e-2, epochs=15)
    tiny = Loop(
        values(900, 6),
        stack,
        _net("norm 4 relu drop0.5 norm 4 relu drop0.5 norm 4 relu drop0.5 1", 6),
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
            replace(line, settings=_net("12 relu 12 relu 1", 1)),
            ("underfitting",),
        ),
        Case(
            "SO 56888491",
            "linear activations all through a classifier",
            "no-nonlinearity",
            fifteen,
            replace(fifteen, settings=_net("15 relu 15 relu 15 relu 3", 2)),
            ("underfitting",),
        ),
        Case(
            "SO 49583466",
            "sigmoids layer upon layer by plain descent",
            "vanishing-gradient",
            deep,
            replace(deep, settings=_net("20 relu 20 relu 20 relu 20 relu 1", 4)),
            ("plateau",),
        ),
        Case(
            "SO 57407973",
            "five sigmoid layers before the output",
            "vanishing-gradient",
            replace(many, optimiser=SGD, rate=0.05),
            replace(
                many, settings=_net("28 relu 48 relu 48 relu 48 relu 32 relu 1 sigmoid", 20), optimiser=SGD, rate=0.05
            ),
            ("plateau",),
        ),
        Case(
            "SO 46359741", "one hidden unit", "underfitting", one, replace(one, settings=_net("16 tanh 1 sigmoid", 2))
        ),
        Case(
            "SO 50306988",
            "two hidden units for six classes",
            "underfitting",
            two,
            replace(two, settings=_net("24 tanh 6", 12)),
        ),
        Case(
            "SO 56317174",
            "half of four units dropped in each of three layers",
            "over-regularised",
            tiny,
            replace(tiny, settings=_net("norm 24 relu norm 24 relu 1", 6)),
            ("underfitting",),
        ),
    ]


def _loops() -> list[Case]:
    mnist = Loop(
        DIGITS,
        stack,
        _net("conv8 relu pool conv16 relu pool flat 10"),
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=8,
    )
    norm = Loop(DIGITS, stack, _net("conv8 norm relu pool conv16 norm relu pool flat drop0.3 10"), rate=5e-3, epochs=6)
    drop = Loop(FLAT, stack, _net("64 relu drop0.5 32 relu drop0.5 10", 64), epochs=20)
    frames = Loop(
        samples.waves(700, 16), models.Recurrent, {"K": 4, "D": 1, "width": 24, "cell": "gru"}, rate=1e-2, epochs=10
    )
    listed = Loop(FLAT, parts.Listed, {"D": 64, "K": 10, "known": True})
    coded = Loop(samples.itself(FLAT), models.VAE, {"D": 64}, loop.Elbo(), loop.likelihood, epochs=15)
    pair = Loop(samples.words(900), models.Bag, {"K": 2, "V": 60}, epochs=10)
    return [
        Case("SO 60335387", "zero_grad is never called", "no-zero-grad", replace(mnist, zero_grad=False), mnist),
        Case(
            "wenet-e2e/wekws#73", "zero_grad is never called", "no-zero-grad", replace(frames, zero_grad=False), frames
        ),
        Case(
            "yastrebksv/TennisCourtDetector#7",
            "zero_grad is never called",
            "no-zero-grad",
            replace(norm, zero_grad=False),
            norm,
        ),
        Case(
            "jindongwang/Deep-learning-activity-recognition#10",
            "a softmax before CrossEntropyLoss, which takes its own",
            "double-softmax",
            replace(mnist, loss=faults.twice),
            mnist,
        ),
        Case(
            "bowang-lab/Transformer-GCN-QA#32",
            "a softmax over the outputs, and one more in the loss",
            "double-softmax",
            replace(pair, loss=faults.twice),
            pair,
        ),
        Case(
            "PyTorch forum 84911",
            "nearly all layers were frozen before training",
            "frozen",
            faults.only_trained(mnist),
            mnist,
        ),
        Case(
            "pytorch/pytorch#51800",
            "weights of later layers never got their random start",
            "bad-start",
            faults.started(_unset)(mnist),
            mnist,
        ),
        Case(
            "pytorch/pytorch#59925",
            "layers in a plain list never reach the optimiser",
            "not-in-optimiser",
            replace(listed, settings={"D": 64, "K": 10, "known": False}),
            listed,
        ),
        Case(
            "zjunlp/HVPNeT#5",
            "the last layers were left out of what the optimiser is given",
            "not-in-optimiser",
            replace(pair, given=_not_last),
            pair,
        ),
        Case(
            "lucidrains/CoCa-pytorch#6",
            "what the encoder gives is detached on its way",
            "detached",
            faults.started(faults.cut)(mnist),
            mnist,
            ("not-in-optimiser",),
        ),
        Case(
            "udacity/deep-learning-v2-pytorch#3",
            "judged with dropout at work",
            "eval-forgotten",
            replace(drop, evaluate=False),
            drop,
        ),
        Case(
            "wolny/pytorch-3dunet#53",
            "judged with batch norm and dropout in training mode",
            "eval-forgotten",
            replace(norm, evaluate=False),
            norm,
        ),
        Case(
            "ermongroup/ncsn#2",
            "in eval mode for ever after the first validation",
            "train-forgotten",
            replace(norm, train_again=False),
            norm,
        ),
        Case(
            "wkentaro/pytorch-fcn#57",
            "validation leaves the model in eval mode, and training goes on",
            "train-forgotten",
            replace(drop, train_again=False),
            drop,
            ("overfitting",),
        ),
        Case(
            "Deci-AI/super-gradients#416",
            "rows in the order of their classes are not shuffled",
            "no-shuffle",
            replace(mnist, shuffle=False, change=faults.ordered),
            mnist,
        ),
        Case(
            "DrexelChatbotGroup/DrexelChatbot#15",
            "inputs were shuffled, and labels were not",
            "labels-shuffled",
            replace(pair, change=faults.permuted),
            pair,
        ),
        Case(
            "pytorch/examples#296",
            "reconstruction as a mean over pixels beside the whole KL",
            "posterior-collapse",
            replace(coded, loss=parts.Meaned()),
            coded,
            ("loss-reduction",),
        ),
        Case(
            "TheDeepChecker baseCNN_constant",
            "all weights begin with one value",
            "bad-start",
            faults.started(faults.alike)(drop),
            drop,
        ),
        Case(
            "TheDeepChecker baseCNN_flip_sign",
            "the sign of the loss is the wrong way round",
            "wrong-loss",
            replace(mnist, loss=parts.risen),
            mnist,
            ("nonfinite", "exploding-gradient"),
        ),
        Case(
            "TheDeepChecker baseCNN_high_lr",
            "the learning rate is a hundred times too high",
            "rate-too-high",
            replace(mnist, rate=5.0),
            mnist,
            ("nonfinite", "dead-relu", "exploding-gradient"),
        ),
        Case(
            "TheDeepChecker baseCNN_low_lr",
            "the learning rate is a thousand times too low",
            "rate-too-low",
            replace(mnist, rate=5e-5),
            mnist,
            ("plateau", "underfitting"),
        ),
        Case(
            "TheDeepChecker baseCNN_over_reg",
            "weight decay a thousand times too strong",
            "over-regularised",
            replace(drop, more={"weight_decay": 0.3}),
            drop,
        ),
        Case(
            "TheDeepChecker baseCNN_unb_data",
            "of half of the classes few rows are left",
            "imbalance",
            replace(mnist, change=faults.lopsided),
            mnist,
        ),
        Case(
            "TheDeepChecker baseCNN_wrong_lbl",
            "labels of another class",
            "label-noise",
            replace(mnist, change=faults.noisy(0.6)),
            mnist,
            ("labels-shuffled",),
        ),
    ]


def _unset(model: nn.Module) -> None:
    for p in list(model.parameters())[2:]:
        p.zero_()


def _not_last(model: nn.Module) -> list[nn.Parameter]:
    return list(model.parameters())[:-4]


CASES: list[Case] = [*_rates(), *_data(), *_nets(), *_loops()]
