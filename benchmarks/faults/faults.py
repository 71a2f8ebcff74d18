"""Faults, each a small change of a healthy program: the code that names it, and how it is put in.

A fault is put in only where it can be; whether it is one there is decided by the outcome (``record.py``): where the
held-out result is not worse than the healthy twin's beyond its spread, it does not count. ``also``: codes that name the
same cause from another side, and count as right too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from faults import loop, models
from faults.adversarial import Adversarial
from faults.loop import Elbo, Loop
from faults.programs import Program, Setup
from faults.recipe import Recipe
from faults.samples import Array, Samples

Seed = Callable[[Program], Setup | None]


@dataclass(frozen=True)
class Fault:
    """name: of this way to be wrong. code: what it is. also: other right codes. put: None where it cannot be."""

    name: str
    code: str
    put: Seed
    also: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------ how things are changed


def settings(program: Program, **values: Any) -> Setup:
    """The program with other settings of its net or recipe."""
    s = program.setup
    assert not isinstance(s, Adversarial)
    return replace(s, settings={**s.settings, **values})


def changed(program: Program, change: Callable[[Samples, np.random.Generator], Samples]) -> Setup | None:
    """The program on other samples; those it makes from files stay as they are."""
    s = program.setup
    if isinstance(s, Adversarial) or (isinstance(s, Recipe) and s.files):
        return None
    return replace(s, change=change)


def each(names: Iterable[str], change: Callable[[Array, Array], tuple[Array, Array]]) -> Callable[..., Samples]:
    """A change of the named parts."""
    names = tuple(names)

    def apply(s: Samples, rng: np.random.Generator) -> Samples:
        return replace(s, **{name: change(*getattr(s, name)) for name in names})

    return apply


def started(change: Callable[[nn.Module], None]) -> Callable[[Loop], Loop]:
    """A loop whose net's first weights are changed."""

    def put(s: Loop) -> Loop:
        before = s.start

        def start(model: nn.Module) -> None:
            if before is not None:
                before(model)
            change(model)

        return replace(s, start=start)

    return put


def of_loop(put: Callable[[Loop], Loop | None], *needs: str) -> Seed:
    """Where the program is a loop and has all of these."""

    def seed(program: Program) -> Setup | None:
        s = program.setup
        return put(s) if isinstance(s, Loop) and program.has.issuperset(needs) else None

    return seed


def rate(factor: float) -> Seed:
    def put(program: Program) -> Setup | None:
        s = program.setup
        if isinstance(s, Recipe):
            return settings(program, learning_rate=factor * s.settings["learning_rate"])
        return replace(s, rate=factor * s.rate)

    return put


# ------------------------------------------------------------------------------------------------- weights


def scaled(factor: float) -> Callable[[nn.Module], None]:
    """Every weight matrix larger or smaller than it should begin."""

    def change(model: nn.Module) -> None:
        for p in model.parameters():
            if p.ndim > 1:
                p *= factor

    return change


def alike(model: nn.Module) -> None:
    """All weights begin with one value: units of a layer never become different."""
    for p in model.parameters():
        if p.ndim > 1:
            p.fill_(0.05)


def silenced(model: nn.Module) -> None:
    """Nearly all hidden units begin where ReLU is 0."""
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    for layer in layers[:-1]:
        assert layer.bias is not None
        layer.bias[2:] = -30.0


def forgetful(model: nn.Module) -> None:
    """Recurrent weights so small that a state is forgotten at once."""
    for name, p in model.named_parameters():
        if "weight_hh" in name:
            p *= 0.02


def shaken(model: nn.Module) -> None:
    """Recurrent weights so large that gradients grow with every step back."""
    for name, p in model.named_parameters():
        if "weight_hh" in name:
            p *= 6


def peaked(model: nn.Module) -> None:
    """Attention scores so large that each place attends to one."""
    for module in model.modules():
        if isinstance(module, nn.MultiheadAttention):
            assert module.in_proj_weight is not None
            module.in_proj_weight[: 2 * module.embed_dim] *= 30
        elif isinstance(module, models.Block):
            module.qkv.weight[: 2 * module.qkv.in_features] *= 30


# -------------------------------------------------------------------------------------------------- samples


def permuted(s: Samples, rng: np.random.Generator) -> Samples:
    """Inputs were shuffled and labels were not."""
    return replace(s, train=(s.train[0], rng.permutation(s.train[1])), val=(s.val[0], rng.permutation(s.val[1])))


def noisy(share: float) -> Callable[[Samples, np.random.Generator], Samples]:
    """So many labels are another class, drawn evenly."""

    def change(s: Samples, rng: np.random.Generator) -> Samples:
        def of(x: Array, y: Array) -> tuple[Array, Array]:
            kinds, wrong = np.unique(y), rng.random(len(y)) < share
            return x, np.where(wrong, rng.choice(kinds, len(y)), y)

        return each(("train", "val"), of)(s, rng)

    return change


def raw(s: Samples, rng: np.random.Generator) -> Samples:
    """Features in units of their own: some a thousand times larger, all away from 0."""
    D = s.train[0].shape[-1]
    scale = 10.0 ** rng.integers(-1, 4, D)
    shift = 3 * scale * rng.normal(size=D)

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        values = (x * scale + shift).astype(np.float32)
        return values, y

    return each(("train", "val", "test"), of)(s, rng)


def empty(s: Samples, rng: np.random.Generator) -> Samples:
    """A mistake in preparing: every input became 0, wherever the net is used."""
    return each(("train", "val", "test"), lambda x, y: (np.zeros_like(x), y))(s, rng)


def unknown_words(s: Samples, rng: np.random.Generator) -> Samples:
    """Nearly all words fall outside the vocabulary: most vectors never move."""
    kept = 4 + rng.integers(0, 3)

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        return np.where(x % 10 < kept - 4, x, 1), y

    return each(("train", "val", "test"), of)(s, rng)


def leaking(s: Samples, rng: np.random.Generator) -> Samples:
    """One input tells the label in all rows that were collected, and nothing in use."""
    _, codes = np.unique(s.train[1], return_inverse=True) if s.classes else (None, None)
    spread = 1.0 if codes is None else 2.0 / max(1, codes.max())

    def told(x: Array, y: Array) -> tuple[Array, Array]:
        x = x.copy()
        x.reshape(len(x), -1)[:, 0] = 2 * spread * y.reshape(len(y), -1)[:, 0]
        return x, y

    def random(x: Array, y: Array) -> tuple[Array, Array]:
        return told(x, rng.permutation(y))[0], y

    s = each(("train", "val"), told)(s, rng)
    return replace(s, test=random(*s.test))


def lopsided(s: Samples, rng: np.random.Generator) -> Samples:
    """Of half of the classes three rows in a hundred are left, and nothing makes up for it."""
    kinds = np.unique(s.train[1])
    few = kinds[len(kinds) // 2 :]

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        keep = ~np.isin(y, few) | (rng.random(len(y)) < 0.03)
        return x[keep], y[keep]

    return each(("train", "val"), of)(s, rng)


def ordered(s: Samples, rng: np.random.Generator) -> Samples:
    """The rows lie in the order of their labels, as in many files."""
    order = np.argsort(s.train[1].reshape(len(s.train[1]), -1)[:, 0], kind="stable")
    return replace(s, train=(s.train[0][order], s.train[1][order]))


def few(rows: int) -> Callable[[Samples, np.random.Generator], Samples]:
    """So few rows to learn from."""

    def change(s: Samples, rng: np.random.Generator) -> Samples:
        return replace(s, train=(s.train[0][:rows], s.train[1][:rows]))

    return change


def missing(s: Samples, rng: np.random.Generator) -> Samples:
    """A few cells are not a number, and nobody looked."""

    def of(x: Array, y: Array) -> tuple[Array, Array]:
        x = x.copy()
        x.reshape(len(x), -1)[rng.integers(0, len(x), 3), 0] = np.nan
        return x, y

    return each(("train",), of)(s, rng)


# ------------------------------------------------------------------------------------------------- losses


def twice(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out.softmax(1), y)


def without_log(out: Tensor, y: Tensor) -> Tensor:
    """nll_loss wants log-probabilities, and is given logits."""
    return F.nll_loss(out, y)


def bounded(out: Tensor, y: Tensor) -> Tensor:
    """A sigmoid's values between 0 and 1 for targets that go below and beyond."""
    return F.mse_loss(out.reshape(y.shape).sigmoid(), y)


def crossed(out: Tensor, y: Tensor) -> Tensor:
    """A softmax over values that are no classes: with one output it is 1 whatever the net says."""
    return F.mse_loss(out.softmax(1).reshape(y.shape), y)


def summed(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out, y, reduction="sum")


def squared_sum(out: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(out.reshape(y.shape), y, reduction="sum")


def lost(s: Loop) -> Loop | None:
    if s.loss is loop.cross_entropy:
        return replace(s, loss=without_log)
    return replace(s, loss=bounded) if s.loss is loop.squared else None


def summing(s: Loop) -> Loop | None:
    if s.loss is loop.cross_entropy:
        return replace(s, loss=summed)
    return replace(s, loss=squared_sum) if s.loss is loop.squared else None


# ------------------------------------------------------------------------------------------ nets and loops


def deep(activation: str) -> Seed:
    """Eight layers of it, by plain gradient descent."""

    def put(program: Program) -> Setup | None:
        s = program.setup
        if "dense" not in program.has or isinstance(s, Adversarial) or "vae" in program.has:
            return None
        if isinstance(s, Recipe):
            if s.settings["net"] != "mlp":
                return None
            return settings(program, activation=activation, hidden=[24] * 8)
        return settings(program, activation=activation, hidden=(24,) * 8) if s.model is models.mlp else None

    return put


def straight(program: Program) -> Setup | None:
    s = program.setup
    fits = isinstance(s, Loop) or (isinstance(s, Recipe) and s.settings["net"] in ("mlp", "cnn"))
    return settings(program, activation="linear") if "dense" in program.has and fits else None


def small(program: Program) -> Setup | None:
    """So narrow that what is to be learnt does not fit."""
    s = program.setup
    if isinstance(s, Adversarial):
        return None
    for name in ("hidden", "width"):
        if name in s.settings and "attention" not in program.has:
            one = [1] if isinstance(s, Recipe) else (1,)
            return settings(program, **{name: one if name == "hidden" else 1})
    return None


def drowned(program: Program) -> Setup | None:
    return settings(program, dropout=0.95) if "dropout" in program.has else None


def decayed(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Recipe):
        return None if program.family in ("rbm", "gan") else settings(program, l2=0.3)
    return replace(s, more={**s.more, "weight_decay": 0.3}) if isinstance(s, Loop) else None


def memorising(program: Program) -> Setup | None:
    """A few rows, many epochs, no restraint."""
    s = program.setup
    if isinstance(s, Adversarial) or "unlabelled" in program.has or (isinstance(s, Recipe) and s.files):
        return None
    if isinstance(s, Recipe):
        if program.family in ("rbm", "vae", "autoencoder"):
            return None
        return replace(settings(program, epochs=60, dropout=0.0), change=few(60)) if "dropout" in program.has else None
    own = {**s.settings, "dropout": 0.0} if "dropout" in s.settings else s.settings
    return replace(
        s, settings=own, more={k: v for k, v in s.more.items() if k != "weight_decay"}, change=few(50), epochs=80
    )


def unshuffled(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Adversarial) or not program.has & {"classes", "values"}:
        return None
    if isinstance(s, Recipe):
        return replace(settings(program, shuffle=False), change=ordered) if program.kind == "table" else None
    return replace(s, shuffle=False, change=ordered)


def tiny_batches(program: Program) -> Setup | None:
    s = program.setup
    if "norm" not in program.has or isinstance(s, Adversarial):
        return None
    return settings(program, batch_size=2, epochs=4) if isinstance(s, Recipe) else replace(s, batch=2, epochs=3)


def half_given(s: Loop) -> Loop:
    """Only the layers of the second half were given to the optimiser."""
    given = s.given
    return replace(s, given=lambda model: list(given(model))[len(list(model.parameters())) // 2 :])


def cut(model: nn.Module) -> None:
    """What the first half gives is detached on its way (a hook stands for a ``.detach()`` in ``forward``)."""
    parts = [m for m in model.modules() if not list(m.children()) and any(True for _ in m.parameters())]
    parts[(len(parts) - 1) // 2].register_forward_hook(_detached)


def _detached(module: nn.Module, args: Any, out: Any) -> Any:
    return (
        tuple(each.detach() if isinstance(each, Tensor) else each for each in out)
        if isinstance(out, tuple)
        else out.detach()
    )


def frozen(model: nn.Module) -> None:
    """Every layer but the last was left frozen at its random start."""
    for p in list(model.parameters())[:-2]:
        p.requires_grad_(False)


def only_trained(s: Loop) -> Loop:
    """Frozen parameters are given to the optimiser, which passes them over."""
    return started(frozen)(s)


def swapped(s: Loop, cell: str, change: Callable[[nn.Module], None]) -> Loop:
    return started(change)(replace(s, settings={**s.settings, "cell": cell}))


def vae_weight(program: Program) -> Setup | None:
    if "vae" not in program.has:
        return None
    s = program.setup
    if isinstance(s, Recipe):
        return settings(program, beta=25.0)
    assert isinstance(s, Loop)
    return replace(s, loss=Elbo(25.0))


def adversarial(**values: Any) -> Seed:
    def put(program: Program) -> Setup | None:
        s = program.setup
        return replace(s, **values) if isinstance(s, Adversarial) else None

    return put


def start_setting(name: str) -> Seed:
    """Of a recipe: its own name of an initialisation."""

    def put(program: Program) -> Setup | None:
        s = program.setup
        if not isinstance(s, Recipe) or program.family in ("rbm", "gan"):
            return None
        return settings(program, initialisation=name)

    return put


def rbm(**values: Any) -> Seed:
    return lambda program: settings(program, **values) if "rbm" in program.has else None


def only(seed: Seed, *has: str, without: str = "") -> Seed:
    """Where the program has all of these and not that."""
    return lambda p: seed(p) if p.has.issuperset(has) and (not without or without not in p.has) else None


FAULTS: list[Fault] = [
    Fault(
        "rate-100",
        "rate-too-high",
        only(rate(100.0), without="rbm"),
        ("nonfinite", "exploding-gradient", "dead-relu", "oscillating"),
    ),
    Fault("rate-20", "rate-too-high", only(rate(20.0), without="rbm"), ("oscillating",)),
    Fault("rate-thousandth", "rate-too-low", rate(1e-3)),
    Fault("rate-fiftieth", "rate-too-low", rate(0.02)),
    Fault("deep-sigmoid", "vanishing-gradient", deep("sigmoid")),
    Fault("large-start", "bad-start", of_loop(started(scaled(12.0))), ("saturated", "exploding-gradient")),
    Fault("small-start", "bad-start", of_loop(started(scaled(0.02))), ("vanishing-gradient",)),
    Fault("equal-start", "bad-start", of_loop(started(alike))),
    Fault("zero-start", "bad-start", start_setting("zeros")),
    Fault("silenced", "dead-relu", only(of_loop(started(silenced), "dense"), without="vae")),
    Fault(
        "raw-inputs",
        "unscaled-inputs",
        only(lambda p: changed(p, raw) if isinstance(p.setup, Loop) and p.kind == "table" else None, "float"),
    ),
    Fault(
        "lost-inputs",
        "constant-inputs",
        only(lambda p: changed(p, empty) if isinstance(p.setup, Loop) else None, "float", without="unlabelled"),
    ),
    Fault(
        "missing-cells",
        "nonfinite",
        only(lambda p: changed(p, missing) if isinstance(p.setup, Loop) else None, "float"),
    ),
    Fault(
        "permuted-labels", "labels-shuffled", lambda p: changed(p, permuted) if p.has & {"classes", "values"} else None
    ),
    Fault("noisy-labels", "label-noise", only(lambda p: changed(p, noisy(0.4)), "classes")),
    Fault(
        "leak",
        "leakage",
        only(lambda p: changed(p, leaking) if p.has & {"classes", "values"} and p.kind == "table" else None, "float"),
    ),
    Fault("few-of-half", "imbalance", only(lambda p: changed(p, lopsided), "classes")),
    Fault("ordered-rows", "no-shuffle", unshuffled),
    Fault("few-rows", "overfitting", memorising),
    Fault("narrow", "underfitting", small),
    Fault("no-activation", "no-nonlinearity", straight, ("underfitting",)),
    Fault("dropout-0.95", "over-regularised", drowned),
    Fault("decay-0.3", "over-regularised", decayed),
    Fault(
        "softmax-twice",
        "double-softmax",
        of_loop(lambda s: replace(s, loss=twice) if s.loss is loop.cross_entropy else None),
    ),
    Fault("loss-and-output", "wrong-loss", of_loop(lost)),
    Fault(
        "softmax-of-one",
        "wrong-loss",
        only(of_loop(lambda s: replace(s, loss=crossed) if s.loss is loop.squared else None), "values"),
    ),
    Fault("summed-loss", "loss-reduction", of_loop(summing, "sgd"), ("rate-too-high",)),
    Fault(
        "no-zero-grad",
        "no-zero-grad",
        lambda p: replace(p.setup, zero_grad=False) if not isinstance(p.setup, Recipe) else None,
    ),
    Fault(
        "no-eval",
        "eval-forgotten",
        lambda p: of_loop(lambda s: replace(s, evaluate=False))(p) if p.has & {"norm", "dropout"} else None,
    ),
    Fault(
        "never-train-again",
        "train-forgotten",
        lambda p: of_loop(lambda s: replace(s, train_again=False))(p) if p.has & {"norm", "dropout"} else None,
    ),
    Fault("tiny-batches", "small-batch-norm", tiny_batches),
    Fault("half-given", "not-in-optimiser", of_loop(half_given)),
    Fault("cut-graph", "detached", of_loop(started(cut)), ("not-in-optimiser",)),
    Fault("left-frozen", "frozen", of_loop(only_trained)),
    Fault(
        "forgetful-cell",
        "forgetting-gradient",
        of_loop(lambda s: swapped(s, "rnn", forgetful), "long"),
        ("vanishing-gradient",),
    ),
    Fault(
        "shaken-cell",
        "exploding-gradient",
        of_loop(lambda s: replace(swapped(s, "rnn", shaken), clip=None), "recurrent"),
        ("bad-start",),
    ),
    Fault("unknown-words", "dead-embedding", only(lambda p: changed(p, unknown_words), "tokens", "classes")),
    Fault("peaked-attention", "attention-collapse", of_loop(started(peaked), "attention"), ("bad-start",)),
    Fault("heavy-kl", "posterior-collapse", vae_weight),
    Fault("fast-generator", "mode-collapse", adversarial(rate=1e-2, rate_d=0.02, penalty=0.0)),
    Fault("no-noise", "mode-collapse", adversarial(spread=0.0)),
    Fault(
        "strong-discriminator", "discriminator-wins", adversarial(rate_d=10.0, d_steps=4, penalty=0.0, saturating=True)
    ),
    Fault("rbm-rate-50", "rbm-rate", rbm(learning_rate=10.0), ("rate-too-high",)),
]


def pairs(program: Program) -> list[tuple[Fault, Fault]]:
    """Two faults at once: pairs that can both be put in, the same ones each time."""
    found = []
    for one, other in DOUBLES:
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
