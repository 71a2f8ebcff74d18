"""The adversarial rule: discriminator and generator take turns, each by the gradient of its own loss.

    φ ← optimiser(φ, ∂L_D/∂φ)      every step: a batch of real samples, and as many made, which count as given
    θ ← optimiser(θ, ∂L_G/∂θ)      every ``discriminator_steps``-th step, against the discriminator just changed

with the losses of ``nets.gan``: φ are the parameters of D, θ of G. The loss told is L_D with its penalty; L_G is the
point ``generator_loss`` of the record. Goodfellow et al. 2014, algorithm 1.

Legend: B batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import refuse
from workings.learning.flat import FlatParameters
from workings.learning.lanes import parse_lane
from workings.learning.optimisers import Optimiser, make_optimiser
from workings.learning.rules import Batches
from workings.learning.step import Regularisation
from workings.nets.gan import GAN


class Player:
    """One of the two nets: its parameters as one vector, and the optimiser's memory of them."""

    def __init__(self, net: nn.Module, optimiser: Optimiser, regularisation: Regularisation) -> None:
        self.flat = FlatParameters(net)
        self.optimiser = optimiser
        self.regularisation = regularisation
        self.state = optimiser.start(self.flat.w)

    def gradient(self, loss: Tensor) -> Tensor:
        """∂loss/∂w (P,)."""
        return self.flat.gather(torch.autograd.grad(loss, self.flat.parameters, allow_unused=True))

    @torch.no_grad()
    def move(self, g: Tensor, t: int, eta: float) -> None:
        """Step t, counted from 1."""
        flat = self.flat
        g = self.regularisation.apply(g, flat.w, flat.decayed)
        self.optimiser.update_(flat.w, g, self.state, self.optimiser.scalars(t, eta), flat.decayed)


class AdversarialRule:
    """Learns by the two losses in turns.

    schedule: the learning rate η of both players at the step after ``step`` steps. threads: of torch's pool.
    """

    def __init__(
        self,
        net: GAN,
        optimiser: Optimiser,
        schedule: Callable[[int], float],
        regularisation: Regularisation | None = None,
        threads: int | None = None,
    ) -> None:
        self.net: nn.Module = net
        self.gan = net
        self.schedule = schedule
        self.threads = threads
        self.D = Player(net.discriminator, optimiser, regularisation or Regularisation())
        self.G = Player(net.generator, optimiser, regularisation or Regularisation())
        self._told = torch.zeros(2, dtype=torch.float64)  # the sum of L_G since it was last asked for, and how many

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """See :class:`workings.learning.rules.LearningRule`."""
        if self.threads is not None and torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        losses: list[Tensor] = []
        for i, x_B in enumerate(x):
            losses.append(self._step(x_B, None if weight is None else weight[i], step + i))
            if not bool(torch.isfinite(losses[-1])):
                losses += [losses[-1]] * (len(x) - i - 1)
                break
        return torch.stack(losses)

    def _step(self, x: Tensor, w_B: Tensor | None, step: int) -> Tensor:
        eta, every = self.schedule(step), self.gan.discriminator_steps
        L_D = self.discriminator_loss(x, w_B)
        if not bool(torch.isfinite(L_D)):
            return L_D.detach()
        before = [tensor.clone() for tensor in (self.D.flat.w, *self.D.state)]
        self.D.move(self.D.gradient(L_D), step + 1, eta)
        if (step + 1) % every == 0:
            L_G = self.generator_loss(len(x))
            if not bool(torch.isfinite(L_G)):
                for tensor, old in zip((self.D.flat.w, *self.D.state), before, strict=True):
                    tensor.copy_(old)
                return L_G.detach()
            self.G.move(self.G.gradient(L_G), (step + 1) // every, eta)
            self._told += torch.stack([L_G.detach().double(), torch.ones((), dtype=torch.float64)])
        return L_D.detach()

    def discriminator_loss(self, x: Tensor, w_B: Tensor | None = None) -> Tensor:
        """L_D () of a batch; w_B: weights of the real samples."""
        gan = self.gan
        with torch.no_grad():
            made = gan.make(gan.noise(len(x)))
        if gan.penalty == "r1":
            x = x.detach().requires_grad_()
        real_B = gan.judge(x)[:, 0]
        each_B = F.softplus(-real_B)
        loss = each_B.mean() if w_B is None else (each_B * w_B).sum() / w_B.sum()
        loss = loss + F.softplus(gan.judge(made)).mean()
        if gan.penalty == "r1":
            loss = loss + 0.5 * gan.gamma * squared_slope(real_B, x).mean()
        elif gan.penalty == "wgan-gp":
            eps = torch.rand([len(x)] + [1] * (x.ndim - 1), dtype=x.dtype)
            between = (eps * x + (1 - eps) * made).requires_grad_()
            slope_B = (squared_slope(gan.judge(between)[:, 0], between) + 1e-12).sqrt()
            loss = loss + gan.gamma * (slope_B - 1).square().mean()
        return loss

    def generator_loss(self, n: int) -> Tensor:
        """L_G () of n samples made."""
        return F.softplus(-self.gan.judge(self.gan.make(self.gan.noise(n)))).mean()

    def learning_rate(self, step: int) -> float:
        """η of the step after ``step`` steps."""
        return self.schedule(step)

    def tensors(self) -> dict[str, Tensor]:
        """Parameters of both players, the optimisers' memories and buffers."""
        named = {"w.discriminator": self.D.flat.w, "w.generator": self.G.flat.w, "optimiser.told": self._told}
        for name, player in (("discriminator", self.D), ("generator", self.G)):
            named.update({f"optimiser.{name}.{i}": tensor for i, tensor in enumerate(player.state)})
        named.update({f"buffer.{name}": buffer for name, buffer in self.gan.named_buffers()})
        return named

    def finished(self, epoch: int) -> str | None:
        """Never: neither player's loss says that the samples are good."""
        return None

    def told(self) -> dict[str, float]:
        """See :class:`workings.learning.rules.Tells`."""
        total, count = self._told.tolist()
        self._told.zero_()
        return {"generator_loss": total / count} if count else {}


def squared_slope(out_B: Tensor, x: Tensor) -> Tensor:
    """‖∂out_i/∂x_i‖² of each sample, (B,), through which gradients go."""
    (slope,) = torch.autograd.grad(out_B.sum(), x, create_graph=True)
    return slope.flatten(1).square().sum(1)


def make_rule(fit: Any) -> AdversarialRule:
    """The rule of a ``runs.fit.Fit``.

    Raises:
        UserError: a lane in which this rule is not written.
    """
    recipe = fit.recipe
    lane = None if recipe.lane == "auto" else parse_lane(recipe.lane)
    if lane is not None and lane.kind != "eager":
        raise refuse(
            "lane-not-for-gan",
            f"The lane '{recipe.lane}' is for one loss; in this net two players take turns.",
            do=f"Give lane=eager@{lane.threads}, or leave it out.",
        )
    return AdversarialRule(
        fit.net,
        make_optimiser(recipe.optimiser or "adam", **recipe.optimiser_settings),
        fit.schedule(recipe.learning_rate or 1e-3),
        Regularisation(recipe.l1, recipe.l2, recipe.clip_norm, recipe.clip_value),
        None if lane is None else lane.threads,
    )
