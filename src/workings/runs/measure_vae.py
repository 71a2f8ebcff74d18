"""What a variational autoencoder is judged by beyond its reconstructions, on samples that were not trained on.

    −ELBO = E_q[−ln p(x|z)] + Σ_j KL_j      ≥ −ln p(x); the mean over ``DRAWS`` codes a sample, at β = 1 whatever β was
                                            trained with
    −ln p̂_k(x) = −ln (1/k) Σ_i w_i,  w_i = p(x|z_i) p(z_i) / q(z_i|x),  z_i ~ q(z|x)
                                            a bound too, that falls to −ln p(x) as k grows
    active units                            Var_x μ_j(x) > 0.01

Burda, Grosse and Salakhutdinov 2016, who name the bound and the units.

Legend: n samples, B batch, d numbers of a code, k codes drawn for a sample.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from workings.base.events import Emit, Phase
from workings.base.problems import Problem
from workings.data.source import Part, Source
from workings.learning.metrics import Evaluation
from workings.learning.unsupervised_scores import of_means
from workings.nets.vae import VariationalAutoencoder, kl_of_units
from workings.runs.sweeping import batches_of

if TYPE_CHECKING:
    from workings.runs.run import Run

DRAWS = 10
K = 100
MOST_WEIGHED = 1000  # samples that so many codes are drawn for
SEED = 0
ACTIVE = 0.01  # variance of a unit's mean over the samples
FEW = 0.75  # share of the units; where fewer are active, it is told


def measure(run: Run, source: Source, emit: Emit) -> list[Evaluation]:
    """The bound and its two terms, in nats a sample; the importance-weighted bound; how many units are active."""
    net = run.net
    assert isinstance(net, VariationalAutoencoder)
    emit(Phase("measuring", "bounds on the likelihood"))
    missed_n, kl_nd, mu_nd = bound(net, source)
    found = Evaluation("unsupervised", len(source), {})
    drawn = f"{DRAWS} codes a sample, seed {SEED}"
    weighed_n = weighed(net, source)
    part = "" if len(weighed_n) == len(source) else f"; of {len(weighed_n):,} samples drawn at random"
    for name, each, how in (
        ("nats_per_sample", missed_n + kl_nd.sum(1), drawn),
        ("importance_weighted_nats", weighed_n, f"k = {K} codes a sample, seed {SEED}{part}"),
        ("reconstruction_nats", missed_n, drawn),
        ("kl_nats", kl_nd.sum(1), "exact"),
    ):
        value, interval, spread = of_means(name, each)
        found.metrics[name], found.intervals[name], found.method[name] = value, interval, f"{spread}; {how}"
    if len(source) > 1:
        active = int((mu_nd.var(0, ddof=1) > ACTIVE).sum())
        found.metrics["active_units"] = float(active)
        found.notes.extend(_collapse(active, net))
    found.notes.extend(_of_pixels(net, source))
    return [found]


@torch.no_grad()
def bound(net: VariationalAutoencoder, source: Source) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """−ln p(x|z) (n,), the mean over ``DRAWS`` codes; KL_j (n, d); μ (n, d); float64."""
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    generator = torch.Generator().manual_seed(SEED)
    for x in batches_of(net, source):
        mu_Bd, log_var_Bd = net.q(x)
        missed = torch.stack([-net.log_p(x, _z(mu_Bd, log_var_Bd, generator)[0]) for _ in range(DRAWS)])
        parts.append((missed.double().mean(0), kl_of_units(mu_Bd, log_var_Bd).double(), mu_Bd.double()))
    missed_n, kl_nd, mu_nd = (torch.cat(each).numpy() for each in zip(*parts, strict=True))
    return missed_n, kl_nd, mu_nd


@torch.no_grad()
def weighed(net: VariationalAutoencoder, source: Source, k: int = K) -> np.ndarray:
    """−ln p̂_k(x), float64, of all samples, or of ``MOST_WEIGHED`` drawn at random."""
    rows = np.sort(np.random.default_rng(SEED).permutation(len(source))[:MOST_WEIGHED])
    generator = torch.Generator().manual_seed(SEED)
    found = []
    for x in batches_of(net, Part(source, rows)):
        mu_Bd, log_var_Bd = net.q(x)
        log_w = []
        for _ in range(k):
            z_Bd, eps_Bd = _z(mu_Bd, log_var_Bd, generator)
            # ln p(z) − ln q(z|x): what both have of 2π falls out
            ratio_B = 0.5 * (eps_Bd.square() + log_var_Bd - z_Bd.square()).sum(1)
            log_w.append((net.log_p(x, z_Bd) + ratio_B).double())
        found.append(math.log(k) - torch.stack(log_w).logsumexp(0))
    return torch.cat(found).numpy()


def _z(mu_Bd: Tensor, log_var_Bd: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A code z = μ + σε, and ε."""
    eps_Bd = torch.randn(mu_Bd.shape, generator=generator, dtype=mu_Bd.dtype)
    return mu_Bd + (0.5 * log_var_Bd).exp() * eps_Bd, eps_Bd


def _collapse(active: int, net: VariationalAutoencoder) -> list[Problem]:
    d = net.code
    if active >= FEW * d:
        return []
    what = f"Only {active} of the {d} units of the code are active: the mean of each other one hardly varies."
    why = "They carry nothing of a sample, so codes vary in fewer ways than were asked for (posterior collapse)."
    do = "Let the KL term set in later (annealing=2000, in steps) or leave each unit some of it (free_bits=0.1); "
    if net.beta > 1:
        do += f"or lower beta, which is {net.beta:g}; "
    if active:
        do += f"if the reconstructions are good enough, code={active} does as well."
    else:
        do += "if all stays so, the samples have nothing in common that this net can find."
    return [Problem("warning", "posterior-collapse", what, count=d - active, why=why, do=do)]


def _of_pixels(net: VariationalAutoencoder, source: Source) -> list[Problem]:
    """Whether bernoulli says how likely numbers are that are neither 0 nor 1."""
    if net.likelihood.kind != "bernoulli" or net.likelihood.columns is not None:
        return []
    between = outside = total = 0
    for x in batches_of(net, source):
        total += x.numel()
        between += int(((x > 0) & (x < 1)).sum())
        outside += int(((x < 0) | (x > 1)).sum())
    if outside:
        what = f"{outside:,} of {total:,} numbers lie outside 0 to 1, where bernoulli has no meaning."
        why = "The bound has no lower end there, so nothing can be read from it."
        do = "Train with likelihood=gaussian."
        return [Problem("warning", "bernoulli-outside", what, count=outside, why=why, do=do)]
    if between:
        what = f"{between / total:.1%} of the pixels are neither 0 nor 1: their nats are no true likelihood."
        why = "bernoulli then measures a cross-entropy: good to learn by, not to be compared with other likelihoods."
        do = "For a true one, train with binarise=0.5, or with likelihood=gaussian."
        return [Problem("note", "bernoulli-between", what, count=between, why=why, do=do)]
    return []
