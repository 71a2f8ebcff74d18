"""Batch norm: μ and v of a batch, x̂ = (x − μ)/√(v + ε), y = γ·x̂ + β, and back (Ioffe and Szegedy 2015)."""

from __future__ import annotations

import torch
from torch import nn

from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import Entry, sqrt
from workings.solutions.sums import total


def batch_norm(draw: Draw, difficulty: int) -> Sheet | None:
    """A batch whose √v is whole; any batch, with what is kept for use; with the gradient."""
    n = 4
    if difficulty == 1:
        # Two pairs about the mean: v = s².
        mean, s = draw.whole(-3, 5), draw.whole(1, 4)
        pattern = draw.some_of((-1, -1, 1, 1), n)
        values = [mean + s * side for side in pattern]
        eps = 0.0
    else:
        values, eps = draw.wholes(n, -4, 8), draw.one_of((0.001, 0.01, 0.1))
        if len(set(values)) < n:
            return None
    sheet = Sheet(
        {1: "Batch norm of one unit", 2: "Batch norm, learning and in use", 3: "Batch norm and its gradient"}[
            difficulty
        ]
    )
    sheet.tell(
        "x holds one unit's values over a batch. μ is their mean, v the mean of (x − μ)², "
        f"x̂ = (x − μ)/√{'v' if not eps else '(v + ε)'} and y = γ·x̂ + β."
    )
    x = sheet.tensor("x", values)
    gamma, beta = sheet.number("γ", draw.whole(1, 3)), sheet.number("β", draw.whole(-2, 2))
    small = sheet.number("ε", eps) if eps else None
    sheet.begin("Mean and variance of the batch")
    mu = sheet.work("μ", total([x[(i,)] for i in range(n)]) / n)
    v = sheet.work("v", total([(x[(i,)] - mu) ** 2 for i in range(n)]) / n)
    sheet.begin("Normalised, then scaled and shifted")
    root = sqrt(v + small) if small is not None else sqrt(v)
    hat = sheet.work_all("x̂", [(x[(i,)] - mu) / root for i in range(n)])
    y = sheet.work_all("y", [gamma * hat[(i,)] + beta for i in range(n)])
    if small is None:
        spread = x.data.std(correction=0)  # torch's layer takes no ε of 0
        sheet.compare("torch's mean and deviation", y, (x.data - x.data.mean()) / spread * gamma.value + beta.value)
    layer, leaf = nn.BatchNorm1d(1, eps or 1, momentum=0.1).double(), x.data[:, None].clone().requires_grad_()
    with torch.no_grad():
        layer.weight.fill_(gamma.value)
        layer.bias.fill_(beta.value)
    out = layer(leaf)
    if small is not None:
        sheet.compare("torch's batch norm", y, out)
    for what, q in (("the mean", mu), ("the variance", v), ("the normalised values", hat), ("what it gives", y)):
        sheet.find(what, q)
    if difficulty == 2:
        assert small is not None
        later = sheet.number("q", draw.whole(-4, 8))
        _kept(sheet, later, layer, {"μ": mu, "v": v, "γ": gamma, "β": beta, "ε": small})
    if difficulty == 3:
        sheet.tell("The gradient that arrives at y is g = ∂L/∂y. Mind that μ and v depend on every x.")
        g = sheet.tensor("g", draw.row(n))
        sheet.begin("Gradients of γ and β")
        to_gamma = sheet.work("", total([g[(i,)] * hat[(i,)] for i in range(n)]), of=gamma)
        to_beta = sheet.work("", total([g[(i,)] for i in range(n)]), of=beta)
        sheet.begin("The gradient of x: γ/√(v + ε)·(g − mean of g − x̂·mean of g·x̂)")
        sheet.steps[-1].remarks.append("The means of g and of g·x̂ are the two sums above, divided by 4.")
        rows = [gamma / root * (g[(i,)] - to_beta / n - hat[(i,)] * to_gamma / n) for i in range(n)]
        back = sheet.work_all("d", rows)
        out.backward(g.data[:, None])
        assert leaf.grad is not None
        assert layer.weight.grad is not None
        sheet.compare("autograd's gradient of x", back, leaf.grad)
        sheet.compare("autograd's gradient of γ", to_gamma, layer.weight.grad)
        for what, q in (("the gradient of γ", to_gamma), ("the gradient of β", to_beta), ("∂L/∂x", back)):
            sheet.find(what, q)
    return sheet


def _kept(sheet: Sheet, later: Entry, layer: nn.BatchNorm1d, made: dict[str, Entry]) -> None:
    """What is kept for use, and the value ``later`` in use."""
    n, (mu, v, gamma, beta, small) = 4, (made[k] for k in "μvγβε")
    sheet.tell(
        "While learning, m is kept of the means and s of the variances: m⁺ = 0.9·m + 0.1·μ, s⁺ = 0.9·s + "
        f"0.1·v·{n}/({n} − 1). In use y = γ·(x − m)/√(s + ε) + β with these. They begin at m = 0, s = 1."
    )
    m, s = sheet.number("m", 0.0), sheet.number("s", 1.0)
    sheet.begin("What is kept for use")
    m = sheet.kept(sheet.work("m", 0.9 * m + 0.1 * mu, new=True))
    s = sheet.kept(sheet.work("s", 0.9 * s + 0.1 * v * n / (n - 1), new=True))
    assert layer.running_mean is not None
    assert layer.running_var is not None
    sheet.compare("torch's running mean", m, layer.running_mean)
    sheet.compare("torch's running variance", s, layer.running_var)
    sheet.begin("In use, of the value q")
    r = sheet.work("r", gamma * (later - m) / sqrt(s + small) + beta)
    layer.eval()
    sheet.compare("torch's batch norm in use", r, layer(torch.tensor([[later.value]], dtype=torch.float64)))
    sheet.find("the mean that is kept", m)
    sheet.find("the variance that is kept", s)
    sheet.find("what the value q gives in use", r)
