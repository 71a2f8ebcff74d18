"""The log-mel spectrum and the resampling: equal to independent calculations, and to values by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from workings.data.sound.features import Mel, filters, hann, log_mel, usual_mel
from workings.data.sound.resample import resample


def tone(hertz: float, rate: int, seconds: float = 0.5, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def by_loops(x: np.ndarray, mel: Mel) -> np.ndarray:
    """The equations of the module's text once more: a Fourier sum in float64, triangles by interpolation."""
    n = np.arange(mel.window)
    w = 0.5 * (1 - np.cos(2 * np.pi * n / mel.window))
    k = np.arange(mel.transform // 2 + 1)
    fourier = np.exp(-2j * np.pi * np.outer(n, k) / mel.transform)
    low, high = (2595 * np.log10(1 + f / 700) for f in (mel.lowest, mel.rate / 2))
    corners = 700 * (10 ** (np.linspace(low, high, mel.bands + 2) / 2595) - 1)
    rows = []
    for t in range(1 + (len(x) - mel.window) // mel.hop):
        power = np.abs((w * x[t * mel.hop : t * mel.hop + mel.window]) @ fourier) ** 2 / (w**2).sum()
        hertz = k * mel.rate / mel.transform
        energy = [
            float((np.interp(hertz, corners[j : j + 3], [0, 1, 0], left=0, right=0) * power).sum())
            for j in range(mel.bands)
        ]
        rows.append(np.log(np.maximum(energy, mel.floor)))
    return np.array(rows)


@pytest.mark.parametrize("rate", [8_000, 16_000, 11_025])
def test_log_mel_is_its_equation(rate: int) -> None:
    """Frames of noise and tones are those that loops over the equations give."""
    rng = np.random.default_rng(0)
    x = (0.1 * rng.standard_normal(rate // 8) + tone(440, rate, 0.125)[: rate // 8]).astype(np.float32)
    mel = usual_mel(rate)
    found = log_mel(torch.from_numpy(x), mel)
    assert found.shape == (mel.frames(len(x)), mel.bands)
    np.testing.assert_allclose(found.numpy(), by_loops(x.astype(np.float64), mel), atol=2e-4)


def test_a_pure_tone_has_the_power_worked_out_by_hand() -> None:
    """A tone of amplitude a in the middle of frequency k puts a²W/6 into k and a²W/24 beside it, for Hann's window."""
    mel = Mel(rate=8_000, window=200, hop=80, transform=200, bands=20, floor=1e-12)
    k, a = 25, 0.5  # 1,000 Hz: 25 whole waves in a window
    found = log_mel(torch.from_numpy(tone(1_000, 8_000, 0.1, a)), mel)
    A = filters(mel)
    by_hand = a**2 * 200 * (A[k] / 6 + (A[k - 1] + A[k + 1]) / 24)
    heard = by_hand > 1e-6
    assert heard.sum() >= 2
    torch.testing.assert_close(found[:, heard], by_hand[heard].log().expand(len(found), -1), atol=1e-3, rtol=0)
    assert found[:, ~heard].max() < math.log(1e-6)
    loudest = mel.band_hertz()[int(found[0].argmax())]
    assert abs(loudest - 1_000) < 150


def test_white_noise_has_its_variance_as_power() -> None:
    """S is scaled so that noise of variance σ² has S = σ²: a band's energy is then the sum of its triangle."""
    mel = usual_mel(8_000)
    x = 0.1 * torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    energy = log_mel(x, mel).double().exp().mean(0)
    torch.testing.assert_close(energy, 0.01 * filters(mel).double().sum(0), rtol=0.05, atol=0)


def test_every_band_hears_something() -> None:
    """No triangle falls between two frequencies of the transform, at any usual rate."""
    for rate in (4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000):
        assert (filters(usual_mel(rate)).sum(0) > 0).all(), rate
    assert float(hann(200)[0]) == 0
    assert float(hann(200)[100]) == 1


@given(samples=st.integers(200, 3_000))
def test_frames_are_counted_right(samples: int) -> None:
    """T = 1 + ⌊(L − W) / H⌋, and ``samples`` is the least that gives so many."""
    mel = usual_mel(8_000)
    frames = mel.frames(samples)
    assert log_mel(torch.zeros(samples), mel).shape == (frames, mel.bands)
    assert mel.frames(mel.samples(frames)) == frames
    assert mel.frames(mel.samples(frames) - 1) == frames - 1


def test_silence_is_the_floor_and_never_minus_infinity() -> None:
    """Digital silence gives ln ε in every band."""
    mel = usual_mel(8_000)
    torch.testing.assert_close(log_mel(torch.zeros(400), mel), torch.full((3, 40), math.log(mel.floor)))


@pytest.mark.parametrize(
    ("old", "new"), [(44_100, 16_000), (48_000, 8_000), (8_000, 16_000), (22_050, 8_000), (16_001, 8_000)]
)
def test_a_tone_stays_itself_at_another_rate(old: int, new: int) -> None:
    """A resampled tone is the tone that the new rate would have recorded, but for its ends."""
    found = resample(torch.from_numpy(tone(1_000, old)), old, new).numpy()
    wanted = tone(1_000, new)
    assert abs(len(found) - len(wanted)) <= 1
    n = min(len(found), len(wanted))
    edge = new // 50
    np.testing.assert_allclose(found[edge : n - edge], wanted[edge : n - edge], atol=2e-3)


def test_tones_that_the_new_rate_cannot_hold_are_taken_out() -> None:
    """What lies above half the new rate would come back as a tone that was not there (aliasing); it is 50 dB down."""
    found = resample(torch.from_numpy(tone(5_000, 44_100)), 44_100, 8_000)
    assert float(found[200:-200].abs().max()) < 0.5 * 10 ** (-50 / 20)


def test_resampling_agrees_with_scipy_on_speech_like_noise() -> None:
    """Within the kept band, another library's polyphase filter gives nearly the same samples."""
    rng = np.random.default_rng(1)
    x = np.convolve(rng.standard_normal(8_000), np.hanning(40) / 20, "same").astype(np.float32)
    ours = resample(torch.from_numpy(x), 16_000, 8_000).numpy()
    theirs = resample_poly(x, 1, 2)
    assert len(ours) == len(theirs)
    assert np.abs(ours - theirs)[100:-100].max() < 0.01 * np.abs(theirs).max()


def test_equal_rates_change_nothing() -> None:
    """The very same samples come back, and a constant stays one at any rate."""
    x = torch.randn(1_000)
    assert resample(x, 8_000, 8_000) is x
    assert torch.allclose(resample(torch.ones(4_000), 8_000, 11_025)[200:-200], torch.ones(()), atol=1e-6)
