"""The plain torch loop, as its tutorial writes it: a DataLoader over a TensorDataset, then the four lines."""

from __future__ import annotations

import time
from typing import Any

import torch
from settings import LEARNING_RATE, AnySetting
from torch.utils.data import DataLoader, TensorDataset
from torch_net import apply, make_loss, make_net, tensors, variants
from worker import Worker


class Plain(Worker):
    """``channels-last`` is the one change that torch's tuning guide names for convolutions on a processor."""

    def prepare(self, setting: AnySetting, threads: list[int]) -> dict[str, Any]:  # type: ignore[override]
        self.x, self.y = tensors(setting)
        parameters = sum(p.numel() for p in make_net(setting).parameters())
        names = variants(threads)
        if setting.channels:
            names += [f"{name}, channels-last" for name in names]
        return {"parameters": parameters, "variants": names}

    def train(self, variant: str, rows: int, epochs: int) -> float:
        net, loss_function = make_net(self.setting), make_loss(self.setting)
        channels_last = "channels-last" in variant
        if channels_last:
            net = net.to(memory_format=torch.channels_last)
        optimiser = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE, fused=apply(variant))
        loader = DataLoader(TensorDataset(self.x[:rows], self.y[:rows]), batch_size=self.setting.batch, shuffle=True)
        began = time.perf_counter()
        for _ in range(epochs):
            for x, y in loader:
                if channels_last:
                    x = x.contiguous(memory_format=torch.channels_last)
                optimiser.zero_grad()
                loss_function(net(x), y).backward()
                optimiser.step()
        return time.perf_counter() - began


if __name__ == "__main__":
    Plain().serve()
