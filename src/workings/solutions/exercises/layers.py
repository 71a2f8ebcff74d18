"""Dense layers: activations and derivatives, forward passes, a step of backpropagation (Rumelhart et al. 1986)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workings.learning.losses import make_loss
from workings.solutions.examples.example import ALL_ENTRIES, forward, named
from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import lift
from workings.solutions.rules.elementwise import ACTIVATIONS, Elementwise
from workings.solutions.show import show

SIGMOID = "σ(z) = 1/(1 + e^(−z)) is the sigmoid."
LARGEST = 3.0  # of |z|: beyond it a sigmoid or tanh is flat, and its digits say nothing
_RULES: dict[str, Elementwise] = {rule.name: rule for rule in ACTIVATIONS}
_KINDS = {1: ("sigmoid", "tanh", "relu"), 2: ("leaky_relu", "elu", "softplus"), 3: ("silu", "gelu")}
_TITLES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "silu": "SiLU", "gelu": "GELU"}
_STATED = {
    "sigmoid": "f(z) = 1/(1 + e^(−z)), with f′ = a(1 − a)",
    "tanh": "f(z) = tanh(z), with f′ = 1 − a²",
    "relu": "f(z) = max(0, z), with f′ = 1 where z > 0, else 0",
    "leaky_relu": "f(z) = z where z > 0, else s·z",
    "elu": "f(z) = z where z > 0, else s·(e^z − 1)",
    "softplus": "f(z) = ln(1 + e^z)",
    "silu": "f(z) = z·σ(z), σ the sigmoid 1/(1 + e^(−z))",
    "gelu": "f(z) = z·Φ(z), Φ the normal distribution function with density φ",
}


def activations(draw: Draw, difficulty: int) -> Sheet | None:
    """Value and derivative at a few points; at the last difficulty also what comes back through it."""
    kind = draw.one_of(_KINDS[difficulty])
    points = sorted(draw.some_of([i / 10 for i in range(-20, 21, 5 if difficulty == 1 else 1) if i], 3))
    if not points[0] < 0 < points[-1]:
        return None
    sheet = Sheet(f"The activation {_TITLES.get(kind, kind)} and its derivative")
    sheet.tell(f"a = f(z) with {_STATED[kind]}; here z has three entries.")
    settings: tuple[Any, ...] = ()
    if kind in ("leaky_relu", "elu"):
        settings = (sheet.number("s", draw.one_of((0.01, 0.1, 0.2) if kind == "leaky_relu" else (1, 0.5, 2))),)
    z = sheet.tensor("z", points)
    back = sheet.tensor("g", draw.row(3)) if difficulty == 3 else None
    if back is not None:
        sheet.tell("The gradient of a loss that arrives at a is g = ∂L/∂a.")
    rule = _RULES[kind]
    sheet.begin("Values")
    a = sheet.work_all("a", [rule.f(z[(i,)], *settings) for i in range(3)])
    sheet.begin("Derivatives")
    slopes = [lift(rule.partials[0](z[(i,)], a[(i,)], *settings)) for i in range(3)]
    slope = sheet.work_all("f′", slopes)
    leaf = z.data.clone().requires_grad_()
    out = _of_torch(kind, leaf, *(each.value for each in settings))
    out.sum().backward()
    assert leaf.grad is not None
    sheet.compare("autograd's derivative", slope, leaf.grad)
    sheet.find("the values", a)
    sheet.find("the derivatives at these points", slope)
    if back is not None:
        sheet.begin("Back through it: ∂L/∂z = g·f′(z)")
        sheet.find("the gradient that arrives at z", sheet.work_all("δ", [back[(i,)] * slope[(i,)] for i in range(3)]))
    return sheet


def _of_torch(kind: str, z: Tensor, *settings: float) -> Tensor:
    """The same function by torch."""
    return getattr(nn.functional, kind)(z, *settings) if kind not in ("sigmoid", "tanh") else getattr(torch, kind)(z)


def net_of(*layers: tuple[list[list[float]], list[float] | None, nn.Module | None]) -> nn.Sequential:
    """Dense layers with these weights and biases, each with its activation."""
    made: list[nn.Module] = []
    for W, b, activation in layers:
        dense = nn.Linear(len(W[0]), len(W), bias=b is not None).double()
        dense.weight = nn.Parameter(torch.tensor(W, dtype=torch.float64))
        if b is not None:
            dense.bias = nn.Parameter(torch.tensor(b, dtype=torch.float64))
        made += [dense] if activation is None else [dense, activation]
    return nn.Sequential(*made)


def moderate(net: nn.Sequential, x: Tensor) -> bool:
    """Whether no layer's z is so large that its activation is flat, nor so near 0 that rounding would decide it."""
    for layer in net:
        x = layer(x)
        if isinstance(layer, nn.Linear) and not bool(((x.abs() < LARGEST) & (x.abs() > 0.01)).all()):
            return False
    return True


def give_net(sheet: Sheet, net: nn.Sequential, x: Tensor) -> None:
    """State the weights, the biases and the input, by the symbols that the answer has for them."""
    sheet.tensor("x", x, one_sample=len(x) == 1)
    for i, layer in enumerate(each for each in net if isinstance(each, nn.Linear)):
        sheet.tensor("W", layer.weight.detach(), str(i + 1))
        if layer.bias is not None:
            sheet.tensor("b", layer.bias.detach(), str(i + 1))


def dense(draw: Draw, difficulty: int) -> Sheet | None:
    """A layer with ReLU; two layers of sigmoids; tanh, then softmax."""
    x = torch.tensor([draw.row({1: 2, 2: 2, 3: 3}[difficulty], -2, 2)], dtype=torch.float64)
    if difficulty == 1:
        net = net_of((draw.rows(2, 2, -2, 2), draw.row(2), nn.ReLU()))
        story = "a⁽¹⁾ = max(0, z⁽¹⁾), z⁽¹⁾ = W⁽¹⁾x + b⁽¹⁾: a dense layer with ReLU."
    elif difficulty == 2:
        net = net_of((draw.rows(2, 2), draw.row(2), nn.Sigmoid()), (draw.rows(1, 2), draw.row(1), nn.Sigmoid()))
        story = f"a⁽¹⁾ = σ(W⁽¹⁾x + b⁽¹⁾), a⁽²⁾ = σ(W⁽²⁾a⁽¹⁾ + b⁽²⁾). {SIGMOID}"
    else:
        net = net_of((draw.rows(3, 3), draw.row(3), nn.Tanh()), (draw.rows(3, 3), draw.row(3), nn.Softmax(1)))
        story = (
            "a⁽¹⁾ = tanh(W⁽¹⁾x + b⁽¹⁾), z⁽²⁾ = W⁽²⁾a⁽¹⁾ + b⁽²⁾, and a⁽²⁾ is the softmax of z⁽²⁾: each e^z divided by "
            "their sum."
        )
    if not moderate(net, x):
        return None
    with torch.no_grad():
        if difficulty == 1 and not 0 < int((net(x) > 0).sum()) < 2:
            return None
    sheet = Sheet(
        {1: "A dense layer with ReLU", 2: "Two dense layers", 3: "A dense net that names a class"}[difficulty]
    )
    sheet.tell(story)
    give_net(sheet, net, x)
    sheet.steps, out = forward(net, x, ALL_ENTRIES)
    last = 1 if difficulty == 1 else 2
    for i in range(last):
        sheet.find(f"what layer {i + 1} gives", named(sheet.steps, f"a{'⁽¹⁾⁽²⁾'[3 * i : 3 * i + 3]}"))
    if difficulty == 3:
        sheet.find_word("the class, from 1, that the net names", str(int(out.argmax()) + 1))
    return sheet


def backpropagation(draw: Draw, difficulty: int) -> Sheet | None:
    """A chain of two units with biases; a 2-2-1 net without; a 2-2-2 net with biases, tanh inside."""
    eta = draw.one_of((0.1, 0.2, 0.5, 1.0))
    n, h, k = {1: (1, 1, 1), 2: (2, 2, 1), 3: (2, 2, 2)}[difficulty]
    biased = difficulty != 2
    inside = nn.Tanh() if difficulty == 3 else nn.Sigmoid()
    net = net_of(
        (draw.rows(h, n), draw.row(h) if biased else None, inside),
        (draw.rows(k, h), draw.row(k) if biased else None, nn.Sigmoid()),
    )
    x = torch.tensor([draw.row(n, 0.1, 1)], dtype=torch.float64)
    t = torch.tensor([[draw.one_of((0.0, 0.1, 0.2, 0.8, 0.9, 1.0)) for _ in range(k)]], dtype=torch.float64)
    with torch.no_grad():
        if not moderate(net, x) or bool(((net(x) - t).abs() < 0.1).any()):
            return None
    sheet = Sheet(f"One step of backpropagation: {'a chain of two units' if n == 1 else f'a {n}-{h}-{k} net'}")
    first = "tanh(z⁽¹⁾)" if difficulty == 3 else "σ(z⁽¹⁾)"
    plus = " + b⁽¹⁾", " + b⁽²⁾"
    sheet.tell(
        f"z⁽¹⁾ = W⁽¹⁾x{plus[0] if biased else ''}, a⁽¹⁾ = {first}, z⁽²⁾ = W⁽²⁾a⁽¹⁾{plus[1] if biased else ''}, "
        f"a⁽²⁾ = σ(z⁽²⁾). {SIGMOID}",
        "The loss is L = ½Σ(t − a⁽²⁾)², and δ stands for ∂L/∂z. After the step each weight is w⁺ = w − η·∂L/∂w"
        + (", biases alike, all from the weights before it." if biased else ", all from the weights before it."),
    )
    sheet.number("η", eta)
    give_net(sheet, net, x)
    sheet.tensor("t", t, one_sample=True)
    optimiser = torch.optim.SGD(net.parameters(), lr=eta)
    sheet.steps = show(net, x, t, make_loss("half_squared"), optimiser, whole=True).steps
    sheet.find("the output", named(sheet.steps, "a⁽²⁾"))
    sheet.find("the loss", named(sheet.steps, "L"))
    sheet.find("δ of the output layer", named(sheet.steps, "δ⁽²⁾"))
    sheet.find("δ of the hidden layer", named(sheet.steps, "δ⁽¹⁾"))
    for i in "¹²":
        sheet.find("the new weights", named(sheet.steps, f"W⁽{i}⁾⁺"))
        if biased:
            sheet.find("the new bias", named(sheet.steps, f"b⁽{i}⁾⁺"))
    return sheet
