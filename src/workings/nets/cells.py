"""One step of a recurrent net, written from its equations: RNN, LSTM, GRU.

Every cell first takes in what does not depend on its state, for all steps in one product, and then goes step by step:

    a_t = W_x x_t + b                  ``taken_in``
    state_t = step(a_t, state_{t−1})   ``step``; the first part of the state is h_t

Its parameters are W_x (G·H, D), W_h (G·H, H) and bias (G·H), G blocks of H rows in the order in which a docstring
names them; it is torch's order. torch's own layers hold two biases that are only ever added; here they are one.

Legend: B batch, D numbers in, H units, G blocks.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.nets.through_time import GRUThroughTime, RNNThroughTime

State = tuple[Tensor, ...]  # of (B, H) each; the first is h


class Cell(nn.Module, ABC):
    """The parameters of a recurrent layer in one direction, and its step.

    blocks: G. parts: how many tensors (B, H) make the state. title: in words, for tables.
    """

    blocks: ClassVar[int]
    parts: ClassVar[int] = 1
    title: ClassVar[str]

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.inputs, self.units = inputs, units
        self.W_x = nn.Parameter(torch.empty(self.blocks * units, inputs))
        self.W_h = nn.Parameter(torch.empty(self.blocks * units, units))
        self.bias = nn.Parameter(torch.empty(self.blocks * units))
        self.draw()

    @torch.no_grad()
    def draw(self) -> None:
        """First weights: each block of W_x from U(−r, r), r = √(6/(D + H)); each block of W_h orthogonal, so that a
        state neither grows nor shrinks as it is passed on (Saxe et al. 2014); biases 0.
        """
        r = math.sqrt(6 / (self.inputs + self.units))
        self.W_x.uniform_(-r, r)
        for block in self.W_h.split(self.units):
            nn.init.orthogonal_(block)
        self.bias.zero_()

    def start(self, x: Tensor) -> State:
        """The state before the first step: zeros, for a batch as large as that of x (B, …)."""
        return tuple(x.new_zeros(x.shape[0], self.units) for _ in range(self.parts))

    def taken_in(self, x: Tensor) -> Tensor:
        """a = W_x x + b for any number of steps at once: (…, D) → (…, G·H)."""
        return F.linear(x, self.W_x, self.bias)

    @abstractmethod
    def step(self, a_BG: Tensor, state: State) -> State:
        """The state after one more step, from a_t (B, G·H) and the state before it."""

    @abstractmethod
    def kernel(self, x_BTD: Tensor, state: State) -> tuple[Tensor, State]:
        """All steps at once: h (B, T, H) and the last state.

        By the library's kernel (oneDNN's LSTM, cuDNN), or, where it has none that is faster, by through_time.py.
        """

    def extra_repr(self) -> str:
        return f"{self.inputs}, {self.units}"


class RNNCell(Cell):
    """h_t = f(W_x x_t + W_h h_{t−1} + b),  f = tanh or ReLU. Elman 1990."""

    blocks = 1
    title = "RNN"

    def __init__(self, inputs: int, units: int, activation: Literal["tanh", "relu"] = "tanh") -> None:
        super().__init__(inputs, units)
        self.activation = activation

    def step(self, a_BG: Tensor, state: State) -> State:
        (h,) = state
        z = torch.addmm(a_BG, h, self.W_h.t())
        return (torch.tanh(z) if self.activation == "tanh" else torch.relu(z),)

    def kernel(self, x_BTD: Tensor, state: State) -> tuple[Tensor, State]:
        if not x_BTD.is_cuda:
            a = self.taken_in(x_BTD.transpose(0, 1)).to(self.W_h.dtype)
            h = RNNThroughTime.apply(a, self.W_h, *state, self.activation == "relu")
            return h.transpose(0, 1), (h[-1],)  # type: ignore[union-attr]
        run = torch.rnn_tanh if self.activation == "tanh" else torch.rnn_relu
        weights = [self.W_x, self.W_h, self.bias, torch.zeros_like(self.bias)]
        h, last = run(x_BTD, state[0][None], weights, True, 1, 0.0, self.training, False, True)
        return h, (last[0],)


class LSTMCell(Cell):
    """Long short-term memory: the cell c is passed on by products with gates only, so that a gradient can last.

        i_t = σ(W_i x_t + U_i h_{t−1} + b_i)        input gate
        f_t = σ(W_f x_t + U_f h_{t−1} + b_f)        forget gate
        g_t = tanh(W_g x_t + U_g h_{t−1} + b_g)     candidate
        o_t = σ(W_o x_t + U_o h_{t−1} + b_o)        output gate
        c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
        h_t = o_t ⊙ tanh(c_t)

    Blocks i, f, g, o: W_x holds the W, W_h the U. Hochreiter and Schmidhuber 1997; the forget gate is of Gers,
    Schmidhuber and Cummins 2000.

    forget_bias: what b_f begins with. With b the cell lasts about 1 + e^b steps at first: 1 is usual (Jozefowicz et
        al. 2015), 5 remembers over a hundred (Tallec and Ollivier 2018).
    """

    blocks = 4
    parts = 2
    title = "LSTM"

    def __init__(self, inputs: int, units: int, forget_bias: float = 1.0) -> None:
        super().__init__(inputs, units)
        with torch.no_grad():
            self.bias[units : 2 * units] = forget_bias

    def step(self, a_BG: Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = torch.addmm(a_BG, h, self.W_h.t()).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def kernel(self, x_BTD: Tensor, state: State) -> tuple[Tensor, State]:
        weights = [self.W_x, self.W_h, self.bias, torch.zeros_like(self.bias)]
        first = [part[None] for part in state]
        h, last_h, last_c = torch.lstm(x_BTD, first, weights, True, 1, 0.0, self.training, False, True)
        return h, (last_h[0], last_c[0])


class GRUCell(Cell):
    """Gated recurrent unit: one state, two gates. Cho et al. 2014.

        r_t = σ(W_r x_t + U_r h_{t−1} + b_r)                  reset gate
        z_t = σ(W_z x_t + U_z h_{t−1} + b_z)                  update gate
        n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t−1} + d))   candidate, reset = "after"
        n_t = tanh(W_n x_t + b_n + U_n (r_t ⊙ h_{t−1}))       candidate, reset = "before"
        h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}

    Blocks r, z, n. "before" is the paper's and the textbooks'; "after" is torch's and Keras's, whose three products
    with h_{t−1} are one; the two learn alike and cannot load each other's weights. Some texts swap z and 1 − z.

    update_bias: what b_z begins with; the larger, the longer the state lasts, as with an LSTM's forget gate.
    """

    blocks = 3
    title = "GRU"

    def __init__(
        self, inputs: int, units: int, reset: Literal["after", "before"] = "after", update_bias: float = 0.0
    ) -> None:
        super().__init__(inputs, units)
        with torch.no_grad():
            self.bias[units : 2 * units] = update_bias
        self.reset = reset
        self.bias_n = nn.Parameter(torch.zeros(units)) if reset == "after" else None  # d

    def step(self, a_BG: Tensor, state: State) -> State:
        (h,) = state
        H = self.units
        if self.bias_n is not None:
            a_r, a_z, a_n = a_BG.chunk(3, 1)
            u_r, u_z, u_n = torch.mm(h, self.W_h.t()).chunk(3, 1)
            r, z = torch.sigmoid(a_r + u_r), torch.sigmoid(a_z + u_z)
            n = torch.tanh(a_n + r * (u_n + self.bias_n))
        else:
            a_rz, a_n = a_BG.split((2 * H, H), 1)
            U_rz, U_n = self.W_h.split((2 * H, H))
            r, z = torch.sigmoid(torch.addmm(a_rz, h, U_rz.t())).chunk(2, 1)
            n = torch.tanh(torch.addmm(a_n, r * h, U_n.t()))
        return (n + z * (h - n),)

    def kernel(self, x_BTD: Tensor, state: State) -> tuple[Tensor, State]:
        assert self.bias_n is not None, "there is no kernel of the GRU that resets before the product"
        if not x_BTD.is_cuda:
            a = self.taken_in(x_BTD.transpose(0, 1)).to(self.W_h.dtype)
            h = GRUThroughTime.apply(a, self.W_h, self.bias_n, *state)
            return h.transpose(0, 1), (h[-1],)  # type: ignore[union-attr]
        inner = torch.cat((self.bias_n.new_zeros(2 * self.units), self.bias_n))
        weights = [self.W_x, self.W_h, self.bias, inner]
        h, last = torch.gru(x_BTD, state[0][None], weights, True, 1, 0.0, self.training, False, True)
        return h, (last[0],)
