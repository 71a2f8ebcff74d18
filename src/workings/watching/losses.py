"""The losses of a loop's steps; on a device they are kept as tensors and read now and then, so that it is not waited
for each step."""

from __future__ import annotations

import torch
from torch import Tensor

from workings.watching.history import KEPT_OF_RUN, History

UNREAD = 512  # kept as tensors at most
SCARCE = 63  # steps that are skipped for the sake of time, at most


class Losses:
    """Losses not yet read. Of long runs ever fewer steps count, as a history keeps no more of them."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, float, Tensor | float]] = []
        self.skips = 0  # steps count whose number has none of these bits

    def until(self, step: int) -> int:
        """The first step from this one on whose losses are kept."""
        return -(-step // (self.skips + 1)) * (self.skips + 1)

    def keep(self, step: int, loss: Tensor, scale: float) -> None:
        """One loss of a step, which was multiplied by ``scale``."""
        self._kept.append((step, scale, loss.item() if loss.is_cpu else loss.detach()))

    def full(self) -> bool:
        """Whether it is time to read them."""
        return len(self._kept) >= UNREAD

    def read(self, history: History, step: int) -> None:
        """Write them into a history: of each step the mean of its losses. ``step``: how far the loop is."""
        kept, self._kept = self._kept, []
        of_step: dict[int, list[float]] = {}
        for (at, scale, _), number in zip(kept, numbers_of([loss for *_, loss in kept]), strict=True):
            of_step.setdefault(at, []).append(number / scale)
        for at, each in of_step.items():
            history.note(at, "", "loss", sum(each) / len(each))
        while step > 2 * KEPT_OF_RUN * (self.skips + 1):
            self.keep_fewer()

    def keep_fewer(self) -> None:
        """From now on every second of those that counted."""
        self.skips = 2 * self.skips + 1


def numbers_of(losses: list[Tensor | float]) -> list[float]:
    """The losses as numbers, by one copy from the device."""
    tensors = [loss for loss in losses if isinstance(loss, Tensor)]
    alike = all(loss.dtype == torch.float32 and not loss.ndim for loss in tensors)
    told = torch.stack(tensors if alike else [loss.float().reshape(()) for loss in tensors]).tolist() if tensors else []
    read = iter(told)
    return [next(read) if isinstance(loss, Tensor) else loss for loss in losses]
