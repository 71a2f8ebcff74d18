"""Convolutional nets: sizes and counts, a convolution and a pooling by numbers (LeCun et al. 1998)."""

from __future__ import annotations

import torch
from torch import nn

from workings.solutions.examples.example import ALL_ENTRIES, forward, named
from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import Function, Number, holds
from workings.solutions.show import show
from workings.solutions.sums import total

SIDE = "The side of an output is (I − F + 2P)/S + 1: input side I, filter side F, padding P on each side, stride S."


def sizes(draw: Draw, difficulty: int) -> Sheet | None:
    """One convolution; with pooling and a second one; with a dense layer behind them."""
    side, channels = draw.one_of((16, 28, 32, 64)), draw.one_of((1, 3))
    plan: list[tuple[str, int, int, int, int]] = []  # kind, F, P, S, filters
    for i in range({1: 1, 2: 2, 3: 2}[difficulty]):
        F = draw.one_of((3, 5, 7) if i == 0 else (3, 5))
        S = draw.one_of((1, 2)) if i == 0 else 1
        plan.append(("convolution", F, draw.one_of((0, F // 2)), S, draw.one_of((4, 6, 8, 16))))
        if difficulty > 1:
            plan.append(("max pooling", 2, 0, 2, 0))
    left = side
    for _, F, P, S, _ in plan:
        if (left - F + 2 * P) % S or left < F:
            return None
        left = (left - F + 2 * P) // S + 1
    sheet = Sheet("Sizes and parameters of a convolution" if difficulty == 1 else "Sizes and parameters of a small CNN")
    sheet.tell(f"An image of {side} × {side} with {channels} channel{'s' * (channels > 1)} goes through these layers:")
    for i, (kind, F, P, S, K) in enumerate(plan):
        filters = f"{K} filters of {F} × {F}, each with a bias" if K else f"windows of {F} × {F}"
        sheet.tell(f"Layer {i + 1}, {kind}: {filters}, padding {P}, stride {S}.")
    classes = draw.one_of((2, 5, 10)) if difficulty == 3 else 0
    if classes:
        sheet.tell(f"Layer {len(plan) + 1}: all numbers, flattened, into a dense layer of {classes} units with biases.")
    sheet.tell(SIDE)
    _count(sheet, side, channels, plan, classes)
    return sheet


def _count(sheet: Sheet, side: int, channels: int, plan: list[tuple[str, int, int, int, int]], classes: int) -> None:
    layers: list[nn.Module] = []
    depth, counted = channels, []
    size, C = sheet.number("I", side), sheet.number("C", channels)
    for i, (kind, F, P, S, K) in enumerate(plan):
        layer = str(i + 1)
        f, p, s = (sheet.number(letter, v, layer) for letter, v in (("F", F), ("P", P), ("S", S)))
        sheet.begin(f"Layer {layer}, {kind}")
        size = sheet.work("I", (size - f + 2 * p) / s + 1, layer)
        sheet.find(f"the side of what layer {layer} gives", size)
        if not K:
            layers.append(nn.MaxPool2d(F, S))
            continue
        k = sheet.number("K", K, layer)
        n = sheet.work("n", k * (f * f * C + 1), layer)
        sheet.find(f"the parameters of layer {layer}", n)
        counted.append(n)
        layers.append(nn.Conv2d(depth, K, F, S, P))
        depth, C = K, k
    if classes:
        sheet.begin("The dense layer")
        D = sheet.work("D", size * size * C)
        k = sheet.number("K", classes, str(len(plan) + 1))
        n = sheet.work("n", k * (D + 1), str(len(plan) + 1))
        counted.append(n)
        layers += [nn.Flatten(), nn.Linear(round(D.value), classes)]
        sheet.find("the inputs of the dense layer", D)
        sheet.find("its parameters", n)
    N = counted[0]
    if len(counted) > 1:
        sheet.begin("Together")
        N = sheet.work("N", total(counted))
        sheet.find("the parameters of the net", N)
    net = nn.Sequential(*layers)
    made = torch.tensor(sum(p.numel() for p in net.parameters()))
    sheet.compare("the parameters of the net, built", N, made)
    with torch.no_grad():
        out = net[: len(plan)](torch.zeros(1, channels, side, side))
    sheet.compare("the side of its last map, built", size, torch.tensor(out.shape[-1]))


def _filter(kernel: list[list[int]], bias: float | None, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    K = torch.tensor(kernel, dtype=torch.float64)[None, None]
    made = nn.Conv2d(1, 1, K.shape[-1], stride, padding, bias=bias is not None).double()
    made.weight = nn.Parameter(K)
    if bias is not None:
        made.bias = nn.Parameter(torch.tensor([bias], dtype=torch.float64))
    return made


def convolution(draw: Draw, difficulty: int) -> Sheet | None:
    """2 × 2 over 4 × 4; 3 × 3 with a bias and ReLU, perhaps padded; with the gradient of the kernel and the step."""
    if difficulty == 3:
        return _learnt(draw)
    size, F = (4, 2) if difficulty == 1 else (5, 3)
    image = torch.tensor([[draw.image(size, size)]], dtype=torch.float64)
    kernel = draw.image(F, F, -1, 1) if difficulty == 2 else draw.image(F, F, -2, 2)
    if sum(v == 0 for row in kernel for v in row) > (1 if difficulty == 1 else 4):
        return None
    bias = draw.whole(-5, 5, but=(0,)) if difficulty == 2 else None
    layer = _filter(kernel, bias)
    net = layer if difficulty == 1 else nn.Sequential(layer, nn.ReLU())
    with torch.no_grad():
        if difficulty == 2 and not 0 < int((net(image) > 0).sum()) < 9:
            return None
    sheet = Sheet(f"A {F} × {F} kernel over a {size} × {size} image" + (", then ReLU" if difficulty == 2 else ""))
    sheet.tell(
        "The kernel W is laid on the image x without turning it, at every place where it fits (stride 1, no padding); "
        "z is the sum of the products" + (" plus b, and a = max(0, z)." if difficulty == 2 else ".")
    )
    sheet.tensor("x", image[0, 0])
    sheet.tensor("W", kernel, "1")
    if bias is not None:
        sheet.number("b", bias, "1")
    sheet.steps, _ = forward(net, image, ALL_ENTRIES)
    sheet.find("the map", named(sheet.steps, "z⁽¹⁾"))
    if difficulty == 2:
        sheet.find("after ReLU", named(sheet.steps, "a⁽¹⁾"))
    return sheet


def _learnt(draw: Draw) -> Sheet | None:
    image, kernel = torch.tensor([[draw.image(3, 3, 0, 3)]], dtype=torch.float64), draw.image(2, 2, -2, 2)
    layer, eta = _filter(kernel, None), draw.one_of((0.01, 0.02, 0.1))
    t = torch.tensor([[draw.image(2, 2, -3, 3)]], dtype=torch.float64)
    with torch.no_grad():
        errors = layer(image) - t
    if bool((errors.abs() > 6).any()) or int((errors == 0).sum()) > 1:
        return None
    sheet = Sheet("A kernel learns: one step")
    sheet.tell(
        "The 2 × 2 kernel W is laid on the image x without turning it (stride 1, no padding, no bias); z is the sum of "
        "the products. The loss is L = Σ(t − z)² over the map, and W⁺ = W − η·∂L/∂W."
    )
    sheet.number("η", eta)
    sheet.tensor("x", image[0, 0])
    sheet.tensor("W", kernel, "1")
    sheet.tensor("t", t[0, 0])
    optimiser = torch.optim.SGD(layer.parameters(), lr=eta)
    sheet.steps = show(layer, image, t, nn.MSELoss(reduction="sum"), optimiser, whole=True).steps
    for what, symbol in (("the map", "z⁽¹⁾"), ("the loss", "L"), ("∂L/∂z", "δ⁽¹⁾"), ("the gradient", "∂L/∂W⁽¹⁾")):
        sheet.find(what, named(sheet.steps, symbol))
    sheet.find("the new kernel", named(sheet.steps, "W⁽¹⁾⁺"))
    return sheet


def pooling(draw: Draw, difficulty: int) -> Sheet | None:
    """Max of 2 × 2 windows; max and average; where the gradient of each goes."""
    image = draw.image(4, 4)
    windows = [[[(2 * i + k, 2 * j + m) for k in (0, 1) for m in (0, 1)] for j in (0, 1)] for i in (0, 1)]
    for row in windows:
        for window in row:
            values = sorted(image[k][m] for k, m in window)
            if values[-1] == values[-2]:
                return None  # a tie: textbooks do not agree where its gradient goes
    sheet = Sheet(
        {1: "2 × 2 max pooling", 2: "Max and average pooling", 3: "Where pooling sends its gradient"}[difficulty]
    )
    average = "; q has the mean of each" if difficulty > 1 else ""
    sheet.tell(f"Windows of 2 × 2 with stride 2 cover the image x; p has the largest number of each{average}.")
    x = sheet.tensor("x", image)
    sheet.begin("The largest of each window")
    p = sheet.work_all("p", [[Function("max", tuple(x[at] for at in window)) for window in row] for row in windows])
    sheet.compare("torch's max pooling", p, nn.functional.max_pool2d(x.data[None], 2))
    sheet.find("max pooling", p)
    if difficulty == 1:
        return sheet
    sheet.begin("The mean of each window")
    q = sheet.work_all("q", [[total([x[at] for at in window]) / 4 for window in row] for row in windows])
    sheet.compare("torch's average pooling", q, nn.functional.avg_pool2d(x.data[None], 2))
    sheet.find("average pooling", q)
    if difficulty == 2:
        return sheet
    sheet.tell("The gradient of the loss that arrives at p, and at q where that is used instead, is g.")
    g = sheet.tensor("g", draw.image(2, 2, -4, 4))
    if not bool((g.data != 0).all()):
        return None
    sheet.begin("Back through max pooling: all to the largest")
    down = [[g[i // 2, j // 2] * holds(x[i, j], "=", p[i // 2, j // 2]) for j in range(4)] for i in range(4)]
    first = sheet.work_all("d", down)
    sheet.compare("autograd's gradient", first, _back(nn.MaxPool2d(2), x.data, g.data))
    sheet.begin("Back through average pooling: a quarter to each")
    second = sheet.work_all("e", [[g[i // 2, j // 2] / Number(4) for j in range(4)] for i in range(4)])
    sheet.compare("autograd's gradient", second, _back(nn.AvgPool2d(2), x.data, g.data))
    sheet.find("the gradient that arrives at x through max pooling", first)
    sheet.find("the gradient that arrives at x through average pooling", second)
    return sheet


def _back(layer: nn.Module, x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    leaf = x[None].clone().requires_grad_()
    layer(leaf).backward(g[None])
    assert leaf.grad is not None
    return leaf.grad
