"""Choosing one size and one number of channels for a dataset, each with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from workings.base.errors import refuse
from workings.data.images.decode import Aspect, Header, Plan

KEPT_UP_TO = 128  # pixels a side: equal sizes up to here are kept
COMMON_SIDE = 64  # pixels of the longer side where images must be scaled
CROP_UP_TO = 0.15  # share of an image that a centre crop may lose


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan with the reasons of its parts."""

    plan: Plan
    size_reason: str
    channels_reason: str


def choose_plan(headers: list[Header], size: int | tuple[int, int] | None, channels: int | None) -> Choice:
    """The common form of images with these ``headers``.

    size: a side, or (height, width); None to choose. channels: 1 or 3; None to choose.

    Raises:
        UserError: a size or a number of channels that makes no sense.
    """
    _check(size, channels)
    height, width, size_reason = _size(headers, size)
    colour = sum(header.colour for header in headers)
    if channels is not None:
        channels_reason = "as asked for"
    elif colour == 0:
        channels, channels_reason = 1, "all images are grey"
    else:
        grey = len(headers) - colour
        channels = 3
        channels_reason = f"{colour:,} in colour, {grey:,} grey" if grey else "all images are in colour"
    bits = max(header.bits for header in headers)
    return Choice(Plan(height, width, channels, bits, _aspect(headers, height, width)), size_reason, channels_reason)


def _check(size: int | tuple[int, int] | None, channels: int | None) -> None:
    sides = () if size is None else (size, size) if isinstance(size, int) else tuple(size)
    if size is not None and (len(sides) != 2 or min(sides) < 1):
        raise refuse("image-size", f"The image size {size} makes no sense.", do="Give a side, or height and width.")
    if channels not in (None, 1, 3):
        raise refuse("image-channels", f"Images cannot have {channels} channels.", do="Give 1 (grey) or 3 (colour).")


def _size(headers: list[Header], size: int | tuple[int, int] | None) -> tuple[int, int, str]:
    sizes = Counter((header.height, header.width) for header in headers)
    seen = " and ".join(f"{height}×{width}" for height, width in sorted({min(sizes), max(sizes)}))
    if size is not None:
        height, width = (size, size) if isinstance(size, int) else size
        return height, width, "as asked for"
    height, width = (int(np.median([getattr(header, side) for header in headers])) for side in ("height", "width"))
    longer = max(height, width)
    if len(sizes) == 1 and longer <= KEPT_UP_TO:
        return height, width, f"all images have {height}×{width} pixels"
    if len(sizes) == 1:
        why = f"all images have {height}×{width} pixels; more than {KEPT_UP_TO} a side would train very slowly"
    else:
        why = f"{len(sizes):,} different sizes, between {seen}; median {height}×{width}"
    if longer <= COMMON_SIDE:
        return height, width, why
    scale = COMMON_SIDE / longer
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    return height, width, f"{why}; scaled to {COMMON_SIDE} pixels on the longer side"


def _aspect(headers: list[Header], height: int, width: int) -> Aspect:
    """Crop where every image would lose little; otherwise fill up, so that nothing is lost.

    Where all have the same aspect ratio nothing is known about others, and later ones are filled up.
    """
    ratios = np.array([header.width / header.height for header in headers]) / (width / height)
    lost = 1 - np.minimum(ratios, 1 / ratios)
    return "crop" if 0 < lost.max() <= CROP_UP_TO else "pad"
