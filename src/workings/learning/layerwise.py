"""Greedy layer-wise learning: one dense layer after another, each on what the trained layers below say.

    a^0 = x,  a^l = σ(W^l a^(l−1) + c^l)          the layers below l no longer change while l learns

What layer l learns from v = a^(l−1), with parameters of its own that are only for this (b, U, d):

    rbm            W, c and b are a restricted Boltzmann machine's, by CD-k (``contrastive``)
                   Hinton, Osindero and Teh 2006
    autoencoder    x̂ from Wᵀ h + b, h = σ(W v + c): tied weights; cost −ln p(v | Wᵀ h + b)
                   Bengio, Lamblin, Popovici and Larochelle 2007
    denoising      the same with h = σ(W ṽ + c), ṽ = v with each number 0 with probability q. Vincent et al. 2008
    supervised     out = U h + d, the task's own loss; Bengio et al. 2007, their appendix

v goes up as probabilities, not as samples. A later layer of sigmoid units sees numbers from 0 to 1, which count as
binary units (cost: cross-entropy); of other activations, as Gaussian ones (squares).

Legend: B batch, V numbers that a layer sees, H units of the layer, K outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import refuse
from workings.base.form import Form
from workings.learning.contrastive_rule import ContrastiveRule
from workings.learning.optimisers import Optimiser
from workings.learning.rules import Batches
from workings.learning.step import LossFunction
from workings.nets.dbn import DBN
from workings.nets.mlp import MLP, DenseBlock
from workings.nets.rbm import RBM
from workings.nets.visible import BINARY, GAUSSIAN, Visible

KINDS = ("rbm", "autoencoder", "denoising", "supervised")
Up = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Stack:
    """The dense layers of a net in order, and the activation after each."""

    net: nn.Module
    layers: Sequence[nn.Linear]
    activation: Up
    sigmoid: bool

    def below(self, number: int) -> Up:
        """x (B, *shape) → a^number (B, V): what layer ``number`` (from 0) sees."""

        def up(x: Tensor) -> Tensor:
            a = x.flatten(1)
            for layer in self.layers[:number]:
                a = self.activation(layer(a))
            return a

        return up

    def seen(self, number: int, first: Visible) -> Visible:
        """What the numbers are that layer ``number`` sees; ``first``: those of the samples."""
        return first if number == 0 else BINARY if self.sigmoid else GAUSSIAN


def stack_of(net: nn.Module) -> Stack:
    """The stack of a net.

    Raises:
        UserError: its layers are not a plain stack: batch norm or residual sums, or no hidden layer.
    """
    if isinstance(net, DBN):
        return Stack(net, [layer for layer, _ in net.stack()], torch.sigmoid, sigmoid=True)
    assert isinstance(net, MLP), "only stacks of dense layers are trained layer by layer"
    blocks: list[DenseBlock] = list(net.hidden)  # type: ignore[arg-type]
    if not blocks or any(block.norm is not None or block.add is not None for block in blocks):
        raise refuse(
            "no-plain-stack",
            "Layers are trained one by one only where they are a plain stack.",
            why="Batch norm and residual sums make a layer depend on more than the one below; no layer has no units.",
            do="Leave out batch_norm and residual, and give hidden layers; or pretraining=none.",
        )
    activation = blocks[0].activation
    return Stack(net, [block.dense for block in blocks], activation, activation.name == "sigmoid")


class OnTop:
    """Contrastive divergence on layer ``number`` of a stack, taken for a restricted Boltzmann machine of its own.

    b_V: the visible biases, which the machine moves with W and c. mean_V: of what it sees, where b is to begin from it.
    """

    def __init__(
        self,
        stack: Stack,
        number: int,
        b_V: Tensor,
        visible: Visible,
        schedule: Callable[[int], float],
        mean_V: Tensor | None = None,
        *,
        k: int = 1,
        chains: int = 0,
        momentum: float = 0.0,
        decay: float = 0.0,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        layer = stack.layers[number]
        self.net, self.up, self.b_V = stack.net, stack.below(number), b_V
        with torch.random.fork_rng(devices=[]):
            machine = RBM((layer.in_features,), 1, form=Form(), units=layer.out_features, k=k, chains=chains)
        machine.visible = visible
        for name, tensor in (("weight", layer.weight), ("hidden_bias", layer.bias), ("visible_bias", b_V)):
            setattr(machine, name, tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor))
        if mean_V is not None:
            machine.start(mean_V.to(b_V.dtype))
        self.rule = ContrastiveRule(machine, schedule, momentum, decay, seed + number, threads=threads)

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """See :class:`workings.learning.rules.LearningRule`; the losses are reconstruction errors of the layer."""
        with torch.no_grad():
            v = [self.up(each) for each in x]
        return self.rule.advance(v, v, weight, step)

    def learning_rate(self, step: int) -> float:
        """η of the step after ``step`` steps."""
        return self.rule.learning_rate(step)

    def tensors(self) -> dict[str, Tensor]:
        """The net's, the machine's memory, and the visible biases where they are not the net's."""
        memory = {name: t for name, t in self.rule.tensors().items() if name.startswith("optimiser.")}
        return _of_net(self.net) | memory | _beside(self.net, {"b": self.b_V})

    def finished(self, epoch: int) -> str | None:
        """Never."""
        return None


class GreedyRule:
    """Gradient descent on the cost of one layer; see the module's text for the costs.

    parameters: what is moved. cost: (x, y, weight) → (), differentiable. own: those of the parameters that are not
    the net's.
    """

    def __init__(
        self,
        net: nn.Module,
        parameters: Sequence[Tensor],
        own: Sequence[Tensor],
        cost: Callable[[Tensor, Tensor, Tensor | None], Tensor],
        optimiser: Optimiser,
        eta: float,
    ) -> None:
        self.net, self.parameters, self.own = net, list(parameters), list(own)
        self.cost, self.optimiser, self.eta = cost, optimiser, eta
        self.sizes = [p.numel() for p in parameters]
        self.state = optimiser.start(torch.cat([p.detach().reshape(-1) for p in parameters]))

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """See :class:`workings.learning.rules.LearningRule`."""
        losses: list[Tensor] = []
        for i in range(len(x)):
            with torch.enable_grad():
                loss = self.cost(x[i], y[i], None if weight is None else weight[i])
                gradients = torch.autograd.grad(loss, self.parameters)
            losses.append(loss.detach())
            if not bool(torch.isfinite(loss)):
                return torch.stack(losses + [loss.detach()] * (len(x) - i - 1))
            self._move(gradients, step + i)
        return torch.stack(losses)

    @torch.no_grad()
    def _move(self, gradients: Sequence[Tensor], step: int) -> None:
        w = torch.cat([p.reshape(-1) for p in self.parameters])
        g = torch.cat([each.reshape(-1) for each in gradients])
        self.optimiser.update_(w, g, self.state, self.optimiser.scalars(step + 1, self.eta), 0)
        for p, piece in zip(self.parameters, w.split(self.sizes), strict=True):
            p.copy_(piece.view_as(p))

    def learning_rate(self, step: int) -> float:
        """η, constant."""
        return self.eta

    def tensors(self) -> dict[str, Tensor]:
        """The net's, the optimiser's state and the parameters that are not the net's."""
        state = {f"optimiser.state{i}": t for i, t in enumerate(self.state)}
        return _of_net(self.net) | state | _beside(self.net, {f"own{i}": t for i, t in enumerate(self.own)})

    def finished(self, epoch: int) -> str | None:
        """Never."""
        return None


def autoencoder(stack: Stack, number: int, visible: Visible, q: float, optimiser: Optimiser, eta: float) -> GreedyRule:
    """Layer ``number`` as an autoencoder with tied weights; ``q`` > 0 makes it a denoising one."""
    layer, up = stack.layers[number], stack.below(number)
    b_V = torch.zeros(layer.in_features, dtype=layer.weight.dtype).requires_grad_()

    def cost(x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        with torch.no_grad():
            v_BV = up(x)
            seen_BV = v_BV if not q else v_BV * (torch.rand_like(v_BV) >= q)
        h_BH = stack.activation(layer(seen_BV))
        each_B = visible.cost(F.linear(h_BH, layer.weight.T, b_V), v_BV)
        return each_B.mean() if weight is None else (each_B * weight).sum() / weight.sum()

    return GreedyRule(stack.net, [layer.weight, layer.bias, b_V], [b_V], cost, optimiser, eta)


def supervised(
    stack: Stack, number: int, outputs: int, loss: LossFunction, optimiser: Optimiser, eta: float, seed: int
) -> GreedyRule:
    """Layer ``number`` with an output layer of its own, U (K, H) and d (K,), that is forgotten afterwards."""
    layer, up = stack.layers[number], stack.below(number)
    H = layer.out_features
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    U_KH = torch.randn(outputs, H, generator=generator).to(layer.weight.dtype) / H**0.5
    d_K = torch.zeros(outputs, dtype=layer.weight.dtype)
    for own in (U_KH, d_K):
        own.requires_grad_()

    def cost(x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        with torch.no_grad():
            v_BV = up(x)
        return loss(F.linear(stack.activation(layer(v_BV)), U_KH, d_K), y, weight)

    return GreedyRule(stack.net, [layer.weight, layer.bias, U_KH, d_K], [U_KH, d_K], cost, optimiser, eta)


def _of_net(net: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach() for name, p in net.named_parameters()} | {f"buffer.{n}": b for n, b in net.named_buffers()}


def _beside(net: nn.Module, own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Parameters that were made for the rule, as its memory; not those that are the net's own."""
    known = {p.data_ptr() for p in net.parameters()}
    return {f"optimiser.{name}": t.detach() for name, t in own.items() if t.data_ptr() not in known}
