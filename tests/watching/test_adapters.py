"""Other people's trainers, watched: the same bits, and what was seen. Skipped by name where they are not installed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

ROWS = 96


def data() -> tuple[Tensor, Tensor]:
    """Points and on which side of a line they lie."""
    torch.manual_seed(0)
    x = torch.randn(ROWS, 4)
    return x, (x.sum(1) > 0).long()


def net() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def test_lightning_is_watched_and_ends_in_the_same_bits(tmp_path: Path) -> None:
    """Of a module whose ``forward`` is never called: its parts are seen. Validation is told and no training."""
    lightning = pytest.importorskip("lightning.pytorch", reason="lightning is not installed")
    from workings.watching.lightning import WatchCallback

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Taught(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def training_step(self, batch: Any, at: int) -> Tensor:
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def validation_step(self, batch: Any, at: int) -> None:
            self.log("val_loss", F.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 0.01)

    def train(callbacks: list[Any]) -> list[Tensor]:
        module, rows = Taught(), TensorDataset(*data())
        torch.manual_seed(2)
        trainer = lightning.Trainer(
            max_epochs=3,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
            default_root_dir=tmp_path,
        )
        trainer.fit(module, DataLoader(rows, 16, shuffle=True), DataLoader(rows, 48))
        return [*module.state_dict().values(), torch.get_rng_state()]

    callback = WatchCallback(budget=1e9)
    assert all(torch.equal(a, b) for a, b in zip(train([]), train([callback]), strict=True))
    history = callback.watching.watch.history
    assert history.counts["steps"] == len(history.of("loss")) == 3 * ROWS // 16
    assert len(history.of("val_loss")) == 3
    assert history.of("dead", "net.1·relu")
    assert "judged-in-train" not in history.counts
    assert history.counts["stale-gradient"] == 0
    assert history.facts["loss"] == "cross_entropy"


def test_a_trainer_of_hugging_face_is_watched_and_ends_in_the_same_bits(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    from workings.watching.transformers import WatchCallback

    class Taught(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
            logits = self.net(x)
            return {"loss": F.cross_entropy(logits, labels), "logits": logits}

    rows = [{"x": x, "labels": y} for x, y in zip(*data(), strict=True)]

    def train(callbacks: list[Any]) -> list[Tensor]:
        model = Taught()
        settings = transformers.TrainingArguments(
            output_dir=str(tmp_path),
            num_train_epochs=3,
            per_device_train_batch_size=8,
            gradient_accumulation_steps=2,
            eval_strategy="epoch",
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            seed=3,
            label_names=["labels"],
        )
        trainer = transformers.Trainer(model, settings, train_dataset=rows, eval_dataset=rows, callbacks=callbacks)
        trainer.train()
        return [*model.state_dict().values(), torch.get_rng_state()]

    callback = WatchCallback(budget=1e9)
    assert all(torch.equal(a, b) for a, b in zip(train([]), train([callback]), strict=True))
    history = callback.watching.watch.history
    assert history.counts["steps"] == 3 * ROWS // 16
    assert len(history.of("val_loss")) == 3
    assert history.of("dead", "net.1·relu")
    assert "judged-in-train" not in history.counts
    assert history.counts["stale-gradient"] == 0
    assert 0.2 < history.of("loss")[0][1] < 2  # not halved, though two batches make a step
