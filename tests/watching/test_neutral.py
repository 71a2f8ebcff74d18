"""Watching changes nothing: weights, buffers and random numbers are bit-identical with it and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import workings


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))


class Written(nn.Module):
    """Activations called in ``forward``, one of them in place, and a layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu_(self.a(x))
        h = torch.tanh(self.b(self.b(h)))
        return self.c(nn.functional.dropout(h, 0.2, self.training))


class Read(nn.Module):
    """A fused recurrent layer over six steps of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(1, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.lstm(x[..., None])[0][:, -1])


@pytest.mark.parametrize("make", [dense, Written, Read], ids=["dense", "written", "recurrent"])
def test_a_watched_loop_ends_in_the_same_bits(make: Callable[[], nn.Module]) -> None:
    def train(budget: float | None) -> tuple[dict[str, Tensor], Tensor]:
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        x, y = torch.randn(64, 6), torch.randint(0, 3, (64,))

        def loop() -> None:
            for _ in range(12):
                rows = torch.randint(0, 64, (16,))
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()

        if budget is None:
            loop()
        else:
            with workings.watch(model, optimizer, budget=budget) as watched:
                loop()
            assert len(watched.history.of("loss")) == 12
            assert len(watched.history.of("gradient_norm")) == 12
        return model.state_dict(), torch.get_rng_state()

    plain, state = train(None)
    watched, watched_state = train(1e9)
    assert all(torch.equal(plain[name], watched[name]) for name in plain)
    assert torch.equal(state, watched_state)
