"""The log-mel spectrum: what of a recording the net sees, written out from its equations.

With x the samples, W the window, H the hop, N the length of the transform, t a frame and k a frequency:

    w[n]   = ½ (1 − cos(2πn / W))                                   Hann's window, n = 0 … W − 1
    X_t[k] = Σₙ w[n] x[tH + n] e^(−2πikn / N)                       the spectrum of frame t, k = 0 … N/2
    S_t[k] = |X_t[k]|² / Σₙ w[n]²                                   its power: white noise of variance σ² has S = σ²
    mel(f) = 2595 log₁₀(1 + f / 700)                                pitch as it is heard (O'Shaughnessy 1987)
    A_j[k] = max(0, min((f_k − c_j₋₁) / (c_j − c_j₋₁), (c_j₊₁ − f_k) / (c_j₊₁ − c_j)))
    Y_t[j] = ln max(Σₖ A_j[k] S_t[k], ε)

f_k = k·rate/N; c₀ … c_F₊₁ are equally far apart in mel, from the lowest frequency to half the sampling rate. A
recording of L samples has T = 1 + ⌊(L − W) / H⌋ frames. (Davis and Mermelstein 1980, without their cosine transform.)

Legend: L samples, T frames, W window, K = N/2 + 1 frequencies, F mel bands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

FRAMES_AT_ONCE = 20_000  # a long recording is transformed in pieces, as its spectra take far more room than its bands


@dataclass(frozen=True)
class Mel:
    """How a recording becomes frames; written to ``prepare.json``.

    rate: samples a second. window, hop, transform: W, H and N, in samples. bands: F. lowest: hertz. floor: ε.
    """

    rate: int
    window: int
    hop: int
    transform: int
    bands: int
    lowest: float = 20.0
    floor: float = 1e-8

    @property
    def frames_per_second(self) -> float:
        """How many frames a second has."""
        return self.rate / self.hop

    def frames(self, samples: int) -> int:
        """T of a recording of so many samples; 0 where it is shorter than one window."""
        return 0 if samples < self.window else 1 + (samples - self.window) // self.hop

    def samples(self, frames: int) -> int:
        """The fewest samples that give so many frames."""
        return self.window + (frames - 1) * self.hop

    def band_hertz(self) -> list[float]:
        """The frequency in the middle of each band."""
        return _corners(self)[1:-1].tolist()


def usual_mel(rate: int) -> Mel:
    """Windows of 25 ms every 10 ms; 40 bands up to 5,000 Hz, 64 beyond. The transform is padded to tell low bands."""
    window = round(0.025 * rate)
    return Mel(
        rate=rate,
        window=window,
        hop=round(0.010 * rate),
        transform=2 ** math.ceil(math.log2(2 * window)),
        bands=40 if rate <= 10_000 else 64,
    )


def log_mel(x_L: Tensor, mel: Mel) -> Tensor:
    """Y (T, F) float32 of the samples x (L,), L ≥ W; see the module's text."""
    assert x_L.ndim == 1
    assert len(x_L) >= mel.window, "a recording shorter than one window has no frame"
    w_W, A_KF = hann(mel.window), filters(mel)
    frames_TW = x_L.float().unfold(0, mel.window, mel.hop)
    parts = []
    for piece_TW in frames_TW.split(FRAMES_AT_ONCE):
        X_TK = torch.fft.rfft(piece_TW * w_W, n=mel.transform)
        S_TK = (X_TK.real**2 + X_TK.imag**2) / (w_W**2).sum()
        parts.append(torch.log((S_TK @ A_KF).clamp(min=mel.floor)))
    return torch.cat(parts)


@lru_cache(maxsize=8)
def hann(window: int) -> Tensor:
    """w (W,)."""
    n_W = torch.arange(window, dtype=torch.float64)
    return (0.5 * (1 - torch.cos(2 * math.pi * n_W / window))).float()


@lru_cache(maxsize=8)
def filters(mel: Mel) -> Tensor:
    """A (K, F): one triangle a band, 1 at its middle."""
    f_K1 = (torch.arange(mel.transform // 2 + 1, dtype=torch.float64) * mel.rate / mel.transform)[:, None]
    c = _corners(mel)
    below, middle, above = c[:-2], c[1:-1], c[2:]
    rising_KF = (f_K1 - below) / (middle - below)
    falling_KF = (above - f_K1) / (above - middle)
    return torch.minimum(rising_KF, falling_KF).clamp(min=0).float()


def to_mel(hertz: float) -> float:
    """mel(f)."""
    return 2595 * math.log10(1 + hertz / 700)


def _corners(mel: Mel) -> Tensor:
    """c (F + 2,) in hertz."""
    m = torch.linspace(to_mel(mel.lowest), to_mel(mel.rate / 2), mel.bands + 2, dtype=torch.float64)
    return 700 * (10 ** (m / 2595) - 1)
