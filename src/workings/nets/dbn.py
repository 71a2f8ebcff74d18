"""The deep belief network: restricted Boltzmann machines, one on top of another.

    p(v, h¹ … h^L) = p(v | h¹) p(h¹ | h²) … p(h^(L−1), h^L)

The top two layers are a restricted Boltzmann machine, and below it everything points downwards. With
W^l (n_l, n_(l−1)), c^l of the units of layer l and b^l of those that it sees:

    up        a^l = σ(W^l a^(l−1) + c^l),  a^0 = v          approximates p(h^l | h^(l−1)); no samples
    down      a^(l−1) = f(W^lᵀ a^l + b^l)                   f: σ, but for v what the samples are (``nets.visible``)
    draw      Gibbs sampling of h^(L−1) and h^L, then downwards by samples; of images E[v | h¹] at the end

The layers learn one after another (``learning.layerwise``), each as a machine of its own on what the one below says.
Where there are labels the same stack is a multilayer perceptron with sigmoid units, out = U a^L + d: see ``to_mlp``.
Hinton, Osindero and Teh 2006; Hinton and Salakhutdinov 2006.

Legend: B batch, V numbers of a sample, K outputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.form import Form
from workings.nets.mlp import MLP, DenseBlock
from workings.nets.registry import register
from workings.nets.settings import Setting
from workings.nets.unsupervised import Unsupervised
from workings.nets.visible import BINARY, Visible

HIDDEN = (500, 500)
START = 0.01  # standard deviation of first weights: small, so that units begin undecided; Hinton 2012, section 8


@register(
    "dbn",
    "Boltzmann machines, one on top of another: draws samples, or is fine-tuned where there are labels",
    shapes="any",
    family="generative",
    sizes={"small": {"hidden": (128, 128)}, "medium": {}, "large": {"hidden": (500, 500, 2000)}},
    learns="both",
)
class DBN(Unsupervised):
    """x (B, *shape) → activations (B, V) of the sample rebuilt.

    With ``output`` an :class:`MLP` of the same stack is made instead, which has nothing that goes downwards.
    """

    by_gradient = False

    def __new__(cls, *arguments: Any, output: bool = False, **settings: Any) -> Any:
        if not output:
            return super().__new__(cls)
        mlp = MLP(*arguments, hidden=settings.get("hidden", HIDDEN), activation="sigmoid")
        for block in _blocks(mlp):
            _start(block.dense)
        return mlp

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        hidden: Annotated[Sequence[int], Setting("units of each layer, from the samples up", low=1)] = HIDDEN,
        visible: Annotated[
            str, Setting("what numbers of a sample are; auto: of images binary", choices=("auto", "binary", "gaussian"))
        ] = "auto",
        k: Annotated[int, Setting("steps of Gibbs sampling for each step of learning", low=1)] = 1,
        chains: Annotated[int, Setting("chains that persist from step to step; 0: begun at the data", low=0)] = 0,
        draw_steps: Annotated[int, Setting("steps of Gibbs sampling at the top before a new sample", low=1)] = 1000,
        output: Annotated[bool, Setting("an output layer, for labels; set by the task")] = False,
    ) -> None:
        super().__init__()
        if not hidden:
            raise refuse("no-layers", "A deep belief network has at least one layer.", do="Give hidden=500,500.")
        widths = [math.prod(shape), *hidden]
        kind = ("binary" if len(shape) == 3 else "gaussian") if visible == "auto" else visible  # pixels are 0…1
        self.shape = tuple(shape)
        self.code = hidden[-1]
        self.k, self.chains, self.draw_steps = k, chains, draw_steps
        self.visible = Visible(kind, form.columns if visible == "auto" else None)
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths))
        for layer in self.layers:
            _start(layer)
        self.biases = nn.ParameterList([torch.zeros(n_in) for n_in in widths[:-1]])

    def stack(self) -> list[tuple[nn.Linear, Tensor]]:
        """The layers from below, each with b of the units that it sees."""
        return list(zip(self.layers, self.biases, strict=True))  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return self._down(self.encode(x))

    def per_sample(self, out: Tensor, x: Tensor) -> Tensor:
        """−ln p(x | a¹) with a¹ rebuilt from the top, in nats: told, but not what contrastive divergence lowers."""
        return self.visible.cost(out, x.flatten(1))

    def encode(self, x: Tensor) -> Tensor:
        a = x.flatten(1)
        for layer, _ in self.stack():
            a = torch.sigmoid(layer(a))
        return a

    def decode(self, z: Tensor) -> Tensor:
        return self.visible.mean(self._down(z)).unflatten(1, self.shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def unusual(self, x: Tensor) -> Tensor:
        return self.per_sample(self(x), x)

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, *shape): the chains begin with every unit of the layer below the top by its bias alone."""
        *below, (top, b) = self.stack()
        seen = BINARY if len(self.layers) > 1 else self.visible
        v = seen.sample(b.expand(n, -1), generator)
        a = v
        for _ in range(self.draw_steps):
            h = BINARY.sample(top(v), generator)
            a = torch.addmm(b, h, top.weight)
            v = seen.sample(a, generator)
        for layer, b in reversed(below):
            a = torch.addmm(b, v, layer.weight)
            v = BINARY.sample(a, generator)
        drawn = self.visible.mean(a) if len(self.shape) == 3 else self.visible.sample(a, generator)
        return drawn.unflatten(1, self.shape)

    def _down(self, a: Tensor) -> Tensor:
        """The activation of v, (B, V)."""
        (first, b_V), *above = self.stack()
        for layer, b in reversed(above):
            a = torch.sigmoid(torch.addmm(b, a, layer.weight))
        return torch.addmm(b_V, a, first.weight)


def _start(layer: nn.Module) -> None:
    assert isinstance(layer, nn.Linear)
    nn.init.normal_(layer.weight, std=START)
    nn.init.zeros_(layer.bias)


def to_mlp(net: DBN, outputs: int) -> MLP:
    """A multilayer perceptron whose hidden layers say of a sample exactly what ``encode`` says; its output is new."""
    widths = [layer.out_features for layer, _ in net.stack()]
    mlp = MLP(net.shape, outputs, hidden=widths, activation="sigmoid").to(net.biases[0].dtype)
    for block, layer in zip(_blocks(mlp), net.layers, strict=True):
        block.dense.load_state_dict(layer.state_dict())
    return mlp


def _blocks(mlp: MLP) -> list[DenseBlock]:
    return list(mlp.hidden)  # type: ignore[arg-type]
