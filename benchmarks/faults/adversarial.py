"""A GAN in plain PyTorch on points of a plane: two nets, two optimisers, the non-saturating loss; both are watched.

Goodfellow et al. 2014; the penalty on the slope at real points (R1) is Mescheder et al. 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import workings
from faults.models import mlp


@dataclass(frozen=True)
class Adversarial:
    """modes: of the points. rate: of G; D's is ``rate_d`` times it. penalty: γ. d_steps: of D for one of G.

    saturating: G minimises ln(1 − D(G(z))). spread: of the noise z.
    """

    modes: int = 6
    shape: str = "ring"
    rate: float = 1e-3
    rate_d: float = 1.0
    penalty: float = 0.3
    d_steps: int = 1
    steps: int = 400
    batch: int = 64
    width: int = 48
    spread: float = 1.0
    saturating: bool = False
    zero_grad: bool = True

    def centres(self) -> np.ndarray:
        """(modes, 2)."""
        if self.shape == "line":
            return np.stack([np.linspace(-1.5, 1.5, self.modes), np.zeros(self.modes)], 1)
        φ = np.arange(self.modes) * 2 * np.pi / self.modes
        return np.stack([np.cos(φ), np.sin(φ)], 1)

    def points(self, n: int, rng: np.random.Generator) -> Tensor:
        """n points (n, 2), of deviation 0.1 about a mode."""
        found = self.centres()[rng.integers(0, self.modes, n)] + 0.1 * rng.normal(size=(n, 2))
        return torch.as_tensor(found, dtype=torch.float32)

    def run(self, seed: int):  # type: ignore[no-untyped-def]
        """Train, watched; the result is minus the energy distance of draws from new points."""
        from faults.loop import LOOKS, Regular, Result

        torch.manual_seed(seed)
        torch.set_num_threads(1)
        rng = np.random.default_rng([seed, 2])
        x = self.points(2000, rng)
        model = nn.ModuleDict(
            {"generator": mlp(4, 2, (self.width,) * 2), "discriminator": mlp(2, 1, (self.width,) * 2)}
        )
        G, D = model["generator"], model["discriminator"]
        of_g = torch.optim.Adam(G.parameters(), lr=self.rate, betas=(0.5, 0.99))
        of_d = torch.optim.Adam(D.parameters(), lr=self.rate_d * self.rate, betas=(0.5, 0.99))
        watching = workings.watch(model, [of_g, of_d])
        watching.budget = Regular(every=max(1, self.steps // LOOKS))
        with watching:
            for _ in range(self.steps):
                for _ in range(self.d_steps):
                    real = x[torch.randint(len(x), (self.batch,))].requires_grad_()
                    fake = G(self.spread * torch.randn(self.batch, 4)).detach()
                    of_real, of_fake = D(real), D(fake)
                    loss = F.softplus(-of_real).mean() + F.softplus(of_fake).mean()
                    if self.penalty:
                        (slope,) = torch.autograd.grad(of_real.sum(), real, create_graph=True)
                        loss = loss + self.penalty / 2 * slope.square().sum(1).mean()
                    if self.zero_grad:
                        of_d.zero_grad()
                    loss.backward()
                    of_d.step()
                o = D(G(self.spread * torch.randn(self.batch, 4)))
                loss = -F.softplus(o).mean() if self.saturating else F.softplus(-o).mean()
                if self.zero_grad:
                    of_g.zero_grad()
                loss.backward()
                of_g.step()
        with torch.no_grad():
            value = -distance(G(self.spread * torch.randn(1000, 4)), self.points(1000, rng))
        return Result("energy_distance", value if math.isfinite(value) else -1e3, watching.history)


def distance(a: Tensor, b: Tensor) -> float:
    """The energy distance of two sets of points, 2 E|a − b| − E|a − a'| − E|b − b'| (Székely and Rizzo 2013)."""
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())
