"""Answers to exercises by other means: plain torch, from nothing but what the question states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Given = dict[str, Tensor]
Answers = Iterator[Tensor | str]
GATES = {"0001": "AND", "0111": "OR", "1110": "NAND", "1000": "NOR", "0110": "XOR", "1001": "XNOR"}
GATES |= {"0010": "x₁ AND NOT x₂", "0100": "x₂ AND NOT x₁", "1011": "x₁ OR NOT x₂", "1101": "x₂ OR NOT x₁"}


def given(question: dict[str, Any]) -> Given:
    """What the page without the answer states, by symbol."""
    return {
        q["symbol"]: torch.tensor(q["numbers"], dtype=torch.float64).reshape(q["shape"])
        for step in question["steps"]
        for q in step["given"]
    }


def step(z: Tensor) -> Tensor:
    """[z ≥ 0]."""
    return (z >= 0).double()


def gates(q: Given, d: int, _: str) -> Answers:
    n = 3 if d == 2 else 2
    x = torch.tensor([[i >> (n - 1 - k) & 1 for k in range(n)] for i in range(2**n)], dtype=torch.float64)
    if d == 3:
        h = step(x @ q["W⁽¹⁾"].T + q["b⁽¹⁾"])
        y = step(h @ q["W⁽²⁾"].T + q["b⁽²⁾"])[:, 0]
        yield from h.T
    else:
        y = step(sum(q[f"w{'₁₂₃'[k]}"] * x[:, k] for k in range(n)) + q["b"])
    yield y
    if d != 2:
        yield GATES["".join(str(int(v)) for v in y)]


def perceptron(q: Given, d: int, _: str) -> Answers:
    w, b, X, t = torch.stack([q["w₁"], q["w₂"]]), q["b"], q["x"].reshape(-1, 2), q["t"].reshape(-1)
    mistakes, rounds, z = 0, 0, torch.tensor(0.0)
    while True:
        before = mistakes
        for x, goal in zip(X, t, strict=True):
            z = w @ x + b
            error = goal - step(z)
            mistakes += int(error != 0)
            w, b = w + q["η"] * error * x, b + q["η"] * error
        rounds += 1
        if d < 3 or mistakes == before:
            break
        assert rounds < 10
    yield from (z, step(z)) if d == 1 else (str(mistakes),)
    yield from (w[0], w[1], b)


def activations(q: Given, d: int, title: str) -> Answers:
    name = title.removeprefix("The activation ").split(" and ")[0].lower().replace("leaky relu", "leaky_relu")
    z = q["z"].clone().requires_grad_()
    settings = [float(q["s"])] if "s" in q else []
    a = getattr(torch, name)(z) if name in ("sigmoid", "tanh") else getattr(F, name)(z, *settings)
    (slope,) = torch.autograd.grad(a.sum(), z)
    yield a.detach()
    yield slope
    if d == 3:
        yield q["g"] * slope


def dense(q: Given, d: int, _: str) -> Answers:
    z = q["x"] @ q["W⁽¹⁾"].T + q["b⁽¹⁾"]
    a = {1: z.clamp(min=0), 2: z.sigmoid(), 3: z.tanh()}[d]
    yield a
    if d > 1:
        z = a @ q["W⁽²⁾"].T + q["b⁽²⁾"]
        a = z.sigmoid() if d == 2 else z.softmax(1)
        yield a
    if d == 3:
        yield str(int(a.argmax()) + 1)


def backpropagation(q: Given, d: int, _: str) -> Answers:
    none = torch.zeros((), dtype=torch.float64)
    b1, b2 = q.get("b⁽¹⁾", none), q.get("b⁽²⁾", none)
    z = q["x"] @ q["W⁽¹⁾"].T + b1
    a = z.tanh() if d == 3 else z.sigmoid()
    y = (a @ q["W⁽²⁾"].T + b2).sigmoid()
    delta = (y - q["t"]) * y * (1 - y)
    back = delta @ q["W⁽²⁾"] * (1 - a**2 if d == 3 else a * (1 - a))
    yield from (y, ((y - q["t"]) ** 2).sum() / 2, delta, back)
    for layer, e, x, b in (("¹", back, q["x"], b1), ("²", delta, a, b2)):
        yield q[f"W⁽{layer}⁾"] - q["η"] * e.T @ x
        if b.ndim:
            yield b - q["η"] * e[0]


def softmax(q: Given, d: int, _: str) -> Answers:
    if d == 1:
        p, k = torch.exp(q["z"]) / torch.exp(q["z"]).sum(), int(q["t"]) - 1
        yield from (p, -torch.log(p[k]), p - F.one_hot(torch.tensor(k), 3))
        return
    classes = q["t"].reshape(-1).long() - 1
    z = q["x"] @ q["W⁽¹⁾"].T + q["b⁽¹⁾"]
    p = z.exp() / z.exp().sum(1, keepdim=True)
    delta = (p - F.one_hot(classes, p.shape[1])) / len(p)
    yield from (z, -torch.log(p[range(len(p)), classes]).mean(), delta, delta.T @ q["x"])
    yield from (q["W⁽¹⁾"] - q["η"] * delta.T @ q["x"], q["b⁽¹⁾"] - q["η"] * delta.sum(0))


def sizes(q: Given, d: int, _: str) -> Answers:
    side, depth, parameters = int(q["I"]), int(q["C"]), []
    for layer in "¹²³⁴":
        if f"F⁽{layer}⁾" not in q:
            break
        f, p, s = (int(q[f"{letter}⁽{layer}⁾"]) for letter in "FPS")
        side = len(range(0, side + 2 * p - f + 1, s))
        yield torch.tensor(float(side))
        if f"K⁽{layer}⁾" in q:
            filters = int(q[f"K⁽{layer}⁾"])
            parameters.append(filters * (f * f * depth + 1))
            depth = filters
            yield torch.tensor(float(parameters[-1]))
    if d == 3:
        units = int(next(v for k, v in q.items() if k.startswith("K") and k.replace("K", "F") not in q))
        parameters.append((side * side * depth + 1) * units)
        yield from (torch.tensor(float(side * side * depth)), torch.tensor(float(parameters[-1])))
    if d > 1:
        yield torch.tensor(float(sum(parameters)))


def _slid(x: Tensor, W: Tensor) -> Tensor:
    f = W.shape[0]
    places = range(x.shape[0] - f + 1)
    return torch.stack([torch.stack([(x[i : i + f, j : j + f] * W).sum() for j in places]) for i in places])


def convolution(q: Given, d: int, _: str) -> Answers:
    z = _slid(q["x"], q["W⁽¹⁾"]) + q.get("b⁽¹⁾", torch.zeros(()))
    yield z
    if d == 2:
        yield z.clamp(min=0)
    if d == 3:
        delta = 2 * (z - q["t"])
        gradient = _slid(q["x"], delta)  # a convolution of the image with δ
        yield from (((z - q["t"]) ** 2).sum(), delta, gradient, q["W⁽¹⁾"] - q["η"] * gradient)


def pooling(q: Given, d: int, _: str) -> Answers:
    windows = q["x"].reshape(2, 2, 2, 2).permute(0, 2, 1, 3).reshape(2, 2, 4)
    yield windows.amax(2)
    if d > 1:
        yield windows.mean(2)
    if d == 3:
        spread = q["g"].repeat_interleave(2, 0).repeat_interleave(2, 1)
        largest = windows.amax(2).repeat_interleave(2, 0).repeat_interleave(2, 1)
        yield from (spread * (q["x"] == largest), spread / 4)


def rnn(q: Given, d: int, _: str) -> Answers:
    if d == 2:
        h = q["h₀"]
        for x in q["x"]:
            h = torch.tanh(q["W"][:, 0] * x + q["U"] @ h + q["b"])
            yield h
        return
    w, u, b = (q[k].clone().requires_grad_() for k in "wub")
    states, inputs = [q["h₀"]], []
    for x in q["x"]:
        inputs.append(w * x + u * states[-1] + b)
        states.append(torch.tanh(inputs[-1]))
    yield from (h.detach() for h in states[1:])
    if d == 3:
        L = (states[-1] - q["t"]) ** 2 / 2
        grads = torch.autograd.grad(L, [*reversed(inputs), w, u, b])
        yield from (L.detach(), *grads)


def lstm(q: Given, d: int, _: str) -> Answers:
    h, c, t, z = q["h₀"], q["c₀"], 0, [q["h₀"]]
    while f"x{'₁₂'[t]}" in q:
        z = [
            (q[f"w⁽{k}⁾"] * q[f"x{'₁₂'[t]}"] + q[f"u⁽{k}⁾"] * h + q[f"b⁽{k}⁾"]).detach().requires_grad_()
            for k in "ⁱᶠᵍᵒ"
        ]
        i, f, g, o = z[0].sigmoid(), z[1].sigmoid(), z[2].tanh(), z[3].sigmoid()
        c = f * c + i * g
        h = o * torch.tanh(c)
        yield from (v.detach() for v in (i, f, g, o, c, h))
        t += 1
        if t == 2 or d != 2:
            break
    if d == 3:
        yield from torch.autograd.grad(h * q["γ"], [c, *z])


def gru(q: Given, d: int, _: str) -> Answers:
    h = new = q["h₀"]
    a = [h]
    for t in range(2 if d == 2 else 1):
        a = [(q[f"w⁽{k}⁾"] * q[f"x{'₁₂'[t]}"] + q[f"b⁽{k}⁾"]).requires_grad_() for k in "ʳᶻⁿ"]
        e = [q[f"u⁽{k}⁾"] * h for k in "ʳᶻⁿ"]
        r, z = (a[0] + e[0]).sigmoid(), (a[1] + e[1]).sigmoid()
        n = torch.tanh(a[2] + r * e[2])
        new = (1 - z) * n + z * h
        yield from (v.detach() for v in (r, z, n, new))
        h = new.detach()
    if d == 3:
        back = torch.autograd.grad(new * q["γ"], a)
        yield from (back[2], back[0], back[1])


def attention(q: Given, d: int, _: str) -> Answers:
    if d == 3:
        q = {"Q": q["X"] @ q["A"], "K": q["X"] @ q["B"], "V": q["X"] @ q["C"]}
        yield from (q["Q"], q["K"], q["V"])
    S = q["Q"] @ q["K"].T / (2**0.5 if d > 1 else 1)
    outputs = []
    for i, row in enumerate(S):
        seen = row[: i + 1] if d == 3 else row
        alpha = seen.exp() / seen.exp().sum()
        yield from (seen, alpha)
        outputs.append(alpha @ q["V"][: len(alpha)])
    yield torch.stack(outputs)


def gradient_descent(q: Given, d: int, _: str) -> Answers:
    w = q["w"]
    for t in range(2 if d == 1 else 3):
        w = w - q["η"] * (q["a"] * (w - q["c"]) + q.get("λ", 0) * w)
        if d == 1 or t == 2:
            yield w


def momentum(q: Given, d: int, _: str) -> Answers:
    w, v = q["w"], torch.zeros(())
    for t in range(2 if d == 1 else 3):
        g = q["a"] * (w - q["c"])
        v = q["μ"] * v + g
        w = w - q["η"] * (g + q["μ"] * v if d == 3 else v)
        if d == 1 or t == 2:
            yield from (v, w)


def adam(q: Given, d: int, _: str) -> Answers:
    w, m, v = q["w"], torch.zeros(()), torch.zeros(())
    for t in range(1, 2 if d == 1 else 3):
        g = q["a"] * (w - q["c"])
        m, v = q["β₁"] * m + (1 - q["β₁"]) * g, q["β₂"] * v + (1 - q["β₂"]) * g * g
        m_hat, v_hat = m / (1 - q["β₁"] ** t), v / (1 - q["β₂"] ** t)
        w = w * (1 - q["η"] * q.get("λ", 0)) - q["η"] * m_hat / (v_hat.sqrt() + q["ε"])
        yield from (m_hat, v_hat, w)


def regularisation(q: Given, d: int, _: str) -> Answers:
    w, kappa = q["w"], q.get("κ", torch.zeros(()))
    yield q["L"] + q["λ"] / 2 * (w**2).sum() + kappa * w.abs().sum()
    h = q["g"] + q["λ"] * w + kappa * w.sign()
    yield h
    if d == 3:
        norm = (h**2).sum().sqrt()
        assert norm > q["τ"]
        h = h * q["τ"] / norm
        yield from (norm, h)
    yield w - q["η"] * h


def batch_norm(q: Given, d: int, _: str) -> Answers:
    x, gamma = q["x"].clone().requires_grad_(), q["γ"].clone().requires_grad_()
    eps = q.get("ε", torch.zeros(()))
    mean, variance = x.mean(), x.var(correction=0)
    hat = (x - mean) / (variance + eps).sqrt()
    y = gamma * hat + q["β"]
    yield from (v.detach() for v in (mean, variance, hat, y))
    if d == 2:
        m, s = 0.9 * q["m"] + 0.1 * mean.detach(), 0.9 * q["s"] + 0.1 * q["x"].var()
        yield from (m, s, q["γ"] * (q["q"] - m) / (s + eps).sqrt() + q["β"])
    if d == 3:
        to_gamma, to_x = torch.autograd.grad((y * q["g"]).sum(), [gamma, x])
        yield from (to_gamma, q["g"].sum(), to_x)


ANSWERS: dict[str, Callable[[Given, int, str], Answers]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        gates, perceptron, activations, dense, backpropagation, softmax, sizes, convolution, pooling, rnn, lstm, gru,
        attention, gradient_descent, momentum, adam, regularisation, batch_norm,
    )
}  # fmt: skip
