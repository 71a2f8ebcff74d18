"""Small PyTorch models of every kind, none of Workings's own: six numbers a sample in, three logits out."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

Model = Callable[[], nn.Module]


def dense() -> nn.Module:
    """Batch norm and dropout between two layers."""
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))


class Written(nn.Module):
    """Activations called in ``forward``, one of them in place, a layer used twice, and weights that are tied."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.c.weight = self.b.weight
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu_(self.a(x))
        h = torch.tanh(self.b(self.b(h)))
        return self.out(F.dropout(self.c(h), 0.2, self.training))


class Seen(nn.Module):
    """Convolutions over the products of the six numbers, a picture of 6×6."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, padding=1),
            nn.GroupNorm(2, 6),
            nn.SiLU(),
            nn.Dropout2d(0.2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.out = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layers((x[:, :, None] * x[:, None, :])[:, None]))


class Read(nn.Module):
    """Recurrent layers over six steps of one number, with dropout between two of them."""

    def __init__(self, kind: Any = nn.LSTM, **settings: Any) -> None:
        super().__init__()
        self.read = kind(1, 5, num_layers=2, dropout=0.2, batch_first=True, **settings)
        self.out = nn.Linear(10 if settings else 5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.read(x[..., None])[0][:, -1])


class Packed(nn.Module):
    """A recurrent layer over sequences of different lengths, packed."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.out = nn.GRU(1, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        lengths = 3 + torch.arange(len(x)) % 4
        packed = nn.utils.rnn.pack_padded_sequence(x[..., None], lengths, batch_first=True, enforce_sorted=False)
        return self.out(self.read(packed)[1][-1])


class Cells(nn.Module):
    """A cell, called once for each step."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.LSTMCell(1, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 5)
        for x_t in x.unbind(1):
            h, c = self.cell(x_t[:, None], (h, c))
        return self.out(h)


class Attends(nn.Module):
    """torch's own attention, whose fast path in evaluation rounds otherwise than its slow one."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(1, 8)
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True), 2)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.zeros(len(x), 6, dtype=torch.bool)
        mask[::3, 4:] = True
        return self.out(self.layers(self.up(x[..., None]), src_key_padding_mask=mask)[:, 0])


class Tokens(nn.Module):
    """A GPT block: the six numbers as tokens, causal attention by ``scaled_dot_product_attention``, dropout in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(11, 8), nn.Parameter(0.02 * torch.randn(6, 8))
        self.norm, self.qkv, self.mixed = nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8)
        self.up, self.down, self.out = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.tokens((3 * x).round().long().clamp(-5, 5) + 5) + self.places
        q, k, v = self.qkv(self.norm(h)).view(len(x), 6, 3, 2, 4).permute(2, 0, 3, 1, 4)
        p = 0.1 if self.training else 0.0
        a = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        h = h + self.mixed(a.transpose(1, 2).flatten(2))
        h = h + self.down(F.gelu(self.up(h)))
        return self.out(h.mean(1))


class Heads(nn.Module):
    """``nn.MultiheadAttention`` that is asked for its weights, and one that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.out = nn.Linear(1, 8), nn.Linear(8, 3)
        self.a = nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)
        self.b = nn.MultiheadAttention(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.up(x[..., None])
        mixed, alpha = self.a(h, h, h, need_weights=True, average_attn_weights=False)
        h = (h + mixed).transpose(0, 1)
        h = h + self.b(h, h, h, need_weights=False)[0]
        return self.out(h.mean(0)) + 0.1 * alpha.mean((1, 2))[:, :3]


class Reparametrised(nn.Module):
    """Weights made of others: spectral norm, whose vectors change at each pass, and weight norm."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.utils.parametrizations.spectral_norm(nn.Linear(6, 8))
        self.b = nn.utils.parametrizations.weight_norm(nn.Linear(8, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.b(F.leaky_relu(self.a(x), 0.1))


class ReadByNormed(nn.Module):
    """A recurrent layer whose weights are divided by their largest singular value, found a little better each time."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.utils.parametrizations.spectral_norm(nn.LSTM(1, 5, batch_first=True), "weight_hh_l0")
        self.out = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.read(x[..., None])[0][:, -1])


class Repeated(nn.Module):
    """A part whose forward pass is done again in the backward pass, to spare memory; dropout in it."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 8))
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(checkpoint(self.part, x, use_reentrant=False))


class Own:
    """A model's own hook: noise on what a layer gives."""

    def __call__(self, module: nn.Module, given: Any, out: Tensor) -> Tensor:
        return out + 0.1 * torch.randn_like(out)


class Noisy(nn.Module):
    """Draws from all three generators at each pass, and has hooks of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.out = nn.Linear(6, 8), nn.Linear(8, 3)
        self.a.register_forward_hook(Own())
        self.a.weight.register_hook(lambda grad: grad * 0.9)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.a(x))) * (1 + 0.01 * random.random() + 0.01 * float(np.random.rand()))


class Wrapped(nn.Module):
    """A model within a wrapper that passes on what it is given, as those for several machines do."""

    def __init__(self) -> None:
        super().__init__()
        self.module = dense()

    def forward(self, *given: Any, **named: Any) -> Tensor:
        return self.module(*given, **named)


class Rebuilt(nn.Module):
    """A variational autoencoder with transposed convolutions; logits from its code."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.p = nn.Linear(6, 8), nn.ConvTranspose1d(4, 1, 3, padding=1)
        self.up, self.out = nn.Linear(4, 24), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        mu, log_var = self.q(x).chunk(2, 1)
        z = mu + torch.randn_like(mu) * (0.5 * log_var).exp()
        rebuilt = self.p(self.up(z).view(-1, 4, 6))[:, 0]
        return self.out(z) - (rebuilt - x).square().mean(1, keepdim=True)


class Players(nn.Module):
    """A generator and a discriminator; the module as a whole is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 6))
        self.D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


MODELS: dict[str, Model] = {
    "dense": dense,
    "written": Written,
    "convolutions": Seen,
    "lstm": Read,
    "gru": lambda: Read(nn.GRU),
    "both ways": lambda: Read(nn.RNN, bidirectional=True),
    "packed": Packed,
    "cells": Cells,
    "attention": Attends,
    "causal attention": Tokens,
    "heads": Heads,
    "reparametrised": Reparametrised,
    "read by normed weights": ReadByNormed,
    "repeated": Repeated,
    "noisy": Noisy,
    "wrapped": Wrapped,
    "rebuilt": Rebuilt,
}
