"""Recurrent layers over whole sequences: one after the other, each in one direction or both, padding or none.

Padding lies at the end of a sequence. Reading onward, a step is never reached by what comes after it; reading back,
each sequence is first turned round within its own length, so that the padding stays at the end and the first step
read is the last real one. So nothing has to be masked, and packing (which keeps torch from its fast kernel) is not
needed: a padded batch equals its single samples.

Legend: B batch, T steps, D numbers in, H units, G blocks of a cell (cells.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workings.nets.cells import Cell, State
from workings.nets.layers import Dropout
from workings.nets.sequences import lengths_of


class _Turned(torch.autograd.Function):
    """Steps of x (B, T, D) in another order, at = (B·T,); the order undoes itself, so its gradient is turned alike."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, at: Tensor) -> Tensor:
        ctx.save_for_backward(at)
        return x.reshape(-1, x.shape[2]).index_select(0, at).view(x.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (g,) = gradients
        return g.reshape(-1, g.shape[2]).index_select(0, ctx.saved_tensors[0]).view(g.shape), None


def turning(real: Tensor) -> Tensor:
    """(B·T,): where each step comes from when every sequence is turned round within its length; padding stays."""
    B, T = real.shape
    t = torch.arange(T, device=real.device)
    n = lengths_of(real)[:, None]
    own = torch.where(t < n, n - 1 - t, t)
    return (own + T * torch.arange(B, device=real.device)[:, None]).reshape(-1)


def turned(x_BTD: Tensor, at: Tensor | None) -> Tensor:
    """Every sequence turned round; the whole of it where ``at`` is None."""
    return x_BTD.flip(1) if at is None else _Turned.apply(x_BTD, at)  # type: ignore[no-any-return]


class Layer(nn.Module):
    """A cell over all steps, in one direction: x (B, T, D) → h (B, T, H) and the state after the last step.

    fused: all steps at once by the fastest kernel there is; else step by step, as written.
    truncate: the state is cut off from its past every so many steps, so that no gradient goes back further (truncated
        backpropagation through time); None never.
    """

    def __init__(self, cell: Cell, fused: bool, truncate: int | None) -> None:
        super().__init__()
        self.cell, self.fused, self.truncate = cell, fused, truncate

    def forward(self, x_BTD: Tensor, state: State) -> tuple[Tensor, State]:
        run = self.cell.kernel if self.fused else self._written
        if self.truncate is None or self.truncate >= x_BTD.shape[1]:
            return run(x_BTD, state)
        pieces = []
        for part in x_BTD.split(self.truncate, 1):
            h, state = run(part, tuple(each.detach() for each in state))
            pieces.append(h)
        return torch.cat(pieces, 1), state

    def _written(self, x_BTD: Tensor, state: State) -> tuple[Tensor, State]:
        steps = []
        for a_BG in self.cell.taken_in(x_BTD.transpose(0, 1)).unbind(0):  # an index per step would cost twice as much
            state = self.cell.step(a_BG, state)
            steps.append(state[0])
        return torch.stack(steps, 1), state

    def extra_repr(self) -> str:
        return "fused" if self.fused else "written"


class Recurrence(nn.Module):
    """Layers one after the other: x (B, T, D) → h (B, T, width), width H or, in both directions, 2H.

    make: the cell of a layer, from its numbers in. bidirectional: each layer also reads back, and h is [onward, back].
    dropout: between layers.
    """

    def __init__(
        self,
        make: Callable[[int], Cell],
        inputs: int,
        layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        fused: bool = True,
        truncate: int | None = None,
    ) -> None:
        super().__init__()
        onward: list[Layer] = []
        back: list[Layer] = []
        for _ in range(layers):
            onward.append(Layer(make(inputs), fused, truncate))
            if bidirectional:
                back.append(Layer(make(inputs), fused, truncate))
            self.units = onward[-1].cell.units
            inputs = (1 + bidirectional) * self.units
        self.onward: list[Layer] = nn.ModuleList(onward)  # type: ignore[assignment]
        self.back: list[Layer] = nn.ModuleList(back)  # type: ignore[assignment]
        self.width = inputs
        self.between = Dropout(dropout) if dropout and layers > 1 else None

    def forward(
        self, x_BTD: Tensor, real: Tensor | None = None, states: Sequence[State] | None = None
    ) -> tuple[Tensor, list[State]]:
        """h (B, T, width), and the state of each layer after step T: onward ones, then those that read back.

        real: (B, T), which steps are no padding; None where all are. A state after padding is worth nothing: take
        h at the last real step.
        """
        at = turning(real) if real is not None and len(self.back) else None
        onward, back = [], []
        given = self.start(x_BTD) if states is None else states
        h = x_BTD
        for n, layer in enumerate(self.onward):
            if n and self.between is not None:
                h = self.between(h)
            before = h
            h, state = layer(before, given[n])
            onward.append(state)
            if len(self.back):
                h_back, state = self.back[n](turned(before, at), given[len(self.onward) + n])
                back.append(state)
                h = torch.cat((h, turned(h_back, at)), 2)
        return h, onward + back

    def start(self, x: Tensor) -> list[State]:
        """The states before the first step, for a batch as large as that of x."""
        return [layer.cell.start(x) for layer in (*self.onward, *self.back)]

    def step(self, x_BD: Tensor, states: Sequence[State]) -> tuple[Tensor, list[State]]:
        """One step more, of layers that only read onward: h (B, H) and the new states."""
        assert not len(self.back), "a layer that reads back needs the whole sequence"
        h, new = x_BD, []
        for n, (layer, state) in enumerate(zip(self.onward, states, strict=True)):
            if n and self.between is not None:
                h = self.between(h)
            state = layer.cell.step(layer.cell.taken_in(h), state)
            new.append(state)
            h = state[0]
        return h, new
