"""Frames to be batched by index, each batch as long as its longest recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workings.data.sound.prepare import SoundPreparation
from workings.data.source import Source


class SoundSource(Source):
    """Log-mel frames, standardised as they are asked for; those of all recordings lie end to end in one tensor.

    seconds: (n,) of each recording as it was brought. groups: of each, or None.
    """

    counted = "recordings"

    def __init__(
        self,
        frames_NF: Tensor,
        starts: Tensor,
        lengths: Tensor,
        prep: SoundPreparation,
        y: Tensor,
        rows: np.ndarray,
        names: Sequence[str],
        seconds: np.ndarray,
        groups: Sequence[str] | None,
    ) -> None:
        """frames_NF: of all recordings. starts, lengths, names, seconds, groups: of these rows."""
        self._frames_NF = frames_NF
        self._starts = starts
        self.lengths = lengths.clamp(max=prep.length)
        self._mean_F = torch.tensor(prep.mean, dtype=torch.float32)
        self._std_F = torch.tensor(prep.std, dtype=torch.float32)
        self.prep = prep
        self.shape = prep.shape
        self.y = y
        self.w = None
        self.rows = rows
        self.form = prep.form
        self.names = names
        self.seconds = seconds
        self.groups = groups

    def x(self, index: Tensor) -> Tensor:
        """(len(index), T, F) float32, T being the longest of them; NaN where a recording has ended."""
        assert self.lengths is not None
        lengths_B = self.lengths[index]
        steps_T = torch.arange(int(lengths_B.max()))
        real_BT = steps_T < lengths_B[:, None]
        at_BT = torch.where(real_BT, self._starts[index, None] + steps_T, 0)
        x_BTF = (self._frames_NF[at_BT] - self._mean_F) / self._std_F
        return x_BTF.masked_fill(~real_BT[..., None], torch.nan)

    def log_mel(self, i: int) -> Tensor:
        """(T, F): the frames of row ``i`` as they were heard, not standardised."""
        assert self.lengths is not None
        return self._frames_NF.narrow(0, int(self._starts[i]), int(self.lengths[i]))

    def where(self, i: int) -> str:
        """The recording's file."""
        return self.names[i]
