"""Published bugs of training loops: what was forgotten, cut off, or put in the wrong place."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from faults import damage, loop, mistakes, models, samples
from faults.loop import Loop
from faults.published import parts
from faults.published.parts import DIGITS, FLAT, Case, net, stack

SGD = torch.optim.SGD


def _loops() -> list[Case]:
    mnist = Loop(
        DIGITS,
        stack,
        net("conv8 relu pool conv16 relu pool flat 10"),
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=8,
    )
    norm = Loop(DIGITS, stack, net("conv8 norm relu pool conv16 norm relu pool flat drop0.3 10"), rate=5e-3, epochs=6)
    drop = Loop(FLAT, stack, net("64 relu drop0.5 32 relu drop0.5 10", 64), epochs=20)
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
            replace(mnist, loss=mistakes.twice),
            mnist,
        ),
        Case(
            "bowang-lab/Transformer-GCN-QA#32",
            "a softmax over the outputs, and one more in the loss",
            "double-softmax",
            replace(pair, loss=mistakes.twice),
            pair,
        ),
        Case(
            "PyTorch forum 84911",
            "nearly all layers were frozen before training",
            "frozen",
            mistakes.only_trained(mnist),
            mnist,
        ),
        Case(
            "pytorch/pytorch#51800",
            "weights of later layers never got their random start",
            "bad-start",
            mistakes.started(_unset)(mnist),
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
            mistakes.started(mistakes.cut)(mnist),
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
            replace(mnist, shuffle=False, change=damage.ordered),
            mnist,
        ),
        Case(
            "DrexelChatbotGroup/DrexelChatbot#15",
            "inputs were shuffled, and labels were not",
            "labels-shuffled",
            replace(pair, change=damage.permuted),
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
            mistakes.started(damage.alike)(drop),
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
            replace(mnist, change=damage.lopsided),
            mnist,
        ),
        Case(
            "TheDeepChecker baseCNN_wrong_lbl",
            "labels of another class",
            "label-noise",
            replace(mnist, change=damage.noisy(0.6)),
            mnist,
            ("labels-shuffled",),
        ),
    ]


def _unset(model: nn.Module) -> None:
    for p in list(model.parameters())[2:]:
        p.zero_()


def _not_last(model: nn.Module) -> list[nn.Parameter]:
    return list(model.parameters())[:-4]


CASES: list[Case] = _loops()
