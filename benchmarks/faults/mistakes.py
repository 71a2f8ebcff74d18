"""What faults do to losses, nets, optimisers and loops: each gives a changed program, or None where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from faults import damage, loop, models
from faults.adversarial import Adversarial
from faults.loop import Elbo, Loop
from faults.program import Program, Setup
from faults.recipe import Recipe
from faults.samples import Samples

Seed = Callable[[Program], Setup | None]


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
        return (
            replace(settings(program, epochs=60, dropout=0.0), change=damage.few(60))
            if "dropout" in program.has
            else None
        )
    own = {**s.settings, "dropout": 0.0} if "dropout" in s.settings else s.settings
    return replace(
        s, settings=own, more={k: v for k, v in s.more.items() if k != "weight_decay"}, change=damage.few(50), epochs=80
    )


def unshuffled(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Adversarial) or not program.has & {"classes", "values"}:
        return None
    if isinstance(s, Recipe):
        return replace(settings(program, shuffle=False), change=damage.ordered) if program.kind == "table" else None
    return replace(s, shuffle=False, change=damage.ordered)


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
