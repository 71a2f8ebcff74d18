"""Images as PNG files for looking at: one alone, or rows of them as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from workings.base.files import write_atomically

TILE = 64  # pixels that a small image is enlarged to, at least
GAP = 4


def write_image(pixels_CHW: np.ndarray, path: Path) -> None:
    """One image (channels, height, width) uint8 as it is, pixel for pixel."""
    image = Image.fromarray(pixels_CHW[0] if len(pixels_CHW) == 1 else to_rgb(pixels_CHW))
    write_atomically(path, lambda temporary: image.save(temporary, format="PNG"))


def write_grid(rows: Sequence[np.ndarray], path: Path, *, lead: bool = True, tile: int = TILE) -> None:
    """Write ``rows``, each (n, channels, height, width) uint8, as a grid; between the images nothing, so that it can
    lie on any ground. lead: a wider gap below the first row. tile: pixels that an image has in the grid, at least.

    Small images are enlarged by a whole factor without smoothing, so that single pixels can be seen.
    """
    n, (_, _, height, width) = max(len(row) for row in rows), rows[0].shape
    factor = max(1, -(-tile // max(height, width)))
    step_down, step_right = height * factor + GAP, width * factor + GAP
    below = GAP if lead and len(rows) > 1 else 0
    canvas = np.zeros((len(rows) * step_down - GAP + below, n * step_right - GAP, 4), dtype=np.uint8)
    for line, images in enumerate(rows):
        top = line * step_down + (below if line else 0)
        for column, pixels in enumerate(images):
            enlarged = to_rgb(pixels).repeat(factor, axis=0).repeat(factor, axis=1)
            left = column * step_right
            canvas[top : top + height * factor, left : left + width * factor, :3] = enlarged
            canvas[top : top + height * factor, left : left + width * factor, 3] = 255
    image = Image.fromarray(canvas)
    image = image.convert("LA") if rows[0].shape[1] < 3 else image
    write_atomically(path, lambda temporary: image.save(temporary, format="PNG", optimize=True))


def to_rgb(pixels_CHW: np.ndarray) -> np.ndarray:
    """(height, width, 3) for looking at: grey repeated; of four channels or more the first three."""
    if pixels_CHW.shape[0] < 3:
        return pixels_CHW[:1].repeat(3, axis=0).transpose(1, 2, 0)
    return pixels_CHW[:3].transpose(1, 2, 0)
