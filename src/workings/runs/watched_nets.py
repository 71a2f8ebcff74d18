"""What is watched of nets that learn from samples alone, beside their layers: of a copy of the net and one batch.

    judged_right     share of real and made samples that the discriminator tells apart, of half of each
    spread_made      mean distance between two made samples over that between two real ones; 0 where all are one
    kl               mean over samples of Σ_j KL(q(z_j|x) ‖ N(0, 1)), nats
    active           share of units j of the code with Var_x(E[z_j|x]) > 0.01. Burda, Grosse and Salakhutdinov 2016
    reconstruction   mean (x − x̂)² over the variance of x; 1 where only the mean of all samples is given back

Legend: B batch, d of a code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.nets.gan import GAN
from workings.nets.unsupervised import Codes, Reconstructs
from workings.nets.vae import VariationalAutoencoder, kl_of_units
from workings.watching.statistics import Measured

ACTIVE = 0.01


def further(net: nn.Module, x: Tensor) -> list[Measured]:
    """Figures of the whole net (place "") on a batch x (B, *shape). Called without gradient."""
    if isinstance(net, GAN):
        return of_players(net, x)
    found: list[Measured] = []
    training = net.training
    net.eval()  # a copy: what is random in training is not what these are about
    if isinstance(net, VariationalAutoencoder):
        mu_Bd, log_var_Bd = net.q(x)
        found += [("", "kl", kl_of_units(mu_Bd, log_var_Bd).sum(1).mean()), ("", "active", active(mu_Bd))]
    elif isinstance(net, Codes):
        found.append(("", "active", active(net.encode(x))))
    if isinstance(net, Reconstructs) and len(x) > 1:
        whole, rebuilt = x.flatten(1).float(), net.reconstruct(x).flatten(1).float()
        if whole.shape == rebuilt.shape:
            spread = (whole - whole.mean(0)).square().mean().clamp_min(1e-12)
            found.append(("", "reconstruction", (whole - rebuilt).square().mean() / spread))
    net.train(training)
    return found


def active(code_Bd: Tensor) -> Tensor:
    """Share of units whose mean varies from sample to sample."""
    return (code_Bd.var(0, correction=0) > ACTIVE).float().mean()


def of_players(net: GAN, x: Tensor) -> list[Measured]:
    """How the discriminator judges, how unlike the made samples are, and both players' gradients of their losses."""
    z = net.noise(len(x))
    made = net.make(z)
    real_B, made_B = net.judge(x)[:, 0], net.judge(made)[:, 0]
    right = 0.5 * ((real_B > 0).float().mean() + (made_B < 0).float().mean())
    found: list[Measured] = [("", "judged_right", right)]
    if len(x) > 1:
        a, b = F.pdist(made.flatten(1).float()), F.pdist(x.flatten(1).float())
        found.append(("", "spread_made", a.mean() / b.mean().clamp_min(1e-12)))
    with torch.enable_grad():
        L_D = F.softplus(-net.judge(x)).mean() + F.softplus(net.judge(made)).mean()
        L_G = F.softplus(-net.judge(net.make(z))).mean()
        for where, loss, player in (("discriminator", L_D, net.discriminator), ("generator", L_G, net.generator)):
            g = torch.autograd.grad(loss, [p for p in player.parameters() if p.requires_grad], allow_unused=True)
            norms = [torch.linalg.vector_norm(each) for each in g if each is not None]
            found += [(where, "gradient_norm", torch.stack(norms).norm()), (where, "loss", loss.detach())]
    return found
