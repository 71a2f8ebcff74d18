"""Logic gates as networks of step neurons, with weights found by hand.

    a = f(b + w · x),  f(z) = 1 where z ≥ 0, else 0

One neuron draws one line, so it can be AND, OR, NOT, NAND or NOR (= A'·B'), but not XOR or XNOR: no line parts
{(0,0), (1,1)} from {(0,1), (1,0)}. Two layers can:

    XOR  = AND(OR(A, B), NAND(A, B))
    XNOR = OR(A'·B', A·B)

McCulloch and Pitts 1943; Minsky and Papert 1969.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor, nn

from workings.base.errors import UserError
from workings.base.problems import unknown_name
from workings.nets.activations import Activation

# b and w of one neuron.
Neuron = tuple[float, tuple[float, ...]]

AND: Neuron = (-1.5, (1.0, 1.0))
OR: Neuron = (-0.5, (1.0, 1.0))
NOT: Neuron = (1.0, (-2.0,))
NOR: Neuron = (0.5, (-1.0, -1.0))
NAND: Neuron = (1.5, (-1.0, -1.0))

# Layers of neurons, from the input to the output.
GATES: dict[str, list[list[Neuron]]] = {
    "AND": [[AND]],
    "OR": [[OR]],
    "NOT": [[NOT]],
    "A'B'": [[NOR]],
    "NAND": [[NAND]],
    "XOR": [[OR, NAND], [AND]],
    "XNOR": [[NOR, AND], [OR]],
}
NAMES: tuple[str, ...] = tuple(GATES)
_OTHER_NAMES = {"NOR": "A'B'", "A'·B'": "A'B'"}


class GateNet(nn.Module):
    """x (B, inputs) of zeros and ones → a (B, 1), zeros and ones.

    layers: for each layer its neurons, each (b, w).
    """

    def __init__(self, layers: list[list[Neuron]]) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for neurons in layers:
            dense = nn.Linear(len(neurons[0][1]), len(neurons))
            with torch.no_grad():
                dense.bias.copy_(torch.tensor([b for b, _ in neurons]))
                dense.weight.copy_(torch.tensor([w for _, w in neurons]))
            modules += [dense, Activation("step")]
        self.layers = nn.Sequential(*modules)
        self.inputs = len(layers[0][0][1])

    def forward(self, x_BD: Tensor) -> Tensor:
        return self.layers(x_BD)


def gate(name: str) -> GateNet:
    """The network of a gate: AND, OR, NOT, A'B' (also NOR), NAND, XOR, XNOR; capitals or not.

    Raises:
        UserError: there is no gate of that name.
    """
    known = _OTHER_NAMES.get(name.upper(), name.upper())
    if known not in GATES:
        raise UserError(unknown_name("gate", name, [*NAMES, *_OTHER_NAMES]))
    return GateNet(GATES[known])


def truth_table(net: nn.Module, inputs: int) -> list[tuple[tuple[int, ...], int]]:
    """Every input of zeros and ones, counted upwards, with the output: ``[((0, 0), 1), ((0, 1), 0), …]``.

    The output is 1 where the net's single number is above ½.
    """
    rows = list(product((0, 1), repeat=inputs))
    with torch.no_grad():
        a = net(torch.tensor(rows, dtype=torch.get_default_dtype()))[:, 0]
    return [(row, int(value > 0.5)) for row, value in zip(rows, a.tolist(), strict=True)]
