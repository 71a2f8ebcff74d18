"""Gradient descent and its descendants, as equations on one parameter vector.

In order of increasing complexity: each is the one before with one thing added, and equals it where that thing
is switched off. ``update`` is pure: it returns new tensors, so that a whole step can be traced into one graph.
``update_`` does the same in place, with torch's fused kernels where they exist.

Shapes: w, g and every state tensor are (P,). ``h`` holds the numbers of step t: η and the bias corrections,
as Python floats or 0-dimensional tensors (the same equations serve both).

Weight decay λ acts on ``w[:decayed]`` only: on weights, not on biases and norm scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from workings.base.errors import UserError
from workings.base.problems import unknown_name

State = tuple[Tensor, ...]
Scalars = Sequence[float] | Tensor


class Optimiser(Protocol):
    """How a gradient changes the parameters."""

    name: ClassVar[str]

    def start(self, w: Tensor) -> State:
        """The state before the first step."""
        ...

    def scalars(self, t: int, eta: float) -> list[float]:
        """The numbers of step t (counted from 1) at learning rate η."""
        ...

    def update(self, w: Tensor, g: Tensor, state: State, h: Scalars, decayed: int) -> tuple[Tensor, State]:
        """New parameters and new state."""
        ...

    def update_(self, w: Tensor, g: Tensor, state: State, h: Sequence[float], decayed: int) -> None:
        """The same, in place."""
        ...


@dataclass(frozen=True)
class SGD:
    """v ← μv + g;  w ← w − ηv, or w − η(g + μv) with Nesterov's look-ahead;  λ is added to the gradient: g + λw.

    With μ = 0 this is plain gradient descent, w ← w − ηg. The momentum follows Sutskever et al. 2013 as written
    by torch (no dampening). Biases and norm scales may learn at ``rest_rate`` times η.
    """

    name: ClassVar[str] = "sgd"
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    rest_rate: float = 1.0

    def start(self, w: Tensor) -> State:
        return (torch.zeros_like(w),) if self.momentum else ()

    def scalars(self, t: int, eta: float) -> list[float]:
        return [eta]

    def update(self, w: Tensor, g: Tensor, state: State, h: Scalars, decayed: int) -> tuple[Tensor, State]:
        eta, mu = h[0], self.momentum
        if self.weight_decay or self.rest_rate != 1:
            # v is linear in g, so a factor on g is one on η.
            g = torch.cat([g[:decayed] + self.weight_decay * w[:decayed], self.rest_rate * g[decayed:]])
        if not mu:
            return w - eta * g, ()
        v = mu * state[0] + g
        return w - eta * (g + mu * v if self.nesterov else v), (v,)

    def update_(self, w: Tensor, g: Tensor, state: State, h: Sequence[float], decayed: int) -> None:
        eta, mu = h[0], self.momentum
        if self.weight_decay:
            g[:decayed].add_(w[:decayed], alpha=self.weight_decay)
        if self.rest_rate != 1:
            g[decayed:].mul_(self.rest_rate)
        if mu:
            v = state[0].mul_(mu).add_(g)
            g = g.add_(v, alpha=mu) if self.nesterov else v
        w.add_(g, alpha=-eta)


@dataclass(frozen=True)
class Adam:
    """m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  w ← w − η · m̂ / (√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    Kingma and Ba 2015. λ is added to the gradient, as in the paper's L2 form; see AdamW for the other.
    """

    name: ClassVar[str] = "adam"
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: ClassVar[bool] = False

    def start(self, w: Tensor) -> State:
        return torch.zeros_like(w), torch.zeros_like(w)

    def scalars(self, t: int, eta: float) -> list[float]:
        return [eta, 1 - self.beta1**t, 1 - self.beta2**t, float(t)]

    def update(self, w: Tensor, g: Tensor, state: State, h: Scalars, decayed: int) -> tuple[Tensor, State]:
        eta, correction1, correction2 = h[0], h[1], h[2]
        if self.weight_decay and self.decoupled:
            w = torch.cat([w[:decayed] * (1 - eta * self.weight_decay), w[decayed:]])
        elif self.weight_decay:
            g = torch.cat([g[:decayed] + self.weight_decay * w[:decayed], g[decayed:]])
        m = self.beta1 * state[0] + (1 - self.beta1) * g
        v = self.beta2 * state[1] + (1 - self.beta2) * g * g
        m_hat, v_hat = m / correction1, v / correction2
        return w - eta * m_hat / (v_hat.sqrt() + self.eps), (m, v)

    def update_(self, w: Tensor, g: Tensor, state: State, h: Sequence[float], decayed: int) -> None:
        parts = (slice(None, decayed), slice(decayed, None))
        cut = [[tensor[part] for part in parts if w[part].numel()] for tensor in (w, g, *state)]
        self.update_pieces_(cut[0], cut[1], cut[2:], h, int(decayed > 0))

    def update_pieces_(
        self, w: list[Tensor], g: list[Tensor], state: Sequence[list[Tensor]], h: Sequence[float], decayed: int
    ) -> None:
        """The same on pieces of w, of which the first ``decayed`` are weights: nothing has to be put together first."""
        # One call of the fused kernel for the weights and one for the rest; it applies the bias corrections itself.
        kernel = torch.ops.aten._fused_adamw_ if self.decoupled else torch.ops.aten._fused_adam_
        step = torch.tensor(h[3], dtype=torch.float32, device=w[0].device)
        whole = not self.weight_decay  # without decay the two kinds of parameters are treated alike
        for part, decay in ((slice(None, decayed), self.weight_decay), (slice(decayed, None), 0.0)):
            part = slice(None) if whole else part
            if w[part]:
                kernel(
                    w[part],
                    g[part],
                    state[0][part],
                    state[1][part],
                    [],
                    [step] * len(w[part]),
                    lr=h[0],
                    beta1=self.beta1,
                    beta2=self.beta2,
                    weight_decay=decay,
                    eps=self.eps,
                    amsgrad=False,
                    maximize=False,
                )
            if whole:
                break


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay does not pass through the moments: w ← (1 − ηλ)w first.

    Loshchilov and Hutter 2019.
    """

    name: ClassVar[str] = "adamw"
    weight_decay: float = 0.01
    decoupled: ClassVar[bool] = True


OPTIMISERS: dict[str, type[SGD] | type[Adam]] = {kind.name: kind for kind in (SGD, Adam, AdamW)}


def make_optimiser(name: str, **settings: Any) -> SGD | Adam:
    """The optimiser of that name.

    Raises:
        UserError: no optimiser has that name.
    """
    if name not in OPTIMISERS:
        raise UserError(unknown_name("optimiser", name, list(OPTIMISERS)))
    return OPTIMISERS[name](**settings)
