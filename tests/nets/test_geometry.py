"""(I − F + 2P)/S + 1 is what torch computes, and sizes that cannot be are refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from workings.base.errors import UserError
from workings.nets.arithmetic import conv_equation, conv_out, describe, padding_kind, same_padding, totals


@given(st.integers(1, 30), st.integers(1, 7), st.integers(0, 4), st.integers(1, 4), st.integers(1, 3))
def test_the_equation_is_what_torch_computes(i: int, f: int, p: int, s: int, d: int) -> None:
    """conv_out equals the size of torch's convolution, for every geometry that torch accepts."""
    assume(d * (f - 1) + 1 <= i + 2 * p)
    out = nn.functional.conv1d(torch.zeros(1, 1, i), torch.zeros(1, 1, f), None, s, p, d)
    assert conv_out(i, f, p, s, dilation=d) == out.shape[2]
    assert conv_equation(i, f, p, s, dilation=d).endswith(f" + 1 = {out.shape[2]}")


@given(st.integers(1, 8), st.integers(1, 7), st.integers(0, 2), st.integers(1, 3))
def test_a_filter_larger_than_the_padded_input_is_refused(i: int, f: int, p: int, s: int) -> None:
    """Refused exactly where no place for the filter is left, with the equation in the message."""
    if f <= i + 2 * p:
        assert conv_out(i, f, p, s) >= 1
    else:
        with pytest.raises(UserError, match="does not fit into"):
            conv_out(i, f, p, s, layer="convolution 3")


def test_all_impossible_numbers_are_told_at_once() -> None:
    """Four wrong numbers are four problems of one error."""
    with pytest.raises(UserError) as caught:
        conv_out(0, 0, -1, 0)
    assert len(caught.value.problems) == 4


@given(st.integers(1, 30), st.integers(0, 5), st.integers(1, 3))
def test_same_padding_keeps_the_size(i: int, half: int, d: int) -> None:
    """P = d(F − 1)/2 keeps I at stride 1, for every odd F."""
    f = 2 * half + 1
    assert conv_out(i, f, same_padding(f, dilation=d), 1, dilation=d) == i


def test_an_even_filter_has_no_same_padding() -> None:
    """(2 − 1)/2 is no whole number."""
    with pytest.raises(UserError, match="No equal padding"):
        same_padding(2)


def test_equations_are_printed_with_their_numbers() -> None:
    """As printed on paper; a remainder shows as ⌊ ⌋."""
    assert conv_equation(28, 3, 1, 1) == "(28 − 3 + 2·1)/1 + 1 = 28"
    assert conv_equation(5, 2, 0, 2) == "⌊(5 − 2 + 2·0)/2⌋ + 1 = 2"
    assert conv_equation(9, 3, 0, 1, dilation=2) == "(9 − 5 + 2·0)/1 + 1 = 5"


def test_kinds_of_padding() -> None:
    """valid: none; same: O = ⌈I/S⌉; other: anything else."""
    assert padding_kind(28, 26, 0, 1) == "valid"
    assert padding_kind(28, 28, 1, 1) == "same"
    assert padding_kind(7, 4, 1, 2) == "same"
    assert padding_kind(28, 30, 2, 1) == "other"


# ------------------------------------------------------------------------------- worked examples and errata


def convolved(image: list[list[float]], kernel: list[list[float]]) -> list[list[float]]:
    return nn.functional.conv2d(torch.tensor([[image]]), torch.tensor([[kernel]]))[0, 0].tolist()


def test_a_16_image_with_3_filter_and_padding_2_gives_18() -> None:
    """(16 − 3 + 2·2)/1 + 1 = 18. Erratum: 21, as printed, comes from adding the padding twice."""
    assert conv_equation(16, 3, 2, 1) == "(16 − 3 + 2·2)/1 + 1 = 18"
    assert nn.Conv2d(1, 1, 3, padding=2)(torch.zeros(1, 1, 16, 16)).shape[2:] == (18, 18)
    assert conv_out(16 + 2, 3, 2, 1) != 21
    assert conv_out(16, 3, 2, 1) != 21


def test_a_2_filter_over_5x5_has_4_weights_not_16() -> None:
    """The output is 4×4. Erratum: its 16 numbers are no weights; the filter has 4, or 5 with the bias."""
    for bias, parameters in ((False, 4), (True, 5)):
        (row,) = describe(nn.Conv2d(1, 1, 2, bias=bias), (1, 5, 5))
        assert row.output == (1, 4, 4)
        assert (row.weights, row.parameters) == (4, parameters)
        assert row.multiply_adds == 16 * 4


def test_a_224_colour_image_needs_150528_weights_for_each_dense_unit() -> None:
    """224·224·3 = 150,528 inputs."""
    rows = describe(nn.Sequential(nn.Flatten(), nn.Linear(224 * 224 * 3, 1)), (3, 224, 224))
    assert rows[0].output == (150_528,)
    assert totals(rows).weights == 150_528


def test_max_pooling_of_the_worked_map() -> None:
    """2×2, stride 2, of the printed 4×4 map: [[6, 8], [9, 5]]."""
    x = torch.tensor([[[[1.0, 3, 2, 4], [5, 6, 7, 8], [9, 2, 3, 1], [0, 1, 5, 2]]]])
    assert nn.MaxPool2d(2)(x)[0, 0].tolist() == [[6, 8], [9, 5]]


def test_flatten_is_in_row_order() -> None:
    """Row after row, 16 numbers."""
    x = torch.tensor([[1, 0, 2, 3], [4, 6, 5, 2], [0, 1, 3, 1], [5, 2, 2, 0]])
    assert nn.Flatten()(x[None])[0].tolist() == [1, 0, 2, 3, 4, 6, 5, 2, 0, 1, 3, 1, 5, 2, 2, 0]


def test_the_vertical_edge_kernel_with_two_rows_and_with_three() -> None:
    """As printed, two rows: 4×3, all −40. Erratum: it is called 3×3; with the third row it is 3×3, all −60."""
    image = [[10.0 * (5 * row + column + 1) for column in range(5)] for row in range(5)]
    assert image[0][0] == 10
    assert image[4][4] == 250
    assert convolved(image, [[1.0, 0.0, -1.0]] * 2) == [[-40.0] * 3] * 4
    assert convolved(image, [[1.0, 0.0, -1.0]] * 3) == [[-60.0] * 3] * 3


def test_the_kernel_of_an_x_answers_most_at_the_centre_of_an_x() -> None:
    """Over a ±1 image of an X the answer is 9 at the centre, and nowhere more."""
    x = [[1.0 if i in (j, 8 - j) else -1.0 for j in range(9)] for i in range(9)]
    z = torch.tensor(convolved(x, [[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, -1.0, 1.0]]))
    assert z.shape == (7, 7)
    assert z.max() == 9
    assert z[3, 3] == 9
    assert int((z == 9).sum()) == 1


def test_the_5x5_map_with_a_column_kernel() -> None:
    """[[0,1],[0,1]] adds each number to the one below, one column on."""
    image = [
        [25.0, 110, 65, 0, 34],
        [15.0, 14, 10, 54, 66],
        [65.0, 76, 54, 200, 210],
        [176.0, 5, 73, 67, 89],
        [63.0, 90, 95, 111, 175],
    ]
    expected = [[124, 75, 54, 100], [90, 64, 254, 276], [81, 127, 267, 299], [95, 168, 178, 264]]
    assert convolved(image, [[0.0, 1.0], [0.0, 1.0]]) == expected
