"""Every kind of image file: decoded to the last byte, or refused with the reason."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from workings.data.images.decode import BadImageError, Plan, decode, read_header, strict_pillow

GREY = Plan(20, 30, 1)
COLOUR = Plan(20, 30, 3)


def picture(mode: str = "RGB", size: tuple[int, int] = (30, 20), seed: int = 0) -> Image.Image:
    """A smooth random picture of (width, height), so that lossy formats keep it."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC).convert(mode)


def as_bytes(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


LOSSLESS = [("PNG", {}), ("PPM", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})]
LOSSLESS += [("WEBP", {"lossless": True})]


@pytest.mark.parametrize(("format", "options"), LOSSLESS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_lossless_formats_give_the_pixels_back(format: str, options: dict[str, Any], mode: str) -> None:
    """What was written is what is read, in colour and in grey; nothing is told, for nothing was done."""
    image = picture(mode)
    plan = GREY if mode == "L" and format != "WEBP" else COLOUR
    pixels, facts = decode(as_bytes(image, format, **options), plan)
    assert np.array_equal(
        pixels.transpose(1, 2, 0).squeeze(), np.asarray(image.convert("L" if plan is GREY else "RGB"))
    )
    assert facts == ()
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_give_nearly_the_pixels_back(format: str) -> None:
    """JPEG, WebP and the 256 colours of GIF keep a smooth picture to a few steps."""
    image = picture()
    pixels, facts = decode(as_bytes(image, format), COLOUR)
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - np.asarray(image)).mean() < 12
    assert facts == ()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_truncated_files_are_refused(format: str, share: float) -> None:
    """A file cut off in the middle is never decoded to a half picture, even where Pillow was told to do so."""
    content = as_bytes(picture(size=(90, 60)), format)
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with strict_pillow(), pytest.raises(BadImageError):
            decode(content[: int(len(content) * share)], COLOUR)
        assert ImageFile.LOAD_TRUNCATED_IMAGES, "another library's setting was changed"
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


@given(
    format=st.sampled_from(["PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP"]),
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.floats(0.2, 1),
)
def test_damaged_files_give_a_picture_or_a_reason(format: str, damage: list[tuple[float, int]], cut: float) -> None:
    """Whatever bytes are changed or cut off, the outcome is pixels or BadImageError; no other exception escapes."""
    content = bytearray(as_bytes(picture("P" if format == "GIF" else "RGB"), format))
    for place, value in damage:
        content[int(place * len(content))] = value
    content = content[: int(len(content) * cut)]
    with strict_pillow(), contextlib.suppress(BadImageError):
        pixels, _ = decode(bytes(content), COLOUR)
        assert pixels.shape == (3, 20, 30)


def test_png_check_sums_are_read() -> None:
    """A bit that flipped in the compressed pixels is found, even where they can still be unpacked."""
    content = bytearray(as_bytes(picture(), "PNG"))
    content[content.index(b"IDAT") + 30] ^= 1
    with pytest.raises(BadImageError, match="damaged"):
        decode(bytes(content), COLOUR)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "zero bytes"),
        (b"hello, I am text", "not an image"),
        (b"\x89PNG\r\n\x1a\n", "damaged|truncated|not an image"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    """Empty files, text under an image's name and bare heads, when opened and when decoded."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(BadImageError, match=reason):
        read_header(path)
    with pytest.raises(BadImageError, match=reason):
        decode(content, GREY)
    with pytest.raises(BadImageError, match="no such file"):
        read_header(tmp_path / "b.png")


def test_transparency_is_laid_on_white_and_told() -> None:
    """See-through pixels become white in every way a file can hold them; an opaque alpha changes nothing."""
    rgba = np.asarray(picture("RGBA")).copy()
    opaque, facts = decode(as_bytes(Image.fromarray(rgba), "PNG"), COLOUR)
    assert facts == ()
    assert np.array_equal(opaque.transpose(1, 2, 0), rgba[..., :3])
    rgba[:10, :, 3] = 0
    clear, facts = decode(as_bytes(Image.fromarray(rgba), "PNG"), COLOUR)
    assert facts == ("alpha",)
    assert (clear[:, :10] == 255).all()
    assert np.array_equal(clear[:, 10:], opaque[:, 10:])
    grey = Image.merge("LA", [Image.fromarray(rgba[..., 0]), Image.fromarray(rgba[..., 3])])
    grey_pixels, facts = decode(as_bytes(grey, "PNG"), GREY)
    assert facts == ("alpha",)
    assert (grey_pixels[0, :10] == 255).all()
    assert np.array_equal(grey_pixels[0, 10:], rgba[10:, :, 0])
    invisible, facts = decode(as_bytes(picture("P"), "PNG", transparency=bytes(256)), COLOUR)
    assert facts == ("alpha",)
    assert (invisible == 255).all()


def test_palettes_give_their_colours(tmp_path: Path) -> None:
    """A palette image has the colours of its palette; one of greys only counts as grey."""
    image = picture().quantize(16)
    pixels, facts = decode(as_bytes(image, "PNG"), COLOUR)
    assert np.array_equal(pixels.transpose(1, 2, 0), np.asarray(image.convert("RGB")))
    assert facts == ()
    grey = Image.new("P", (30, 20))
    grey.putpalette([level for level in range(256) for _ in range(3)])
    for name, palette, colour in (("a.png", image, True), ("b.png", grey, False)):
        palette.save(tmp_path / name)
        assert read_header(tmp_path / name).colour is colour


def test_cmyk_becomes_rgb_and_is_told() -> None:
    """A JPEG from a print shop has four inks; it becomes RGB."""
    pixels, facts = decode(as_bytes(picture("CMYK"), "JPEG", quality=95), COLOUR)
    assert facts == ("other-colours",)
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - np.asarray(picture())).mean() < 12


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_become_eight_by_the_bits_in_use(tmp_path: Path, format: str) -> None:
    """12 bits in a 16-bit file use the whole range of 8 bits: 4095 becomes 255. Brighter pixels are cut and told."""
    values = np.linspace(0, 4095, 600).astype(np.uint16).reshape(20, 30)
    image = Image.fromarray(values)
    path = tmp_path / "a"
    image.save(path, format)
    header = read_header(path)
    # PPM files have a maximum of their own, which Pillow brings to 16 bits.
    assert (header.colour, header.bits) == (False, 12)
    pixels, facts = decode(path.read_bytes(), Plan(20, 30, 1, bits=12))
    assert facts == ("deep",)
    assert np.array_equal(pixels[0], np.round(values / 4095 * 255))
    pixels, facts = decode(path.read_bytes(), Plan(20, 30, 1, bits=10))
    assert facts == ("deep", "too-bright")
    assert pixels.max() == 255


@pytest.mark.parametrize("values", [np.zeros((20, 30), np.float32), np.zeros((20, 30), np.int32)])
def test_pixels_without_an_agreed_range_are_refused(tmp_path: Path, values: np.ndarray) -> None:
    """32-bit TIFFs could mean anything from 0…1 to degrees Celsius."""
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(BadImageError, match=r"32-bit|mode F"):
        read_header(tmp_path / "a.tif")


@pytest.mark.parametrize("format", ["GIF", "PNG", "TIFF", "WEBP"])
def test_of_several_frames_the_first_is_used_and_told(format: str) -> None:
    """Animations and many-page scans give their first picture; a GIF with one frame is an image like any other."""
    frames = [picture(seed=k) for k in range(3)]
    options = {"lossless": True} if format == "WEBP" else {}
    pixels, facts = decode(as_bytes(frames[0], format, save_all=True, append_images=frames[1:], **options), COLOUR)
    assert facts == ("frames",)
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - np.asarray(frames[0])).mean() < 12


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_is_applied_and_told(tmp_path: Path, format: str, orientation: int) -> None:
    """A camera held sideways gives an upright picture; the head already says the upright size where it can."""
    image = picture()
    turn = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turned = image if turn[orientation] is None else image.transpose(turn[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a"
    options: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    turned.save(path, format, exif=exif, **options.get(format, {}))
    pixels, facts = decode(path.read_bytes(), COLOUR)
    assert facts == (() if orientation == 1 else ("turned",))
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - np.asarray(image)).mean() < 6
    header = read_header(path)
    if format != "PNG":
        assert (header.width, header.height) == (30, 20)


def test_grey_and_colour_are_converted_and_told() -> None:
    """Grey in a colour dataset is repeated; colour in a grey one loses its colour; both are facts."""
    pixels, facts = decode(as_bytes(picture("L"), "PNG"), COLOUR)
    assert facts == ("grey-to-colour",)
    assert (pixels == pixels[:1]).all()
    pixels, facts = decode(as_bytes(picture(), "PNG"), GREY)
    assert facts == ("colour-to-grey",)
    assert np.array_equal(pixels[0], np.asarray(picture("L")))


def test_fitting_keeps_the_aspect_ratio() -> None:
    """A wide picture is filled up above and below with the colour of its border, or cropped at its sides."""
    image = Image.new("RGB", (80, 20), (10, 200, 30))
    image.paste((255, 0, 0), (38, 8, 42, 12))
    pixels, facts = decode(as_bytes(image, "PNG"), Plan(20, 20, 3, aspect="pad"))
    assert facts == ("resized", "padded")
    assert (pixels[:, 0, 0] == (10, 200, 30)).all()
    assert (pixels[:, -1, -1] == (10, 200, 30)).all()
    pixels, facts = decode(as_bytes(image, "PNG"), Plan(20, 20, 3, aspect="crop"))
    assert facts == ("resized",)
    assert tuple(pixels[:, 10, 10]) == (255, 0, 0)


def test_big_jpegs_are_resized_as_if_decoded_whole() -> None:
    """Decoding at an eighth of the size, which is quicker, gives the same small picture to a few steps."""
    image = picture(size=(1600, 1200))
    pixels, facts = decode(as_bytes(image, "JPEG", quality=95), Plan(48, 64, 3))
    assert facts == ("resized",)
    wanted = np.asarray(image.resize((64, 48), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(pixels.transpose(1, 2, 0) - wanted).mean() < 2
