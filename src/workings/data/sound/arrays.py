"""Recordings from Python: ``(waves, labels, rate)``, or ``(waves, rate)`` where there is nothing to learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from workings.base.errors import refuse
from workings.data.bad_files import BadFile
from workings.data.sound.decode import BadSoundError, Wave, examine

MOST_CHANNELS = 16


@dataclass(frozen=True)
class Arrays:
    """waves: one array a recording. labels: one each, or None. rate: hertz of all."""

    waves: Sequence[Any]
    labels: Any
    rate: int

    @property
    def names(self) -> list[str]:
        """What the recordings are called in messages."""
        return [f"row {k + 1:,}" for k in range(len(self.waves))]


def looks_like_waves(data: object) -> bool:
    """``(waves, labels, rate)`` or ``(waves, rate)``, waves being a list of arrays or one (n, samples) array."""
    if not isinstance(data, tuple) or len(data) not in (2, 3) or not _is_rate(data[-1]):
        return False
    return isinstance(data[0], (list, tuple)) or getattr(data[0], "ndim", 0) == 2


def unpack(data: Any) -> Arrays:
    """The parts of ``data``.

    Raises:
        UserError: no recordings, or a rate that is none.
    """
    waves, labels, rate = data if len(data) == 3 else (data[0], None, data[1])
    if not len(waves):
        raise refuse("no-recordings", "The list of recordings is empty.")
    if not 100 <= int(rate) <= 10_000_000:
        what = f"A sampling rate of {rate} hertz cannot be."
        raise refuse("bad-rate", what, do="Give (waves, labels, rate) with the rate in samples a second: 16000.")
    return Arrays(waves, labels, int(rate))


def read_waves(arrays: Arrays, failed: list[BadFile]) -> Iterator[tuple[int, Wave]]:
    """Each array as a wave; what cannot be one is added to ``failed``. Whole numbers are scaled to ±1."""
    for k, (given, name) in enumerate(zip(arrays.waves, arrays.names, strict=True)):
        try:
            yield k, examine(_samples(given), arrays.rate)
        except BadSoundError as error:
            failed.append(BadFile(name, str(error)))


def _samples(given: Any) -> np.ndarray:
    x = np.asarray(given)
    if x.dtype.kind not in "iuf":
        raise BadSoundError(f"it holds {x.dtype}, not numbers")
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2 or x.shape[1] > MOST_CHANNELS:
        shape = "×".join(str(size) for size in x.shape) or "a single number"
        raise BadSoundError(f"its shape is {shape}, not (samples,) or (samples, channels)")
    if x.dtype.kind == "u":
        half = 2.0 ** (8 * x.dtype.itemsize - 1)
        return ((x.astype(np.float64) - half) / half).astype(np.float32)
    if x.dtype.kind == "i":
        return (x.astype(np.float64) / 2.0 ** (8 * x.dtype.itemsize - 1)).astype(np.float32)
    return x.astype(np.float32)


def _is_rate(value: object) -> bool:
    return isinstance(value, (Integral, float)) and not isinstance(value, bool)
