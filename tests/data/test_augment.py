"""Augmentation changes the picture and keeps everything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from torch import Tensor

from workings.base.errors import UserError
from workings.data.augment import POLICIES, choose_policy, make_augment, preview, recolour, warp
from workings.data.images import open_images
from workings.data.images.sources import ImageSource

ACTIVE = ("light", "flip", "strong", "trivial")


def image_source(X: np.ndarray, y: np.ndarray) -> ImageSource:
    """All rows of ``X`` as a source, prepared on themselves."""
    dataset = open_images((X, y))
    rows = np.arange(dataset.n)
    return dataset.source(dataset.fit(rows), rows)


@pytest.fixture(scope="module")
def photographs() -> ImageSource:
    """Forty small colour images in two classes."""
    rng = np.random.default_rng(3)
    return image_source(rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8), np.arange(40) % 2)


def letters(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Noisy grey pictures of b and d: each other's mirror image."""
    rng = np.random.default_rng(5)
    b = np.zeros((12, 12))
    b[1:11, 3:5] = 200
    b[6:11, 3:9] = 200
    b[8:9, 5:7] = 0
    y = np.arange(n) % 2
    X = np.where((y == 0)[:, None, None], b, b[:, ::-1]) + rng.integers(0, 50, (n, 12, 12))
    return X.astype(np.uint8), np.array(["b", "d"])[y]


def each(policy: str, source: ImageSource) -> Callable[[Tensor], Tensor]:
    augment = make_augment(policy, source.shape, source=source)
    assert augment is not None
    return augment


@pytest.mark.parametrize("policy", ACTIVE)
def test_shape_and_type_stay_and_nothing_becomes_nan(policy: str, photographs: ImageSource) -> None:
    """Shape, number type and memory order are kept, in plain and in channels-last order."""
    x = photographs.x(torch.arange(20))
    augment = each(policy, photographs)
    for given_x in (x, x.to(memory_format=torch.channels_last), x.to(torch.bfloat16)):
        before = given_x.clone()
        out = augment(given_x)
        assert (out.shape, out.dtype, out.stride()) == (given_x.shape, given_x.dtype, given_x.stride())
        assert torch.isfinite(out).all()
        assert torch.equal(given_x, before), "the batch that came in was written over"


@pytest.mark.parametrize("policy", ACTIVE)
def test_same_seed_same_pictures(policy: str, photographs: ImageSource) -> None:
    """The result depends on torch's global generator alone, in either memory order; the next batch differs."""
    x = photographs.x(torch.arange(40))
    augment = each(policy, photographs)
    torch.manual_seed(4)
    first, second = augment(x), augment(x)
    torch.manual_seed(4)
    np.random.seed(9)
    torch.testing.assert_close(augment(x.to(memory_format=torch.channels_last)), first, rtol=0, atol=1e-5)
    torch.manual_seed(4)
    assert torch.equal(augment(x), first)
    assert torch.equal(augment(x), second)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("policy", ["light", "flip", "strong"])
def test_the_draws_depend_on_the_batch_size_alone(policy: str, photographs: ImageSource) -> None:
    """After a batch the generator is in the same state whatever the pictures were."""
    augment = each(policy, photographs)
    states = []
    for x in (torch.zeros(8, 3, 16, 16), torch.randn(8, 3, 16, 16)):
        torch.manual_seed(1)
        augment(x)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


@given(B=st.integers(1, 5), C=st.sampled_from([1, 2, 3, 5]), H=st.integers(1, 20), W=st.integers(1, 20))
def test_any_size_is_taken(B: int, C: int, H: int, W: int) -> None:
    """One pixel, one row, odd numbers of channels: no shape of image fails."""
    x = torch.randn(B, C, H, W)
    for policy in ("light", "flip"):
        augment = make_augment(policy, (C, H, W))
        assert augment is not None
        assert augment(x).shape == x.shape


def test_flip_moves_pixels_and_makes_none() -> None:
    """Every row of the result is a piece of a row of the mirrored-border picture, forwards or backwards."""
    x = torch.arange(16.0).view(1, 1, 1, 16).expand(64, 1, 16, 16).contiguous()
    augment = make_augment("flip", (1, 16, 16))
    assert augment is not None
    out = augment(x)[:, 0]
    assert torch.equal(out, out[:, :1].expand_as(out)), "a horizontal ramp has equal rows wherever it is shifted"
    shifts = set()
    for row in out[:, 0]:
        inner = row.diff()[3:-3]
        assert inner.abs().eq(1).all()
        assert inner.eq(inner[0]).all()
        shifts.add((int(inner[0]), int(row[8])))
    assert {sign for sign, _ in shifts} == {-1, 1}
    assert len(shifts) == 10, "five shifts in both directions"


def test_warp_matches_kornia() -> None:
    """Turning, scaling, shifting and mirroring equal kornia's warp of the same matrices, inside the picture."""
    B, H, W = 6, 21, 30
    x = torch.nn.functional.interpolate(torch.rand(B, 2, 5, 6), (H, W), mode="bicubic")
    angle, scale = torch.linspace(-40, 40, B), torch.linspace(0.8, 1.3, B)
    shift = torch.rand(B, 2) * 0.2 - 0.1
    mirror = torch.tensor([1.0, -1.0]).repeat(B // 2)
    centre = torch.tensor([(W - 1) / 2, (H - 1) / 2]).expand(B, 2)
    matrix = kornia.geometry.get_affine_matrix2d(torch.zeros(B, 2), centre, scale[:, None].expand(B, 2), -angle)
    matrix[:, :2, 2] += shift * torch.tensor([W, H])
    mirrored = torch.where(mirror[:, None, None, None] < 0, x.flip(3), x)
    wanted = kornia.geometry.warp_affine(mirrored, matrix[:, :2], (H, W), padding_mode="reflection", align_corners=True)
    got = warp(x, angle, scale, shift, mirror)
    inside = kornia.geometry.warp_affine(torch.ones_like(x), matrix[:, :2], (H, W), align_corners=True) > 0.999
    torch.testing.assert_close(got[inside], wanted[inside], rtol=1e-4, atol=1e-4)


def test_warp_by_nothing_is_the_picture() -> None:
    """No turn, no scale, no shift, no mirroring give the batch back."""
    x = torch.randn(4, 3, 9, 14)
    torch.testing.assert_close(warp(x, torch.zeros(4), torch.ones(4), torch.zeros(4, 2), torch.ones(4)), x)


def test_recolour_matches_pillow() -> None:
    """Brightness, then contrast, then saturation, as Pillow's enhancers do them, to its rounding."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(70, 150, (5, 8, 8, 3), dtype=np.uint8)  # far from the ends: Pillow cuts between the steps
    mean, std = torch.tensor([0.4, 0.5, 0.3]), torch.tensor([0.2, 0.3, 0.25])
    x = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - mean[:, None, None]) / std[:, None, None]
    b, c, s = torch.tensor([[1.0, 1.2, 0.8, 1.0, 1.1], [1.0, 0.9, 1.2, 0.7, 1.1], [1.0, 1.3, 0.7, 1.0, 0.0]])
    got = recolour(x, b, c, s, mean, std) * std[:, None, None] + mean[:, None, None]
    for k in range(5):
        image = Image.fromarray(pixels[k])
        for enhancer, value in ((ImageEnhance.Brightness, b), (ImageEnhance.Contrast, c), (ImageEnhance.Color, s)):
            image = enhancer(image).enhance(float(value[k]))
        assert np.abs(got[k].permute(1, 2, 0).numpy() * 255 - np.asarray(image)).max() < 3


def test_recolour_stays_between_black_and_white() -> None:
    """However strong, no pixel leaves the range that a picture can have."""
    mean, std = torch.tensor([0.4, 0.5, 0.3]), torch.tensor([0.2, 0.3, 0.25])
    x = (torch.rand(9, 3, 5, 5) - mean[:, None, None]) / std[:, None, None]
    r = recolour(x, *torch.linspace(0, 4, 9).expand(3, 9), mean, std) * std[:, None, None] + mean[:, None, None]
    assert r.min() >= -1e-6
    assert r.max() <= 1 + 1e-6


def test_strong_erases_about_half_of_the_images(photographs: ImageSource) -> None:
    """Holes hold 0, the mean colour; about half of the images have one, none loses more than a third."""
    x = torch.full((400, 3, 16, 16), 0.5)
    holes = (each("strong", photographs)(x) == 0).all(dim=1).flatten(1).float().mean(1)
    assert 0.4 < (holes > 0).float().mean() < 0.6
    assert holes.max() < 0.33


def test_auto_mirrors_only_what_may_be_mirrored(photographs: ImageSource) -> None:
    """b and d are not mirrored, even in colour; a class that looks the same mirrored is, even in grey."""
    X, y = letters()
    assert choose_policy((1, 12, 12), image_source(X, y))[0] == "light"
    coloured = image_source(X[..., None].repeat(3, axis=3), y)
    policy, reason = choose_policy(coloured.shape, coloured)
    assert policy == "light"
    assert "mirrored 0%" in reason
    tops = np.concatenate([X[:, :6] | 1, X[:, :6] * 0], axis=1)
    upright = np.where((np.arange(len(X)) % 2 == 0)[:, None, None], tops, tops[:, ::-1])
    either = np.where((np.arange(len(X)) % 3 == 0)[:, None, None], upright, upright[:, :, ::-1])
    source = image_source(np.ascontiguousarray(either), np.arange(len(X)) % 2)
    assert choose_policy(source.shape, source)[0] == "flip"


def test_auto_without_evidence_goes_by_channels(photographs: ImageSource) -> None:
    """Noise says nothing about mirroring: then colour is mirrored and grey is not, and the reason says so."""
    assert choose_policy((3, 16, 16), photographs)[0] == "flip"
    assert choose_policy((3, 16, 16))[0] == "flip"
    assert choose_policy((1, 28, 28))[0] == "light"
    assert choose_policy((1, 2, 2))[0] == "none"
    assert choose_policy((7,)) == ("none", "the samples are not images")


def test_a_number_as_target_is_not_augmented() -> None:
    """Angle, count or position may change with the picture, so nothing is chosen unasked."""
    X = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    source = image_source(X, np.linspace(0, 1, 60) ** 2)
    assert choose_policy(source.shape, source)[0] == "none"


def test_wrong_names_and_shapes_get_a_message() -> None:
    """A misspelt policy gets the nearest name; a table cannot be augmented; trivial needs colours."""
    with pytest.raises(UserError, match="Did you mean 'light'"):
        make_augment("ligth", (1, 8, 8))
    with pytest.raises(UserError, match="images of shape"):
        make_augment("flip", (12,))
    with pytest.raises(UserError, match="3 channels"):
        make_augment("trivial", (1, 8, 8))
    assert make_augment("none", (1, 8, 8)) is None
    assert make_augment("auto", (12,)) is None
    assert all(POLICIES.values())


def test_preview_shows_originals_and_leaves_the_generator_alone(photographs: ImageSource, tmp_path: Path) -> None:
    """The first row holds the pictures themselves, enlarged; looking draws no number of the run's."""
    state = torch.get_rng_state()
    preview(photographs, each("strong", photographs), tmp_path / "a.png", columns=6, rows=2)
    assert torch.equal(torch.get_rng_state(), state)
    with Image.open(tmp_path / "a.png") as image:
        grid = np.asarray(image)
    side = 64 + 4
    assert grid.shape == (3 * side, 6 * side - 4, 4)
    original = photographs.to_pixels(photographs.x(torch.tensor([0])))[0]
    assert np.array_equal(grid[:64:4, :64:4, :3], original.transpose(1, 2, 0))
    assert not np.array_equal(grid[side + 4 : side + 68 : 4, :64:4, :3], original.transpose(1, 2, 0))
    assert not grid[:, 64:68, 3].any(), "between the pictures the page is seen"
