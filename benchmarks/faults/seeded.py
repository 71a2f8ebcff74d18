"""Faults, each a small change of a healthy program: the code that names it, and how it is put in.

A fault is put in only where it can be; whether it is one there is decided by the outcome (``record.py``): where the
held-out result is not worse than the healthy twin's beyond its spread, it does not count. ``also``: codes that name the
same cause from another side, and count as right too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from faults import damage, loop, mistakes
from faults.loop import Loop
from faults.mistakes import Seed
from faults.program import Program, Setup
from faults.recipe import Recipe


@dataclass(frozen=True)
class Fault:
    """name: of this way to be wrong. code: what it is. also: other right codes. put: None where it cannot be."""

    name: str
    code: str
    put: Seed
    also: tuple[str, ...] = ()


FAULTS: list[Fault] = [
    Fault(
        "rate-100",
        "rate-too-high",
        mistakes.only(mistakes.rate(100.0), without="rbm"),
        ("nonfinite", "exploding-gradient", "dead-relu", "oscillating"),
    ),
    Fault("rate-20", "rate-too-high", mistakes.only(mistakes.rate(20.0), without="rbm"), ("oscillating",)),
    Fault("rate-thousandth", "rate-too-low", mistakes.rate(1e-3)),
    Fault("rate-fiftieth", "rate-too-low", mistakes.rate(0.02)),
    Fault("deep-sigmoid", "vanishing-gradient", mistakes.deep("sigmoid")),
    Fault(
        "large-start",
        "bad-start",
        mistakes.of_loop(mistakes.started(damage.scaled(12.0))),
        ("saturated", "exploding-gradient"),
    ),
    Fault("small-start", "bad-start", mistakes.of_loop(mistakes.started(damage.scaled(0.02))), ("vanishing-gradient",)),
    Fault("equal-start", "bad-start", mistakes.of_loop(mistakes.started(damage.alike))),
    Fault("zero-start", "bad-start", mistakes.start_setting("zeros")),
    Fault(
        "silenced",
        "dead-relu",
        mistakes.only(mistakes.of_loop(mistakes.started(damage.silenced), "dense"), without="vae"),
    ),
    Fault(
        "raw-inputs",
        "unscaled-inputs",
        mistakes.only(
            lambda p: mistakes.changed(p, damage.raw) if isinstance(p.setup, Loop) and p.kind == "table" else None,
            "float",
        ),
    ),
    Fault(
        "lost-inputs",
        "constant-inputs",
        mistakes.only(
            lambda p: mistakes.changed(p, damage.empty) if isinstance(p.setup, Loop) else None,
            "float",
            without="unlabelled",
        ),
    ),
    Fault(
        "missing-cells",
        "nonfinite",
        mistakes.only(lambda p: mistakes.changed(p, damage.missing) if isinstance(p.setup, Loop) else None, "float"),
    ),
    Fault(
        "permuted-labels",
        "labels-shuffled",
        lambda p: mistakes.changed(p, damage.permuted) if p.has & {"classes", "values"} else None,
    ),
    Fault("noisy-labels", "label-noise", mistakes.only(lambda p: mistakes.changed(p, damage.noisy(0.4)), "classes")),
    Fault(
        "leak",
        "leakage",
        mistakes.only(
            lambda p: (
                mistakes.changed(p, damage.leaking) if p.has & {"classes", "values"} and p.kind == "table" else None
            ),
            "float",
        ),
    ),
    Fault("few-of-half", "imbalance", mistakes.only(lambda p: mistakes.changed(p, damage.lopsided), "classes")),
    Fault("ordered-rows", "no-shuffle", mistakes.unshuffled),
    Fault("few-rows", "overfitting", mistakes.memorising),
    Fault("narrow", "underfitting", mistakes.small),
    Fault("no-activation", "no-nonlinearity", mistakes.straight, ("underfitting",)),
    Fault("dropout-0.95", "over-regularised", mistakes.drowned),
    Fault("decay-0.3", "over-regularised", mistakes.decayed),
    Fault(
        "softmax-twice",
        "double-softmax",
        mistakes.of_loop(lambda s: replace(s, loss=mistakes.twice) if s.loss is loop.cross_entropy else None),
    ),
    Fault("loss-and-output", "wrong-loss", mistakes.of_loop(mistakes.lost)),
    Fault(
        "softmax-of-one",
        "wrong-loss",
        mistakes.only(
            mistakes.of_loop(lambda s: replace(s, loss=mistakes.crossed) if s.loss is loop.squared else None), "values"
        ),
    ),
    Fault("summed-loss", "loss-reduction", mistakes.of_loop(mistakes.summing, "sgd"), ("rate-too-high",)),
    Fault(
        "no-zero-grad",
        "no-zero-grad",
        lambda p: replace(p.setup, zero_grad=False) if not isinstance(p.setup, Recipe) else None,
    ),
    Fault(
        "no-eval",
        "eval-forgotten",
        lambda p: mistakes.of_loop(lambda s: replace(s, evaluate=False))(p) if p.has & {"norm", "dropout"} else None,
    ),
    Fault(
        "never-train-again",
        "train-forgotten",
        lambda p: mistakes.of_loop(lambda s: replace(s, train_again=False))(p) if p.has & {"norm", "dropout"} else None,
    ),
    Fault("tiny-batches", "small-batch-norm", mistakes.tiny_batches),
    Fault("half-given", "not-in-optimiser", mistakes.of_loop(mistakes.half_given)),
    Fault("cut-graph", "detached", mistakes.of_loop(mistakes.started(mistakes.cut)), ("not-in-optimiser",)),
    Fault("left-frozen", "frozen", mistakes.of_loop(mistakes.only_trained)),
    Fault(
        "forgetful-cell",
        "forgetting-gradient",
        mistakes.of_loop(lambda s: mistakes.swapped(s, "rnn", damage.forgetful), "long"),
        ("vanishing-gradient",),
    ),
    Fault(
        "shaken-cell",
        "exploding-gradient",
        mistakes.of_loop(lambda s: replace(mistakes.swapped(s, "rnn", damage.shaken), clip=None), "recurrent"),
        ("bad-start",),
    ),
    Fault(
        "unknown-words",
        "dead-embedding",
        mistakes.only(lambda p: mistakes.changed(p, damage.unknown_words), "tokens", "classes"),
    ),
    Fault(
        "peaked-attention",
        "attention-collapse",
        mistakes.of_loop(mistakes.started(damage.peaked), "attention"),
        ("bad-start",),
    ),
    Fault("heavy-kl", "posterior-collapse", mistakes.vae_weight),
    Fault("fast-generator", "mode-collapse", mistakes.adversarial(rate=1e-2, rate_d=0.02, penalty=0.0)),
    Fault("no-noise", "mode-collapse", mistakes.adversarial(spread=0.0)),
    Fault(
        "strong-discriminator",
        "discriminator-wins",
        mistakes.adversarial(rate_d=10.0, d_steps=4, penalty=0.0, saturating=True),
    ),
    Fault("rbm-rate-50", "rbm-rate", mistakes.rbm(learning_rate=10.0), ("rate-too-high",)),
]


def pairs(program: Program, doubles: Sequence[tuple[str, str]] | None = None) -> list[tuple[Fault, Fault]]:
    """Two faults at once: pairs that can both be put in, the same ones each time."""
    found = []
    for one, other in DOUBLES if doubles is None else doubles:
        a, b = BY_NAME[one], BY_NAME[other]
        first = a.put(program)
        if first is not None and b.put(replace(program, setup=first)) is not None and b.put(program) is not None:
            found.append((a, b))
    return found


BY_NAME: dict[str, Fault] = {fault.name: fault for fault in FAULTS}
DOUBLES: list[tuple[str, str]] = [
    ("no-zero-grad", "softmax-twice"),
    ("raw-inputs", "rate-thousandth"),
    ("equal-start", "half-given"),
    ("permuted-labels", "rate-100"),
    ("noisy-labels", "narrow"),
    ("no-eval", "no-zero-grad"),
    ("silenced", "summed-loss"),
    ("deep-sigmoid", "permuted-labels"),
    ("few-of-half", "dropout-0.95"),
    ("cut-graph", "rate-fiftieth"),
]


def put(program: Program, *faults: Fault) -> Setup | None:
    """The program with these faults, one after another."""
    setup: Setup | None = program.setup
    for fault in faults:
        if setup is None:
            return None
        setup = fault.put(replace(program, setup=setup))
    return setup
