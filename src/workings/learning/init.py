"""Initial weights, named so that nobody mixes them up.

    name             distribution of a weight          also called
    xavier_uniform   U(−r, r), r = √(6/(n_in + n_out))  Glorot uniform; Glorot and Bengio 2010
    xavier_normal    N(0, 2/(n_in + n_out))             Glorot normal
    xavier_in        N(0, 1/n_in)                       what several textbooks print as "Xavier"
    lecun_normal     N(0, 1/n_in)                       LeCun et al. 1998; the same numbers as xavier_in
    he_normal        N(0, 2/n_in)                       Kaiming normal; He et al. 2015
    he_uniform       U(−r, r), r = √(6/n_in)            Kaiming uniform; the variance of he_normal
    orthogonal       QᵀQ = I or QQᵀ = I                 Saxe et al. 2014
    own              each layer as its own class draws it, from the seed
    torch_default    U(−r, r), r = √(1/n_in), weights and biases, as torch makes its layers
    zeros            0: hidden units stay alike for ever; for a single layer only

N(m, v) has variance v. n_in and n_out count connections of one unit: for a convolution, channels × filter size.
Biases become 0 (but for torch_default); scales and shifts of norms stay 1 and 0. Of a recurrent layer each gate's
block is drawn like a dense layer of its own, and biases stay as the layer wants them (a forget gate begins open);
torch_default draws all of it from U(−r, r), r = √(1/units), as torch does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from workings.base.errors import UserError
from workings.base.problems import unknown_name
from workings.nets.cells import Cell

Draw = Callable[[Tensor, int, int, "torch.Generator | None"], None]


@dataclass(frozen=True)
class Initialised:
    """What was set and what was left as it was made (norms, embeddings, parameters of unknown layers), by name."""

    changed: list[str]
    left: list[str]


def fans(layer: nn.Module) -> tuple[int, int]:
    """n_in and n_out of a dense or convolution layer: connections into and out of one unit."""
    assert isinstance(layer, nn.Linear | _ConvNd)
    W = layer.weight
    if isinstance(layer, nn.Linear):
        return W.shape[1], W.shape[0]
    size = W[0, 0].numel()
    return layer.in_channels // layer.groups * size, layer.out_channels // layer.groups * size


def _normal(variance: Callable[[int, int], float]) -> Draw:
    def draw(W: Tensor, n_in: int, n_out: int, generator: torch.Generator | None) -> None:
        W.normal_(0.0, math.sqrt(variance(n_in, n_out)), generator=generator)

    return draw


def _uniform(variance: Callable[[int, int], float]) -> Draw:
    def draw(W: Tensor, n_in: int, n_out: int, generator: torch.Generator | None) -> None:
        r = math.sqrt(3 * variance(n_in, n_out))  # U(−r, r) has variance r²/3
        W.uniform_(-r, r, generator=generator)

    return draw


def _orthogonal(W: Tensor, n_in: int, n_out: int, generator: torch.Generator | None) -> None:
    rows, columns = W.shape[0], W[0].numel()
    A = torch.empty(max(rows, columns), min(rows, columns), dtype=W.dtype, device=W.device)
    Q, R = torch.linalg.qr(A.normal_(generator=generator))
    Q = Q * torch.sign(torch.diagonal(R))  # makes Q unique, and its distribution uniform over all rotations
    W.copy_((Q if rows >= columns else Q.T).reshape(W.shape))


def _zeros(W: Tensor, n_in: int, n_out: int, generator: torch.Generator | None) -> None:
    W.zero_()


_DRAWS: dict[str, Draw] = {
    "xavier_uniform": _uniform(lambda n_in, n_out: 2 / (n_in + n_out)),
    "xavier_normal": _normal(lambda n_in, n_out: 2 / (n_in + n_out)),
    "xavier_in": _normal(lambda n_in, n_out: 1 / n_in),
    "lecun_normal": _normal(lambda n_in, n_out: 1 / n_in),
    "he_normal": _normal(lambda n_in, n_out: 2 / n_in),
    "he_uniform": _uniform(lambda n_in, n_out: 2 / n_in),
    "orthogonal": _orthogonal,
    "zeros": _zeros,
}
NAMES: tuple[str, ...] = (*_DRAWS, "torch_default", "own")


def suited(activation: str) -> tuple[str, str]:
    """The usual initialisation before an activation, and why."""
    if activation in ("relu", "leaky_relu", "elu", "gelu", "silu"):
        return "he_normal", f"{activation} halves the variance of its input; 2/n_in makes up for it"
    return "xavier_uniform", f"2/(n_in + n_out) keeps the variance both ways through {activation}"


@torch.no_grad()
def initialise(net: nn.Module, name: str, generator: torch.Generator | None = None) -> Initialised:
    """Draw new weights for every dense, convolution and recurrent layer of ``net``, in place.

    Args:
        net: the net.
        name: one of ``NAMES``.
        generator: where the random numbers come from; torch's global generator where None.

    Raises:
        UserError: no initialisation has that name.
    """
    if name not in NAMES:
        raise UserError(unknown_name("initialisation", name, NAMES))
    changed: list[str] = []
    if name == "own":  # drawn when the net was built
        return Initialised(changed, [each for each, _ in net.named_parameters()])
    for prefix, layer in net.named_modules():
        if isinstance(layer, Cell):
            drawn = _draw_cell(layer, name, generator)
            changed += [f"{prefix}.{each}" if prefix else each for each in drawn]
            continue
        if not isinstance(layer, nn.Linear | _ConvNd):
            continue
        n_in, n_out = fans(layer)
        if name == "torch_default":
            r = 1 / math.sqrt(layer.weight[0].numel())  # torch's own reset: Kaiming uniform with a = √5
            layer.weight.uniform_(-r, r, generator=generator)
            if layer.bias is not None:
                layer.bias.uniform_(-r, r, generator=generator)
        else:
            _DRAWS[name](layer.weight, n_in, n_out, generator)
            if layer.bias is not None:
                layer.bias.zero_()
        changed += [f"{prefix}.{each}" if prefix else each for each, _ in layer.named_parameters(recurse=False)]
    seen = set(changed)
    return Initialised(changed, [each for each, _ in net.named_parameters() if each not in seen])


def _draw_cell(cell: Cell, name: str, generator: torch.Generator | None) -> list[str]:
    """Draw a recurrent layer's weights; the names of its parameters that were drawn."""
    if name == "torch_default":
        r = 1 / math.sqrt(cell.units)
        for parameter in cell.parameters():
            parameter.uniform_(-r, r, generator=generator)
        return [each for each, _ in cell.named_parameters()]
    for W in (cell.W_x, cell.W_h):
        for block in W.split(cell.units):
            _DRAWS[name](block, W.shape[1], cell.units, generator)
    return ["W_x", "W_h"]
