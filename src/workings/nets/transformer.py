"""The transformer of encoder and decoder: one reads a text, the other writes another, asking the first as it goes.

    m   = Encoder(source)                              blocks of self-attention, padding masked
    x^0 = E_target[token] + positions
    x^l = DecoderBlock^l(x^(l−1), m)                   l = 1 … L, causal; see transformer_blocks.py
    out = W LN(x^L)                                    W = E_target where ``tied``

Vectors are drawn N(0, 1/D) and taken √D times, all other matrices as Xavier uniform. Vaswani et al. 2017.

Legend: B batch, T target steps, S source steps, D numbers of a vector (``width``), L layers, h heads, d = D/h,
V target tokens there are.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from workings.base.form import Form
from workings.base.tokens import PAD
from workings.nets.layers import Dropout
from workings.nets.multihead import WAYS, CrossAttention, SelfAttention, check_heads, seen
from workings.nets.positions import Positions
from workings.nets.registry import register
from workings.nets.settings import Setting
from workings.nets.transformer_blocks import ACTIVATIONS, NORMS, Block, DecoderBlock, Tied, output_layer, xavier


@register(
    "transformer",
    "encoder and decoder of attention alone, from one text to another",
    shapes="pairs",
    family="attention",
    sizes={
        "small": {"layers": 1, "width": 64},
        "medium": {},
        "large": {"layers": 4, "width": 256, "heads": 8},
    },
)
class Transformer(nn.Module):
    """x (B, 2, T), source tokens and target tokens shifted right → logits (B, T, V). Vaswani et al. 2017."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        layers: Annotated[int, Setting("blocks of the encoder, and as many of the decoder", low=1)] = 2,
        width: Annotated[int, Setting("numbers of a vector, a multiple of heads", low=1)] = 128,
        heads: Annotated[int, Setting("of each attention", low=1)] = 4,
        expansion: Annotated[int, Setting("units of a feed-forward layer for each of width", low=1)] = 4,
        activation: Annotated[str, Setting("of the feed-forward layers", choices=ACTIVATIONS)] = "relu",
        norm: Annotated[str, Setting("layer norm before or after each part of a block", choices=NORMS)] = "pre",
        positions: Annotated[str, Setting("how order is told", choices=("sinusoidal", "learned"))] = "sinusoidal",
        tied: Annotated[bool, Setting("the output's weights are the target tokens' vectors")] = True,
        dropout: Annotated[float, Setting("part set to 0 in training", low=0, high=0.95)] = 0.1,
        attention: Annotated[str, Setting("torch's kernel, or the equation as it stands", choices=WAYS)] = "fused",
    ) -> None:
        super().__init__()
        check_heads(width, heads)
        assert isinstance(form.vocabulary, tuple)
        source, target = form.vocabulary
        self.form = form
        self.longest = shape[1]
        self.source = nn.Embedding(source, width)
        self.target = nn.Embedding(target, width)
        self.source_positions = Positions(positions, self.longest, width)
        self.target_positions = Positions(positions, self.longest, width)
        self.dropout = Dropout(dropout) if dropout else None
        sizes = (width, expansion, activation, norm, dropout)
        self.encoder = nn.ModuleList(Block(SelfAttention(width, heads, attention), *sizes) for _ in range(layers))
        self.decoder = nn.ModuleList(
            DecoderBlock(
                SelfAttention(width, heads, attention, causal=True), CrossAttention(width, heads, attention), *sizes
            )
            for _ in range(layers)
        )
        self.encoder_norm = nn.LayerNorm(width) if norm == "pre" else None  # post-norm ends in one
        self.decoder_norm = nn.LayerNorm(width) if norm == "pre" else None
        self.output = output_layer(width, outputs, target, tied)
        xavier(self)
        for embedding in (self.source, self.target):
            nn.init.normal_(embedding.weight, std=width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        m, seen_BS = self.encode(x[:, 0])
        h = self._vectors(x[:, 1], self.target, self.target_positions)
        for block in self.decoder:
            h = block(h, m, seen_BS)
        return self._answer(h)

    def encode(self, source_BS: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder asks: m (B, S, D), and where it may look, (B, S) bool."""
        seen_BS = seen(source_BS != PAD)
        m = self._vectors(source_BS, self.source, self.source_positions)
        for block in self.encoder:
            m = block(m, seen_BS)
        return m if self.encoder_norm is None else self.encoder_norm(m), seen_BS

    def _vectors(self, x: Tensor, embedding: nn.Embedding, positions: Positions, start: int = 0) -> Tensor:
        h = positions(embedding(x) * math.sqrt(embedding.embedding_dim), start)
        return h if self.dropout is None else self.dropout(h)

    def _answer(self, h: Tensor) -> Tensor:
        h = h if self.decoder_norm is None else self.decoder_norm(h)
        return self.output(h, self.target.weight) if isinstance(self.output, Tied) else self.output(h)

    def start(self, source_BS: Tensor | None, batch: int) -> dict[str, Tensor]:
        """The state before the first token: keys and values of the source (B, L, h, S, d), none of the target yet."""
        assert source_BS is not None
        assert len(source_BS) == batch
        m, seen_BS = self.encode(source_BS)
        memories = [block.cross.memory(m) for block in self.decoder if isinstance(block, DecoderBlock)]
        source_K = torch.stack([K for K, _ in memories], 1)
        empty = source_K[:, :, :, :0]
        return {
            "seen": seen_BS,
            "source_keys": source_K,
            "source_values": torch.stack([V for _, V in memories], 1),
            "keys": empty,
            "values": empty,
        }

    def step(self, token_B: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (B, V) of the token after ``token_B``, and the state with it.

        Raises:
            UserError: the text is longer already than those that the net was built for.
        """
        K, V = state["keys"], state["values"]
        h = self._vectors(token_B[:, None], self.target, self.target_positions, K.shape[3])
        keys, values = [], []
        for i, block in enumerate(self.decoder):
            assert isinstance(block, DecoderBlock)
            source = state["source_keys"][:, i], state["source_values"][:, i], state["seen"]
            h, K_i, V_i = block.extend(h, K[:, i], V[:, i], *source)
            keys.append(K_i)
            values.append(V_i)
        return self._answer(h[:, 0]), {**state, "keys": torch.stack(keys, 1), "values": torch.stack(values, 1)}
