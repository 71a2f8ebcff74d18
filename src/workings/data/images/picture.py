"""Writing rows of images as one PNG, for looking at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from workings.base.files import write_atomically

TILE = 64  # pixels that a small image is enlarged to, at least
GAP = 4


def write_grid(rows: list[np.ndarray], path: Path) -> None:
    """Write ``rows``, each (n, channels, height, width) uint8, as a grid with a wider gap below the first row.

    Small images are enlarged by a whole factor without smoothing, so that single pixels can be seen.
    """
    n, _, height, width = rows[0].shape
    factor = max(1, -(-TILE // max(height, width)))
    step_down, step_right = height * factor + GAP, width * factor + GAP
    canvas = np.full((len(rows) * step_down + 2 * GAP, n * step_right + GAP, 3), 255, dtype=np.uint8)
    for line, images in enumerate(rows):
        top = GAP + line * step_down + (GAP if line else 0)
        for column, pixels in enumerate(images):
            enlarged = to_rgb(pixels).repeat(factor, axis=0).repeat(factor, axis=1)
            left = GAP + column * step_right
            canvas[top : top + height * factor, left : left + width * factor] = enlarged
    write_atomically(path, lambda temporary: Image.fromarray(canvas).save(temporary, format="PNG"))


def to_rgb(pixels_CHW: np.ndarray) -> np.ndarray:
    """(height, width, 3) for looking at: grey repeated; of four channels or more the first three."""
    if pixels_CHW.shape[0] < 3:
        return pixels_CHW[:1].repeat(3, axis=0).transpose(1, 2, 0)
    return pixels_CHW[:3].transpose(1, 2, 0)
