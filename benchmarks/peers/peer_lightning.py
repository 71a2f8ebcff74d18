"""Lightning: a LightningModule and a Trainer without logger, checkpoints, progress bar and summary (``barebones``)."""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import lightning
import torch
from settings import LEARNING_RATE, AnySetting
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch_net import apply, make_loss, make_net, tensors, variants
from worker import Worker


class Module(lightning.LightningModule):
    """The net, its loss and its optimiser; keeps when the first epoch began."""

    def __init__(self, setting: AnySetting, fused: bool | None) -> None:
        super().__init__()
        self.net, self.loss, self.fused, self.began = make_net(setting), make_loss(setting), fused, 0.0

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        x, y = batch
        return self.loss(self.net(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE, fused=self.fused)

    def on_train_epoch_start(self) -> None:
        self.began = self.began or time.perf_counter()


class Lightning(Worker):
    """Setting the Trainer up is not timed, only its epochs."""

    def prepare(self, setting: AnySetting, threads: list[int]) -> dict[str, Any]:  # type: ignore[override]
        warnings.filterwarnings("ignore")
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        self.x, self.y = tensors(setting)
        return {"parameters": sum(p.numel() for p in make_net(setting).parameters()), "variants": variants(threads)}

    def train(self, variant: str, rows: int, epochs: int) -> float:
        module = Module(self.setting, apply(variant))
        loader = DataLoader(TensorDataset(self.x[:rows], self.y[:rows]), batch_size=self.setting.batch, shuffle=True)
        trainer = lightning.Trainer(accelerator="cpu", devices=1, max_epochs=epochs, barebones=True)
        trainer.fit(module, loader)
        return time.perf_counter() - module.began


if __name__ == "__main__":
    Lightning().serve()
