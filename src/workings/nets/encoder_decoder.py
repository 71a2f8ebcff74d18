"""Encoder and decoder of recurrent layers: one reads a text, the other writes another, with attention or without.

    h_j = f_enc(x_j, h_{j−1})                    the source's states, j = 1 … S; both ways where ``bidirectional``
    c   = h_S                                    the fixed context: the last state of each direction
    s_0 = tanh(W_0 c + b_0)                      the decoder begins with what was read, each layer with its own W_0

    attention none                               attention dot, multiplicative or additive
    s_t = f_dec([y_{t−1}, c], s_{t−1})           s_t = f_dec(y_{t−1}, s_{t−1})
    c_t = c                                      e_tj = score(s_t, h_j),  α_t = softmax(e_t),  c_t = Σ_j α_tj h_j

    p(y_t) = softmax(W [s_t, c_t] + b)           with ``readout``: softmax(W tanh(W_r [s_t, c_t] + b_r) + b)

x and y are vectors of tokens; y_0 is the start token. Sutskever et al. 2014; Cho et al. 2014; the scores in
``attention.py``. The states s_t here do not depend on earlier contexts (Luong et al. 2015 without input feeding), so in
training the whole target goes through the fused kernel in one call. With ``feeding`` they do, as in Bahdanau et al.
2015 and in Luong's input feeding: s_t = f_dec([y_{t−1}, c_{t−1}], s_{t−1}), c_0 = 0; then every step waits for the
one before, and training is several times slower.

With ``positions``, x and y are the vectors plus sinusoids of where they stand (Gehring et al. 2017), so that no layer
has to learn to count: a score by content alone takes one of two equal stretches for the other now and then.

Legend: B batch, S source steps, T target steps, E numbers of a token's vector, H units, M numbers of h_j, V target
tokens there are, L layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.form import Form
from workings.base.tokens import PAD
from workings.nets.attention import SCORES, Score
from workings.nets.cells import Cell, GRUCell, LSTMCell, RNNCell, State
from workings.nets.layers import Dropout
from workings.nets.positions import Positions
from workings.nets.recurrence import Recurrence
from workings.nets.recurrent import kept
from workings.nets.registry import register
from workings.nets.sequences import last_step
from workings.nets.settings import Setting

CELLS: dict[str, Callable[[int, int], Cell]] = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}
ATTENTION = ("none", *SCORES)


@register(
    "encoder-decoder",
    "recurrent encoder and decoder, with attention or a fixed context",
    shapes="pairs",
    family="recurrent",
    sizes={
        "small": {"width": 64, "embedding": 64},
        "medium": {},
        "large": {"width": 512, "embedding": 256, "layers": 2},
    },
)
class EncoderDecoder(nn.Module):
    """x (B, 2, T), source tokens and target tokens shifted right → logits (B, T, V)."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        cell: Annotated[str, Setting("of the recurrent layers", choices=tuple(CELLS))] = "gru",
        width: Annotated[int, Setting("units of the decoder, and of both directions of the encoder", low=2)] = 256,
        embedding: Annotated[int, Setting("numbers of a token's vector", low=1)] = 128,
        layers: Annotated[int, Setting("layers of the encoder, and as many of the decoder", low=1)] = 1,
        bidirectional: Annotated[bool, Setting("whether the encoder also reads from the end to the start")] = True,
        attention: Annotated[
            str, Setting("none: a fixed context; or the score by which states are attended to", choices=ATTENTION)
        ] = "multiplicative",
        readout: Annotated[int, Setting("units between [s, c] and the output; 0 for none", low=0)] = 0,
        feeding: Annotated[bool, Setting("each step also reads the context of the step before: slow")] = False,
        positions: Annotated[bool, Setting("adds to each token's vector where it stands, as sinusoids")] = False,
        dropout: Annotated[float, Setting("part set to 0 in training", low=0, high=0.95)] = 0.2,
    ) -> None:
        super().__init__()
        assert isinstance(form.vocabulary, tuple)
        source, target = form.vocabulary
        self.form = form
        units = -(-width // 2) if bidirectional else width  # of the encoder, in each direction
        if attention == "dot" and bidirectional and width % 2:
            raise refuse(
                "odd-width",
                f"The score 'dot' needs states of one width; {width} is odd, so the encoder's have {2 * units}.",
                do=f"Set width={width + 1}, or attention=multiplicative.",
            )
        # N(0, 1), as torch draws them: shorter vectors learn more slowly here.
        self.source = nn.Embedding(source, embedding, padding_idx=PAD)
        self.target = nn.Embedding(target, embedding, padding_idx=PAD)
        self.positions = Positions("sinusoidal", shape[-1], embedding) if positions else None
        self.dropout = Dropout(dropout) if dropout else None
        self.encoder = Recurrence(
            lambda inputs: CELLS[cell](inputs, units), embedding, layers, bidirectional=bidirectional, dropout=dropout
        )
        M = self.encoder.width
        self.score = None if attention == "none" else Score(attention, width, M)
        self.feeding = feeding and self.score is not None
        fed = M if self.score is None or self.feeding else 0
        self.decoder = Recurrence(lambda inputs: CELLS[cell](inputs, width), embedding + fed, layers, dropout=dropout)
        self.begin = nn.Linear(M, layers * self.decoder.onward[0].cell.parts * width)
        self.readout = nn.Linear(width + M, readout) if readout else None
        self.output = nn.Linear(readout or width + M, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self._answer(*self._follow(x)[:2])

    def alignment(self, x: Tensor) -> Tensor:
        """α (B, T, S), S = T: how much of each source state each target step takes; 0 at the source's padding.

        Raises:
            ValueError: the net has a fixed context.
        """
        α = self._follow(x)[2]
        if α is None:
            raise ValueError("a net with a fixed context has no alignment")
        return α

    def _follow(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """s (B, T, H), c (B, T, M) and α (B, T, S) with every target token given, as in training."""
        source_BS, target_BT = x.unbind(1)
        if self.feeding:
            return self._follow_by_steps(source_BS, target_BT)
        h_BSM, real_BS, c_BM = self.read(source_BS)
        y_BTE, c_BTM = self._vectors(target_BT, self.target), c_BM[:, None].expand(-1, target_BT.shape[1], -1)
        if self.score is None:
            s_BTH, _ = self.decoder(torch.cat((y_BTE, c_BTM), 2), None, self.first(c_BM))
            return s_BTH, c_BTM, None
        s_BTH, _ = self.decoder(y_BTE, None, self.first(c_BM))
        return s_BTH, *self.score.attend(s_BTH, h_BSM, real_BS)

    def _follow_by_steps(self, source_BS: Tensor, target_BT: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same where each step reads the context of the one before."""
        state, found = self.start(source_BS, len(source_BS)), []
        for token_B in target_BT.unbind(1):
            s_BH, state, α_BS = self._advance(token_B, state)
            assert α_BS is not None
            found.append((s_BH, state["context"], α_BS))
        s, c, α = (torch.stack(each, 1) for each in zip(*found, strict=True))
        return s, c, α

    def read(self, source_BS: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The source's states h (B, S, M), where they are real (B, S), and the fixed context c (B, M)."""
        real_BS = source_BS != PAD
        h_BSM, _ = self.encoder(self._vectors(source_BS, self.source), real_BS)
        c_BM, units = last_step(h_BSM, real_BS), self.encoder.units
        if len(self.encoder.back):  # reading back, the last step is the first
            c_BM = torch.cat((c_BM[:, :units], h_BSM[:, 0, units:]), 1)
        return h_BSM, real_BS, c_BM

    def first(self, c_BM: Tensor) -> list[State]:
        """s_0: the decoder's states before its first step."""
        L, H = len(self.decoder.onward), self.decoder.units
        s_BLPH = torch.tanh(self.begin(c_BM)).view(len(c_BM), L, -1, H)
        return [tuple(layer.unbind(1)) for layer in s_BLPH.unbind(1)]

    def _vectors(self, tokens: Tensor, embedding: nn.Embedding, step_B: Tensor | None = None) -> Tensor:
        """Tokens (B, T), or one each that stands at ``step_B``, (B,) → (…, E)."""
        vectors = embedding(tokens)
        if self.positions is not None:
            vectors = self.positions(vectors) if step_B is None else vectors + self.positions.table[step_B]
        return vectors if self.dropout is None else self.dropout(vectors)

    def _answer(self, s: Tensor, c: Tensor) -> Tensor:
        """(…, H), (…, M) → logits (…, V)."""
        sc = torch.cat((s, c), -1)
        if self.readout is not None:
            sc = torch.tanh(self.readout(sc))
        return self.output(sc if self.dropout is None else self.dropout(sc))

    def start(self, source_BS: Tensor | None, batch: int) -> dict[str, Tensor]:
        """The state before the first token: the source as it was read, and the decoder's states, parts (B, L, H)."""
        assert source_BS is not None
        assert len(source_BS) == batch
        h_BSM, real_BS, c_BM = self.read(source_BS)
        state = {"memory": h_BSM, "real": real_BS, "context": torch.zeros_like(c_BM) if self.feeding else c_BM}
        if self.score is not None:
            state["keys"] = self.score.keys(h_BSM)
        if self.positions is not None:
            state["step"] = torch.zeros(batch, dtype=torch.int64, device=h_BSM.device)
        return state | kept(self.first(c_BM))

    def step(self, token_B: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (B, V) of the token after ``token_B``, and the state after it."""
        s_BH, state, _ = self._advance(token_B, state)
        return self._answer(s_BH, state["context"]), state

    def _advance(self, token_B: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor], Tensor | None]:
        """s_t (B, H), the new state, whose ``context`` is c_t (B, M), and α_t (B, S)."""
        y = self._vectors(token_B, self.target, state.get("step"))
        if "step" in state:
            state = {**state, "step": state["step"] + 1}
        if self.score is None or self.feeding:
            y = torch.cat((y, state["context"]), 1)
        parts = [part for name, part in state.items() if name.startswith("state")]
        states = list(zip(*(part.unbind(1) for part in parts), strict=True))
        s_BH, states = self.decoder.step(y, states)
        state = {**state, **kept(states)}
        if self.score is None:
            return s_BH, state, None
        c_BM, α_BS = self.score.attend(s_BH, state["memory"], state["real"], state["keys"])
        return s_BH, {**state, "context": c_BM}, α_BS
