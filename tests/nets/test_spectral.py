"""The convolutional net for spectra: its equations by hand, and padding that changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.nets.arithmetic import describe, totals
from workings.nets.spectral import FrameNorm, SpectralCNN, hide

BANDS, K = 9, 3


def make(dtype: torch.dtype = torch.float64, **settings: Any) -> SpectralCNN:
    """A small net with random parameters and running statistics, in evaluation mode."""
    torch.manual_seed(1)
    net = nets.build("spectral-cnn", (12, BANDS), K, Form(), **{"widths": (3, 4), **settings}).to(dtype)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
        for key, buffer in net.named_buffers():
            if key.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand_like(buffer))
            elif key.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer))
    assert isinstance(net, SpectralCNN)
    return net.eval()


def padded(lengths: list[int], T: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """(B, T, F) frames of these lengths, NaN beyond."""
    x = torch.randn(len(lengths), T, BANDS, dtype=dtype)
    for i, length in enumerate(lengths):
        x[i, length:] = torch.nan
    return x


def by_hand(x: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
    """One recording (T, F) through the equations, in loops."""
    a = x[None]
    for block in ("blocks.0", "blocks.1"):
        w = state[f"{block}.conv.weight"]
        _, T, bands = a.shape
        around = np.pad(a, ((0, 0), (1, 1), (1, 1)))
        z = np.zeros((len(w), T, bands))
        for o in range(len(w)):
            for t in range(T):
                for j in range(bands):
                    z[o, t, j] = (w[o] * around[:, t : t + 3, j : j + 3]).sum()
        gamma, beta, mean, var = (
            state[f"{block}.norm.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")
        )
        full = np.maximum(0, (z - mean) / np.sqrt(var + 1e-5) * gamma + beta)
        a = np.zeros((len(w), -(-T // 2), bands // 2))
        for t in range(a.shape[1]):
            for j in range(a.shape[2]):
                a[:, t, j] = full[:, 2 * t : 2 * t + 2, 2 * j : 2 * j + 2].max((1, 2))
    p = a.transpose(1, 0, 2).reshape(a.shape[1], -1)
    return state["output.weight"] @ np.concatenate([p.max(0), p.mean(0)]) + state["output.bias"]


@pytest.mark.parametrize("T", [7, 8, 12])
def test_forward_equals_the_hand_calculation(T: int) -> None:
    """Convolution, norm, ReLU, pooling over frames and bands, the largest and the mean, worked in loops."""
    net = make()
    x = torch.randn(2, T, BANDS, dtype=torch.float64)
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    expected = np.stack([by_hand(each, state) for each in x.numpy()])
    np.testing.assert_allclose(net(x).detach().numpy(), expected, rtol=1e-10, atol=1e-10)


def test_a_padded_batch_equals_its_recordings_one_by_one() -> None:
    """Whatever the padding, and however long the longest of the batch is."""
    net, lengths = make(), [3, 12, 7, 8, 1]
    x = padded(lengths, 12)
    singly = torch.cat([net(x[i : i + 1, :length]) for i, length in enumerate(lengths)])
    torch.testing.assert_close(net(x), singly, rtol=1e-10, atol=1e-10)
    longer = torch.cat([x, torch.full((5, 9, BANDS), torch.nan, dtype=torch.float64)], 1)
    torch.testing.assert_close(net(longer), singly, rtol=1e-10, atol=1e-10)


def test_padding_changes_no_gradient_and_no_statistics() -> None:
    """In training too: norms count real frames only, so more padding changes neither gradients nor running means."""
    x = padded([3, 11, 7, 8], 11)
    found = []
    for extra in (0, 6):
        net = make(mask=0.0, dropout=0.0).train()
        more = torch.full((4, extra, BANDS), torch.nan, dtype=torch.float64)
        net(torch.cat([x, more], 1)).square().sum().backward()
        found.append([*(p.grad for p in net.parameters()), *net.buffers()])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_the_norm_is_torchs_where_every_frame_is_real(dtype: torch.dtype, tolerance: float) -> None:
    """Value, gradients and running statistics equal nn.BatchNorm2d, in training and in evaluation."""
    ours, theirs = FrameNorm(3).to(dtype), nn.BatchNorm2d(3).to(dtype)
    z = torch.randn(4, 3, 5, 6, dtype=dtype)
    m, weight = torch.ones(4, 1, 5, 1, dtype=dtype), torch.randn(4, 3, 5, 6, dtype=dtype)
    for training in (True, False):
        a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
        out_a, out_b = ours.train(training)(a, m), theirs.train(training)(b)
        torch.testing.assert_close(out_a, out_b, rtol=tolerance, atol=tolerance)
        (out_a * weight).sum().backward()
        (out_b * weight).sum().backward()
        torch.testing.assert_close(a.grad, b.grad, rtol=tolerance, atol=tolerance)
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[name], rtol=tolerance, atol=tolerance)


def test_the_norm_of_a_padded_batch_is_that_of_its_real_frames() -> None:
    """Statistics are those of all real frames put end to end."""
    z = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    m = torch.ones(2, 1, 5, 1, dtype=torch.float64)
    m[1, :, 2:] = 0
    norm = FrameNorm(3).double().train()
    real = torch.cat([z[0], z[1][:, :2]], 1)[None]
    expected = F.batch_norm(real, None, None, training=True)
    found = norm(z, m)
    torch.testing.assert_close(torch.cat([found[0], found[1][:, :2]], 1)[None], expected, rtol=1e-10, atol=1e-10)
    assert (found[1][:, 2:] == 0).all()


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_gradients_equal_differences(training: bool) -> None:
    """By every parameter, in float64, padding included."""
    net = make(widths=(2, 3)).train(training)
    x, names = padded([4, 6, 5], 6), [name for name, _ in net.named_parameters()]

    def forward(*parameters: Tensor) -> Tensor:
        torch.manual_seed(2)
        return torch.func.functional_call(net, dict(zip(names, parameters, strict=True)), (x,))

    inputs = tuple(p.detach().clone().requires_grad_() for p in net.parameters())
    assert torch.autograd.gradcheck(forward, inputs, fast_mode=True)


def test_masks_hide_runs_and_come_from_the_global_generator() -> None:
    """Bands and frames are hidden in runs within bounds; evaluation hides nothing; equal seeds, equal masks."""
    x = torch.ones(200, 40, 20)
    x_real = torch.ones(200, 40, dtype=torch.bool)
    hidden = hide(x, x_real, 0.5) == 0
    bands, frames = hidden.all(1), hidden.all(2)
    assert int(bands.sum(1).max()) <= 20  # two runs of at most half the bands
    assert int(frames.sum(1).max()) <= 20
    assert 0.1 < float(frames.float().mean()) < 0.4
    assert torch.equal(hidden, bands[:, None, :] | frames[:, :, None])
    starts = (frames.int().diff(dim=1, prepend=torch.zeros(200, 1, dtype=torch.int)) == 1).sum(1)
    whole = bands.all(1)
    assert int(starts[~whole].max()) <= 1  # one run
    net = make().train()
    torch.manual_seed(3)
    first = net(padded([5, 6], 6))
    torch.manual_seed(3)
    assert torch.equal(net(padded([5, 6], 6)), first)


def test_few_bands_are_not_pooled_and_other_samples_are_refused() -> None:
    """A frame of two numbers works; tables, images and texts are refused by name."""
    net = nets.build("spectral-cnn", (6, 2), K, Form())
    assert net(torch.randn(2, 5, 2)).shape == (2, K)
    for shape, form in (((4,), Form()), ((1, 8, 8), Form()), ((9,), Form(vocabulary=20))):
        with pytest.raises(UserError, match="sound"):
            nets.build("spectral-cnn", shape, K, form)


def test_described_parameters_are_all_parameters() -> None:
    """The layer table knows every layer and sums to all parameters."""
    net = make(torch.float32)
    rows = describe(net, (12, BANDS))
    assert totals(rows).parameters == sum(p.numel() for p in net.parameters())
    assert totals(rows).unknown == ()


def test_bfloat16_keeps_float32_statistics() -> None:
    """Under autocast the norm sums in float32, and running means stay float32."""
    net = make(torch.float32).train()
    with torch.autocast("cpu", torch.bfloat16):
        out = net(padded([5, 6], 6, torch.float32))
    out.float().sum().backward()
    assert torch.isfinite(out).all()
    assert all(b.dtype is torch.float32 for name, b in net.named_buffers() if "running" in name)
