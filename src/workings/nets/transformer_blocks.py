"""The blocks that transformers are stacked from.

    pre-norm    h = x + Attention(LN(x))        y = h + FFN(LN(h))
    post-norm   h = LN(x + Attention(x))        y = LN(h + FFN(h))
    FFN(x) = W_2 σ(W_1 x + b_1) + b_2           at each place alone
    LN(x) = γ ⊙ (x − mean)/√(var + 10⁻⁵) + β    over the numbers of one vector (Ba, Kiros and Hinton 2016)

A block of a decoder attends to the source between the two. Post-norm is Vaswani et al. 2017; pre-norm (Xiong et al.
2020) lets the gradient pass along the sum untouched, and learns without a warm-up.

Legend: B batch, T steps, S source steps, D numbers of a vector.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import refuse
from workings.nets.activations import Activation
from workings.nets.layers import Dropout
from workings.nets.multihead import CrossAttention, SelfAttention

NORMS = ("pre", "post")
ACTIVATIONS = ("gelu", "relu", "silu", "tanh")


class FeedForward(nn.Module):
    """x (B, T, D) → W_2 σ(W_1 x + b_1) + b_2 (B, T, D), with ``expansion`` · D units between."""

    def __init__(self, width: int, expansion: int, activation: str) -> None:
        super().__init__()
        self.up = nn.Linear(width, expansion * width)
        self.activation = Activation(activation)
        self.down = nn.Linear(expansion * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.activation(self.up(x)))


class Block(nn.Module):
    """x (B, T, D) → (B, T, D): self-attention, then the feed-forward net, each with its sum and norm."""

    def __init__(
        self, attention: SelfAttention, width: int, expansion: int, activation: str, norm: str, dropout: float
    ) -> None:
        super().__init__()
        self.pre = norm == "pre"
        self.norm_1 = nn.LayerNorm(width)
        self.attention = attention
        self.norm_2 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, expansion, activation)
        self.dropout = Dropout(dropout) if dropout else None

    def forward(self, x: Tensor, seen_BT: Tensor | None = None) -> Tensor:
        if self.pre:
            x = x + self._drop(self.attention(self.norm_1(x), seen_BT))
            return x + self._drop(self.feed_forward(self.norm_2(x)))
        x = self.norm_1(x + self._drop(self.attention(x, seen_BT)))
        return self.norm_2(x + self._drop(self.feed_forward(x)))

    def _drop(self, x: Tensor) -> Tensor:
        return x if self.dropout is None else self.dropout(x)

    def extend(self, x: Tensor, K: Tensor, V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same for places after those whose keys and values are given; and all keys and values."""
        if self.pre:
            a, K, V = self.attention.extend(self.norm_1(x), K, V)
            x = x + a
            return x + self.feed_forward(self.norm_2(x)), K, V
        a, K, V = self.attention.extend(x, K, V)
        x = self.norm_1(x + a)
        return self.norm_2(x + self.feed_forward(x)), K, V


class DecoderBlock(nn.Module):
    """x (B, T, D) and the source m (B, S, D) → (B, T, D).

    Causal self-attention, attention to the source, feed-forward net, each with its sum and norm.
    """

    def __init__(
        self,
        attention: SelfAttention,
        cross: CrossAttention,
        width: int,
        expansion: int,
        activation: str,
        norm: str,
        dropout: float,
    ) -> None:
        super().__init__()
        self.pre = norm == "pre"
        self.norm_1 = nn.LayerNorm(width)
        self.attention = attention
        self.norm_2 = nn.LayerNorm(width)
        self.cross = cross
        self.norm_3 = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, expansion, activation)
        self.dropout = Dropout(dropout) if dropout else None

    def forward(self, x: Tensor, m: Tensor, seen_BS: Tensor) -> Tensor:
        if self.pre:
            x = x + self._drop(self.attention(self.norm_1(x)))
        else:
            x = self.norm_1(x + self._drop(self.attention(x)))
        return self._rest(x, *self.cross.memory(m), seen_BS)

    def _drop(self, x: Tensor) -> Tensor:
        return x if self.dropout is None else self.dropout(x)

    def _rest(self, x: Tensor, source_K: Tensor, source_V: Tensor, seen_BS: Tensor) -> Tensor:
        if self.pre:
            x = x + self._drop(self.cross.ask(self.norm_2(x), source_K, source_V, seen_BS))
            return x + self._drop(self.feed_forward(self.norm_3(x)))
        x = self.norm_2(x + self._drop(self.cross.ask(x, source_K, source_V, seen_BS)))
        return self.norm_3(x + self._drop(self.feed_forward(x)))

    def extend(
        self, x: Tensor, K: Tensor, V: Tensor, source_K: Tensor, source_V: Tensor, seen_BS: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same for the place after those whose keys and values are given; and all keys and values."""
        if self.pre:
            a, K, V = self.attention.extend(self.norm_1(x), K, V)
            x = x + a
        else:
            a, K, V = self.attention.extend(x, K, V)
            x = self.norm_1(x + a)
        return self._rest(x, source_K, source_V, seen_BS), K, V


class Tied(nn.Module):
    """h (B, T, D), E (V, D) → hEᵀ (B, T, V): the tokens' own vectors say how well each fits. Press and Wolf 2017."""

    def forward(self, h: Tensor, E: Tensor) -> Tensor:
        return F.linear(h, E)


def output_layer(width: int, outputs: int, vocabulary: int, tied: bool) -> nn.Module:
    """From vectors to logits of tokens.

    Raises:
        UserError: it is to be tied to the tokens' vectors, but there are more or fewer of these than outputs.
    """
    if not tied:
        return nn.Linear(width, outputs, bias=False)
    if outputs != vocabulary:
        raise refuse(
            "bad-outputs",
            f"The output is tied to the vectors of {vocabulary:,} tokens and cannot have outputs={outputs}.",
            where="setting 'tied'",
            do=f"Ask for {vocabulary:,} outputs, or give tied=false.",
        )
    return Tied()


@torch.no_grad()
def xavier(net: nn.Module) -> None:
    """Every dense matrix U(−r, r), r = √(6/(n_in + n_out)), those that lie in one product each by itself; biases 0."""
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Linear):
            matrices = {"qkv": 3, "key_value": 2}.get(name.split(".")[-1], 1)
            r = math.sqrt(6 / (layer.in_features + layer.out_features // matrices))
            layer.weight.uniform_(-r, r)
            if layer.bias is not None:
                layer.bias.zero_()
