"""Contrastive divergence: how a restricted Boltzmann machine learns.

The gradient of the log-likelihood is a difference of two means (symbols as in ``nets.rbm``):

    ∂ ln p(v) / ∂W = ⟨p(h|v) vᵀ⟩_data − ⟨p(h|v) vᵀ⟩_model,    for b: ⟨v⟩ − ⟨v⟩,    for c: ⟨p(h|v)⟩ − ⟨p(h|v)⟩

The second mean has no closed form; it is taken over samples of k steps of Gibbs sampling, each v ~ p(v|h), h ~ p(h|v):

    CD-k            the chains start anew at the data in every step, h ~ p(h|v_data). Hinton 2002.
    persistent CD   the chains go on from where the step before left them. Tieleman 2008.

Positive and last negative statistics take p(h|v) for h, which has less variance than a sample (Hinton 2012, 3).

Legend: B batch, M chains, V visible units, H hidden units.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from workings.nets.visible import BINARY, GAUSSIAN, Visible


@torch.no_grad()
def cd_gradient(
    W_HV: Tensor,
    b_V: Tensor,
    c_H: Tensor,
    v_BV: Tensor,
    k: int = 1,
    chain: Tensor | None = None,
    gaussian: bool | Visible = False,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """One step's estimate of the gradient of the mean log-likelihood: what is to be *added* to W, b and c.

    chain: hidden states (M, H) that a step before left; None starts at the data (CD-k).
    gaussian: whether the visible units are Gaussian, or what they are.
    generator: of the random numbers, torch's own where None. They are drawn as h (B, H) where there is no chain, then
        k times v (M, V) and h (M, H), each by one call.

    Returns dW (H, V), db (V,), dc (H,), the chains' hidden states (M, H), and the reconstruction error: the mean over
    the batch of −ln p(v | E[h|v]), in nats (½ a squared difference for a Gaussian unit).
    """
    visible = gaussian if isinstance(gaussian, Visible) else GAUSSIAN if gaussian else BINARY
    p_BH = torch.sigmoid(torch.addmm(c_H, v_BV, W_HV.T))
    error = visible.cost(torch.addmm(b_V, p_BH, W_HV), v_BV).mean()
    dW_HV, db_V, dc_H, h_MH = contrast(W_HV, b_V, c_H, v_BV, p_BH, k, chain, visible, None, generator)
    return dW_HV, db_V, dc_H, h_MH, error


def contrast(
    W_HV: Tensor,
    b_V: Tensor,
    c_H: Tensor,
    v_BV: Tensor,
    p_BH: Tensor,
    k: int,
    chain: Tensor | None,
    visible: Visible,
    weight_B: Tensor | None,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """dW, db, dc and the chains of :func:`cd_gradient`, from p(h|v_data) (B, H); the batch's mean weighted by
    ``weight_B`` where given, and so are chains that start at the data."""
    h_MH = bernoulli(p_BH, generator) if chain is None else chain
    v_MV, p_MH = v_BV, p_BH
    for _ in range(k):
        v_MV = visible.sample(torch.addmm(b_V, h_MH, W_HV), generator)
        p_MH = torch.sigmoid(torch.addmm(c_H, v_MV, W_HV.T))
        h_MH = bernoulli(p_MH, generator)
    s_B1 = _shares(v_BV, weight_B)
    s_M1 = s_B1 if chain is None else _shares(v_MV, None)
    positive_BV, negative_MV = s_B1 * v_BV, s_M1 * v_MV
    dW_HV = torch.addmm(p_BH.T @ positive_BV, p_MH.T, negative_MV, alpha=-1)
    return dW_HV, positive_BV.sum(0) - negative_MV.sum(0), (s_B1 * p_BH).sum(0) - (s_M1 * p_MH).sum(0), h_MH


def bernoulli(p: Tensor, generator: Generator | None = None) -> Tensor:
    """1 with probability p, else 0, by one call for uniform numbers."""
    return (torch.rand(p.shape, generator=generator, dtype=p.dtype) < p).to(p.dtype)


def _shares(v: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return torch.full((len(v), 1), 1 / len(v), dtype=v.dtype)
    return (weight / weight.sum())[:, None].to(v.dtype)
