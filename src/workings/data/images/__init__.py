"""Images: a folder per class, a table of paths, or arrays, read to the last byte and checked before any training."""

from __future__ import annotations

from workings.data.images.dataset import ImageDataset
from workings.data.images.opening import looks_like_images, open_images, read_images_for
from workings.data.images.prepare import ImagePreparation
from workings.data.images.sources import ImageSource

__all__ = ["ImageDataset", "ImagePreparation", "ImageSource", "looks_like_images", "open_images", "read_images_for"]
