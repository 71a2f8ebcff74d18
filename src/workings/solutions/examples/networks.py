"""Backpropagation worked to the new weights: W13, W14, W15, and the well-known 2-2-2 network."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from workings.learning.losses import make_loss
from workings.solutions.examples.arithmetic import LECTURE, QUESTIONS
from workings.solutions.examples.example import Example, Figure, named
from workings.solutions.show import show
from workings.solutions.steps import Solution, Step


def _tensor(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _net(W1: Tensor, W2: Tensor, b1: Tensor | None = None, b2: Tensor | None = None) -> nn.Sequential:
    """Two sigmoid layers with these parameters."""
    layers: list[nn.Module] = []
    for W, b in ((W1, b1), (W2, b2)):
        dense = nn.Linear(W.shape[1], W.shape[0], bias=b is not None).double()
        dense.weight = nn.Parameter(W.clone())
        if b is not None:
            dense.bias = nn.Parameter(b.clone())
        layers += [dense, nn.Sigmoid()]
    return nn.Sequential(*layers)


def _worked(net: nn.Module, x: Tensor, t: Tensor, eta: float, learnt: list[nn.Parameter]) -> tuple[Solution, Tensor]:
    """The step, done: the net has the new weights afterwards; and its new output."""
    optimiser = torch.optim.SGD(learnt, lr=eta)
    solution = show(net, x, t, make_loss("half_squared"), optimiser, digits=4)
    net.zero_grad()
    make_loss("half_squared")(net(x), t).backward()
    optimiser.step()
    return solution, net(x).detach()


def _entry(solution: Solution, section: str, symbol: str, *index: int) -> float:
    """A number of the page, by the symbol of the quantity."""
    top = next(step for step in solution.steps if step.title.startswith(section))
    return float(named([top], symbol).data[index])


def _two_two_one() -> tuple[list[Step], list[Figure]]:
    net = _net(_tensor((0.1, 0.8), (0.4, 0.6)), _tensor((0.3, 0.9)))
    x, t = _tensor((0.35, 0.9)), _tensor((0.5,))
    s, after = _worked(net, x, t, 1.0, list(net.parameters()))
    a1, a2, W1, W2 = "a⁽¹⁾", "a⁽²⁾", "W⁽¹⁾⁺", "W⁽²⁾⁺"
    s.steps[2].remarks.append(
        "δ here is ∂L/∂z. The notes write δ for −∂L/∂z and add η δ o where this page subtracts η ∂L/∂w: one result."
    )
    delta2, early = -_entry(s, "Backward", "δ⁽²⁾", 0, 0), "The notes went on with rounded numbers."
    w35, w45 = _entry(s, "Update", W2, 0, 0), _entry(s, "Update", W2, 0, 1)
    return s.steps, [
        Figure("y₃", "0.6803", _entry(s, "Forward", a1, 0, 0)),
        Figure("y₄", "0.6637", _entry(s, "Forward", a1, 0, 1)),
        Figure("y₅", "0.6903", _entry(s, "Forward", a2, 0, 0)),
        Figure("error t − y₅", "-0.1903", 0.5 - _entry(s, "Forward", a2, 0, 0)),
        Figure("δ₅", "-0.0407", delta2),
        Figure("δ₃", "-0.00265", -_entry(s, "Backward", "δ⁽¹⁾", 0, 0)),
        Figure("δ₄", "-0.0082", -_entry(s, "Backward", "δ⁽¹⁾", 0, 1)),
        Figure("new w₁₃", "0.0991", _entry(s, "Update", W1, 0, 0)),
        Figure("new w₂₃", "0.7976", _entry(s, "Update", W1, 0, 1)),
        Figure("new w₁₄", "0.3971", _entry(s, "Update", W1, 1, 0)),
        Figure("new w₂₄", "0.5926", _entry(s, "Update", W1, 1, 1)),
        Figure("new w₃₅", "0.2723", w35),
        Figure("new w₄₅", "0.8730", w45),
        Figure("δ₅", "-0.0406", delta2, early),
        Figure("new w₃₅", "0.2724", w35, early),
        Figure("new w₄₅", "0.8731", w45, early),
        Figure("new y₅", "0.6820", float(after)),
        Figure("new error", "-0.1820", 0.5 - float(after)),
    ]


def _chain() -> tuple[list[Step], list[Figure]]:
    net = _net(
        _tensor((0.15,)),
        _tensor((0.45,)),
        torch.tensor([0.4], dtype=torch.float64),
        torch.tensor([0.65], dtype=torch.float64),
    )
    x, t, loss = _tensor((0.1,)), _tensor((0.25,)), make_loss("half_squared")
    E = float(loss(net(x), t).detach())
    s, after = _worked(net, x, t, 0.4, list(net.parameters()))
    w = {key: float(p.detach().reshape(())) for key, p in zip(("w₁", "b₁", "w₂", "b₂"), net.parameters(), strict=True)}
    gb1 = _entry(s, "Backward", "∂L/∂b⁽¹⁾", 0)
    count, optimiser = 1, torch.optim.SGD(net.parameters(), lr=0.4)
    while float(loss(net(x), t).detach()) > 0.001:
        net.zero_grad()
        loss(net(x), t).backward()
        optimiser.step()
        count += 1
    last = Step("On to the threshold, E ≤ 0.001")
    last.remarks.append(
        f"The same step again and again: after {count:,} steps E = {float(loss(net(x), t).detach()):.6f}, "
        f"a₂ = {float(net(x).detach()):.4f}; after the first step it was {float(after):.4f}."
    )
    return [*s.steps, last], [
        Figure("z₁", "0.415", _entry(s, "Forward", "z⁽¹⁾", 0, 0)),
        Figure("a₁", "0.6023", _entry(s, "Forward", "a⁽¹⁾", 0, 0)),
        Figure("z₂", "0.9210", _entry(s, "Forward", "z⁽²⁾", 0, 0)),
        Figure("a₂", "0.7153", _entry(s, "Forward", "a⁽²⁾", 0, 0)),
        Figure("E", "0.1082", E),
        Figure("E", "0.1083", E, "½(0.25 − 0.7153)² = 0.10825…: it was rounded from an a₂ that was rounded."),
        Figure("new w₂", "0.4272", w["w₂"]),
        Figure("new b₂", "0.6121", w["b₂"]),
        Figure("new w₁", "0.1496", w["w₁"]),
        Figure("new b₁", "0.3959", w["b₁"]),
        Figure("∂E/∂b₁", "0.01021", gb1),
        Figure(
            "∂E/∂b₁", "0.001021", gb1, "That is ∂E/∂w₁, a tenth of it as x = 0.1; 0.40 − 0.4·0.01021 gives the 0.3959."
        ),
    ]


def _derivation() -> tuple[list[Step], list[Figure]]:
    net = _net(_tensor((0.2, -0.4), (0.7, 0.1)), _tensor((0.5, -0.3), (-0.6, 0.8)))
    x, t = _tensor((1.0, 0.5)), _tensor((0.9, 0.2))
    s, _ = _worked(net, x, t, 0.5, list(net.parameters()))
    a, y = (lambda j: _entry(s, "Forward", "a⁽¹⁾", 0, j)), (lambda k: _entry(s, "Forward", "a⁽²⁾", 0, k))
    W2 = [[0.5, -0.3], [-0.6, 0.8]]
    delta_k = [(float(t[0, k]) - y(k)) * y(k) * (1 - y(k)) for k in range(2)]
    delta_j = [a(j) * (1 - a(j)) * sum(delta_k[k] * W2[k][j] for k in range(2)) for j in range(2)]
    rule = Step("The two rules of the derivation, on the numbers of this page")
    rule.remarks += [
        "δ_k = (t_k − a_k) a_k (1 − a_k) of an output unit: ∂L/∂a = a − t through σ′ = a(1 − a), with the sign turned.",
        "δ_j = a_j (1 − a_j) Σ_k δ_k w_kj of a hidden unit: what the outputs send back, through σ′.",
        "Δw = η δ a of the layer before.",
    ]
    figures = [
        Figure(f"δ_k of output {k + 1}", f"{delta_k[k]:.12f}", -_entry(s, "Backward", "δ⁽²⁾", 0, k)) for k in range(2)
    ]
    figures += [
        Figure(f"δ_j of hidden unit {j + 1}", f"{delta_j[j]:.12f}", -_entry(s, "Backward", "δ⁽¹⁾", 0, j))
        for j in range(2)
    ]
    return [*s.steps, rule], figures


def _mazur() -> tuple[list[Step], list[Figure]]:
    net = _net(
        _tensor((0.15, 0.20), (0.25, 0.30)),
        _tensor((0.40, 0.45), (0.50, 0.55)),
        torch.tensor([0.35, 0.35], dtype=torch.float64),
        torch.tensor([0.60, 0.60], dtype=torch.float64),
    )
    weights = [p for name, p in net.named_parameters() if name.endswith("weight")]
    x, t, loss = _tensor((0.05, 0.10)), _tensor((0.01, 0.99)), make_loss("half_squared")
    start = copy.deepcopy(net)
    s, _ = _worked(net, x, t, 0.5, weights)
    after = float(loss(net(x), t).detach())
    why = "That comes out if δ goes back through output weights that are new already; the new w₁ in print used the old."
    s.steps[3].remarks.append("The biases are not updated: the published page leaves them as they are.")
    return s.steps, [
        Figure("net input of h₁", "0.3775", _entry(s, "Forward", "z⁽¹⁾", 0, 0)),
        Figure("output of h₁", "0.593269992", _entry(s, "Forward", "a⁽¹⁾", 0, 0)),
        Figure("total error", "0.298371109", _entry(s, "Loss", "L")),
        Figure("new w₅", "0.35891648", _entry(s, "Update", "W⁽²⁾⁺", 0, 0)),
        Figure("new w₁", "0.149780716", _entry(s, "Update", "W⁽¹⁾⁺", 0, 0)),
        Figure("total error after", "0.291027774", after),
        Figure("total error after", "0.291027924", after, why),
        Figure("error after, δ sent back through the new w₅ … w₈", "0.291027924", _late(net, start, x, t)),
    ]


def _late(net: nn.Sequential, start: nn.Sequential, x: Tensor, t: Tensor) -> float:
    """The error where the hidden layer's gradient is taken through output weights that are updated already."""
    loss, mixed = make_loss("half_squared"), copy.deepcopy(start)
    before = mixed(x)
    delta = ((before - t) * before * (1 - before)).detach()
    weights = dict(mixed.named_parameters())
    hidden = mixed[:2](x).detach()
    new = dict(net.named_parameters())["2.weight"].detach()
    sent = (delta @ new) * hidden * (1 - hidden)
    with torch.no_grad():
        weights["0.weight"] -= 0.5 * sent.T @ x
        weights["2.weight"].copy_(new)
    return float(loss(mixed(x), t).detach())


ALL = (
    Example("W13", "A 2-2-1 sigmoid network, one step of backpropagation", LECTURE, _two_two_one),
    Example("W14", "A chain of two sigmoid units, down to a threshold", QUESTIONS, _chain),
    Example("W15", "The two weight-change rules of a sigmoid network", "deep-learning lecture notes", _derivation),
    Example("mazur", "The 2-2-2 network of a well-known page on backpropagation", "Matt Mazur, 2015", _mazur),
)
