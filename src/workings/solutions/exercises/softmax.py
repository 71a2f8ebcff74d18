"""Softmax with cross-entropy: p = e^z / Σ e^z, L = −ln p of the true class, ∂L/∂z = p − t (Bridle 1990)."""

from __future__ import annotations

import torch
from torch import nn

from workings.solutions.examples.example import named
from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.layers import give_net, moderate, net_of
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import exp, ln
from workings.solutions.show import show
from workings.solutions.sums import total

STORY = "p is the softmax of z, each e^z divided by their sum. With t the true class, counted from 1, "


def softmax(draw: Draw, difficulty: int) -> Sheet | None:
    """From z alone; of a dense layer, with the gradient of its weights; of a batch of two, with the step."""
    return _of_z(draw) if difficulty == 1 else _of_layer(draw, difficulty)


def _of_z(draw: Draw) -> Sheet | None:
    points = draw.row(3, -2, 2)
    if len(set(points)) < 3:
        return None
    true = draw.whole(0, 2)
    sheet = Sheet("Softmax and cross-entropy")
    sheet.tell(STORY + "L = −ln p of that class, and ∂L/∂z is p, less 1 for the true class.")
    z = sheet.tensor("z", points)
    sheet.tensor("t", true + 1)
    sheet.begin("The exponentials and their sum")
    e = sheet.work_all("e", [exp(z[(k,)]) for k in range(3)])
    s = sheet.work("s", total([e[(k,)] for k in range(3)]))
    sheet.begin("Softmax")
    p = sheet.work_all("p", [e[(k,)] / s for k in range(3)])
    sheet.compare("torch's softmax", p, torch.softmax(z.data, 0))
    sheet.begin("Loss")
    L = sheet.work("L", -ln(p[(true,)]))
    sheet.begin("Gradient")
    delta = sheet.work_all("δ", [p[(k,)] - 1 if k == true else p[(k,)] * 1 for k in range(3)])
    leaf = z.data.clone().requires_grad_()
    nn.functional.cross_entropy(leaf[None], torch.tensor([true])).backward()
    assert leaf.grad is not None
    sheet.compare("autograd's gradient", delta, leaf.grad)
    sheet.find("softmax", p)
    sheet.find("the loss", L)
    sheet.find("∂L/∂z", delta)
    return sheet


def _of_layer(draw: Draw, difficulty: int) -> Sheet | None:
    n, K = (1, 3) if difficulty == 2 else (2, 2)
    net = net_of((draw.rows(K, 2), draw.row(K), None))
    x = torch.tensor(draw.rows(n, 2, -2, 2), dtype=torch.float64)
    classes = [draw.whole(0, K - 1) for _ in range(n)]
    if not moderate(net, x) or (n == 2 and classes[0] == classes[1]):
        return None
    eta = draw.one_of((0.1, 0.5, 1.0))
    sheet = Sheet("A dense layer with softmax and cross-entropy" + (", on two samples" if n == 2 else ""))
    mean = "L is the mean of −ln p over the samples, the rows of x." if n == 2 else "L = −ln p of that class."
    sheet.tell(f"z⁽¹⁾ = W⁽¹⁾x + b⁽¹⁾. {STORY}{mean} One step of gradient descent: w⁺ = w − η·∂L/∂w, biases alike.")
    sheet.number("η", eta)
    give_net(sheet, net, x)
    sheet.tensor("t", [float(c + 1) for c in classes] if n == 2 else float(classes[0] + 1))
    optimiser = torch.optim.SGD(net.parameters(), lr=eta)
    sheet.steps = show(net, x, torch.tensor(classes), nn.CrossEntropyLoss(), optimiser, whole=True).steps
    sheet.find("what the layer gives", named(sheet.steps, "z⁽¹⁾"))
    sheet.find("the loss", named(sheet.steps, "L"))
    sheet.find("δ = ∂L/∂z", named(sheet.steps, "δ⁽¹⁾"))
    sheet.find("the gradient of the weights", named(sheet.steps, "∂L/∂W⁽¹⁾"))
    sheet.find("the new weights", named(sheet.steps, "W⁽¹⁾⁺"))
    sheet.find("the new biases", named(sheet.steps, "b⁽¹⁾⁺"))
    return sheet
