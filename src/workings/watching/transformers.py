"""Watching a Trainer of Hugging Face's: ``Trainer(…, callbacks=[WatchCallback()])``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback  # pyright: ignore[reportMissingImports]

from workings.watching.adapter import Watching, warn

if TYPE_CHECKING:
    from workings.base.finding import Finding


class WatchCallback(TrainerCallback):  # type: ignore[misc]
    """Watches ``train``. What was seen is ``watching.watch.history``; findings are told as warnings of the log.

    budget: share of training time. tell: what is done with a finding, once each.
    """

    def __init__(self, budget: float = 0.03, tell: Callable[[Finding], None] = warn) -> None:
        super().__init__()
        self.watching = Watching(budget, tell)

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Model and optimiser are there."""
        self.watching.begin(given["model"], [given["optimizer"]])

    def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """What was measured on validation samples."""
        self.watching.judged(given.get("metrics") or {})

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Training is done."""
        self.watching.end()
