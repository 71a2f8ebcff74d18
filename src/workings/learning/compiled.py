"""The compiled lane: whole learning steps (forward, backward, update) as one graph, called directly.

``torch.compile`` on a model checks guards at every call and leaves the optimiser outside; for small nets that is
most of the time. Here K steps are traced into one graph, made functional, lowered by inductor and called with no
guards at all. What keeps that honest:

- The shapes are fixed by the first batch; another shape is refused by an assertion.
- Parameters, optimiser state and buffers are written back at the graph's end, into the tensors given.
- Random operations stay calls to torch's own generator (``fallback_random``), so the numbers drawn are those an
  eager step draws, and a checkpoint of the generator's state resumes them.
- ``lane_choice.py`` compares one step with the eager lane before it uses this one.

Trap: ``functionalize`` cannot wrap a function that calls ``requires_grad_``; trace first, then functionalise the
traced graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from workings.learning.optimisers import State
from workings.learning.step import GradientStep


def _product(a: Tensor, b: Tensor) -> Any:
    """a b for a product with a side of 1: written as multiplications and a sum, which inductor fuses with its
    neighbours; a call of the library's product costs more than such a product itself.
    """
    if a.shape[1] == 1:
        return a * b
    if b.shape[1] == 1:
        return (a * b[:, 0]).sum(1, keepdim=True)
    if a.shape[0] == 1:
        return (a[0][:, None] * b).sum(0, keepdim=True)
    return NotImplemented


def _affine(c: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Any:
    """c + a b, likewise; with other factors than 1 it stays as it is."""
    if beta != 1 or alpha != 1:
        return NotImplemented
    thin = _product(a, b)
    return (torch.ops.aten.mm(a, b) if thin is NotImplemented else thin) + c


def compile_graph(function: Callable[..., Any], arguments: list[Tensor]) -> Any:
    """``function`` of tensors, traced on copies of ``arguments``, made functional and compiled; call it with a list."""
    # Importing inductor takes seconds, which only this lane should pay.
    from torch._inductor import config as inductor_config
    from torch._inductor.compile_fx import compile_fx_inner
    from torch._inductor.decomposition import select_decomp_table
    from torch.func import functionalize
    from torch.fx.experimental.proxy_tensor import make_fx

    # Tracing runs the function once: on copies, and with the generator's state put back afterwards.
    table = {**select_decomp_table(), torch.ops.aten.mm.default: _product, torch.ops.aten.addmm.default: _affine}
    with torch.random.fork_rng(devices=[]):
        traced = make_fx(function)(*[a.clone() for a in arguments])
        functional = functionalize(traced, remove="mutations")
        graph = make_fx(functional, decomposition_table=table)(*[a.clone() for a in arguments])
    # Inductor believes that the LSTM's kernel leaves no scratch, and puts results where its scratch is (torch 2.13).
    reuse = not any(node.target in _MISJUDGED for node in graph.graph.nodes)
    # The wrapper that calls the kernels is C++ too: for a small net Python's is most of the step.
    options = {"fallback_random": True, "compile_threads": 1, "cpp_wrapper": True, "size_asserts": False}
    with inductor_config.patch(allow_buffer_reuse=reuse, **options):
        return compile_fx_inner(graph, arguments, cpp_wrapper=True)


_MISJUDGED = (torch.ops.aten.mkldnn_rnn_layer.default, torch.ops.aten.mkldnn_rnn_layer_backward.default)


class CompiledGradient:
    """The loss and its gradients as one compiled graph; the update stays with the optimiser's own fused kernel.

    For nets of many parameters, whose update in a graph would go through memory more often than that kernel does. The
    first batch given (x (B, *shape)) fixes every shape.
    """

    def __init__(self, step: GradientStep, state: State, x: Tensor, y: Tensor, weight: Tensor | None) -> None:
        self.step = step
        self.state = state
        self._buffers = dict(step.net.named_buffers())
        self._views = step.flat.views(step.flat.w)
        batch = [x, y] if weight is None else [x, y, weight]
        self._shapes = [tensor.shape for tensor in batch]
        batch = [tensor.contiguous() for tensor in batch]
        self._graph = compile_graph(self._trace, [*self._views, *self._buffers.values(), *batch])

    def _trace(self, *flat: Tensor) -> tuple[Tensor, ...]:
        """The loss () and the gradients; buffers are updated in place."""
        n = len(self._views)
        parameters = [view.detach().requires_grad_() for view in flat[:n]]
        buffers = dict(zip(self._buffers, flat[n : n + len(self._buffers)], strict=True))
        x, y, *rest = flat[n + len(self._buffers) :]
        loss, gradients = self.step.loss_and_gradients(parameters, buffers, x, y, rest[0] if rest else None)
        return (loss, *(torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters, strict=True)))

    def __call__(self, x: Tensor, y: Tensor, weight: Tensor | None, h: list[float]) -> Tensor:
        """One step on the net itself. Returns the loss (); where it is not finite no parameter changes."""
        batch = [x, y] if weight is None else [x, y, weight]
        assert [tensor.shape for tensor in batch] == self._shapes, "a compiled step was given another shape"
        loss, *gradients = self._graph([*self._views, *self._buffers.values(), *batch])
        if bool(torch.isfinite(loss)):
            self.step.update(self.state, gradients, h)
        return loss


class CompiledSteps:
    """K steps of ``step`` as one compiled graph.

    The first batch given (x (k, B, *shape) with k a multiple of K) fixes every shape.
    """

    def __init__(
        self, step: GradientStep, state: State, steps: int, x: Tensor, y: Tensor, weight: Tensor | None
    ) -> None:
        self.step = step
        self.steps = steps
        self._buffers = dict(step.net.named_buffers())
        self._fixed: list[Tensor] = [step.flat.w, *state, *self._buffers.values()]
        self._states = len(state)
        h = torch.ones(steps, len(step.optimiser.scalars(1, 0.1)), dtype=step.flat.w.dtype)
        batch = [x[:steps].contiguous(), y[:steps].contiguous(), h]
        if weight is not None:
            batch.append(weight[:steps].contiguous())
        self._shapes = [tensor.shape for tensor in batch]
        self._graph = compile_graph(self._trace, [*self._fixed, *batch])

    def _trace(self, *flat: Tensor) -> tuple[Tensor]:
        """K steps; writes back into the fixed tensors; returns the losses (K,)."""
        fixed, (x, y, h, *rest) = flat[: len(self._fixed)], flat[len(self._fixed) :]
        w0, state0 = fixed[0], tuple(fixed[1 : 1 + self._states])
        buffers = dict(zip(self._buffers, fixed[1 + self._states :], strict=True))
        w, state, losses = w0, state0, []
        for k in range(self.steps):
            weight = rest[0][k] if rest else None
            new_w, new_state, loss = self.step.pure(w, state, buffers, x[k], y[k], weight, h[k])
            if losses:  # once a loss was not finite, nothing moves any more
                alive = torch.isfinite(torch.stack(losses)).all()
                new_w = torch.where(alive, new_w, w)
                new_state = tuple(torch.where(alive, new, old) for new, old in zip(new_state, state, strict=True))
            w, state = new_w, new_state
            losses.append(loss)
        w0.copy_(w)
        for target, value in zip(state0, state, strict=True):
            target.copy_(value)
        return (torch.stack(losses),)

    def __call__(self, x: Tensor, y: Tensor, weight: Tensor | None, h: list[list[float]]) -> Tensor:
        """k steps, k a multiple of K. Returns the losses (k,)."""
        numbers = torch.tensor(h, dtype=self.step.flat.w.dtype)
        if x.shape[0] == self.steps:
            return self._call(x, y, numbers, weight)
        losses = []
        for start in range(0, x.shape[0], self.steps):
            part = slice(start, start + self.steps)
            losses.append(self._call(x[part], y[part], numbers[part], None if weight is None else weight[part]))
            if not math.isfinite(float(losses[-1].sum())):  # nothing may move from here on
                losses.append(losses[-1][-1:].expand(x.shape[0] - part.stop))
                break
        return torch.cat(losses)

    def _call(self, x: Tensor, y: Tensor, h: Tensor, weight: Tensor | None) -> Tensor:
        batch = [x, y, h] if weight is None else [x, y, h, weight]
        assert [tensor.shape for tensor in batch] == self._shapes, "a compiled step was given another shape"
        return self._graph([*self._fixed, *batch])[0]
