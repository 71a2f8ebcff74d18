"""skorch: the same torch net in a scikit-learn estimator, without callbacks and without rows set aside."""

from __future__ import annotations

import time
from typing import Any

import torch
from settings import LEARNING_RATE, Setting
from skorch import NeuralNet
from torch_net import apply, make_loss, make_net, variants
from worker import Worker


class Timed(NeuralNet):
    """Keeps when the first epoch began; setting the net up is not timed."""

    began = 0.0

    def on_epoch_begin(self, net: NeuralNet, **more: Any) -> None:
        super().on_epoch_begin(net, **more)
        self.began = self.began or time.perf_counter()


class Skorch(Worker):
    """One estimator, fitted anew each time."""

    def prepare(self, setting: Setting, threads: list[int]) -> dict[str, Any]:  # type: ignore[override]
        self.x, self.y = setting.data()
        return {"parameters": sum(p.numel() for p in make_net(setting).parameters()), "variants": variants(threads)}

    def train(self, variant: str, rows: int, epochs: int) -> float:
        estimator = Timed(
            make_net(self.setting),
            criterion=type(make_loss(self.setting)),
            optimizer=torch.optim.Adam,
            optimizer__fused=apply(variant),
            lr=LEARNING_RATE,
            max_epochs=epochs,
            batch_size=self.setting.batch,
            iterator_train__shuffle=True,
            train_split=None,
            callbacks="disable",
            verbose=0,
        )
        estimator.fit(self.x[:rows], self.y[:rows])
        return time.perf_counter() - estimator.began


if __name__ == "__main__":
    Skorch().serve()
