"""Which image files there are in a folder, and what the folders say of them."""

from __future__ import annotations

from pathlib import Path

from workings.base.errors import refuse
from workings.base.problems import shorten
from workings.data.folders import (
    FileKind,
    Listing,
    look_into,
    parts_in,
    refuse_a_level_too_high,
    refuse_parts,
    subfolders,
)
from workings.data.images.decode import SUFFIXES

IMAGES = FileKind(
    noun="image",
    suffixes=SUFFIXES,
    foreign=frozenset(".heic .heif .avif .svg .dcm .raw .cr2 .nef .dng .psd .jp2 .npy .npz .eps .pdf".split()),
    convert="Convert them to PNG or JPEG.",
    wanted="Give a folder that holds a folder of PNG, JPEG, PGM, PPM, BMP, GIF, TIFF or WEBP files per class.",
)


def list_folder(root: Path, *, labelled: bool) -> Listing:
    """Images under ``root``: a folder per class; where ``labelled`` is False also a flat folder without labels.

    Everything that is left out (hidden, not an image, beside the class folders) is counted in ``problems``.

    Raises:
        UserError: no images; the folder holds train/ and test/; no class folders where labels are needed.
    """
    parts = parts_in(folder.name for folder in subfolders(root))
    if "train" in parts and all(subfolders(root / name) for name in parts.values()):
        raise refuse_parts(root, parts)
    inside = look_into(root, IMAGES)
    if inside.by_class:
        if len(inside.by_class) == 1:
            refuse_a_level_too_high(root, next(iter(inside.by_class)))
        return inside.labelled()
    if labelled:
        raise refuse(
            "no-class-folders",
            f"'{root}' holds {len(inside.loose):,} images but no folder per class, so there is nothing to learn from.",
            where=shorten(file.name for file in inside.loose),
            do="Put the images of each class into a folder named after the class, or give a CSV with a column of "
            "paths and a column of labels.",
        )
    return inside.unlabelled()
