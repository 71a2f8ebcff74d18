"""A convolutional net for spectra over time: filters slide over frames and bands, and the frames are pooled.

With x (T, F) the frames, taken for a picture of one channel, and m_t = 1 where a frame is real, 0 beyond:

    z_o(t, j) = Σ_c Σ_u Σ_v w_oc(u, v) a_c(t + u − P, j + v − P)       convolution, P zeros round the input
    n_o(t, j) = (z_o(t, j) − μ_o) / √(σ²_o + ε) · γ_o + β_o            batch norm, over real frames only
    a_o(t, j) = m_t max(0, n_o(t, j))
    p_o(t, j) = max a_o over 2 frames × 2 bands                        pooling, stride 2
    y         = W [max_t p(t); mean_t p(t)] + b                        over the real frames

In training, runs of bands and of frames may be hidden (``hide``). Ioffe and Szegedy 2015; for speech Abdel-Hamid et al.
2014.

Legend: B batch, T frames, F bands, C channels, K outputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workings.base.form import Form
from workings.nets.layers import Dropout
from workings.nets.registry import register
from workings.nets.sequences import max_over_steps, mean_over_steps
from workings.nets.settings import Setting


class FrameNorm(nn.BatchNorm2d):
    """Batch norm of z (B, C, T, F) whose mean and variance are those of the real frames, m (B, 1, T, 1); 0 elsewhere.

        μ = Σ m z / N      σ² = Σ m z² / N − μ²      N = F Σ m

    Where every frame is real it is torch's own. As there, the running variance is the unbiased one.
    """

    def forward(self, input: Tensor, m_B1T1: Tensor | None = None) -> Tensor:
        if m_B1T1 is None:
            return super().forward(input)
        mean_C, var_C = self.running_mean, self.running_var
        assert mean_C is not None
        assert var_C is not None
        m_B1T1 = m_B1T1.to(mean_C.dtype)
        mz_BCTF = input.to(mean_C.dtype) * m_B1T1  # of bfloat16 a sum over a batch would be too coarse
        if self.training:
            N = m_B1T1.sum() * mz_BCTF.shape[3]
            running_mean, running_var = mean_C, var_C
            mean_C = mz_BCTF.sum((0, 2, 3)) / N
            var_C = ((mz_BCTF * mz_BCTF).sum((0, 2, 3)) / N - mean_C**2).clamp(min=0)
            with torch.no_grad():
                assert self.num_batches_tracked is not None
                assert self.momentum is not None
                self.num_batches_tracked.add_(1)
                running_mean.lerp_(mean_C, self.momentum)
                running_var.lerp_(var_C * (N / (N - 1).clamp(min=1)), self.momentum)
        scale_C11 = (self.weight * torch.rsqrt(var_C + self.eps))[:, None, None]
        shift_BCT1 = (self.bias[:, None, None] - mean_C[:, None, None] * scale_C11) * m_B1T1
        # torch lays the result out as the first of the three.
        return torch.addcmul(shift_BCT1.contiguous(memory_format=torch.channels_last), mz_BCTF, scale_C11)


class SpectralBlock(nn.Module):
    """a (B, C, T, F) and real (B, T) → a (B, C', T/2, ⌊F/2⌋) and real (B, T/2); T is even.

    Where fewer than four bands are left, nothing is pooled. The maximum of rising values is the value of the maximum,
    so pooling comes first and ReLU works on a quarter of the maps; the 0 of a frame that is not there changes neither.
    """

    def __init__(self, channels: int, width: int, side: int, bands: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, side, padding=side // 2, bias=False)
        self.norm = FrameNorm(width)
        self.step = 2 if bands >= 4 else 1
        self.pool = nn.MaxPool2d(self.step)
        self.bands = bands // self.step

    def forward(self, a_BCTF: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        # With channels innermost a pooling takes a seventh of the time.
        z_BCTF = self.conv(a_BCTF).contiguous(memory_format=torch.channels_last)
        n_BCTF = self.norm(z_BCTF, real[:, None, :, None].to(z_BCTF.dtype))
        return torch.relu(self.pool(n_BCTF)), real[:, :: self.step]


@register(
    "spectral-cnn",
    "convolutions over the frames and bands of sound, pooled over time",
    shapes="frames",
    family="convolutional",
)
class SpectralCNN(nn.Module):
    """Blocks of convolution, norm, ReLU and pooling; then the largest and the mean over time, and a dense layer."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        widths: Annotated[Sequence[int], Setting("filters of each convolution", low=1)] = (16, 32, 64),
        reach: Annotated[int, Setting("places that a filter sees on each side: 1 for 3 × 3", low=0, high=7)] = 1,
        mask: Annotated[
            float, Setting("the most of the bands, and of the frames, hidden in one go in training", low=0, high=0.9)
        ] = 0.0,
        dropout: Annotated[float, Setting("part set to 0 in training, before the output", low=0, high=0.95)] = 0.3,
    ) -> None:
        super().__init__()
        self.form = form
        self.mask = mask
        bands, channels = shape[-1], 1
        blocks: list[SpectralBlock] = []
        for width in widths:
            blocks.append(SpectralBlock(channels, width, 2 * reach + 1, bands))
            bands, channels = blocks[-1].bands, width
        self.blocks = nn.ModuleList(blocks)
        self.frames = math.prod(block.step for block in blocks)  # that become one
        self.dropout = Dropout(dropout) if dropout else None
        self.output = nn.Linear(2 * channels * bands, outputs)

    def forward(self, x: Tensor) -> Tensor:
        real = ~torch.isnan(x[..., 0])
        x = torch.where(real[..., None], x, torch.zeros((), dtype=x.dtype, device=x.device))
        if self.training and self.mask:
            x = hide(x, real, self.mask)
        rest = -x.shape[1] % self.frames
        a, real = F.pad(x, (0, 0, 0, rest))[:, None], F.pad(real, (0, rest))
        for block in self.blocks:
            a, real = block(a, real)
        p_BTD = a.transpose(1, 2).flatten(2)
        p_BD = torch.cat((max_over_steps(p_BTD, real), mean_over_steps(p_BTD, real)), 1)
        return self.output(p_BD if self.dropout is None else self.dropout(p_BD))


def hide(x_BTF: Tensor, real: Tensor, most: float) -> Tensor:
    """Set two runs of bands and one run of frames of each recording to 0, the mean of a standardised band.

    Each run is as long as a uniform draw up to ``most`` of the bands, or of the recording's own frames, and begins
    anywhere (SpecAugment, Park et al. 2019). Drawn from torch's global generator, so many numbers a recording.
    """
    B, T, bands = x_BTF.shape
    draws = torch.rand(6, B, 1, device=x_BTF.device, dtype=x_BTF.dtype)
    band_F, frame_T = (torch.arange(size, device=x_BTF.device) for size in (bands, T))
    hidden_BF = _run(band_F, bands, most, draws[0], draws[1]) | _run(band_F, bands, most, draws[2], draws[3])
    hidden_BT = _run(frame_T, real.sum(1, keepdim=True), most, draws[4], draws[5])
    return x_BTF.masked_fill(hidden_BF[:, None, :] | hidden_BT[:, :, None], 0.0)


def _run(places: Tensor, length: Tensor | int, most: float, wide_B1: Tensor, start_B1: Tensor) -> Tensor:
    """(B, places): which lie in a run of width wide·most·length that begins at start·(length − width)."""
    width_B1 = wide_B1 * most * length
    begin_B1 = start_B1 * (length - width_B1)
    return (places >= begin_B1) & (places < begin_B1 + width_B1)
