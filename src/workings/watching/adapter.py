"""What adapters to other trainers share: a watch that a trainer opens, tells of validation and closes."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workings.watching.watch import Watch

if TYPE_CHECKING:
    from workings.base.finding import Finding

log = logging.getLogger("workings")


def warn(finding: Finding) -> None:
    """Tell a finding by Python's logging, as a warning of the logger ``workings``."""
    log.warning(finding.text())


class Watching:
    """Opens a ``Watch`` when a trainer begins, and tells findings once, after each validation and at the end.

    budget: share of training time. tell: what is done with a finding.
    """

    def __init__(self, budget: float = 0.03, tell: Callable[[Finding], None] = warn) -> None:
        self.budget = budget
        self.tell = tell
        self.watch: Watch | None = None
        self._told: set[str] = set()

    def begin(self, model: nn.Module, optimizers: Sequence[Any]) -> None:
        """Training begins. Wrappers of optimisers are looked through, so that it is the true one's steps that count."""
        self.end()
        self._told.clear()
        self.watch = Watch(model, [unwrapped(each) for each in optimizers], budget=self.budget).open()

    def judged(self, metrics: Mapping[str, Any]) -> None:
        """Figures on validation samples; ``eval_loss`` and ``loss`` are ``val_loss`` here."""
        if self.watch is None:
            return
        for name, value in metrics.items():
            number = float(value) if isinstance(value, (int, float)) or one_number(value) else math.nan
            if math.isfinite(number):
                own = name.removeprefix("eval_")
                self.watch.note(**{own if own.startswith("val") else f"val_{own}": number})
        self._tell()

    def end(self) -> None:
        """Training has ended, or broke off."""
        if self.watch is not None:
            self.watch.close()
            self._tell()

    def _tell(self) -> None:
        for finding in self.watch.findings() if self.watch is not None else []:
            if finding.code not in self._told:
                self._told.add(finding.code)
                self.tell(finding)


def one_number(value: object) -> bool:
    """Whether it is a tensor of one number."""
    return isinstance(value, Tensor) and value.numel() == 1


def unwrapped(optimizer: Any) -> torch.optim.Optimizer:
    """The optimiser of torch's that a trainer's own wrapper holds."""
    while isinstance(getattr(optimizer, "optimizer", None), torch.optim.Optimizer):
        optimizer = optimizer.optimizer
    return optimizer
