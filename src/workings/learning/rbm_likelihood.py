"""How likely samples are under a restricted Boltzmann machine: ln p(v) = −F(v) − ln Z. Symbols as in ``nets.rbm``.

Z, the sum of exp(−E) over all states, has 2^(V+H) terms, of which one kind of units can be summed by formula:

    exact       ln Z = ln Σ_h exp(cᵀh + A(b + Wᵀh)), or the same over v: 2^20 terms at most
    AIS         Z = Z₀ · mean of w over chains, each from v ~ p₀ through p*_β, β from 0 to 1, by Gibbs sampling:
                ln p*_β(v) = ((1 − β)b₀ + βb)ᵀv − ε(v) + Σ_j ln(1 + exp(β(c + Wv)_j))
                ln w = Σ_t ln p*_β(t+1)(v_t) − ln p*_β(t)(v_t),  ln Z₀ = H ln 2 + A(b₀)
                b₀ is what makes units be on as often as in the training samples. Salakhutdinov and Murray 2008.

The pseudo-likelihood needs no Z: Σ_i ln p(v_i | all others), of binary units ln σ(F(v with i flipped) − F(v)).
Besag 1975; with one i drawn at random for each sample, times V, it is scikit-learn's ``score_samples``.

Legend: B batch, N samples, M chains, V visible units, H hidden units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from workings.learning.contrastive import bernoulli
from workings.nets.rbm import RBM

MOST_UNITS = 20  # on the side that is enumerated
PIECE = 4096  # states or samples at once
Z_95 = 1.96


@dataclass(frozen=True)
class LogZ:
    """ln Z with its 95 % interval, (value, value) where exact. effective: of how many chains the weights are worth."""

    value: float
    low: float
    high: float
    chains: int = 0
    effective: float = math.inf

    @property
    def exact(self) -> bool:
        return self.chains == 0


def can_enumerate(rbm: RBM) -> bool:
    """Whether one side has few enough units, and all of that side are binary."""
    H, V = rbm.weight.shape
    return min(H, V if rbm.visible.kind == "binary" else H) <= MOST_UNITS


@torch.no_grad()
def exact_log_z(rbm: RBM) -> LogZ:
    """ln Z by enumeration of the smaller side, in float64."""
    assert can_enumerate(rbm)
    W_HV, b_V, c_H = rbm.weight.double(), rbm.visible_bias.double(), rbm.hidden_bias.double()
    H, V = W_HV.shape
    terms = []
    if H <= MOST_UNITS and (H <= V or rbm.visible.kind != "binary"):
        for h_BH in states(H).split(PIECE):
            terms.append(h_BH @ c_H + rbm.visible.log_partition(torch.addmm(b_V, h_BH, W_HV)))
    else:
        for v_BV in states(V).split(PIECE):
            terms.append(v_BV @ b_V + F.softplus(torch.addmm(c_H, v_BV, W_HV.T)).sum(1))
    value = float(torch.cat(terms).logsumexp(0))
    return LogZ(value, value, value)


def states(n: int) -> Tensor:
    """All states of n binary units, (2^n, n) float64."""
    return (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).double()


@torch.no_grad()
def ais_log_z(
    rbm: RBM, mean_V: Tensor | None = None, chains: int = 100, steps: int = 5000, generator: Generator | None = None
) -> LogZ:
    """ln Z by annealed importance sampling; its interval is the normal one of the mean weight, on the log scale.

    mean_V: of the training samples; without it b₀ is 0.
    """
    W_HV, b_V, c_H = rbm.weight, rbm.visible_bias, rbm.hidden_bias
    visible, M, H = rbm.visible, chains, len(c_H)
    b0_V = torch.zeros_like(b_V) if mean_V is None else visible.bias_of(mean_V.to(b_V))
    v_MV = visible.sample(b0_V.expand(M, -1), generator)
    betas = _betas(steps)
    z_MH = rbm.inputs(v_MV)
    log_w_M = torch.zeros(M, dtype=torch.float64)
    for now, then in pairwise(betas):
        grown_M = (F.softplus(then * z_MH) - F.softplus(now * z_MH)).sum(1)
        log_w_M += grown_M.double() + (then - now) * (v_MV @ (b_V - b0_V)).double()
        h_MH = bernoulli(torch.sigmoid(then * z_MH), generator)
        a_MV = torch.addmm((1 - then) * b0_V + then * b_V, h_MH, W_HV, alpha=then)
        v_MV = visible.sample(a_MV, generator)
        z_MH = rbm.inputs(v_MV)
    log_z0 = H * math.log(2) + float(visible.log_partition(b0_V.double()[None]))
    w_M = (log_w_M - log_w_M.max()).exp()
    value = log_z0 + float(log_w_M.max() + w_M.mean().log())
    half = Z_95 * float(w_M.std() / w_M.mean()) / math.sqrt(M)
    return LogZ(value, value - half, value + half, M, float(w_M.sum().square() / w_M.square().sum()))


def _betas(steps: int) -> list[float]:
    """0 … 1: a thirtieth of the steps to 0.5, four fifteenths from there to 0.9, most to 1, as in the paper."""
    first, second = max(1, steps // 30), max(1, 4 * steps // 15)
    last = max(1, steps - first - second)
    parts = [torch.linspace(0, 0.5, first + 1)[:-1], torch.linspace(0.5, 0.9, second + 1)[:-1]]
    return torch.cat([*parts, torch.linspace(0.9, 1, last + 1)]).double().tolist()


@torch.no_grad()
def pseudo_log_likelihood(rbm: RBM, v_NV: Tensor) -> Tensor:
    """Σ_i ln p(v_i | all others), (N,) float64, in nats: every unit of every sample is flipped."""
    every = torch.arange(v_NV.shape[1])
    return torch.cat([_sum_over(rbm, v_BV, every[:, None].expand(-1, len(v_BV))) for v_BV in v_NV.split(PIECE)])


@torch.no_grad()
def sampled_pseudo_log_likelihood(rbm: RBM, v_NV: Tensor, flips: int, generator: Generator | None = None) -> Tensor:
    """An estimate of it without bias, (N,) float64: V times the mean over so many units of each sample, drawn at
    random. Of one flip this is scikit-learn's ``BernoulliRBM.score_samples``."""
    V = v_NV.shape[1]
    i_FN = torch.randint(V, (flips, len(v_NV)), generator=generator)
    pieces = zip(v_NV.split(PIECE), i_FN.split(PIECE, 1), strict=True)
    return V / flips * torch.cat([_sum_over(rbm, v_BV, i_FB) for v_BV, i_FB in pieces])


def _sum_over(rbm: RBM, v_BV: Tensor, i_FB: Tensor) -> Tensor:
    z_BH = rbm.inputs(v_BV)
    total_B = torch.zeros(len(v_BV), dtype=torch.float64)
    for i_B in i_FB:
        total_B += rbm.log_given_others(v_BV, z_BH, i_B)
    return total_B
