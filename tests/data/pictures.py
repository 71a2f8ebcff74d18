"""Small folders of pictures, and what tests of images ask of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from workings.data.images import ImageDataset, ImagePreparation


def save(path: Path, seed: int, size: tuple[int, int] = (12, 10), mode: str = "L") -> None:
    """One random picture of (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)


def two_classes(root: Path) -> Path:
    """Two classes of twelve grey pictures, 10×12, all different."""
    for k in range(24):
        save(root / ("cat", "dog")[k % 2] / f"{k // 2}.png", seed=k)
    return root


def spoil(folder: Path) -> dict[str, str]:
    """Break files in five ways; file: what the reason says."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(buffer, "JPEG")
    (folder / "cat/short.jpg").write_bytes(buffer.getvalue()[:900])
    (folder / "cat/zero.png").write_bytes(b"")
    (folder / "dog/text.png").write_text("I am a text file.")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(folder / "dog/float.tif")
    damaged = bytearray((folder / "dog/3.png").read_bytes())
    damaged[damaged.index(b"IDAT") + 20] ^= 255
    (folder / "dog/3.png").write_bytes(damaged)
    return {
        "cat/short.jpg": "truncated",
        "cat/zero.png": "zero bytes",
        "dog/text.png": "not an image",
        "dog/float.tif": "unsupported",
        "dog/3.png": "damaged",
    }


def prepared(dataset: ImageDataset) -> ImagePreparation:
    return dataset.fit(np.arange(dataset.n))


def everything(dataset: ImageDataset, prep: ImagePreparation | None = None) -> torch.Tensor:
    """All samples as the net sees them."""
    rows = np.arange(dataset.n)
    return dataset.source(prep or dataset.fit(rows), rows).x(torch.arange(dataset.n))
