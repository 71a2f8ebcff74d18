"""Whether new images fit a network that was trained on others: size, channels, range of values."""

from __future__ import annotations

from workings.base.problems import Problem
from workings.data.images.dataset import Images
from workings.data.images.prepare import ImagePreparation
from workings.data.images.store import MemoryPixels


def match_arrays(images: Images, prep: ImagePreparation) -> None:
    """Add an error for another size, number of channels or scale; take the range of the training images over.

    Arrays are not resized unasked: whoever makes them can, and knows how.
    """
    found = images.pixels.shape
    if found != prep.shape:
        parts = []
        if found[0] != prep.channels:
            parts.append(f"{found[0]} channel(s) instead of {prep.channels}")
        if found[1:] != prep.shape[1:]:
            parts.append(f"{found[1]}×{found[2]} pixels instead of {prep.height}×{prep.width}")
        images.problems.append(
            Problem(
                "error",
                "image-shape",
                f"The images have {' and '.join(parts)}.",
                count=len(images.pixels),
                why="The network's first layer was trained on the other form.",
                do="Bring the arrays to the form of the training images, or give files, which are converted.",
            )
        )
    if images.pixels.dtype.kind == "u":
        if prep.pixels == "floats" and (prep.low, prep.high) not in {(0.0, 1.0), (0.0, 255.0)}:
            images.problems.append(_other_range("whole numbers from 0 to 255", prep))
        return
    assert isinstance(images.pixels, MemoryPixels), "arrays are in memory"
    low, high = float(images.pixels.pixels_NCHW.min()), float(images.pixels.pixels_NCHW.max())
    if prep.pixels == "bytes":
        if (images.low, images.high) not in {(0.0, 1.0), (0.0, 255.0)}:
            images.problems.append(_other_range(f"values from {low:.4g} to {high:.4g}", prep))
        return
    span = prep.high - prep.low
    images.low, images.high = prep.low, prep.high
    if low < prep.low - span or high > prep.high + span:
        images.problems.append(_other_range(f"values from {low:.4g} to {high:.4g}", prep))
    elif low < prep.low - 0.01 * span or high > prep.high + 0.01 * span:
        what = f"Some values lie outside {prep.low:.4g} … {prep.high:.4g}, the range of the training images."
        images.problems.append(Problem("warning", "image-range", what, why="The network was not trained on them."))


def warn_of_other_sizes(images: Images, prep: ImagePreparation) -> None:
    """Resizing is worth a warning, not a note, where the network never saw a resized image in training."""
    resized = next((problem for problem in images.problems if problem.code == "image-resized"), None)
    if resized is None or not prep.one_size:
        return
    images.problems.remove(resized)
    images.problems.append(
        Problem(
            "warning",
            "other-size",
            f"{resized.count:,} image(s) do not have the {prep.height}×{prep.width} pixels of the training images "
            "and were resized.",
            resized.where,
            resized.count,
            why="All training images had one size; resized ones are smoother than any that the network saw.",
        )
    )


def _other_range(found: str, prep: ImagePreparation) -> Problem:
    return Problem(
        "error",
        "image-range",
        f"The images hold {found}; the training images ran from {prep.low:.4g} to {prep.high:.4g}.",
        why="On another scale the network's answers mean nothing.",
        do="Scale the values as for training.",
    )
