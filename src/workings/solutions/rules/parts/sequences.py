"""Recurrent layers with dropout between them, and packed sequences: layer by layer, sequence by sequence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.rules.parts.base import always


def _of_level(states: Any, level: int, directions: int) -> Any:
    """The first states of one layer."""
    part = slice(level * directions, (level + 1) * directions)
    return [h[part] for h in states] if isinstance(states, (tuple, list)) else states[part]


def _batched(name: str) -> Any:
    """A stack of recurrent layers, each with its own call, dropout between."""

    def parts(
        x: Tensor, hx: Any, params: Any, has_biases: bool, num_layers: int, dropout: float, train: bool,
        bidirectional: bool, batch_first: bool,
    ) -> Any:  # fmt: skip
        one, directions = getattr(torch, name), 1 + bidirectional
        count = len(params) // num_layers
        ends = []
        for level in range(num_layers):
            own = list(params[level * count : (level + 1) * count])
            x, *last = one(
                x, _of_level(hx, level, directions), own, has_biases, 1, 0.0, train, bidirectional, batch_first
            )
            ends.append(last)
            if dropout and train and level < num_layers - 1:
                x = F.dropout(x, dropout)
        return x, *(torch.cat(of) for of in zip(*ends, strict=True))

    return parts


def _packed(name: str) -> Any:
    """Each sequence by itself, of its own length; the steps packed again as they were."""

    def parts(
        data: Tensor, batch_sizes: Tensor, hx: Any, params: Any, has_biases: bool, num_layers: int, dropout: float,
        train: bool, bidirectional: bool,
    ) -> Any:  # fmt: skip
        one, sizes = getattr(torch, name), batch_sizes.tolist()
        starts = [sum(sizes[:t]) for t in range(len(sizes))]
        rows: list[list[int]] = [[starts[t] + b for t in range(len(sizes)) if sizes[t] > b] for b in range(sizes[0])]
        outs, ends = [], []
        for b, own in enumerate(rows):
            first = [h[:, b : b + 1] for h in hx] if isinstance(hx, (tuple, list)) else hx[:, b : b + 1]
            y, *last = one(
                data[own].unsqueeze(1), first, list(params), has_biases, num_layers, 0.0, train, bidirectional, False
            )
            outs.append(y.squeeze(1))
            ends.append(last)
        order = torch.tensor([row for own in rows for row in own]).argsort()
        return torch.cat(outs)[order], *(torch.cat(of, 1) for of in zip(*ends, strict=True))

    return parts


def _recurrent(name: str) -> Any:
    def choose(*args: Any, **_: Any) -> Any:
        if not isinstance(args[3], bool):  # packed: data, sizes of the steps, first states, weights
            return None if args[6] and args[7] and args[5] > 1 else _packed(name)
        return _batched(name) if args[5] and args[6] and args[4] > 1 else None

    return choose


def pack(x: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    """The first steps of all sequences, then the second ones of those that have one."""
    x = x if batch_first else x.transpose(0, 1)
    n = [int(length) for length in lengths]
    pairs = [(b, t) for t in range(max(n)) for b in range(len(n)) if n[b] > t]
    sizes = torch.tensor([sum(length > t for length in n) for t in range(max(n))])
    b, t = (list(of) for of in zip(*pairs, strict=True))
    return x[b, t], sizes


def pad(
    data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Tensor, Tensor]:
    """Each step at its place again, the rest filled."""
    sizes = batch_sizes.tolist()
    T = max(total_length, len(sizes))
    pairs = [(b, t) for t, n in enumerate(sizes) for b in range(n)]
    b, t = (list(of) for of in zip(*pairs, strict=True))
    full = data.new_full((sizes[0], T, *data.shape[1:]), padding_value)
    full[b, t] = data
    lengths = torch.tensor([sum(n > b for n in sizes) for b in range(sizes[0])])
    return full if batch_first else full.transpose(0, 1), lengths


PARTS: dict[str, Any] = {
    **{name: _recurrent(name) for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")},
    "_pack_padded_sequence": always(pack),
    "_pad_packed_sequence": always(pad),
}
