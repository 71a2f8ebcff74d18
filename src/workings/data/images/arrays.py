"""Images as NumPy arrays: (N, H, W), (N, H, W, C) or (N, C, H, W), bytes or floats, brought to (N, C, H, W)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten

CHANNEL_COUNTS = (1, 3, 4)


@dataclass
class ArrayImages:
    """Checked arrays. ``pixels``: (N, C, H, W) uint8 or float32. ``low``, ``high``: the range of their values."""

    pixels: np.ndarray
    low: float
    high: float
    digest: str
    problems: list[Problem]


def read_array(X: np.ndarray, size: int | tuple[int, int] | None = None) -> ArrayImages:
    """Bring ``X`` to (N, C, H, W): bytes stay bytes, everything else becomes float32.

    size: a side, or (height, width), to resize to (bilinear, antialiased).

    Raises:
        UserError: no images in it; a layout or number type that is none of images; NaN or infinite values.
    """
    if X.dtype.kind not in "buif":
        raise refuse(
            "array-type",
            f"The array of images holds {X.dtype}, not numbers.",
            do="Give uint8 (0 to 255) or float values.",
        )
    problems: list[Problem] = []
    digest = hashlib.sha256(f"{X.dtype.str} {X.shape}".encode() + np.ascontiguousarray(X).tobytes()).hexdigest()
    pixels, said = _channels_first(X)
    if said:
        problems.append(said)
    if pixels.shape[0] == 0 or 0 in pixels.shape:
        raise refuse("no-images", f"The array of shape {X.shape} holds no images.")
    if X.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * 255
    elif X.dtype != np.uint8:
        pixels = _as_float(pixels)
    pixels = np.ascontiguousarray(pixels)
    if size is not None:
        height, width = (size, size) if isinstance(size, int) else size
        if pixels.shape[2:] != (height, width):
            what = f"All {len(pixels):,} images were resized to {height}×{width} pixels."
            problems.append(Problem("note", "image-resized", what, "", len(pixels)))
            pixels = _resize(pixels, height, width)
    low, high = (0.0, 255.0) if pixels.dtype == np.uint8 else _range(pixels)
    return ArrayImages(pixels, low, high, digest, problems)


def _channels_first(X: np.ndarray) -> tuple[np.ndarray, Problem | None]:
    if X.ndim == 3:
        return X[:, None], None
    if X.ndim != 4:
        raise refuse(
            "array-shape",
            f"An array of shape {X.shape} holds no images.",
            do="Give (N, height, width), (N, height, width, channels) or (N, channels, height, width).",
        )
    first, last = X.shape[1] in CHANNEL_COUNTS, X.shape[3] in CHANNEL_COUNTS
    if first == last:
        why = "Both the second and the last axis" if first else "Neither the second nor the last axis"
        raise refuse(
            "array-shape",
            f"Where are the channels in an array of shape {X.shape}? {why} could be 1, 3 or 4 channels.",
            do="Give (N, height, width, channels) or (N, channels, height, width) with 1, 3 or 4 channels.",
        )
    if first:
        return X, None
    what = f"The array of shape {X.shape} was taken as (N, height, width, channels)."
    return X.transpose(0, 3, 1, 2), Problem("note", "array-layout", what)


def _as_float(pixels: np.ndarray) -> np.ndarray:
    """float32, or a message with the numbers of the images that hold NaN or infinity."""
    finite = np.isfinite(pixels).reshape(len(pixels), -1).all(axis=1)
    if not finite.all():
        rows = (np.flatnonzero(~finite) + 1).tolist()
        raise UserError(
            Problem(
                "error",
                "non-finite-images",
                f"{len(rows):,} image(s) hold NaN or infinite values.",
                f"rows {shorten(rows)}",
                len(rows),
                why="One of them makes the loss NaN.",
                do="Remove them or fill the values.",
            )
        )
    return pixels.astype(np.float32)


def _range(pixels: np.ndarray) -> tuple[float, float]:
    """The range that the values were meant to have: 0…1 or 0…255 where they fit, otherwise their own."""
    low, high = float(pixels.min()), float(pixels.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= 0 and 128 <= high <= 255:
        return 0.0, 255.0
    return low, high if high > low else low + 1


def _resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    resized = F.interpolate(
        torch.from_numpy(pixels).float(), size=(height, width), mode="bilinear", antialias=True, align_corners=False
    ).numpy()
    return resized.round().astype(np.uint8) if pixels.dtype == np.uint8 else resized
