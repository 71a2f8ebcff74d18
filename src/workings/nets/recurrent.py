"""Recurrent nets for texts, frames and series: RNN, LSTM and GRU, stacked, in one direction or both.

    v_t = the vector of token t, or frame t
    h_t = the last layer's state, from v_t and its state before (cells.py)
    y   = W p + b        p = h pooled over the steps: the last, the mean or the largest
    y_t = W h_t + b      where every step has an answer

Legend: B batch, T steps, D numbers of a vector, H units, K outputs, L layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.form import Form
from workings.nets.cells import Cell, GRUCell, LSTMCell, RNNCell, State
from workings.nets.layers import Dropout
from workings.nets.recurrence import Recurrence
from workings.nets.registry import register
from workings.nets.sequences import ToVectors, last_step, max_over_steps, mean_over_steps
from workings.nets.settings import Setting

Embedding = Annotated[int, Setting("numbers of a token's vector; frames and series are taken as they are", low=1)]
Width = Annotated[int, Setting("units of a layer, in each direction", low=1)]
Layers = Annotated[int, Setting("layers, one after the other", low=1)]
Bidirectional = Annotated[bool, Setting("whether every layer also reads from the end to the start")]
Drop = Annotated[
    float, Setting("part set to 0 in training: of vectors, between layers, before the output", low=0, high=0.95)
]
WordDropout = Annotated[float, Setting("part of whole tokens or steps hidden in training", low=0, high=0.95)]
Pooling = Annotated[
    str,
    Setting(
        "what of all steps' states the answer is made from; auto: the last of a series, the largest otherwise",
        choices=("auto", "last", "mean", "max"),
    ),
]
CellKind = Annotated[
    str,
    Setting(
        "fused: all steps at once, by the fastest kernel there is; written: step by step from the equations",
        choices=("fused", "written"),
    ),
]
Truncate = Annotated[int | None, Setting("steps after which gradients go back no further", low=1)]


class RecurrentNet(nn.Module):
    """What the three nets share: all but the cell, which ``make`` makes of the numbers of its inputs and units.

    A net that answers each step can also write: ``start`` and ``step`` are those of ``sequences.Writes``.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        make: Callable[[int, int], Cell],
        *,
        form: Form,
        embedding: Embedding = 64,
        width: Width = 64,
        layers: Layers = 1,
        bidirectional: Bidirectional = False,
        dropout: Drop = 0.5,
        word_dropout: WordDropout = 0.0,
        pooling: Pooling = "auto",
        cell: CellKind = "fused",
        truncate: Truncate = None,
    ) -> None:
        super().__init__()
        if bidirectional and form.each_step and form.vocabulary is not None:
            raise refuse(
                "reads-the-future",
                "A net that goes on with a text cannot be bidirectional.",
                where="setting 'bidirectional'",
                why="Reading back, it would see the very token that it has to say.",
                do="Leave bidirectional out, or set it to false.",
            )
        self.form = form
        self.vectors = ToVectors(shape, form, embedding, dropout, word_dropout)
        self.recurrence = Recurrence(
            lambda inputs: make(inputs, width),
            self.vectors.width,
            layers,
            bidirectional=bidirectional,
            dropout=dropout,
            fused=cell == "fused",
            truncate=truncate,
        )
        self.pooling = ("max" if form.horizon is None else "last") if pooling == "auto" else pooling
        self.dropout = Dropout(dropout) if dropout else None
        self.output = nn.Linear(self.recurrence.width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        vectors, real = self.vectors(x)
        h_BTH, _ = self.recurrence(vectors, real)
        return self.answer(h_BTH if self.form.each_step else self.pooled(h_BTH, real))

    def pooled(self, h_BTH: Tensor, real: Tensor) -> Tensor:
        """(B, width). Reading back, the last step is the first."""
        if self.pooling == "mean":
            return mean_over_steps(h_BTH, real)
        if self.pooling == "max":
            return max_over_steps(h_BTH, real)
        last, H = last_step(h_BTH, real), self.recurrence.units
        return last if not len(self.recurrence.back) else torch.cat((last[:, :H], h_BTH[:, 0, H:]), 1)

    def answer(self, h: Tensor) -> Tensor:
        """(…, width) → (…, K)."""
        return self.output(h if self.dropout is None else self.dropout(h))

    def start(self, source_BS: Tensor | None, batch: int) -> dict[str, Tensor]:
        """The state before the first token, parts (B, L, H)."""
        assert source_BS is None, "a recurrent net has no source to read"
        return kept(self.recurrence.start(self.output.weight.new_zeros(batch, 1)))

    def step(self, token_B: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (B, V) of the token after ``token_B``, and the state after it."""
        vectors, _ = self.vectors(token_B[:, None])
        states = list(zip(*(part.unbind(1) for part in state.values()), strict=True))
        h_BH, states = self.recurrence.step(vectors[:, 0], states)
        return self.answer(h_BH), kept(states)


def kept(states: list[State]) -> dict[str, Tensor]:
    """The layers' states as tensors (B, L, H), whose first dimension is the batch."""
    return {f"state{n}": torch.stack(parts, 1) for n, parts in enumerate(zip(*states, strict=True))}


@register("rnn", "recurrent net: each state from the input and the state before", shapes="sequence", family="recurrent")
class RNN(RecurrentNet):
    """Of cells.RNNCell. Gradients fade or grow with every step; LSTM and GRU are its cure."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        activation: Annotated[str, Setting("of a state", choices=("tanh", "relu"))] = "tanh",
        **shared: Any,
    ) -> None:
        super().__init__(
            shape,
            outputs,
            lambda inputs, width: RNNCell(inputs, width, activation),  # type: ignore[arg-type]
            **shared,
        )


@register("gru", "gated recurrent unit: two gates, one state", shapes="sequence", family="recurrent")
class GRU(RecurrentNet):
    """Of cells.GRUCell."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        reset: Annotated[
            str,
            Setting(
                "whether the reset gate acts after the product with the state (torch, Keras) or before it (the paper); "
                "before needs cell=written",
                choices=("after", "before"),
            ),
        ] = "after",
        update_bias: Annotated[
            float, Setting("what the update gate's bias begins with; with b a state lasts about 1 + e^b steps at first")
        ] = 0.0,
        cell: CellKind = "fused",
        **shared: Any,
    ) -> None:
        if reset == "before" and cell == "fused":
            raise refuse(
                "no-kernel",
                "There is no fused kernel of the GRU that resets before the product.",
                where="setting 'reset'",
                do="Set cell=written too, or reset=after.",
            )
        super().__init__(
            shape,
            outputs,
            lambda inputs, width: GRUCell(inputs, width, reset, update_bias),  # type: ignore[arg-type]
            cell=cell,
            **shared,
        )


@register("lstm", "long short-term memory: three gates, a cell that lasts", shapes="sequence", family="recurrent")
class LSTM(RecurrentNet):
    """Of cells.LSTMCell."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        forget_bias: Annotated[
            float, Setting("what the forget gate's bias begins with; with b a state lasts about 1 + e^b steps at first")
        ] = 1.0,
        **shared: Any,
    ) -> None:
        super().__init__(shape, outputs, lambda inputs, width: LSTMCell(inputs, width, forget_bias), **shared)
