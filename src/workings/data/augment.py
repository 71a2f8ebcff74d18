"""Augmentation: every training batch sees its images a little changed, the label kept.

An augmentation is a callable on one normalised batch, (B, C, H, W) in and out, made by :func:`make_augment`.
Each policy draws its numbers for the whole batch at once and touches every pixel once or twice. On one core that is
three to five times faster than a chain of library modules, where each module reads and writes the whole batch; only
``trivial`` calls kornia's modules, because its fourteen operations have no cheap joint form.

What is unusual here:

* All randomness comes from torch's global generator, on the CPU, with a number of draws that depends on the batch
  size alone. Its state is in the checkpoint, so a resumed run draws the same numbers.
* What moves in at a border is the picture mirrored (photographs) or its edge drawn out (digits, scans), never black:
  a black border is a feature that a net can learn.
* Turning, scaling, shifting and mirroring are one resampling, not four: each resampling blurs.

Letters in names: B batch, C channels, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from workings.base.errors import UserError
from workings.base.problems import unknown_name

if TYPE_CHECKING:
    from workings.data.images.sources import ImageSource

POLICIES: dict[str, str] = {
    "none": "images as they are",
    "light": "shifted by up to 1/8, turned by up to 10°, scaled by up to 10 %; never mirrored",
    "flip": "shifted by up to 1/8 in whole pixels; half of them mirrored left to right",
    "strong": "mirrored, shifted, turned by up to 15°, scaled by up to 20 %, colours shifted, half with a patch erased",
    "trivial": "TrivialAugment as in kornia: one operation at a random strength a batch; colour images only",
    "auto": "chosen from the data: 'flip' where a mirrored image keeps its class, otherwise 'light'",
}

REACH = 1 / 8  # of the height and width
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601, the same as Pillow's conversion to grey


def make_augment(
    policy: str, shape: tuple[int, ...], *, source: ImageSource | None = None
) -> Callable[[Tensor], Tensor] | None:
    """The augmentation called ``policy`` for images of ``shape`` (C, H, W); None where nothing is to be done.

    ``source``: the training rows. ``auto`` looks at them (:func:`choose_policy`); ``strong`` and ``trivial`` need
    their mean and standard deviation to stay inside the range of real pixels.

    Raises:
        UserError: no policy of that name; a shape that is not an image; ``trivial`` on other than three channels.
    """
    if policy not in POLICIES:
        raise UserError(unknown_name("augmentation", policy, list(POLICIES)))
    if policy == "auto":
        policy = choose_policy(shape, source)[0]
    if policy == "none":
        return None
    if len(shape) != 3:
        raise _refuse(policy, f"samples of shape {shape}", "images of shape (channels, height, width)")
    if policy == "trivial" and shape[0] != 3:
        raise _refuse(policy, f"images with {shape[0]} channel(s)", "images with 3 channels")
    if policy == "light":
        return Light(shape)
    if policy == "flip":
        return Flip(shape)
    if source is None:
        raise ValueError(f"the policy '{policy}' needs source=, for the mean and deviation of its pixels")
    return (Strong if policy == "strong" else Trivial)(shape, source.mean_C, source.std_C)


def choose_policy(shape: tuple[int, ...], source: ImageSource | None = None) -> tuple[str, str]:
    """The policy that suits the data, and the reason: what ``auto`` means.

    With ``source``, mirroring is allowed only where the nearest neighbours of mirrored images still have the right
    class (:mod:`workings.data.images.mirror`). Without it, or where that test says nothing, three channels are taken
    for photographs (mirrored) and one channel for digits, letters and scans (not mirrored).
    """
    if len(shape) != 3:
        return "none", "the samples are not images"
    if min(shape[1:]) < 4:
        return "none", f"images of {shape[1]}×{shape[2]} pixels are too small to shift"
    if source is not None and source.y.is_floating_point():
        return "none", "the target is a number, which may depend on position, size and direction"
    if source is not None:
        from workings.data.images.mirror import mirror_evidence

        evidence = mirror_evidence(source)
        if evidence is not None:
            return ("flip" if evidence.keeps_class else "light"), evidence.reason
    if shape[0] == 3:
        return "flip", "three channels: taken for photographs, which may be mirrored"
    return "light", "not three channels: taken for digits, letters or scans, which must not be mirrored"


def _refuse(policy: str, got: str, wanted: str) -> UserError:
    from workings.base.errors import refuse

    return refuse(
        "augmentation-shape",
        f"The augmentation '{policy}' does not work on {got}.",
        why=f"It works on {wanted}.",
        do="Choose 'none', or for images 'light' or 'flip'.",
    )


@dataclass(frozen=True)
class Flip:
    """Policy ``flip``: shift by whole pixels and mirror, as one gather; no pixel is interpolated."""

    shape: tuple[int, ...]

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        B, C, H, W = x_BCHW.shape
        down, right = _reach(H), _reach(W)
        shift_down_B = torch.randint(0, 2 * down + 1, (B,))
        shift_right_B = torch.randint(0, 2 * right + 1, (B,))
        mirrored_B = torch.rand(B) < 0.5
        column_W = torch.arange(W)
        column_BW = torch.where(mirrored_B[:, None], W - 1 - column_W, column_W) + shift_right_B[:, None]
        row_BH = torch.arange(H) + shift_down_B[:, None]
        index_BHW = row_BH[:, :, None] * (W + 2 * right) + column_BW[:, None, :]
        index = index_BHW.view(B, 1, H * W).expand(B, C, H * W).to(x_BCHW.device)
        padded = F.pad(x_BCHW, (right, right, down, down), mode="reflect").flatten(2)
        return _like(padded.gather(2, index).view(B, C, H, W), x_BCHW)


@dataclass(frozen=True)
class Light:
    """Policy ``light``: one resampling that turns, scales and shifts each image by its own amounts."""

    shape: tuple[int, ...]

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        B = len(x_BCHW)
        angle_B = _uniform(B, -10, 10)
        scale_B = _uniform(B, 0.9, 1.1)
        shift_B2 = torch.stack([_uniform(B, -REACH, REACH), _uniform(B, -REACH, REACH)], 1)
        # A digit or a scan has an even margin, which is drawn out; mirrored, a stroke near the edge would come twice.
        return warp(x_BCHW, angle_B, scale_B, shift_B2, torch.ones(B), "border")


@dataclass(frozen=True)
class Strong:
    """Policy ``strong``: one resampling, one linear map of the colours, one erased rectangle."""

    shape: tuple[int, ...]
    mean_C: Tensor
    std_C: Tensor

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        B, _, H, W = x_BCHW.shape
        angle_B = _uniform(B, -15, 15)
        scale_B = _uniform(B, 0.8, 1.2)
        shift_B2 = torch.stack([_uniform(B, -REACH, REACH), _uniform(B, -REACH, REACH)], 1)
        mirror_B = torch.where(torch.rand(B) < 0.5, -1.0, 1.0)
        changed = warp(x_BCHW, angle_B, scale_B, shift_B2, mirror_B)
        brightness_B, contrast_B, saturation_B = (_uniform(B, 0.7, 1.3) for _ in range(3))
        changed = recolour(changed, brightness_B, contrast_B, saturation_B, self.mean_C, self.std_C)
        # Half of the images lose 2-20 % of their area; the hole holds 0, the mean colour of the training rows.
        area_B = _uniform(B, 0.02, 0.2) * (torch.rand(B) < 0.5)
        ratio_B = torch.exp(_uniform(B, -math.log(2), math.log(2)))
        high_B, wide_B = (area_B * ratio_B).sqrt() * H, (area_B / ratio_B).sqrt() * W
        top_B, left_B = torch.rand(B) * (H - high_B), torch.rand(B) * (W - wide_B)
        in_row_BH = _between(torch.arange(H) + 0.5, top_B, high_B)
        in_column_BW = _between(torch.arange(W) + 0.5, left_B, wide_B)
        # In place, here and in recolour: fresh memory of a megabyte costs more in page faults than the sums do.
        kept_B1HW = ~(in_row_BH[:, :, None] & in_column_BW[:, None, :])[:, None].to(x_BCHW.device)
        return _like(changed.mul_(kept_B1HW), x_BCHW)


class Trivial:
    """Policy ``trivial``: kornia's TrivialAugment (Müller and Hutter 2021) on pixels brought back to 0…1."""

    def __init__(self, shape: tuple[int, ...], mean_C: Tensor, std_C: Tensor) -> None:
        from kornia.augmentation.auto import TrivialAugment  # a third of a second to import, so only when used

        self.shape = shape
        self.mean_C11 = mean_C[:, None, None]
        self.std_C11 = std_C[:, None, None]
        self.operations = TrivialAugment()

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        mean, std = self.mean_C11.to(x_BCHW.device), self.std_C11.to(x_BCHW.device)
        pixels_BCHW = (x_BCHW.float() * std + mean).clamp(0, 1)
        changed = self.operations(pixels_BCHW)
        assert isinstance(changed, Tensor)
        return _like((changed - mean) / std, x_BCHW)


def warp(
    x_BCHW: Tensor, angle_B: Tensor, scale_B: Tensor, shift_B2: Tensor, mirror_B: Tensor, border: str = "reflection"
) -> Tensor:
    """Turn each image about its centre by ``angle_B`` degrees (counter-clockwise), scale, shift and mirror it.

    ``shift_B2``: (right, down) as a share of (W, H). ``mirror_B``: −1 mirrors left to right, 1 does not.
    Bilinear; beyond the edge the picture goes on as ``border`` says: ``reflection``, or ``border`` for the edge
    pixel drawn out. For an output pixel p, measured from the centre in pixels, the input is read at
    M R(angle) (p − shift) / scale, with M = diag(mirror, 1).
    """
    B, _, H, W = x_BCHW.shape
    cos_B, sin_B = torch.cos(torch.deg2rad(angle_B)) / scale_B, torch.sin(torch.deg2rad(angle_B)) / scale_B
    # Pixel centres; grid_sample counts from −1 to 1 over the whole width, so pixels are scaled by 2/W and 2/H.
    x_BW = (torch.arange(W) + 0.5 - W / 2) - shift_B2[:, :1] * W
    y_BH = (torch.arange(H) + 0.5 - H / 2) - shift_B2[:, 1:] * H
    # Outer sums written straight into the grid: torch's affine_grid takes ten times as long on a CPU.
    grid_BHW2 = torch.empty(B, H, W, 2)
    across_B, down_B = mirror_B * (2 / W), torch.full((B,), 2 / H)
    for axis, along_x_B, along_y_B in ((0, across_B * cos_B, -across_B * sin_B), (1, down_B * sin_B, down_B * cos_B)):
        from_x_B1W = (along_x_B[:, None] * x_BW)[:, None, :]
        from_y_BH1 = (along_y_B[:, None] * y_BH)[:, :, None]
        torch.add(from_x_B1W, from_y_BH1, out=grid_BHW2[..., axis])
    grid = grid_BHW2.to(x_BCHW.device)
    warped = F.grid_sample(x_BCHW.float(), grid, padding_mode=border, align_corners=False)
    return _like(warped, x_BCHW)


def recolour(
    x_BCHW: Tensor, brightness_B: Tensor, contrast_B: Tensor, saturation_B: Tensor, mean_C: Tensor, std_C: Tensor
) -> Tensor:
    """Change brightness b, contrast c and saturation s of normalised images as one linear map of the colours.

    In pixels r of 0…1 with grey value g·r and the image's mean grey m of b r:
    r ← b r; r ← c r + (1 − c) m; r ← s r + (1 − s) g·r, and at the end r is cut to 0…1.
    Saturation leaves greys alone, so all three are r ← c b S r + (1 − c) m with S = s I + (1 − s) 1 gᵀ.
    """
    C = x_BCHW.shape[1]
    device = x_BCHW.device
    mean, std = mean_C.to(device), std_C.to(device)
    b, c, s = (value.to(device)[:, None] for value in (brightness_B, contrast_B, saturation_B))
    grey_C = torch.tensor(GREY_WEIGHTS if C == 3 else [1 / C] * C, device=device)
    x_BCN = x_BCHW.float().flatten(2)
    m_B1 = b * ((x_BCN.mean(2) * std + mean) @ grey_C)[:, None]
    S_BCC = s[:, :, None] * torch.eye(C, device=device) + (1 - s)[:, :, None] * grey_C.expand(C, C)
    A_BCC = (c * b)[:, :, None] * S_BCC
    # The same map for x = (r − mean) / std.
    linear_BCC = A_BCC * std / std[:, None]
    constant_BC = (A_BCC @ mean + (1 - c) * m_B1 - mean) / std
    recoloured = torch.baddbmm(constant_BC[:, :, None], linear_BCC, x_BCN).view_as(x_BCHW)
    lowest, highest = (-mean / std)[:, None, None], ((1 - mean) / std)[:, None, None]
    torch.maximum(recoloured, lowest, out=recoloured)  # clamp with bounds a channel is three times slower
    return _like(torch.minimum(recoloured, highest, out=recoloured), x_BCHW)


def preview(
    source: ImageSource, augment: Callable[[Tensor], Tensor] | None, path: Path, *, columns: int = 10, rows: int = 3
) -> None:
    """Write a PNG for looking at: originals in the top row, ``rows`` augmented versions of each below it.

    The global generator is left as it was, so that looking changes no run.
    """
    from workings.data.images.picture import write_grid

    index = _one_of_each_class(source.y, columns)
    x_BCHW = source.x(index)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shown = [x_BCHW] + [augment(x_BCHW) if augment else x_BCHW for _ in range(rows)]
    write_grid([source.to_pixels(x) for x in shown], path)


def _one_of_each_class(y: Tensor, columns: int) -> Tensor:
    """Positions of ``columns`` samples, the classes taken in turn; spread evenly for a number as target."""
    if len(y) <= columns:
        return torch.arange(len(y))
    if y.is_floating_point():
        return torch.linspace(0, len(y) - 1, columns).long()
    by_class = [torch.nonzero(y == k).flatten() for k in torch.unique(y).tolist()]
    turns = [int(members[turn]) for turn in range(columns) for members in by_class if turn < len(members)]
    return torch.tensor(turns[:columns])


def _uniform(n: int, low: float, high: float) -> Tensor:
    return torch.rand(n) * (high - low) + low


def _between(position: Tensor, start_B: Tensor, length_B: Tensor) -> Tensor:
    return (position >= start_B[:, None]) & (position < (start_B + length_B)[:, None])


def _reach(side: int) -> int:
    """Whole pixels that an image of ``side`` pixels may be shifted: at least one, where there is room."""
    return min(max(1, round(side * REACH)), side - 1)


def _like(result: Tensor, x_BCHW: Tensor) -> Tensor:
    """``result`` in the number type and memory order of ``x_BCHW``."""
    plain = x_BCHW.is_contiguous() or x_BCHW.dim() != 4
    return result.to(x_BCHW.dtype).contiguous(memory_format=torch.contiguous_format if plain else torch.channels_last)
