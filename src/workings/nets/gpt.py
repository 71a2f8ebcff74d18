"""The decoder-only transformer: each place sees those before it and says which token comes next.

    x^0 = E[token] + positions                    (rotary positions act on q and k instead)
    x^l = Block^l(x^(l−1)) with a causal mask     l = 1 … L, see transformer_blocks.py
    out = W LN(x^L)                               W = E where ``tied``

Drawn as GPT-2: weights N(0, 0.02²), those that end a branch of a block divided by √(2L), so that the sum of 2L
branches does not grow with depth.

Legend: B batch, T steps, D numbers of a vector (``width``), L layers, h heads, d = D/h, V tokens there are.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from workings.base.form import Form
from workings.nets.layers import Dropout
from workings.nets.multihead import WAYS, SelfAttention, check_heads
from workings.nets.positions import Positions, Rotary
from workings.nets.registry import register
from workings.nets.settings import Setting
from workings.nets.transformer_blocks import ACTIVATIONS, NORMS, Block, Tied, output_layer

STD = 0.02


@register(
    "gpt",
    "a transformer that reads from left to right and says what comes next",
    shapes="language",
    family="attention",
    sizes={
        "small": {"layers": 2, "width": 64},
        "medium": {},
        "large": {"layers": 6, "width": 384, "heads": 6},
    },
)
class GPT(nn.Module):
    """x (B, T) tokens → logits (B, T, V) of the next. Radford et al. 2018, 2019.

    Padding needs no mask: it stands at the end, and no place sees what comes after it.

    It writes through ``start`` and ``step`` with the keys and values of what came before at hand. Once all T positions
    are taken, the older half of the text is forgotten and the rest read anew.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        layers: Annotated[int, Setting("blocks, one upon another", low=1)] = 4,
        width: Annotated[int, Setting("numbers of a vector, a multiple of heads", low=1)] = 128,
        heads: Annotated[int, Setting("of each attention", low=1)] = 4,
        expansion: Annotated[int, Setting("units of a feed-forward layer for each of width", low=1)] = 4,
        activation: Annotated[str, Setting("of the feed-forward layers", choices=ACTIVATIONS)] = "gelu",
        norm: Annotated[str, Setting("layer norm before or after each part of a block", choices=NORMS)] = "pre",
        positions: Annotated[
            str, Setting("how order is told", choices=("learned", "sinusoidal", "rotary"))
        ] = "learned",
        tied: Annotated[bool, Setting("the output's weights are the tokens' vectors")] = True,
        dropout: Annotated[float, Setting("part set to 0 in training", low=0, high=0.95)] = 0.0,
        attention: Annotated[str, Setting("torch's kernel, or the equation as it stands", choices=WAYS)] = "fused",
    ) -> None:
        super().__init__()
        check_heads(width, heads, positions == "rotary")
        assert isinstance(form.vocabulary, int)
        self.form = form
        self.longest = shape[0]
        self.heads = heads
        self.embedding = nn.Embedding(form.vocabulary, width)
        self.positions = None if positions == "rotary" else Positions(positions, self.longest, width)
        rotary = Rotary(self.longest, width // heads) if positions == "rotary" else None
        self.dropout = Dropout(dropout) if dropout else None
        sizes = (width, expansion, activation, norm, dropout)
        self.blocks = nn.ModuleList(
            Block(SelfAttention(width, heads, attention, causal=True, rotary=rotary), *sizes) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width) if norm == "pre" else None  # post-norm ends in one
        self.output = output_layer(width, outputs, form.vocabulary, tied)
        self._draw(layers)

    @torch.no_grad()
    def _draw(self, layers: int) -> None:
        for name, p in self.named_parameters():
            if p.ndim < 2:
                if name.endswith("bias"):
                    p.zero_()
                continue
            branch = name.endswith(("attention.output.weight", "feed_forward.down.weight"))
            p.normal_(0, STD / math.sqrt(2 * layers) if branch else STD)

    def forward(self, x: Tensor) -> Tensor:
        h = self._vectors(x)
        for block in self.blocks:
            h = block(h)
        return self._answer(h)

    def _vectors(self, x: Tensor, start: int = 0) -> Tensor:
        h = self.embedding(x)
        if self.positions is not None:
            h = self.positions(h, start)
        return h if self.dropout is None else self.dropout(h)

    def _answer(self, h: Tensor) -> Tensor:
        h = h if self.norm is None else self.norm(h)
        return self.output(h, self.embedding.weight) if isinstance(self.output, Tied) else self.output(h)

    def start(self, source_BS: Tensor | None, batch: int) -> dict[str, Tensor]:
        """The state before the first token: tokens (B, 0), keys and values (B, L, h, 0, d)."""
        assert source_BS is None
        D = self.embedding.embedding_dim
        empty = self.embedding.weight.new_zeros(batch, len(self.blocks), self.heads, 0, D // self.heads)
        tokens = torch.zeros(batch, 0, dtype=torch.int64, device=empty.device)
        return {"tokens": tokens, "keys": empty, "values": empty}

    def step(self, token_B: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits (B, V) of the token after ``token_B``, and the state with it."""
        x, tokens = token_B[:, None], torch.cat([state["tokens"], token_B[:, None]], dim=1)
        K, V = state["keys"], state["values"]
        if tokens.shape[1] > self.longest:
            x = tokens = tokens[:, -max(1, self.longest // 2) :]
            K, V = K[:, :, :, :0], V[:, :, :, :0]
        h = self._vectors(x, K.shape[3])
        keys, values = [], []
        for i, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            h, K_i, V_i = block.extend(h, K[:, i], V[:, i])
            keys.append(K_i)
            values.append(V_i)
        state = {"tokens": tokens, "keys": torch.stack(keys, 1), "values": torch.stack(values, 1)}
        return self._answer(h[:, -1]), state
