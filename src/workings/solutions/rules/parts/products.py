"""Products of tensors that are matrix products of rearranged ones: einsum, vectors, scaled; attention with dropout."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.rules.parts.base import always


def einsum(equation: str, *operands: Any) -> Tensor:
    """Pair by pair: axes that both have and the result keeps are batches, those that it does not keep are summed."""
    tensors = list(operands[0]) if len(operands) == 1 and not isinstance(operands[0], Tensor) else list(operands)
    letters, result = _letters(equation, tensors)
    first, names = tensors[0], letters[0]
    for i in range(1, len(tensors)):
        later = set(result).union(*letters[i + 1 :])
        first, names = _pair(first, names, tensors[i], letters[i], later)
    first, names = _summed(first, names, set(result))
    return first if names == result else first.permute([names.index(c) for c in result])


def _letters(equation: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    """The axes of each operand and of the result, an ellipsis written out."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in equation]
    most = max(
        (t.ndim - len(s.replace("...", "")) for s, t in zip(terms, tensors, strict=True) if "..." in s), default=0
    )
    dots = "".join(free[:most])
    letters = []
    for s, t in zip(terms, tensors, strict=True):
        own = t.ndim - len(s.replace("...", ""))
        letters.append(s.replace("...", dots[most - own :]))
    if not arrow:
        plain = "".join(terms).replace("...", "")
        right = "..." * ("..." in left) + "".join(sorted(c for c in set(plain) if plain.count(c) == 1))
    return letters, right.replace("...", dots)


def _summed(x: Tensor, names: str, kept: set[str]) -> tuple[Tensor, str]:
    axes = tuple(i for i, c in enumerate(names) if c not in kept)
    return (x.sum(axes), "".join(c for c in names if c in kept)) if axes else (x, names)


def _pair(a: Tensor, of_a: str, b: Tensor, of_b: str, later: set[str]) -> tuple[Tensor, str]:
    a, of_a = _summed(a, of_a, later | set(of_b))
    b, of_b = _summed(b, of_b, later | set(of_a))
    batch = [c for c in of_a if c in of_b and c in later]
    inner = [c for c in of_a if c in of_b and c not in later]
    rows, columns = [c for c in of_a if c not in of_b], [c for c in of_b if c not in of_a]
    size = {**dict(zip(of_a, a.shape, strict=True))}
    for c, n in zip(of_b, b.shape, strict=True):
        size[c] = max(size.get(c, 1), n)  # one of the two may be spread
    a, b = (
        x.permute([of.index(c) for c in order]).expand([size[c] for c in order])
        for x, of, order in ((a, of_a, [*batch, *rows, *inner]), (b, of_b, [*batch, *inner, *columns]))
    )
    n_batch, n_rows, n_inner, n_columns = (math.prod(size[c] for c in group) for group in (batch, rows, inner, columns))
    product = torch.bmm(a.reshape(n_batch, n_rows, n_inner), b.reshape(n_batch, n_inner, n_columns))
    return product.reshape([size[c] for c in (*batch, *rows, *columns)]), "".join((*batch, *rows, *columns))


def _einsum(equation: Any, *operands: Any) -> Any:
    if not isinstance(equation, str):
        return None
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    return einsum if all(len(set(s.replace("...", ""))) == len(s.replace("...", "")) for s in terms) else None


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """A vector is a row at the left, a column at the right."""
    product = (a[None] if a.ndim == 1 else a) @ (b[:, None] if b.ndim == 1 else b)
    product = product.squeeze(-1) if b.ndim == 1 else product
    return product.squeeze(-1 if b.ndim == 1 else -2) if a.ndim == 1 else product


def _matmul(a: Any, b: Any, **_: Any) -> Any:
    return matmul if a.ndim == 1 or b.ndim == 1 else None


def outer(a: Tensor, b: Tensor) -> Tensor:
    """aᵢ bⱼ."""
    return a[:, None] * b


def bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """xᵀ W_k y + b_k."""
    y = torch.einsum("...i,kij,...j->...k", x1, weight, x2)
    return y if bias is None else y + bias


def scaled_sum(m: Tensor, *pair: Tensor, beta: float = 1, alpha: float = 1, **named: Tensor) -> Tensor:
    """β M + α A B."""
    a, b = (*pair, *named.values())
    product = a @ b if alpha == 1 else alpha * (a @ b)
    return product if beta == 0 else (m if beta == 1 else beta * m) + product


def _scaled_sum(*_: Any, beta: float = 1, alpha: float = 1, **__: Any) -> Any:
    return None if beta == alpha == 1 else scaled_sum


def _hidden(attn_mask: Tensor) -> Tensor:
    """Where a mask lets nothing through, whether it is of yes and no or is added."""
    return ~attn_mask if attn_mask.dtype == torch.bool else attn_mask == -torch.inf


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q Kᵀ/√d + mask), some of it dropped, times V. A row that may look nowhere gives 0.

    Vaswani et al. 2017.
    """
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    S = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    dead = None
    if is_causal:
        S = S.masked_fill(torch.ones(S.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    elif attn_mask is not None:
        hidden = _hidden(attn_mask)
        dead = hidden.all(-1, keepdim=True).expand(hidden.shape)
        if attn_mask.dtype == torch.bool:
            S = S.masked_fill(hidden & ~dead, -torch.inf)
        else:
            S = S + (attn_mask.masked_fill(dead, 0.0) if bool(dead.any()) else attn_mask)
    alpha = F.softmax(S, -1)
    if dead is not None and bool(dead.any()):
        alpha = alpha.masked_fill(dead, 0.0)
    return (F.dropout(alpha, dropout_p) if dropout_p else alpha) @ value


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    alike = query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
    learnt = attn_mask is not None and attn_mask.requires_grad
    dead = attn_mask is not None and bool(_hidden(attn_mask).all(-1).any())
    plain = alike and not dropout_p and not learnt and not dead and (not enable_gqa or query.shape == key.shape)
    return None if plain and not enable_gqa else attention


def logsumexp(x: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ; the largest is taken off first and added afterwards."""
    top = x.detach().amax(dim, keepdim=True)
    top = torch.where(top.isinf(), torch.zeros_like(top), top)
    y = (x - top).exp().sum(dim, keepdim=True).log() + top
    return y if keepdim else y.squeeze(dim) if isinstance(dim, int) else y.sum(dim)


def logaddexp(a: Tensor, b: Tensor) -> Tensor:
    """ln(eᵃ + eᵇ)."""
    return torch.maximum(a, b) + torch.log1p(torch.exp(-(a - b).abs()))


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "") -> Tensor:
    """The distance of each row of one from each of the other."""
    return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, -1)


PARTS: dict[str, Any] = {
    "einsum": _einsum,
    **dict.fromkeys(("matmul", "dot", "mv", "inner", "vdot"), _matmul),
    **dict.fromkeys(("outer", "ger"), always(outer)),
    **dict.fromkeys(("addmm", "baddbmm"), _scaled_sum),
    "addmv": always(scaled_sum),
    "bilinear": always(bilinear),
    "scaled_dot_product_attention": _attention,
    "logsumexp": always(logsumexp),
    "logaddexp": always(logaddexp),
    "cdist": always(cdist),
}
