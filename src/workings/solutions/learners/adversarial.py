"""One step of a generative adversarial network: the discriminator's turn, then the generator's against it.

    L_D = mean softplus(−D(x)) + mean softplus(D(x̃)) + penalty,  x̃ = G(z)      −ln σ(D) = softplus(−D)
    L_G = mean softplus(−D(G(z)))                                               non-saturating

Each turn is a page of its own: forward, loss, backward, update by that player's optimiser. Goodfellow et al. 2014.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.learning.adversarial import AdversarialRule, Player
from workings.learning.optimisers import SGD, Adam
from workings.nets.gan import GAN
from workings.solutions.alone import drawn_from
from workings.solutions.learners.gradient import memory_of, moved_by, update_of
from workings.solutions.learners.real import Real
from workings.solutions.learners.slope import judged_with_slope
from workings.solutions.learners.working import joined
from workings.solutions.learning_step import LearningStep, solve
from workings.solutions.limits import Limits
from workings.solutions.solving import TOLERANCE, Detail, relative
from workings.solutions.steps import Check, Solution

_OWN = "the run's own rule"


class _Turn(nn.Module):
    """The two nets under their names; the one that does not learn in this turn takes no gradient."""

    def __init__(self, gan: GAN, learns: str) -> None:
        super().__init__()
        self.discriminator, self.generator = gan.discriminator, gan.generator
        self.__dict__["gan"] = gan  # no module of its own: its layers have the names above
        other = self.generator if learns == "discriminator" else self.discriminator
        for p in other.parameters():
            p.requires_grad_(False)


class _DiscriminatorTurn(_Turn):
    """x (B, *shape) → D(x), D(x̃) (B, 1) and the penalty (), drawn and run in the order of the rule."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        gan: GAN = self.__dict__["gan"]
        with torch.no_grad():
            made = gan.make(gan.noise(len(x)))
        if gan.penalty == "r1":
            real, s = judged_with_slope(gan.discriminator, x)
            fake = gan.judge(made)
            return real, fake, 0.5 * gan.gamma * _squared(s).mean()
        real, fake = gan.judge(x), gan.judge(made)
        if gan.penalty == "none":
            return real, fake
        eps = torch.rand([len(x)] + [1] * (x.ndim - 1), dtype=x.dtype)
        _, s = judged_with_slope(gan.discriminator, eps * x + (1 - eps) * made)
        return real, fake, gan.gamma * ((_squared(s) + 1e-12).sqrt() - 1).square().mean()


class _GeneratorTurn(_Turn):
    """D(G(z)) (B, 1) of as many samples as x has."""

    def forward(self, x: Tensor) -> Tensor:
        gan: GAN = self.__dict__["gan"]
        return gan.judge(gan.make(gan.noise(len(x))))


def _squared(s: Tensor) -> Tensor:
    return s.flatten(1).square().sum(1)


def _loss_of_discriminator(out: tuple[Tensor, ...]) -> Tensor:
    loss = F.softplus(-out[0][:, 0]).mean() + F.softplus(out[1]).mean()
    return loss + out[2] if len(out) > 2 else loss


def _loss_of_generator(out: Tensor) -> Tensor:
    return F.softplus(-out).mean()


def adversarial_solution(
    real: Real, x: Tensor, seed: int, title: str, facts: list[tuple[str, str]], detail: Detail
) -> Solution:
    """Both turns on real samples x (B, *shape). The rule of ``real`` is moved by them."""
    rule = real.rule
    assert isinstance(rule, AdversarialRule)
    every = rule.gan.discriminator_steps
    turns = real.done // every  # that the generator had
    first = _turn(rule, "discriminator", x, real.done + 1, real.eta, seed, detail)
    second = _turn(rule, "generator", x, turns + 1, real.eta, seed + 1, detail)
    if every > 1:
        left = every - (real.done + 1) % every if (real.done + 1) % every else 0
        said = "after this step" if not left else f"{left} steps later"
        second.steps[0].remarks.append(
            f"The generator has its turn after every {every} steps of the discriminator: {said}."
        )
    return joined(title, facts, [("Discriminator", first), ("Generator", second)])


def _turn(rule: AdversarialRule, name: str, x: Tensor, t: int, eta: float, seed: int, detail: Detail) -> Solution:
    player = rule.D if name == "discriminator" else rule.G
    gan = copy.deepcopy(rule.gan)
    net: nn.Module = _DiscriminatorTurn(gan, name) if name == "discriminator" else _GeneratorTurn(gan, name)
    optimiser, limits, flat = player.optimiser, player.regularisation, player.flat
    assert isinstance(optimiser, (SGD, Adam))
    named = {f"{name}.{own}": memory for own, memory in memory_of(flat, player.state).items()}
    weights = {f"{name}.{own}" for own in flat.names[: flat.weights]}
    update = update_of(optimiser, eta, t, weights, named)
    own_move = moved_by(optimiser, flat, player.state, t, eta)
    arrived: dict[str, Tensor] = {}

    def reference(gradients: dict[str, Tensor]) -> dict[str, Tensor]:
        arrived.update(gradients)
        plain = {own.removeprefix(f"{name}."): g for own, g in gradients.items()}
        return {f"{name}.{own}": new for own, new in own_move(plain).items()}

    with drawn_from(seed):
        L = rule.discriminator_loss(x) if name == "discriminator" else rule.generator_loss(len(x))
    g = limits.apply(player.gradient(L), flat.w, flat.decayed)
    loss: Callable[..., Tensor] = _loss_of_discriminator if name == "discriminator" else _loss_of_generator
    step = LearningStep(
        net,
        (x,),
        None,
        loss,
        {f"{name}.{own}": update for own in flat.names},
        reference,
        Limits(limits.l1, limits.l2, limits.clip_norm, limits.clip_value),
        seed=seed,
    )
    solution = solve(step, "", [("Optimiser", update.described())], detail)
    _held_against(solution, L.detach(), g, player, arrived, name)
    player.move(g, t, eta)
    solution.steps[0].remarks.append(f"The {name}'s optimiser: {update.described()}.")
    return solution


def _held_against(
    solution: Solution, L: Tensor, g: Tensor, player: Player, arrived: dict[str, Tensor], name: str
) -> None:
    """The loss and the whole gradient beside those of the rule that trained."""
    sections = {step.title: step for step in solution.steps}
    found = sections["Loss"].values[0].data
    sections["Loss"].checks.append(Check(f"{_OWN}: its loss", relative(found, L.double()), TOLERANCE))
    mine = player.flat.gather(tuple(arrived.get(f"{name}.{own}") for own in player.flat.names))
    sections["Update"].checks.append(Check(f"{_OWN}: its gradient", relative(mine, g), TOLERANCE))
