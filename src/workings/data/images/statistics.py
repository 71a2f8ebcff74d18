"""Mean and standard deviation of every channel, exact and the same whether the pixels are in memory or on disk."""

from __future__ import annotations

import numpy as np

from workings.data.images.store import Pixels

CHUNK_VALUES = 4 * 2**20


def channel_statistics(pixels: Pixels, rows: np.ndarray, low: float, high: float) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over ``rows``, of values brought from low…high to 0…1.

    Bytes are counted into 256 bins, so their sums are exact integers; floats are summed in double precision, once
    for the mean and once more for the squares about it.
    """
    channels = pixels.shape[0]
    chunk = max(1, CHUNK_VALUES // int(np.prod(pixels.shape)))
    chunks = [np.sort(rows)[start : start + chunk] for start in range(0, len(rows), chunk)]
    count = len(rows) * pixels.shape[1] * pixels.shape[2]
    if pixels.dtype == np.uint8:
        bins = np.zeros((channels, 256), dtype=np.int64)
        for part in chunks:
            values = pixels.take(part)
            for c in range(channels):
                bins[c] += np.bincount(values[:, c].ravel(), minlength=256)
        values = np.arange(256)
        mean = bins @ values / count
        variance = (bins * (values - mean[:, None]) ** 2).sum(1) / count
    else:
        mean, variance = np.zeros(channels), np.zeros(channels)
        for part in chunks:
            mean += pixels.take(part).sum(axis=(0, 2, 3), dtype=np.float64) / count
        for part in chunks:
            variance += ((pixels.take(part) - mean[:, None, None]) ** 2).sum(axis=(0, 2, 3), dtype=np.float64) / count
    mean, std = (mean - low) / (high - low), np.sqrt(variance) / (high - low)
    return mean.tolist(), std.tolist()
