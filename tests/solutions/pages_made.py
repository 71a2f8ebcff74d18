"""Solutions whose pages are looked at: small nets of each kind, examples, exercises."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

import workings
from workings.solutions.examples import EXAMPLES, example
from workings.solutions.exercises import FAMILIES, exercise
from workings.solutions.steps import Solution


class _Text(nn.Module):
    """Embedding, a recurrent layer or attention, a dense layer."""

    def __init__(self, *, attention: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 8)
        self.block: nn.Module = (
            nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, activation="gelu", norm_first=True)
            if attention
            else nn.LSTM(8, 5, num_layers=2, batch_first=True)
        )
        self.output = nn.Linear(8 if attention else 5, 3)

    def forward(self, x: Tensor) -> Tensor:
        made = self.block(self.words(x))
        made = made[0] if isinstance(made, tuple) else made
        return self.output(made[:, -1])


def _dense() -> tuple[nn.Module, Tensor]:
    return nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(1, 20)


def _cnn() -> tuple[nn.Module, Tensor]:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.2),
        nn.Linear(96, 3),
    ), torch.randn(1, 3, 8, 8)  # fmt: skip


NETS: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "net-dense": _dense,
    "net-cnn": _cnn,
    "net-lstm": lambda: (_Text(attention=False), torch.randint(0, 20, (1, 7))),
    "net-transformer": lambda: (_Text(attention=True), torch.randint(0, 20, (1, 6))),
}
NAMES = [*EXAMPLES, *FAMILIES, *NETS]


@cache
def made(name: str) -> Solution:
    """A worked page by the name of an example, of a family of exercises, or of a kind of net."""
    if name in EXAMPLES:
        return example(name).solve()
    if name in FAMILIES:
        return exercise(name, 2, 3).solve()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net, x = NETS[name]()
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
        return workings.show(net, x, torch.tensor([1]), nn.CrossEntropyLoss(), optimizer)
