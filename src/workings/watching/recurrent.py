"""How a gradient fares through time: ‖∂L/∂h_1‖ over ‖∂L/∂h_T‖, of the part of L that hangs on the last step.

    δ_T = ∂L/∂h_T, as it comes from the output of the last step alone
    δ_1 = (∂(h_T)/∂(s_1))ᵀ δ_T,  s_1 the state after the first step (h, and c of an LSTM)
    delta_first = ‖δ_1‖/‖δ_T‖

Where every step has a loss of its own, ‖∂L/∂h_1‖ is large whatever becomes of the past; only what comes back from the
last step says what the net can learn over that distance. A fused layer does not tell δ_1, so the layer alone is run
again on what it was given: step 1, then the rest from s_1, and back with δ_T. Its own dropout draws from a generator
that is put back. For padded sequences the last step is each one's own.

Vanishing and exploding gradients: Hochreiter 1991; Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013.

Legend: B batch, T steps, H units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from workings.nets.recurrence import Layer
from workings.watching.operations import CELLS, RECURRENT
from workings.watching.statistics import Measured, of_numbers, rms, some

FEW = 16  # sequences of the batch that are run again
LONG = 512  # steps; of longer sequences the last so many

Run = Callable[[Tensor, Any], tuple[Tensor, tuple[Tensor, ...]]]  # x (B, T, D), state → h (B, T, H), state


class Recurrent:
    """Recurrent layers of torch and of Workings, and cells of torch's, during one pass.

    careful: calls what it is given, and lets no error through into the backward pass of the caller.
    """

    def __init__(self, careful: Callable[..., None]) -> None:
        self._careful = careful
        self._replays: list[tuple[str, Callable[[], Tensor | None]]] = []
        self._found: list[Measured] = []
        self._cells: dict[str, list[list[Tensor]]] = {}  # δ of each call of a cell, of h and c, the last call first

    @staticmethod
    def sees(module: nn.Module) -> bool:
        """Whether it is one of those that are looked at."""
        return isinstance(module, (*RECURRENT, *CELLS, Layer))

    def look(self, where: str, module: nn.Module, args: Any, kwargs: Any, out: Any) -> list[Measured]:
        """What a forward pass of the module gave; gradients are waited for."""
        if isinstance(module, CELLS):
            return self._cell(where, out)
        if not isinstance(out, tuple) or not isinstance(out[0], Tensor) or out[0].ndim != 3:
            return []
        h: Tensor = out[0]
        first = isinstance(module, Layer) or bool(getattr(module, "batch_first", False))
        with torch.no_grad():
            bounded = not isinstance(module, Layer) and getattr(module, "nonlinearity", "tanh") == "tanh"
            found = of_numbers(where, some(h.detach(), 0 if first else 1), (-1.0, 1.0) if bounded else None)
        x = args[0] if args else kwargs.get("input", kwargs.get("x_BTD"))
        if h.requires_grad and h.shape[1 if first else 0] > 1 and isinstance(x, Tensor):
            self._wait(where, module, x.detach(), h, first)
        return found

    def _wait(self, where: str, module: nn.Module, x: Tensor, h: Tensor, first: bool) -> None:
        run = _of_layer(module) if isinstance(module, Layer) else _of_torch(module)
        if run is None:
            return

        def back(g: Tensor) -> None:
            g_BTH = (g if first else g.transpose(0, 1)).detach()
            x_BTD = x if first else x.transpose(0, 1)
            self._found.append((where, "delta", rms(g_BTH)))
            kept = g_BTH[:FEW].clone(), x_BTD[:FEW].clone()
            self._replays.append((where, lambda: through_time(run, kept[1], kept[0])))

        h.register_hook(lambda g: self._careful(back, g))

    def _cell(self, where: str, out: Any) -> list[Measured]:
        h = out[0] if isinstance(out, tuple) else out
        if isinstance(h, Tensor) and h.requires_grad:
            # For an LSTM the gradient lives on in c; both parts of the state count.
            parts = out if isinstance(out, tuple) else (out,)
            norms: list[Tensor] = []  # a graph that is kept is gone through again: then there are more

            def back(δ: Tensor) -> None:
                if not norms:
                    self._cells.setdefault(where, []).append(norms)
                norms.append(torch.linalg.vector_norm(δ.float()))

            for part in parts:
                if part.requires_grad:
                    part.register_hook(lambda δ: self._careful(back, δ))
        return []

    def read(self) -> list[Measured]:
        """What has been found, once the backward pass is done."""
        found, self._found = self._found, []
        for where, replay in self._replays:
            share = replay()
            if share is not None:
                found.append((where, "delta_first", share))
        for where, back in self._cells.items():
            if len(back) > 1:
                δ_1, δ_T = (torch.stack(norms).norm() for norms in (back[-1], back[0]))
                found.append((where, "delta_first", δ_1 / δ_T.clamp_min(1e-30)))
        self._replays, self._cells = [], {}
        return found


def through_time(run: Run, x_BTD: Tensor, g_BTH: Tensor) -> Tensor | None:
    """‖δ_1‖/‖δ_T‖, ()."""
    devices = [x_BTD.device.index] if x_BTD.is_cuda else []
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        x_BTD, g_BTH = x_BTD[:, -LONG:], g_BTH[:, -LONG:]
        T = x_BTD.shape[1]
        if T < 2:
            return None
        some_BT = (g_BTH != 0).any(2)
        last_B = T - 1 - some_BT.flip(1).int().argmax(1)
        at = last_B[:, None] == torch.arange(T, device=g_BTH.device)
        δ_T = torch.where((at & (last_B[:, None] > 0))[..., None], g_BTH, 0.0)
        _, state = run(x_BTD[:, :1], None)
        s_1 = tuple(part.detach().requires_grad_() for part in state)
        h, _ = run(x_BTD[:, 1:], s_1)
        back = torch.autograd.grad(h, s_1, δ_T[:, 1:].to(h.dtype), allow_unused=True)
        norms = [torch.linalg.vector_norm(part.float()) for part in back if part is not None]
        if not norms:
            return None
        return torch.stack(norms).norm() / torch.linalg.vector_norm(δ_T.float()).clamp_min(1e-30)


def _of_layer(layer: Layer) -> Run | None:
    """A layer of Workings; None where its state is cut off from its past on purpose."""
    if layer.truncate is not None:
        return None

    def run(x_BTD: Tensor, state: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        return layer.forward(x_BTD, layer.cell.start(x_BTD) if state is None else state)

    return run


def _of_torch(module: Any) -> Run | None:
    """A layer of torch's: all its stacked layers, whose states after step 1 count together; reading onward only.

    None for a class made of torch's: reading parametrised weights, or a forward pass of somebody's own, may change
    what the layer remembers (spectral norm does).
    """
    if type(module) not in RECURRENT or module.bidirectional or module.proj_size:
        return None

    def run(x_BTD: Tensor, state: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
        x = x_BTD if module.batch_first else x_BTD.transpose(0, 1)
        given = state if state is None or len(state) > 1 else state[0]
        h, after = module.forward(x, given)
        return h if module.batch_first else h.transpose(0, 1), after if isinstance(after, tuple) else (after,)

    return run
