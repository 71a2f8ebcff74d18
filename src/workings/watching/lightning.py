"""Watching a Lightning Trainer: ``Trainer(callbacks=[WatchCallback()])``.

Needs Lightning 2, of either name: ``lightning`` or ``pytorch_lightning``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workings.watching.adapter import Watching, warn

try:
    from lightning.pytorch import Callback  # pyright: ignore[reportMissingImports]
except ImportError:
    from pytorch_lightning import Callback  # pyright: ignore[reportMissingImports]

if TYPE_CHECKING:
    from workings.base.finding import Finding


class WatchCallback(Callback):  # type: ignore[misc]
    """Watches ``fit``. What was seen is ``watching.watch.history``; findings are told as warnings of the log.

    budget: share of training time. tell: what is done with a finding, once each.
    """

    def __init__(self, budget: float = 0.03, tell: Callable[[Finding], None] = warn) -> None:
        super().__init__()
        self.watching = Watching(budget, tell)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """The optimisers are there."""
        self.watching.begin(pl_module, trainer.optimizers)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """What was logged of validation samples."""
        if not trainer.sanity_checking:
            self.watching.judged({name: v for name, v in trainer.callback_metrics.items() if "val" in name})

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Training is done."""
        self.watching.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Training broke off."""
        self.watching.end()
