"""PyTorch loops of every kind, each run with ``watch``, which may be ``workings.watch`` or what does nothing."""

from __future__ import annotations

from typing import Any

import torch
from tests.watching.same_bits import Loop, Run, Watching
from torch import Tensor, nn
from torch.nn import functional as F


def usual(loop: Loop, watch: Watching) -> list[Any]:
    """Adam, with looks at all samples in between."""
    optimizer = torch.optim.Adam(loop.model.parameters(), 0.01)
    with watch(loop.model, optimizer):
        for step in range(10):
            x, y = loop.batch()
            optimizer.zero_grad()
            F.cross_entropy(loop.model(x), y).backward()
            optimizer.step()
            if step % 3 == 2:
                loop.judge()
    return loop.left(optimizer)


def l_bfgs(loop: Loop, watch: Watching) -> list[Any]:
    """A closure that calls forward and backward many times within one step."""
    optimizer = torch.optim.LBFGS(loop.model.parameters(), max_iter=4, line_search_fn="strong_wolfe")
    with watch(loop.model, optimizer):
        for _ in range(4):
            x, y = loop.batch()

            def closure(x: Tensor = x, y: Tensor = y) -> Tensor:
                optimizer.zero_grad()
                loss = F.cross_entropy(loop.model(x), y)
                loss.backward()
                return loss

            optimizer.step(closure)
    return loop.left(optimizer)


def accumulated(loop: Loop, watch: Watching) -> list[Any]:
    """The gradients of four batches, clipped, for one step."""
    optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
    with watch(loop.model, optimizer):
        for i in range(12):
            x, y = loop.batch()
            (F.cross_entropy(loop.model(x), y) / 4).backward()
            if i % 4 == 3:
                nn.utils.clip_grad_norm_(loop.model.parameters(), 0.1)
                optimizer.step()
                optimizer.zero_grad()
    return loop.left(optimizer)


def scaled(loop: Loop, watch: Watching) -> list[Any]:
    """Autocast to bfloat16 and a ``GradScaler`` whose factor grows."""
    optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
    with watch(loop.model, optimizer):
        for _ in range(8):
            x, y = loop.batch()
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(loop.model(x), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    return [*loop.left(optimizer), scaler.get_scale()]


def autocast(loop: Loop, watch: Watching) -> list[Any]:
    """Autocast to bfloat16 alone, a schedule, momentum and weight decay."""
    optimizer = torch.optim.SGD(loop.model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=8)
    with watch(loop.model, optimizer):
        for _ in range(8):
            x, y = loop.batch()
            optimizer.zero_grad(set_to_none=False)
            with torch.autocast("cpu", torch.bfloat16):
                out = loop.model(x)
            F.cross_entropy(out.float(), y, label_smoothing=0.1).backward()
            optimizer.step()
            schedule.step()
    return loop.left(optimizer)


def compiled(loop: Loop, watch: Watching) -> list[Any]:
    """``torch.compile`` around the model; its graph is executed as it was traced, without inductor."""
    torch._dynamo.reset()
    model = torch.compile(loop.model, backend="aot_eager")
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    with watch(model, optimizer):
        for _ in range(6):
            x, y = loop.batch()
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    return loop.left(optimizer)


def game(loop: Loop, watch: Watching, apart: bool) -> list[Any]:
    """Two players with an optimiser each, and a watch each or one for both."""
    G, D = loop.model.G, loop.model.D
    g, d = (torch.optim.Adam(each.parameters(), 0.01) for each in (G, D))

    def play() -> None:
        for _ in range(8):
            x, _ = loop.batch()
            made = G(torch.randn(16, 2))
            d.zero_grad()
            (F.softplus(-D(x)).mean() + F.softplus(D(made.detach())).mean()).backward()
            d.step()
            g.zero_grad()
            F.softplus(-D(made)).mean().backward()
            g.step()

    if apart:
        with watch(D, d), watch(G, g):
            play()
    else:
        with watch(loop.model, [d, g]):
            play()
    return loop.left(g, d)


def penalised(loop: Loop, watch: Watching) -> list[Any]:
    """A penalty on the gradient with respect to the inputs: a graph of a backward pass, and a second one through it."""
    optimizer = torch.optim.RMSprop(loop.model.parameters(), 0.01)
    with watch(loop.model, optimizer):
        for _ in range(8):
            x, y = loop.batch()
            x.requires_grad_()
            optimizer.zero_grad()
            loss = F.cross_entropy(loop.model(x), y)
            (g,) = torch.autograd.grad(loss, x, create_graph=True)
            (loss + 0.1 * g.square().sum()).backward()
            optimizer.step()
    return loop.left(optimizer)


def by_hand(loop: Loop, watch: Watching) -> list[Any]:
    """Gradients asked for and put in place by hand, no ``backward``."""
    optimizer = torch.optim.AdamW(loop.model.parameters(), 0.01, amsgrad=True)
    with watch(loop.model, optimizer):
        for _ in range(8):
            x, y = loop.batch()
            parameters = [p for p in loop.model.parameters() if p.requires_grad]
            grads = torch.autograd.grad(F.cross_entropy(loop.model(x), y), parameters, allow_unused=True)
            for p, g in zip(parameters, grads, strict=True):
                p.grad = g
            optimizer.step()
    return loop.left(optimizer)


def twice(loop: Loop, watch: Watching) -> list[Any]:
    """Two losses of one graph, each with a backward pass of its own; a mean of the weights is kept beside."""
    optimizer = torch.optim.Adam(loop.model.parameters(), 0.01)
    mean = torch.optim.swa_utils.AveragedModel(loop.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    with watch(loop.model, optimizer):
        for _ in range(8):
            x, y = loop.batch()
            optimizer.zero_grad()
            out = loop.model(x)
            F.cross_entropy(out, y).backward(retain_graph=True)
            (0.01 * out.square().mean()).backward()
            optimizer.step()
            mean.update_parameters(loop.model)
    return [*loop.left(optimizer), *mean.state_dict().values()]


def frozen(loop: Loop, watch: Watching) -> list[Any]:
    """The first half of the parameters are frozen, and set free half-way with an optimiser group of their own."""
    parameters = list(loop.model.parameters())
    trunk, head = parameters[: len(parameters) // 2], parameters[len(parameters) // 2 :]
    for p in trunk:
        p.requires_grad_(False)
    optimizer = torch.optim.Adam(head, 0.01)
    with watch(loop.model, optimizer):
        for step in range(8):
            if step == 4:
                for p in trunk:
                    p.requires_grad_()
                optimizer.add_param_group({"params": trunk, "lr": 0.001})
            x, y = loop.batch()
            optimizer.zero_grad()
            F.cross_entropy(loop.model(x), y).backward()
            optimizer.step()
    return loop.left(optimizer)


WAYS: dict[str, Run] = {
    "Adam, all samples judged in between": usual,
    "L-BFGS with a closure": l_bfgs,
    "gradients of four batches, clipped": accumulated,
    "autocast and a GradScaler": scaled,
    "autocast, momentum and a schedule": autocast,
    "torch.compile": compiled,
    "a penalty on the gradient of the inputs": penalised,
    "gradients put in place by hand": by_hand,
    "two backward passes, and a mean of the weights": twice,
    "half frozen, then set free": frozen,
}
