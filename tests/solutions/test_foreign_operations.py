"""Operations that foreign models use, each held against torch: value, gradients, the net run alone, every line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.solutions.show import show


class Weighted(nn.Module):
    """A function of numbers that are learnt."""

    def __init__(self, f: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(3, 4))
        self.f = f

    def forward(self, x: Tensor) -> Tensor:
        y = self.f(x * self.w)
        return y.square().sum() + y.sum()


def in_place(x: Tensor) -> Tensor:
    """Views changed, read again through their whole and through each other."""
    y = x * 2
    column, rows = y[:, 0], y[1:]
    column.mul_(3)
    rows += rows.flip(0).clone()
    y[0, 1] = (y[2, 2].clone() * y[0, 0].clone()).clone()
    y.view(-1)[:3].exp_()
    return y + column.sum() * rows[0]


def filled(x: Tensor) -> Tensor:
    """What was there before has no gradient any more."""
    y = x * 2
    y[0].zero_()
    y[1].fill_(2.0)
    y[2, :2] = 0.5
    return y.index_fill(1, torch.tensor([3]), 1.0)


PLACES = torch.tensor([[0, 2], [1, 1], [2, 0]])
HALVES = torch.full((3, 4), 0.3)
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "in place": in_place,
    "filled": filled,
    "rms norm": lambda x: F.rms_norm(x, (4,), torch.ones(4) * 2),
    "group norm": lambda x: F.group_norm(x.reshape(1, 6, 2), 3, torch.arange(6.0)),
    "instance norm": lambda x: F.instance_norm(x[None].repeat(2, 1, 1), weight=torch.arange(3.0)),
    "deviations": lambda x: x.std() + x.var(1, unbiased=False) + x.std(0, keepdim=True).sum(),
    "deviations and means": lambda x: torch.var_mean(x, 1)[0] + torch.std_mean(x, dim=1, correction=0)[1],
    "norms": lambda x: F.normalize(x, dim=1) + x.norm() + x.norm(dim=1, keepdim=True) + torch.linalg.vector_norm(x, 1),
    "cosine similarity": lambda x: F.cosine_similarity(x, x.flip(0) * 2, 1),
    "activations": lambda x: F.gelu(x, approximate="tanh") + F.mish(x) + F.selu(x) + F.softplus(x, 2, 1),
    "gates": lambda x: F.prelu(x, torch.tensor([0.1])) + F.glu(torch.cat([x, x], 1)) + F.celu(x),
    "shrinking": lambda x: F.softshrink(x) + F.hardshrink(x) + F.hardtanh(x) + F.tanhshrink(x) + F.softsign(x),
    "in place activations": lambda x: nn.Hardswish(inplace=True)(x * 2) + nn.Hardsigmoid(inplace=True)(x * 3),
    "einsum": lambda x: torch.einsum("ij,kj,i->ki", x, x * 2, x[:, 0]) + torch.einsum("bi,bj->", x, x),
    "einsum with dots": lambda x: torch.einsum("...i,bi", x[:, None], x) + torch.einsum("...ij->...i", x).sum(),
    "vectors": lambda x: x @ x[0] + x[:, 0] @ x[:, 1] + torch.outer(x[0], x[1]).sum() + torch.dot(x[0], x[1]),
    "scaled sums": lambda x: torch.addmm(x, x, torch.eye(4), beta=0.5, alpha=0.3),
    "attention with dropout": lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None], dropout_p=0.3),
    "attention to nothing": lambda x: F.scaled_dot_product_attention(
        x[None], x[None], x[None], attn_mask=torch.tensor([[True, False, False], [False] * 3, [True] * 3])
    ),
    "sums of exponentials": lambda x: x.logsumexp(1) + torch.logaddexp(x, x.flip(0)).sum(1),
    "distances": lambda x: torch.cdist(x, x + 1),
    "convolution of three axes": lambda x: F.conv3d(
        x.reshape(1, 2, 3, 2, 1), torch.ones(4, 1, 2, 2, 1), torch.ones(4), groups=2, padding=(1, 0, 0)
    ),
    "transposed convolution": lambda x: F.conv_transpose1d(
        x[None], torch.ones(3, 2, 3), torch.ones(2), stride=2, padding=1, output_padding=1
    ),
    "transposed, grouped, dilated": lambda x: F.conv_transpose2d(
        x.reshape(1, 2, 3, 2), torch.ones(2, 2, 3, 2), None, stride=(2, 1), groups=2, dilation=2
    ),
    "interpolation": lambda x: F.interpolate(x[None, None], size=(5, 8), mode="bicubic", align_corners=True),
    "interpolation of one axis": lambda x: F.interpolate(x[None], scale_factor=2, mode="linear"),
    "poolings": lambda x: F.avg_pool1d(x[None], 2) + F.max_pool1d(x[None], 2) + F.adaptive_avg_pool1d(x[None], 2),
    "uneven poolings": lambda x: F.adaptive_avg_pool1d(x[None], 3) + F.avg_pool2d(x[None, None], 3, 2, 1, True).sum(),
    "losses": lambda x: F.l1_loss(x, x.detach() * 2) + F.smooth_l1_loss(x, HALVES, beta=0.5) + F.huber_loss(x, HALVES),
    "losses of shares": lambda x: (
        F.kl_div(x.log_softmax(1), HALVES, reduction="batchmean") + F.binary_cross_entropy(x.sigmoid(), HALVES)
    ),
    "losses of classes": lambda x: (
        F.nll_loss(x.log_softmax(1), torch.tensor([0, -100, 2])) + F.cross_entropy(x, HALVES) / 3
        + F.cross_entropy(x[None].transpose(1, 2), torch.tensor([[0, -100, 2]]))
    ),
    "all alignments": lambda x: F.ctc_loss(
        torch.stack([x.log_softmax(1)] * 2, 1)[[0, 1, 2, 1]], torch.tensor([[1, 1], [2, 3]]), torch.tensor([4, 3]),
        torch.tensor([2, 1])
    ),
    "order": lambda x: x.topk(2, 1).values * x.sort(0, descending=True)[0][:, :2] + x.kthvalue(2, 1).values.sum(),
    "extremes": lambda x: x.max() + torch.max(x, x.flip(0)) + x.min(),
    "folded": lambda x: F.fold(x.reshape(1, 4, 3), (2, 4), 2),
    "running": lambda x: x.cumsum(1) * (x.abs() + 0.1).cumprod(0),
    "scattered": lambda x: (
        torch.zeros(3, 4).scatter_add(1, PLACES, x[:, :2]) * x.gather(1, PLACES).sum()
        + x.scatter(1, PLACES, x[:, :2] * 2)
    ),
    "added and put": lambda x: (
        torch.zeros(3, 4).index_add(0, torch.tensor([0, 0, 2]), x)
        + x.index_put((torch.tensor([0, 0]), torch.tensor([1, 1])), x[0, :2], accumulate=True)
    ),
    "powers": lambda x: (x.abs() + 0.5) ** x + 2**x + x.exp2() + x.abs().log1p() + x.erf() + (x.abs() + 0.3).lgamma(),
    "rounded": lambda x: x * x.floor() + x.round() * x + x.sign() + x % 0.7,
    "limits": lambda x: x.clamp(min=HALVES - 0.5) + x.clamp_min(0.1) + x.clamp_max(0.3),
    "infinities": lambda x: (
        torch.where(torch.arange(4) > 0, torch.log(torch.arange(4.0)), x) + torch.softmax(x * 0 - 1.7e308, 1)
    ),
    "fourier": lambda x: torch.fft.fftn(x, dim=(0, 1)).real + torch.fft.irfft(torch.fft.rfft(x) * 2, n=4),
    "turned": lambda x: torch.view_as_real(
        torch.view_as_complex(x.reshape(3, 2, 2)) * torch.polar(torch.ones(3, 2), torch.ones(3, 2))
    ).flatten(1),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_operation_is_worked_by_equations_that_agree_with_torch(name: str) -> None:
    """Value and gradient to 1e-9 in float64, each printed line by its own digits."""
    torch.manual_seed(1)
    solution = show(Weighted(FUNCTIONS[name]), torch.randn(3, 4))
    bad = [f"{s.title}: {c.what} {c.error}" for s in solution.walk() for c in s.checks if not c.ok]
    assert not bad + [s.title for s in solution.walk() for line in s.lines if not line.holds]
    assert not solution.lacking


def test_numbers_set_behind_autograds_back_are_told() -> None:
    """Through ``detach()``: PyTorch's gradient is that of numbers which are no longer there."""

    def set_aside(x: Tensor) -> Tensor:
        y = x * 2
        y.detach().mul_(2.0)
        return y + x

    solution = show(Weighted(set_aside), torch.randn(3, 4))
    assert set(solution.lacking) == {"changed_through_detach"}
    assert not solution.failed
