"""One image file, decoded to the last byte: its pixels, or the reason why it has none.

Opening a file reads its head only; a truncated picture opens without complaint and fails, or turns grey, when its
pixels are asked for. So every file is decoded here, and what had to be done to its pixels is named
(:data:`FACTS`), for the caller to count and tell.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

FORMATS = ("PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP")
SUFFIXES = frozenset(".png .jpg .jpeg .jpe .jfif .pgm .ppm .pbm .pnm .bmp .dib .gif .tif .tiff .webp".split())

# What Pillow's decoders raise on damaged bytes: mostly OSError and SyntaxError; the others come from fields that
# make no sense (lengths, offsets, tables). A test feeds them thousands of damaged files of every format.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"})
COLOUR_MODES = frozenset({"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"})
ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})

Aspect = Literal["crop", "pad"]

ORIENTATION_TAG = 0x0112
_EXIF_KEYS = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}  # without these there is nothing to parse
_TURNS = {  # EXIF 2.32, tag Orientation: how to bring the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class BadImageError(Exception):
    """This file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says: size as seen (turned by EXIF, where told), colour or grey, bits a channel."""

    width: int
    height: int
    colour: bool
    bits: int  # 8, or for deep grey images the bits that the brightest pixel of the file needs
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How every image of a dataset is brought to one form; part of the preparation, so new images get the same."""

    height: int
    width: int
    channels: int  # 1 or 3
    bits: int = 8  # of deep grey images: 2^bits − 1 becomes 255
    aspect: Aspect = "pad"  # how an image of another aspect ratio is fitted


@contextmanager
def strict_pillow() -> Iterator[list[warnings.WarningMessage]]:
    """Pillow as this module needs it, for as long as the context lasts.

    A truncated file is an error, whatever another library has switched on. Warnings are collected in the list that
    the context gives, to be told with their count, instead of being written between the lines of the program.
    """
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield caught
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def read_header(path: Path) -> Header:
    """Read the head of ``path``.

    Raises:
        BadImageError: missing, empty, not an image, damaged, or of a pixel type that has no agreed range.
    """
    try:
        file_bytes = path.stat().st_size
        if file_bytes == 0:
            raise BadImageError("zero bytes")
        with Image.open(path, formats=FORMATS) as image:
            _check_mode(image)
            width, height = image.size
            # Only where it costs nothing: PNG keeps its EXIF at the end, and there it is looked at after decoding.
            if image.info.get("exif") and image.getexif().get(ORIENTATION_TAG, 1) >= 5:
                width, height = height, width
            bits = _bits_needed(image) if _is_deep(image) else 8
            return Header(width, height, not _is_grey(image), bits, file_bytes)
    except DAMAGE as error:
        raise BadImageError(_reason(error)) from error


def decode(content: bytes, plan: Plan) -> tuple[np.ndarray, tuple[str, ...]]:
    """Pixels of the file ``content`` as ``plan`` wants them, and the facts (keys of :data:`FACTS`) about them.

    Returns (channels, height, width) uint8.

    Raises:
        BadImageError: the content is no whole image.
    """
    if not content:
        raise BadImageError("zero bytes")
    facts: list[str] = []
    try:
        image, orientation = _load(content, plan, facts)
    except DAMAGE as error:
        raise BadImageError(_reason(error)) from error
    grey = _is_grey(image)
    image = _from_deep(image, plan.bits, facts) if _is_deep(image) else _flatten(image, facts)
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    if grey and plan.channels == 3:
        facts.append("grey-to-colour")
    if not grey and plan.channels == 1:
        facts.append("colour-to-grey")
    mode = "L" if plan.channels == 1 else "RGB"
    pixels = np.asarray(_fit(image if image.mode == mode else image.convert(mode), plan, facts))
    return (pixels[None] if plan.channels == 1 else pixels.transpose(2, 0, 1)), tuple(facts)


def _load(content: bytes, plan: Plan, facts: list[str]) -> tuple[Image.Image, int]:
    """The decoded first frame, and its EXIF orientation where that is still to be applied (1: it is not)."""
    if content.startswith(b"\x89PNG"):
        # Pillow's decoder skips the check sums; this pass reads them.
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.verify()
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        _check_mode(image)
        if _is_deep(image) or ";16" in str([tile[3] for tile in image.tile]):
            facts.append("deep")
        if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a photograph with a preview inside
            facts.append("frames")
        turned_by_decoder = isinstance(image, TiffImageFile) and image.tag_v2.get(ORIENTATION_TAG, 1) in _TURNS
        # A JPEG can be decoded at 1/2, 1/4 or 1/8: several times quicker, and still twice what the resize needs.
        side = 2 * max(plan.height, plan.width)
        if max(image.size) > side:
            image.draft(None, (side, side))
        image.load()
        orientation = image.getexif().get(ORIENTATION_TAG, 1) if image.info.keys() & _EXIF_KEYS else 1
        if turned_by_decoder or orientation in _TURNS:
            facts.append("turned")
        return image, orientation


def _check_mode(image: Image.Image) -> None:
    if image.mode == "I" and image.format not in {"PPM", "PNG"}:  # these two hold 16 bits in it; a TIFF holds 32
        raise BadImageError("32-bit whole numbers as pixels, which have no agreed range")
    if image.mode not in GREY_MODES | COLOUR_MODES:
        raise BadImageError(f"unsupported pixel type (Pillow's mode {image.mode})")


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I")


def _is_grey(image: Image.Image) -> bool:
    """Grey by its type, or by a palette that holds greys only."""
    if image.mode == "P":
        palette = image.getpalette() or []
        return palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in GREY_MODES


def _bits_needed(image: Image.Image) -> int:
    """Bits of the brightest pixel, 8 to 16: many cameras and scanners put 10 or 12 bits into 16."""
    return max(8, int(np.asarray(image).max()).bit_length())


def _from_deep(image: Image.Image, bits: int, facts: list[str]) -> Image.Image:
    """16-bit grey to 8 bits, so that 2^bits − 1 becomes 255; brighter pixels are cut, and that is a fact of its own."""
    values = np.asarray(image).astype(np.int64)
    brightest = 2**bits - 1
    if values.max() > brightest:
        facts.append("too-bright")
    eight = (values.clip(0, brightest) * 255 + brightest // 2) // brightest
    return Image.fromarray(eight.astype(np.uint8))


def _flatten(image: Image.Image, facts: list[str]) -> Image.Image:
    """Grey or RGB without transparency: see-through pixels are laid on white."""
    if image.mode in {"CMYK", "YCbCr"}:
        facts.append("other-colours")
    if image.mode not in ALPHA_MODES and "transparency" not in image.info:
        return image if image.mode in {"L", "RGB"} else image.convert("L" if image.mode == "1" else "RGB")
    image = image.convert("RGBA")
    if image.getchannel("A").getextrema()[0] != 255:
        facts.append("alpha")
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        image = white
    return image.convert("RGB")


def _fit(image: Image.Image, plan: Plan, facts: list[str]) -> Image.Image:
    """Resize, antialiased, keeping the aspect ratio: what is over is cropped, or what is missing is filled."""
    size = (plan.width, plan.height)
    if image.size == size:
        return image
    facts.append("resized")
    if plan.aspect == "crop":
        return ImageOps.fit(image, size, Image.Resampling.BILINEAR)
    inner = ImageOps.contain(image, size, Image.Resampling.BILINEAR)
    if inner.size == size:
        return inner
    facts.append("padded")
    canvas = Image.new(image.mode, size, _border_colour(inner))
    canvas.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return canvas


def _border_colour(image: Image.Image) -> int | tuple[int, ...]:
    """The median colour of the outermost pixels: white round a scan, dark round a night scene."""
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    median = np.median(border, axis=0).astype(int)
    return int(median) if median.ndim == 0 else tuple(median.tolist())


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a known format"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not a file"
    if isinstance(error, PermissionError):
        return "may not be read (permission)"
    if isinstance(error, Image.DecompressionBombError):
        return "too many pixels"
    text = str(error).strip() or type(error).__name__
    if "truncated" in text.lower():
        return "truncated"
    return f"damaged ({text})"


FACTS: dict[str, tuple[Literal["note", "warning"], str, str]] = {
    # fact: (level, what was done, why it matters)
    "turned": ("note", "were turned the way their EXIF orientation says", ""),
    "alpha": ("note", "have transparent pixels, which were laid on white", ""),
    "deep": ("note", "have 16 bits a channel and were reduced to 8", "Small differences in brightness are lost."),
    "too-bright": (
        "warning",
        "are brighter than the images that the scale was made from; their brightest pixels were cut",
        "What differs only above the cut looks the same.",
    ),
    "frames": ("warning", "hold several frames or pages; only the first is used", "The other frames are left out."),
    "other-colours": ("note", "are CMYK or YCbCr and were converted to RGB", ""),
    "grey-to-colour": ("note", "are grey among colour images; their grey is used for all three channels", ""),
    "colour-to-grey": ("warning", "have colours and were made grey", "What differs only in colour looks the same."),
    "resized": ("note", "were resized", ""),
    "padded": ("note", "have another aspect ratio and were filled up with the colour of their border", ""),
}
