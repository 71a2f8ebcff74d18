"""Attention of many heads: every place asks every other what it has to say.

    Attention(Q, K, V) = softmax(QKᵀ/√d + mask) V            mask: 0 where seen, −∞ where not
    head_i = Attention(x W_i^Q, m W_i^K, m W_i^V)            m = x for self-attention
    MultiHead = [head_1 … head_h] W^O

Vaswani et al. 2017. The heads' matrices lie side by side in one product. ``written`` computes the equation as it
stands; ``fused`` is torch's kernel for the same numbers, which never holds the weights of all places at once.

Traps: what is causal needs no mask of padding as well, since padding comes at the end and nothing real ever sees it.
A text of padding only would have no place to attend to: its first place is counted as real (``seen``).

Legend: B batch, T steps (T_q of the queries, T_k of the keys), D numbers of a vector, h heads, d = D/h.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import refuse
from workings.nets.attention import masked_softmax
from workings.nets.positions import Rotary

WAYS = ("fused", "written")
LOWEST = torch.finfo(torch.bfloat16).min
MOST_PLACES = 1024  # beyond, holding all weights at once costs more than it saves


def seen(real_BT: Tensor) -> Tensor:
    """``real``, and the first place always, (B, T) bool."""
    first = torch.arange(real_BT.shape[1], device=real_BT.device) == 0
    return real_BT | first


class DotProduct(nn.Module):
    """Q (B, h, T_q, d), K, V (B, h, T_k, d), seen (B, T_k) bool → softmax(QKᵀ/√d + mask) V (B, h, T_q, d).

    Args:
        way: ``fused`` or ``written``. causal: place t sees places up to t only; then T_q = T_k and ``seen`` is not
        needed.
    """

    def __init__(self, way: str, causal: bool = False) -> None:
        super().__init__()
        assert way in WAYS
        self.way = way
        self.causal = causal
        self.kept: Tensor | None = None
        self.keeps = False

    def forward(self, Q: Tensor, K: Tensor, V: Tensor, seen_BT: Tensor | None = None, causal: bool = True) -> Tensor:
        causal = causal and self.causal
        if self.keeps:
            self.kept = weights(Q.detach(), K.detach(), seen_BT, causal)
        if self.way == "written":
            return torch.matmul(weights(Q, K, seen_BT, causal), V)
        if _slow_kernel(Q, K):
            return _by_products(Q, K, V, seen_BT, causal)
        mask = None if seen_BT is None else seen_BT[:, None, None, :]
        return F.scaled_dot_product_attention(Q, K, V, attn_mask=mask, is_causal=causal)

    def extra_repr(self) -> str:
        return self.way + (", causal" if self.causal else "")


def weights(Q: Tensor, K: Tensor, seen_BT: Tensor | None, causal: bool) -> Tensor:
    """α = softmax(QKᵀ/√d + mask), (B, h, T_q, T_k)."""
    e = torch.matmul(Q, K.transpose(-2, -1)) * Q.shape[-1] ** -0.5
    if causal:
        past = torch.ones(e.shape[-2:], dtype=torch.bool, device=e.device).tril()
        return masked_softmax(e, past)
    return torch.softmax(e, dim=-1) if seen_BT is None else masked_softmax(e, seen_BT[:, None, None, :])


def _slow_kernel(Q: Tensor, K: Tensor) -> bool:
    """Whether products of batches beat torch's kernel: in bfloat16 on a processor its backward pass is slow.

    Measured, forward and backward: 22 against 5 ms at 64 heads of 128 places, 54 against 25 ms at 256 places.
    """
    cast = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") is torch.bfloat16
    small = torch.bfloat16 in (Q.dtype, torch.bfloat16 if cast else None)
    return Q.device.type == "cpu" and small and K.shape[2] <= MOST_PLACES


def _by_products(Q: Tensor, K: Tensor, V: Tensor, seen_BT: Tensor | None, causal: bool) -> Tensor:
    """The equation with the mask added in the product; batch and heads are one axis."""
    (B, h, T, d), S = Q.shape, K.shape[2]
    mask = torch.zeros((), dtype=Q.dtype, device=Q.device)
    if causal:
        mask = torch.full((T, S), LOWEST, dtype=Q.dtype, device=Q.device).triu(1)
    elif seen_BT is not None:
        hidden = torch.zeros(B, 1, 1, S, dtype=Q.dtype, device=Q.device)
        hidden = hidden.masked_fill(~seen_BT[:, None, None], LOWEST)
        mask = hidden.expand(B, h, T, S).reshape(B * h, T, S)
    Q, K, V = (x.reshape(B * h, -1, d) for x in (Q, K, V))
    e = torch.baddbmm(mask, Q, K.transpose(1, 2), alpha=d**-0.5)
    return torch.bmm(torch.softmax(e, dim=-1), V).view(B, h, T, d)


@contextmanager
def attention_maps(net: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Look at the attention of a net, layer by layer; its results stay the same to the bit.

        with attention_maps(net) as maps:
            net(x)
        maps["blocks.0.attention"]  # (B, heads, T_q, T_k): how much each place took from each

    What is given is filled when the block ends: the weights of the last call of each attention, by its name.
    """
    found = {name.removesuffix(".dot"): layer for name, layer in net.named_modules() if isinstance(layer, DotProduct)}
    maps: dict[str, Tensor] = {}
    for layer in found.values():
        layer.keeps, layer.kept = True, None
    try:
        yield maps
        maps.update({name: layer.kept for name, layer in found.items() if layer.kept is not None})
    finally:
        for layer in found.values():
            layer.keeps, layer.kept = False, None


def check_heads(width: int, heads: int, rotary: bool = False) -> None:
    """
    Raises:
        UserError: the width cannot be shared out among the heads.
    """
    if width % heads:
        near = max(heads, round(width / heads) * heads)
        raise refuse(
            "bad-setting",
            f"A width of {width} cannot be shared out among {heads} heads.",
            why="Each head takes an equal part of the vector.",
            do=f"Give heads that divide the width, or width={near}.",
        )
    if rotary and width // heads % 2:
        raise refuse(
            "bad-setting",
            f"Rotary positions turn pairs of numbers; a head of {width} / {heads} = {width // heads} has an odd one.",
            do=f"Give width={width + heads}, or other heads.",
        )


class SelfAttention(nn.Module):
    """x (B, T, D) → MultiHead(x, x) (B, T, D).

    ``qkv`` holds W^Q, W^K and W^V one under the other, as ``nn.MultiheadAttention`` does.
    """

    def __init__(self, width: int, heads: int, way: str, causal: bool = False, rotary: Rotary | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.dot = DotProduct(way, causal)
        self.output = nn.Linear(width, width)
        self.rotary = rotary

    def forward(self, x: Tensor, seen_BT: Tensor | None = None) -> Tensor:
        return self.output(merge(self.dot(*self.split(x), seen_BT)))

    def split(self, x: Tensor, start: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Q, K, V (B, h, T, d) of places that begin at position ``start``."""
        B, T, D = x.shape
        Q, K, V = self.qkv(x).view(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        if self.rotary is not None:
            Q, K = self.rotary(Q, start), self.rotary(K, start)
        return Q, K, V

    def extend(self, x: Tensor, K: Tensor, V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The answer for places that come after those whose keys and values are at hand; and all keys and values.

        x: (B, 1, D), or (B, T, D) where there are none before. K, V: (B, h, T_k, d).
        """
        before = K.shape[2]
        assert before == 0 or x.shape[1] == 1
        Q, K_new, V_new = self.split(x, before)
        K, V = torch.cat([K, K_new], dim=2), torch.cat([V, V_new], dim=2)
        return self.output(merge(self.dot(Q, K, V, causal=before == 0))), K, V


class CrossAttention(nn.Module):
    """x (B, T_q, D), which asks, and m (B, T_k, D), which is asked → MultiHead(x, m) (B, T_q, D)."""

    def __init__(self, width: int, heads: int, way: str) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.dot = DotProduct(way)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, m: Tensor, seen_BT: Tensor | None = None) -> Tensor:
        return self.ask(x, *self.memory(m), seen_BT)

    def memory(self, m: Tensor) -> tuple[Tensor, Tensor]:
        """K and V (B, h, T_k, d), which stay the same for every step that is written."""
        B, T, D = m.shape
        K, V = self.key_value(m).view(B, T, 2, self.heads, D // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return K, V

    def ask(self, x: Tensor, K: Tensor, V: Tensor, seen_BT: Tensor | None) -> Tensor:
        B, T, D = x.shape
        Q = self.query(x).view(B, T, self.heads, D // self.heads).transpose(1, 2)
        return self.output(merge(self.dot(Q, K, V, seen_BT)))


def merge(heads: Tensor) -> Tensor:
    """(B, h, T, d) → (B, T, D): the heads side by side."""
    return heads.transpose(1, 2).flatten(2)
