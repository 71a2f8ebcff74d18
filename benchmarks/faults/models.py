"""Small nets as people write them in PyTorch, for the loops of the bench. All layers have a way to be made wrong.

Legend: B batch, D numbers of a sample, T steps, V tokens, K outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "leaky": nn.LeakyReLU,
    "linear": nn.Identity,
}


def mlp(
    D: int, K: int, hidden: Sequence[int] = (64, 64), activation: str = "relu", dropout: float = 0.0, norm: bool = False
) -> nn.Sequential:
    """Dense layers, (B, D) → (B, K)."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(D, width))
        layers += [nn.BatchNorm1d(width)] * norm + [ACTIVATIONS[activation]()] + [nn.Dropout(dropout)] * (dropout > 0)
        D = width
    return nn.Sequential(*layers, nn.Linear(D, K))


def cnn(
    K: int,
    hidden: Sequence[int] = (12, 24),
    activation: str = "relu",
    dropout: float = 0.0,
    norm: bool = False,
) -> nn.Sequential:
    """Convolutions with pooling, (B, 1, 8, 8) → (B, K)."""
    layers: list[nn.Module] = []
    c = 1
    for width in hidden:
        layers.append(nn.Conv2d(c, width, 3, padding=1))
        layers += [nn.BatchNorm2d(width)] * norm + [ACTIVATIONS[activation](), nn.MaxPool2d(2)]
        c = width
    layers += [nn.Flatten()] + [nn.Dropout(dropout)] * (dropout > 0)
    return nn.Sequential(*layers, nn.Linear(c * (8 >> len(hidden)) ** 2, K))


class Residual(nn.Module):
    """x + two convolutions of x, with batch norm."""

    def __init__(self, width: int, activation: str) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.norm_one, self.norm_two = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.act = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.norm_two(self.two(self.act(self.norm_one(self.one(x))))))


def resnet(K: int, width: int = 12, blocks: int = 2, activation: str = "relu") -> nn.Sequential:
    """A residual net, (B, 1, 8, 8) → (B, K)."""
    body = [Residual(width, activation) for _ in range(blocks)]
    pool = [nn.AdaptiveAvgPool2d(2), nn.Flatten()]
    return nn.Sequential(nn.Conv2d(1, width, 3, padding=1), *body, *pool, nn.Linear(4 * width, K))


class Recurrent(nn.Module):
    """The last state to the answer: (B, T, D) or tokens (B, T) → (B, K)."""

    def __init__(self, K: int, D: int = 0, V: int = 0, width: int = 32, cell: str = "lstm", **more: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, 16) if V else None
        kinds: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        self.cell = kinds[cell](16 if V else D, width, batch_first=True, **more)
        self.output = nn.Linear(width, K)

    def forward(self, x: Tensor) -> Tensor:
        h, _ = self.cell(x if self.embedding is None else self.embedding(x))
        return self.output(h[:, -1])


class Bag(nn.Module):
    """Mean of the tokens' vectors, then dense: (B, T) → (B, K)."""

    def __init__(self, K: int, V: int, width: int = 16, activation: str = "relu", dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, width)
        self.dropout = nn.Dropout(dropout)
        self.hidden, self.act, self.output = nn.Linear(width, 32), ACTIVATIONS[activation](), nn.Linear(32, K)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.act(self.hidden(self.dropout(self.embedding(x).mean(1)))))


class Encoder(nn.Module):
    """Torch's own transformer layers, pooled: tokens (B, T) → (B, K)."""

    def __init__(self, K: int, V: int, T: int, width: int = 32, layers: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedding, self.place = nn.Embedding(V, width), nn.Parameter(0.02 * torch.randn(T, width))
        one = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(one, layers, enable_nested_tensor=False)
        self.output = nn.Linear(width, K)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.body(self.embedding(x) + self.place).mean(1))


class Block(nn.Module):
    """Causal self-attention and two dense layers, each added to what came in."""

    def __init__(self, width: int, heads: int, activation: str, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_one, self.norm_two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.act, self.down = (
            nn.Linear(width, 4 * width),
            ACTIVATIONS[activation](),
            nn.Linear(4 * width, width),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        B, T, D = x.shape
        q, k, v = self.qkv(self.norm_one(x)).view(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, D)
        x = x + self.dropout(self.out(a))
        return x + self.dropout(self.down(self.act(self.up(self.norm_two(x)))))


class GPT(nn.Module):
    """What comes next: tokens (B, T) → (B, T, V)."""

    def __init__(
        self, V: int, T: int, width: int = 32, layers: int = 2, activation: str = "gelu", dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.embedding, self.place = nn.Embedding(V, width), nn.Embedding(T, width)
        self.body = nn.Sequential(*(Block(width, 4, activation, dropout) for _ in range(layers)))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, V)

    def forward(self, x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1], device=x.device)
        return self.output(self.norm(self.body(self.embedding(x) + self.place(places))))


class Speller(nn.Module):
    """A recurrent net that says each next token: (B, T) → (B, T, V)."""

    def __init__(self, V: int, width: int = 48, cell: str = "gru") -> None:
        super().__init__()
        kinds: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        self.embedding, self.cell = nn.Embedding(V, 16), kinds[cell](16, width, batch_first=True)
        self.output = nn.Linear(width, V)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.cell(self.embedding(x))[0])


class VAE(nn.Module):
    """(B, D) → logits (B, D), mean and log variance of the code (B, Z)."""

    def __init__(self, D: int, Z: int = 6, width: int = 64, activation: str = "relu") -> None:
        super().__init__()
        act = ACTIVATIONS[activation]
        self.encoder = nn.Sequential(nn.Linear(D, width), act())
        self.mean, self.log_var = nn.Linear(width, Z), nn.Linear(width, Z)
        self.decoder = nn.Sequential(nn.Linear(Z, width), act(), nn.Linear(width, D))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        μ, ln_v = self.mean(h), self.log_var(h)
        z = μ + torch.randn_like(μ) * (0.5 * ln_v).exp() if self.training else μ
        return self.decoder(z), μ, ln_v
