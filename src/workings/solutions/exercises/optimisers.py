"""Steps of an optimiser on a loss of one or two weights, by the equations of ``updates``; penalties and clipping."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import Expr, absolute, lift, sign, sqrt
from workings.solutions.sums import total
from workings.solutions.updates import Update

LOSS = "The loss of one weight w is L = ½·a·(w − c)², so its gradient is g = a·(w − c). "
_MEMORY = {"m⁺": "m", "v⁺": "v"}


def gradient_descent(draw: Draw, difficulty: int) -> Sheet | None:
    """Two steps; three; three with weight decay."""
    decay = draw.one_of((0.1, 0.2, 0.5)) if difficulty == 3 else 0.0
    update = Update("sgd", "SGD", draw.one_of((0.1, 0.2, 0.5)), weight_decay=decay)
    by = "w⁺ = w − η·g" if not decay else "w⁺ = w − η·(g + λ·w)"
    return _descend(draw, "Gradient descent by hand", f"Each step is {by}.", update, 2 if difficulty == 1 else 3)


def momentum(draw: Draw, difficulty: int) -> Sheet | None:
    """Two steps; three; three with Nesterov's look-ahead."""
    mu, nesterov = draw.one_of((0.5, 0.8, 0.9)), difficulty == 3
    update = Update("sgd", "SGD", draw.one_of((0.1, 0.2)), momentum=mu, nesterov=nesterov)
    by = "w⁺ = w − η·(g + μ·v⁺)" if nesterov else "w⁺ = w − η·v⁺"
    story = f"Each step is v⁺ = μ·v + g, then {by}; v begins at 0."
    title = "Momentum with Nesterov's look-ahead" if nesterov else "Momentum by hand"
    return _descend(draw, title, story, update, 2 if difficulty == 1 else 3)


def adam(draw: Draw, difficulty: int) -> Sheet | None:
    """One step; two; two of AdamW."""
    decay = draw.one_of((0.1, 0.5)) if difficulty == 3 else 0.0
    b1, b2 = draw.one_of(((0.9, 0.99), (0.9, 0.999), (0.5, 0.9), (0.8, 0.9)))
    update = Update(
        "adam", "Adam", draw.one_of((0.01, 0.1, 0.2)), beta1=b1, beta2=b2, weight_decay=decay, decoupled=True
    )
    shrunk = "w·(1 − η·λ)" if decay else "w"
    story = (
        "Step t, counted from 1, is m⁺ = β₁·m + (1 − β₁)·g, v⁺ = β₂·v + (1 − β₂)·g², m̂ = m⁺/(1 − β₁ᵗ), "
        f"v̂ = v⁺/(1 − β₂ᵗ), w⁺ = {shrunk} − η·m̂/(√v̂ + ε); m and v begin at 0."
    )
    title = "AdamW: Adam with decoupled weight decay" if decay else "Adam by hand"
    return _descend(draw, title, story, update, 1 if difficulty == 1 else 2)


def _descend(draw: Draw, title: str, story: str, update: Update, steps: int) -> Sheet | None:
    sheet = Sheet(title)
    sheet.tell(LOSS + story)
    a = sheet.number("a", draw.one_of((0.5, 1, 2, 3)))
    c = sheet.number("c", draw.whole(-3, 3))
    w = sheet.number("w", draw.whole(-4, 4))
    if abs(w.value - c.value) < 1:
        return None
    settings = [("η", update.eta), ("μ", update.momentum), ("λ", update.weight_decay)]
    if update.kind == "adam":
        settings += [("β₁", update.beta1), ("β₂", update.beta2), ("ε", update.eps)]
    for letter, value in settings:
        if value:
            sheet.number(letter, value)
    real = torch.tensor(w.value, dtype=torch.float64, requires_grad=True)
    optimiser = _torch(update, real)
    memory: dict[str, Expr] = {"m": lift(0), "v": lift(0)} if update.kind == "adam" or update.momentum else {}
    for t in range(1, steps + 1):
        sheet.begin(f"Step {t}")
        first = t == 1 and update.kind == "sgd"
        g = sheet.work("g", a * (w - c))
        known: dict[str, Any] = {"w": w, "g": g, **memory}
        for symbol, formula in replace(update, t=t).formulas("w", first):
            made = sheet.work(symbol.removesuffix("⁺"), formula(known), new=symbol.endswith("⁺"))
            known[symbol] = made
            if symbol in _MEMORY:
                memory[_MEMORY[symbol]] = sheet.kept(made)
        if min(abs(g.value), abs(known["w⁺"].value)) < 0.01:
            return None  # at the bottom, or at 0, there is nothing to learn
        real.grad = torch.tensor(a.value, dtype=torch.float64) * (real.detach() - c.value)
        optimiser.step()
        sheet.compare("torch's optimiser", known["w⁺"], real)
        if t == steps or steps < 3:
            _ask(sheet, known, t)
        w = sheet.kept(known["w⁺"])
    return sheet


def _ask(sheet: Sheet, known: dict[str, Any], t: int) -> None:
    for symbol, what in (("m̂", "the corrected mean"), ("v̂", "the corrected mean square"), ("v⁺", "the velocity")):
        if symbol in known and (symbol != "v⁺" or "m̂" not in known):
            sheet.find(f"{what} in step {t}", known[symbol])
    sheet.find(f"the weight after step {t}", known["w⁺"])


def _torch(update: Update, w: torch.Tensor) -> torch.optim.Optimizer:
    """The same optimiser of torch."""
    if update.kind == "sgd":
        return torch.optim.SGD(
            [w], lr=update.eta, momentum=update.momentum, nesterov=update.nesterov, weight_decay=update.weight_decay
        )
    betas = (update.beta1, update.beta2)
    return torch.optim.AdamW([w], lr=update.eta, betas=betas, eps=update.eps, weight_decay=update.weight_decay)


def regularisation(draw: Draw, difficulty: int) -> Sheet | None:
    """L2: loss, gradient, step; L1 and L2; both, then clipping by norm."""
    n = 2 if difficulty == 1 else 3
    W, G = draw.row(n, -2, 2), draw.row(n, -2, 2)
    lam, l1 = draw.one_of((0.1, 0.2, 0.5)), draw.one_of((0.1, 0.2)) if difficulty > 1 else 0.0
    sheet = Sheet(
        {1: "Weight decay: the L2 penalty", 2: "L1 and L2 together", 3: "Penalties, then clipping by norm"}[difficulty]
    )
    penalty = "½·λ·Σw²" + (" + κ·Σ|w|" if l1 else "")
    sheet.tell(
        f"To a loss L with gradient g the penalty {penalty} is added; its gradient is λ·w"
        + (" + κ·sign(w)" if l1 else "")
        + ". J is the sum of both."
    )
    w, g, L = sheet.tensor("w", W), sheet.tensor("g", G), sheet.number("L", draw.whole(5, 30) / 10)
    eta, decay = sheet.number("η", draw.one_of((0.1, 0.2, 0.5))), sheet.number("λ", lam)
    kappa = sheet.number("κ", l1) if l1 else None
    sheet.begin("The loss with its penalty")
    J: Expr = L + decay / 2 * total([w[(i,)] ** 2 for i in range(n)])
    J = J + kappa * total([absolute(w[(i,)]) for i in range(n)]) if kappa is not None else J
    sheet.find("the loss with its penalty", sheet.work("J", J))
    sheet.begin("Its gradient")
    rows = [g[(i,)] + decay * w[(i,)] for i in range(n)]
    rows = [row + kappa * sign(w[(i,)]) for i, row in enumerate(rows)] if kappa is not None else rows
    h = sheet.work_all("h", rows)
    leaf = w.data.clone().requires_grad_()
    (lam / 2 * leaf.square().sum() + l1 * leaf.abs().sum() + (leaf * g.data).sum()).backward()
    assert leaf.grad is not None
    sheet.compare("autograd's gradient", h, leaf.grad)
    sheet.find("the gradient with that of the penalty", h)
    if difficulty == 3:
        sheet.tell("Where the norm ‖h‖ of that gradient h is above τ, the gradient is multiplied by τ/‖h‖.")
        tau = sheet.number("τ", draw.one_of((0.5, 1.0)))
        sheet.begin("Clipping by norm")
        norm = sheet.work("N", sqrt(total([h[(i,)] ** 2 for i in range(n)])))
        if norm.value < 1.2 * tau.value:
            return None
        h = sheet.work_all("k", [tau / norm * h[(i,)] for i in range(n)])
        sheet.steps[-1].remarks.append("N is the norm, and it is above τ.")
        sheet.find("the norm", norm)
        sheet.find("the gradient after clipping", h)
    sheet.tell("The step is w⁺ = w − η times the gradient.")
    sheet.begin("The step")
    sheet.find("the new weights", sheet.work_all("w", [w[(i,)] - eta * h[(i,)] for i in range(n)], new=True))
    return sheet
