"""Logic gates as networks: the truth tables, exactly."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from workings import nets
from workings.base.errors import UserError
from workings.nets.gates import NAMES, gate, truth_table

MEANING = {
    "AND": lambda a, b: a and b,
    "OR": lambda a, b: a or b,
    "NOT": lambda a: not a,
    "A'B'": lambda a, b: not a and not b,
    "NAND": lambda a, b: not (a and b),
    "XOR": lambda a, b: a != b,
    "XNOR": lambda a, b: a == b,
}


@pytest.mark.parametrize("name", NAMES)
def test_truth_table_is_exact(name: str) -> None:
    """Each gate's network gives the gate's truth table."""
    net = gate(name)
    rows = truth_table(net, net.inputs)
    assert rows == [(row, int(MEANING[name](*row))) for row in product((0, 1), repeat=net.inputs)]


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        ("AND", [-1.5, -0.5, -0.5, 0.5]),
        ("OR", [-0.5, 0.5, 0.5, 1.5]),
        ("NOT", [1, -1]),
        ("A'B'", [0.5, -0.5, -0.5, -1.5]),
    ],
)
def test_weighted_sums_are_the_printed_ones(name: str, sums: list[float]) -> None:
    """z for each row of the truth table: AND −1.5 + x₁ + x₂, OR −0.5 + x₁ + x₂, NOT 1 − 2x₁, A'B' 0.5 − x₁ − x₂."""
    net = gate(name)
    x = torch.tensor(list(product((0.0, 1.0), repeat=net.inputs)))
    assert net.layers[0](x)[:, 0].tolist() == sums


def test_xnor_is_or_of_its_two_hidden_gates() -> None:
    """XNOR = OR(A'·B', A·B): the hidden layer holds those two."""
    x = torch.tensor(list(product((0.0, 1.0), repeat=2)))
    net = gate("XNOR")
    assert net.layers[:2](x).tolist() == [[1, 0], [0, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("w", "b", "x", "z", "y"), [((0.5, -0.6), 0.2, (1.0, 2.0), -0.5, 0), ((0.5, -1.0), 0.5, (2.0, 3.0), -1.5, 0)]
)
def test_the_two_worked_perceptrons(w: tuple[float, ...], b: float, x: tuple[float, ...], z: float, y: int) -> None:
    """w = (0.5, −0.6), b = 0.2, x = (1, 2): z = −0.5, y = 0; w = (0.5, −1), b = 0.5, x = (2, 3): z = −1.5, y = 0."""
    net = nets.build("perceptron", (2,), 1)
    with torch.no_grad():
        net.output.weight.copy_(torch.tensor([w]))
        net.output.bias.copy_(torch.tensor([b]))
    assert net(torch.tensor([x])).item() == pytest.approx(z)
    assert net.predict(torch.tensor([x])).item() == y


def test_a_perceptron_of_several_classes_takes_the_largest() -> None:
    """K > 2: one z a class, argmax; K = 1: 1 where z ≥ 0, so a new perceptron says 1."""
    net = nets.build("perceptron", (1,), 3)
    with torch.no_grad():
        net.output.bias.copy_(torch.tensor([0.0, 2.0, 1.0]))
    assert net.predict(torch.zeros(1, 1)).tolist() == [1]
    assert nets.build("perceptron", (1,), 1).predict(torch.zeros(1, 1)).tolist() == [1]


@pytest.mark.parametrize(("given", "same"), [("xor", "XOR"), ("NOR", "A'B'"), ("A'·B'", "A'B'")])
def test_other_names_of_a_gate(given: str, same: str) -> None:
    """Small letters and NOR are understood."""
    assert truth_table(gate(given), 2) == truth_table(gate(same), 2)


def test_an_unknown_gate_is_refused_with_the_nearest() -> None:
    """A typo gets a suggestion."""
    with pytest.raises(UserError, match="Did you mean 'XNOR'"):
        gate("XNORR")
