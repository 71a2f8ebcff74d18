"""One step of gradient learning, as mathematics: parameters, state and a batch in; new ones and the loss out.

``GradientStep.pure`` changes nothing it is given (but for the buffers that batch norm keeps), so it can be traced
into one graph. Every lane of ``lanes.py`` executes exactly this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workings.learning.flat import FlatParameters
from workings.learning.optimisers import Adam, Optimiser, Scalars, State
from workings.learning.regularisers import clip_by_norm, clip_by_value, elastic_net_gradient

LossFunction = Callable[[Tensor, Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class Regularisation:
    """What is added to the gradient, and how it is limited, before the optimiser sees it.

    l1: λ₁ of λ₁Σ|w| over weights; gradient λ₁ sign(w).
    l2: λ₂ of ½λ₂Σw² over weights; gradient λ₂w. Both together are the elastic net.
    clip_norm: τ of g ← τ g/‖g‖ where ‖g‖ > τ. clip_value: each gain of g is limited to ±this.
    """

    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None

    @property
    def acts(self) -> bool:
        """Whether it does anything."""
        return bool(self.l1 or self.l2) or self.clip_norm is not None or self.clip_value is not None

    def apply(self, g: Tensor, w: Tensor, decayed: int) -> Tensor:
        """The gradient with the penalties' gradients added, then clipped. Shapes (P,)."""
        if self.l1 or self.l2:
            penalty = elastic_net_gradient(w[:decayed], self.l1, self.l2)
            g = torch.cat([g[:decayed] + penalty, g[decayed:]])
        if self.clip_value is not None:
            g = clip_by_value(g, self.clip_value)
        if self.clip_norm is not None:
            g = clip_by_norm(g, self.clip_norm)
        return g


@dataclass(frozen=True)
class GradientStep:
    """w, state ← optimiser(w, regularised ∂L/∂w, state) for one batch."""

    net: nn.Module
    flat: FlatParameters
    loss: LossFunction
    optimiser: Optimiser
    regularisation: Regularisation
    bf16: bool = False

    def pure(
        self,
        w: Tensor,
        state: State,
        buffers: dict[str, Tensor],
        x: Tensor,
        y: Tensor,
        weight: Tensor | None,
        h: Scalars,
    ) -> tuple[Tensor, State, Tensor]:
        """New parameters (P,), new state and the loss (). ``buffers`` are updated in place, as batch norm does.

        Where the loss is not finite, parameters and state come back unchanged.
        """
        parameters = [view.detach().requires_grad_() for view in self.flat.views(w)]
        loss, gradients = self.loss_and_gradients(parameters, buffers, x, y, weight)
        g = self.regularisation.apply(self.flat.gather(gradients), w, self.flat.decayed)
        new_w, new_state = self.optimiser.update(w, g, state, h, self.flat.decayed)
        finite = torch.isfinite(loss)
        kept = tuple(torch.where(finite, new, old) for new, old in zip(new_state, state, strict=True))
        return torch.where(finite, new_w, w), kept, loss

    def loss_and_gradients(
        self, parameters: list[Tensor], buffers: dict[str, Tensor], x: Tensor, y: Tensor, weight: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        """The loss () of a batch and its gradient by each of ``parameters``, which stand for the net's own."""
        named = dict(zip(self.flat.names, parameters, strict=True))
        with torch.enable_grad():
            out = functional_call(self.net, {**named, **buffers}, (x,))
            loss = self.loss(out, y, weight)
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        return loss.detach(), gradients

    def in_place(self, state: State, x: Tensor, y: Tensor, weight: Tensor | None, h: list[float]) -> Tensor:
        """The same step on the net itself, with the fast in-place kernels. Returns the loss ()."""
        parameters = self.flat.parameters
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            out = self.net(x)
        if self.bf16:
            out = out.float()
        loss = self.loss(out, y, weight)
        value = loss.detach()
        if not bool(torch.isfinite(value)):
            return value
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        self.update(state, gradients, h)
        return value

    @torch.no_grad()
    def update(self, state: State, gradients: Sequence[Tensor | None], h: list[float]) -> None:
        """The parameters of the net, moved by their gradients in the net's own order of ``flat``."""
        flat, optimiser = self.flat, self.optimiser
        if isinstance(optimiser, Adam) and not self.regularisation.acts and all(g is not None for g in gradients):
            # Nothing looks at the gradient as a whole, so it is not put together: for a large net that is a copy saved.
            pieces = [flat.views(tensor) for tensor in (flat.w, *state)]
            # The kernel goes through memory as it lies, and some layers give gradients whose axes lie in another order.
            known = [g.contiguous() for g in gradients if g is not None]
            optimiser.update_pieces_(pieces[0], known, pieces[1:], h, flat.weights)
            return
        g = self.regularisation.apply(flat.gather(tuple(gradients)), flat.w, flat.decayed)
        optimiser.update_(flat.w, g, state, h, flat.decayed)
