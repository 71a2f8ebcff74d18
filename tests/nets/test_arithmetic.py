"""What is said of a layer is what the layer does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from workings import nets
from workings.base.errors import UserError
from workings.nets.arithmetic import describe, totals
from workings.nets.table_text import WIDTH, format_table


def test_the_design_for_64x64x3_layer_by_layer() -> None:
    """64×64×3 → 32@3×3 → pool → 64@3×3 → pool → dense: sizes 62, 31, 29, 14 and 144,705 parameters for one output."""
    rows = describe(nets.build("cnn-64", (3, 64, 64), 1), (3, 64, 64))
    shapes = [row.output for row in rows]
    relu = [(32, 62, 62), (32, 62, 62), (32, 31, 31), (64, 29, 29), (64, 29, 29), (64, 14, 14), (12544,), (1,)]
    assert shapes == relu
    assert [row.equation for row in rows if row.equation] == [
        "(64 − 3 + 2·0)/1 + 1 = 62",
        "(62 − 2 + 2·0)/2 + 1 = 31",
        "(31 − 3 + 2·0)/1 + 1 = 29",
        "⌊(29 − 2 + 2·0)/2⌋ + 1 = 14",
    ]
    assert [row.parameters for row in rows if row.parameters] == [896, 18_496, 12_545]
    assert [row.multiply_adds for row in rows if row.multiply_adds] == [
        62 * 62 * 32 * 27,
        29 * 29 * 64 * 9 * 32,
        12_544,
    ]
    assert {row.padding for row in rows if row.equation} == {"valid"}


def test_the_design_for_32x32x3_layer_by_layer() -> None:
    """32×32×3 → 16@3×3 → pool → 32@3×3 → pool → dense over 10 classes: sizes 30, 15, 13, 6."""
    rows = describe(nets.build("cnn-32", (3, 32, 32), 10), (3, 32, 32))
    assert [row.output[1] for row in rows if row.equation] == [30, 15, 13, 6]
    assert [row.parameters for row in rows if row.parameters] == [448, 4_640, 11_530]


@st.composite
def stacks(draw: st.DrawFn) -> nn.Sequential:
    """Convolutions and average poolings with positive weights, so that every pixel that can matter does."""
    layers: list[nn.Module] = []
    for _ in range(draw(st.integers(1, 4))):
        F, S = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        if draw(st.booleans()):
            layers.append(nn.Conv2d(1, 1, F, S, dilation=draw(st.integers(1, 2)), bias=False))
            nn.init.ones_(layers[-1].weight)
        else:
            layers.append(nn.AvgPool2d(F, S))
    return nn.Sequential(*layers).double()


@settings(max_examples=40)
@given(stacks())
def test_the_receptive_field_is_where_the_gradient_reaches(net: nn.Sequential) -> None:
    """The pixels on which one output number depends span exactly the stated field."""
    rows = describe(net, (1, 80, 80))
    x = torch.zeros(1, 1, 80, 80, dtype=torch.float64, requires_grad=True)
    out = net(x)
    out[0, 0, out.shape[2] // 2, out.shape[3] // 2].backward()
    assert x.grad is not None
    reached = torch.nonzero(x.grad[0, 0])
    spans = tuple((reached.max(0).values - reached.min(0).values + 1).tolist())
    assert rows[-1].receptive_field == spans


class Branches(nn.Module):
    """A 5×5 branch and a 3×3 branch, added by the plain operator, then a mean over the image."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.wide(x)) + self.narrow(x) * 2
        self.after = y
        return y.mean((2, 3))


def test_the_larger_field_counts_where_branches_meet() -> None:
    """Plain torch operations between the layers carry the fields on."""
    net = nn.Sequential(Branches(), nn.Linear(2, 1))
    assert [row.receptive_field for row in describe(net, (1, 9, 9))] == [(5, 5), (3, 3), (9, 9)]


def test_no_field_is_larger_than_the_image() -> None:
    """r = 1 + 2·4 = 9 over an image of 6: all 6 pixels are seen, as by a dense layer; the next field follows 9."""
    net = nn.Sequential(nn.Conv2d(1, 1, 5, padding=2), nn.Conv2d(1, 1, 5, padding=2))
    assert [row.receptive_field for row in describe(net, (1, 6, 20))] == [(5, 5), (6, 9)]


class Odd(nn.Module):
    """What users write: an LSTM, a parameter of the module's own, a layer that never runs, one that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True)
        self.W = nn.Parameter(torch.randn(8, 8))
        self.unused = nn.Linear(3, 2)
        self.twice = nn.Linear(8, 8)
        self.tied = nn.Linear(8, 8, bias=False)
        self.tied.weight = self.twice.weight

    def forward(self, x: Tensor) -> Tensor:
        h = self.lstm(x)[0][:, -1]
        return self.tied(self.twice(self.twice(h))) @ self.W


def test_any_module_can_be_described_and_its_parameters_are_counted_once() -> None:
    """Unknown layers show shape and parameters and no multiply–adds; shared parameters count once; none is lost."""
    net = Odd()
    rows = describe(net, (7, 4))
    by_name = {row.name: row for row in rows}
    assert totals(rows).parameters == sum(p.numel() for p in net.parameters())
    assert by_name["lstm"].multiply_adds is None
    assert by_name["lstm"].biases == 2 * 4 * 8
    assert [row.parameters for row in rows if row.name == "twice"] == [72, 0]
    assert by_name["tied"].parameters == 0
    assert "counted above" in by_name["tied"].settings
    assert by_name["(rest)"].parameters == 8
    assert by_name["(net)"].weights == 64
    assert set(totals(rows).unknown) == {"lstm", "(net)", "(rest)"}


class Counter(nn.Module):
    """A module whose forward changes a buffer and draws a random number, in evaluation too."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.dense = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.dense(x + torch.rand_like(x))


def test_describing_leaves_no_trace() -> None:
    """Buffers, modes, random state, gradients and hooks are as before."""
    net = Counter()
    net.dense.eval()
    random = torch.get_rng_state()
    describe(net, (2,))
    assert net.calls == 0
    assert net.training
    assert not net.dense.training
    assert torch.equal(torch.get_rng_state(), random)
    assert all(p.grad is None for p in net.parameters())
    assert not any(module._forward_hooks for module in net.modules())


def test_a_shape_that_does_not_fit_is_one_message() -> None:
    """What torch says, with the layer after which it happened; no hook stays behind."""
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(5, 2))
    with pytest.raises(UserError, match="cannot work on samples of shape 4") as caught:
        describe(net, (4,))
    assert "after the layer '0'" in str(caught.value)
    assert not any(module._forward_hooks for module in net.modules())


EVERY: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.Sequential(nn.Conv2d(2, 4, (3, 1), (2, 1), groups=2, padding_mode="reflect"), nn.ReLU()), (2, 9, 9)),
    (nn.Sequential(nn.Conv2d(1, 4, 4, padding="same"), nn.MaxPool2d(2, ceil_mode=True)), (1, 9, 9)),
    (nn.Sequential(nn.ConvTranspose2d(1, 2, 3, 2, 1, output_padding=1), nn.BatchNorm2d(2)), (1, 5, 5)),
    (nn.Sequential(nn.Conv1d(3, 4, 3), nn.MaxPool1d(2), nn.AdaptiveAvgPool1d(1), nn.Flatten()), (3, 12)),
    (nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(2), nn.LayerNorm(2), nn.Dropout2d(0.1)), (1, 7, 7)),
    (nets.build("mlp", (6,), 2, noise=0.1, dropout=0.2, batch_norm=True, residual=True), (6,)),
    (nn.Sequential(nn.Linear(3, 3, bias=False), nn.Identity()), (5, 3)),
]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(("net", "shape"), EVERY, ids=lambda value: type(value).__name__)
def test_the_table_fits_the_terminal_and_says_every_layer(net: nn.Module, shape: tuple[int, ...]) -> None:
    """No line is longer than 80 columns, every layer's name and output is there, and so is the total."""
    rows = describe(net, shape)
    text = format_table(rows)
    assert max(map(len, text.split("\n"))) <= WIDTH
    for row in rows:
        assert row.name in text
        assert "×".join(map(str, row.output)) in text
    assert f"{totals(rows).parameters:,}" in text


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_rare_geometries_are_said_truly() -> None:
    """Unequal axes, uneven padding, rounding up and transposed convolution each say their own arithmetic."""
    found: list[Any] = [describe(net, shape) for net, shape in EVERY]
    assert found[0][0].equation == "height: (9 − 3 + 2·0)/2 + 1 = 4; width: (9 − 1 + 2·0)/1 + 1 = 9"
    assert found[0][0].multiply_adds == 4 * 9 * 4 * 3
    assert found[1][0].padding == "same"
    assert found[1][1].equation == "5×5, rounded up"
    assert found[2][0].equation == "(5 − 1)·2 − 2·1 + 2 + 1 + 1 = 10"
    assert found[2][0].multiply_adds == 25 * 2 * 9
    assert found[6][0].multiply_adds == 5 * 9


def test_a_long_name_does_not_break_the_table() -> None:
    """A name of any length is wrapped."""
    net = nn.Sequential()
    net.add_module("a_very_long_name_of_a_layer_" * 5, nn.Linear(2, 1))
    assert max(map(len, format_table(describe(net, (2,))).split("\n"))) <= WIDTH
