"""The learning rule of a restricted Boltzmann machine: contrastive divergence with what makes it practical."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from workings.learning.contrastive import bernoulli, contrast
from workings.learning.lanes import parse_lane
from workings.learning.rules import Batches
from workings.nets.rbm import RBM

WATCHED = 2000  # training samples that are looked at, no more than there are validation samples
BATCH = 512


class ContrastiveRule:
    """Learns by contrastive divergence, with momentum, weight decay and a target for how often units are on.

    U ← μU + dW − λW + s(q − q̂)⟨v⟩ᵀ,  W ← W + ηU,  and so for b and c, without decay;  q̂ ← 0.9 q̂ + 0.1 ⟨p(h|v)⟩
    is how often each hidden unit is on, q how often it shall be, s the strength of that (Hinton 2012, 9 to 11).

    schedule: η of a step. momentum: μ. weight_decay: λ. watched: batches of training samples that are looked at.
    threads: of torch, where they are said.
    """

    def __init__(
        self,
        net: RBM,
        schedule: Callable[[int], float],
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        seed: int = 0,
        watched: Callable[[], Iterator[Tensor]] | None = None,
        threads: int | None = None,
    ) -> None:
        self.net: RBM = net
        self.schedule = schedule
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.watched = watched
        self.threads = threads
        self._W, self._b, self._c = net.weight.data, net.visible_bias.data, net.hidden_bias.data
        self._U = [torch.zeros_like(parameter) for parameter in (self._W, self._b, self._c)]
        self._often = torch.full_like(self._c, net.sparsity)
        half = torch.full((net.chains, len(self._c)), 0.5, dtype=self._c.dtype)
        self._chain = bernoulli(half, torch.Generator().manual_seed(seed))

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """See :class:`workings.learning.rules.LearningRule`; the losses are mean-field reconstruction errors."""
        if self.threads is not None and torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        losses: list[Tensor] = []
        for i in range(len(x)):
            losses.append(self._batch(x[i].flatten(1), None if weight is None else weight[i], self.schedule(step + i)))
            if not bool(torch.isfinite(losses[-1])):
                losses += [losses[-1]] * (len(x) - i - 1)
                break
        return torch.stack(losses)

    @torch.no_grad()
    def _batch(self, v_BV: Tensor, weight_B: Tensor | None, eta: float) -> Tensor:
        net, W_HV, b_V, c_H = self.net, self._W, self._b, self._c
        p_BH = net.encode(v_BV)
        loss = net.objective(net.activation(p_BH), v_BV, weight_B)
        if not bool(torch.isfinite(loss)):
            return loss
        chain = self._chain if net.chains else None
        dW_HV, db_V, dc_H, h_MH = contrast(W_HV, b_V, c_H, v_BV, p_BH, net.k, chain, net.visible, weight_B)
        if chain is not None:
            chain.copy_(h_MH)
        if self.weight_decay:
            dW_HV.add_(W_HV, alpha=-self.weight_decay)
        if net.sparsity_cost:
            self._often.mul_(0.9).add_(p_BH.mean(0), alpha=0.1)
            pull_H = net.sparsity_cost * (net.sparsity - self._often)
            dW_HV.addr_(pull_H, v_BV.mean(0))
            dc_H.add_(pull_H)
        for U, d, parameter in zip(self._U, (dW_HV, db_V, dc_H), (W_HV, b_V, c_H), strict=True):
            U.mul_(self.momentum).add_(d)
            parameter.add_(U, alpha=eta)
        return loss

    @torch.no_grad()
    def told(self) -> dict[str, float]:
        """See :class:`workings.learning.rules.Tells`: of training samples what is also looked at of validation ones, by
        the net as it is. While the free energies of both keep together, the net has not learnt samples by heart."""
        if self.watched is None:
            return {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            found = self.net.looks(torch.cat([x.flatten(1) for x in self.watched()]))
        return {name: float(each.double().mean()) for name, each in found.items()}

    def learning_rate(self, step: int) -> float:
        """η of the step after ``step`` steps."""
        return self.schedule(step)

    def tensors(self) -> dict[str, Tensor]:
        """Parameters under their own names; velocities, chains and how often units were on."""
        names = ("weight", "visible_bias", "hidden_bias")
        named = dict(zip(names, (self._W, self._b, self._c), strict=True))
        named |= {f"optimiser.{name}": U for name, U in zip(names, self._U, strict=True)}
        return named | {"optimiser.chain": self._chain, "optimiser.often": self._often}

    def finished(self, epoch: int) -> str | None:
        """Never: a likelihood that is not known gives no certificate of being done."""
        return None


def make_rule(fit: Any) -> ContrastiveRule:
    """The rule of a :class:`workings.runs.fit.Fit`, whose recipe says how it learns."""
    net, recipe = fit.net, fit.recipe
    assert isinstance(net, RBM)
    net.start(_mean(fit.train))
    rows = torch.randperm(len(fit.train), generator=torch.Generator().manual_seed(0))
    parts = rows[: min(WATCHED, len(fit.val or fit.train))].sort().values.split(BATCH)
    threads = None if recipe.lane == "auto" else parse_lane(recipe.lane).threads
    return ContrastiveRule(
        net,
        fit.schedule(recipe.learning_rate or 0.01),
        recipe.momentum or 0.0,
        recipe.weight_decay or 0.0,
        recipe.seed,
        lambda: (fit.train.x(part) for part in parts),
        threads,
    )


def _mean(source: Any) -> Tensor:
    total_V = torch.zeros(math.prod(source.shape), dtype=torch.float64)
    for part in torch.arange(len(source)).split(BATCH):
        total_V += source.x(part).flatten(1).double().sum(0)
    return (total_V / len(source)).float()
