"""The transformer encoder: every place of a sequence looks at every other; one answer for the whole.

    x^0 = vectors of the tokens (or W·frame + b) + positions
    x^l = Block^l(x^(l−1)),  l = 1 … L          see transformer_blocks.py
    z   = mean | first | max over the real places of LN(x^L)
    out = W z + b

Where an answer is wanted at each step nothing is pooled; of texts to go on with, a place sees only those before it.

Legend: B batch, T steps, D numbers of a vector (``width``), K outputs.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from workings.base.form import Form
from workings.nets.layers import Dropout
from workings.nets.multihead import WAYS, SelfAttention, check_heads, seen
from workings.nets.positions import Positions
from workings.nets.registry import register
from workings.nets.sequences import ToVectors, max_over_steps, mean_over_steps
from workings.nets.settings import Setting
from workings.nets.transformer_blocks import ACTIVATIONS, NORMS, Block, xavier

POOLING = ("mean", "first", "max")


@register(
    "transformer-encoder",
    "self-attention, many heads, layer upon layer; the places are pooled to one answer",
    shapes="sequence",
    family="attention",
    sizes={
        "small": {"layers": 1, "width": 32},
        "medium": {},
        "large": {"layers": 4, "width": 256, "heads": 8},
    },
)
class TransformerEncoder(nn.Module):
    """Encoder-only transformer. Vaswani et al. 2017; Devlin et al. 2019.

    A text of padding only is read as one padding token.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        layers: Annotated[int, Setting("blocks, one upon another", low=1)] = 2,
        width: Annotated[int, Setting("numbers of a vector, a multiple of heads", low=1)] = 64,
        heads: Annotated[int, Setting("of each attention", low=1)] = 4,
        expansion: Annotated[int, Setting("units of a feed-forward layer for each of width", low=1)] = 4,
        activation: Annotated[str, Setting("of the feed-forward layers", choices=ACTIVATIONS)] = "gelu",
        norm: Annotated[str, Setting("layer norm before or after each part of a block", choices=NORMS)] = "pre",
        positions: Annotated[str, Setting("how order is told", choices=("sinusoidal", "learned"))] = "sinusoidal",
        pooling: Annotated[str, Setting("of the places to one vector", choices=POOLING)] = "mean",
        dropout: Annotated[float, Setting("part set to 0 in training", low=0, high=0.95)] = 0.1,
        word_dropout: Annotated[float, Setting("part of whole steps hidden in training", low=0, high=0.95)] = 0.0,
        attention: Annotated[str, Setting("torch's kernel, or the equation as it stands", choices=WAYS)] = "fused",
    ) -> None:
        super().__init__()
        check_heads(width, heads)
        self.form = form
        self.pooling = pooling
        self.vectors = ToVectors(shape, form, width, word_dropout=word_dropout)
        self.project = None if form.vocabulary is not None else nn.Linear(self.vectors.width, width)
        self.positions = Positions(positions, shape[0], width)
        self.dropout = Dropout(dropout) if dropout else None
        self.causal = form.each_step and form.vocabulary is not None  # what comes next may not be seen
        sizes = (width, expansion, activation, norm, dropout)
        self.blocks = nn.ModuleList(
            Block(SelfAttention(width, heads, attention, self.causal), *sizes) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width) if norm == "pre" else None  # post-norm ends in one
        self.output = nn.Linear(width, outputs)
        xavier(self)

    def forward(self, x: Tensor) -> Tensor:
        vectors, real = self.vectors(x)
        if self.project is not None:
            vectors = self.project(vectors)
        h = self.positions(vectors)
        if self.dropout is not None:
            h = self.dropout(h)
        real = seen(real)
        for block in self.blocks:
            h = block(h, None if self.causal else real)
        if self.norm is not None:
            h = self.norm(h)
        return self.output(h if self.form.each_step else self._pool(h, real))

    def _pool(self, h: Tensor, real: Tensor) -> Tensor:
        if self.pooling == "first":
            return h[:, 0]
        return mean_over_steps(h, real) if self.pooling == "mean" else max_over_steps(h, real)
