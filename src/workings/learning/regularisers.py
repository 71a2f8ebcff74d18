"""Penalties on weights, and limits on gradients.

    L1           λ₁ Σ |w|                gradient  λ₁ sign(w), with sign(0) = 0
    L2           ½ λ₂ Σ w²               gradient  λ₂ w
    elastic net  the sum of both         gradient  λ₁ sign(w) + λ₂ w

The ½ makes λ₂ the "weight decay" of plain gradient descent: w ← w − η(g + λ₂w) = (1 − ηλ₂)w − ηg. A text that
writes λΣw² with gradient 2λw means λ₂ = 2λ.

Penalties count weights only: parameters of two or more dimensions. Biases and norm scales shift and scale
activations; pulling them to 0 does not make a net simpler.

Everything is a pure function of tensors of any shape, normally one flat vector (P,), and can be traced into a graph.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def is_penalised(parameter: Tensor) -> bool:
    """Whether a parameter is a weight: two or more dimensions."""
    return parameter.ndim >= 2


def penalised(net: nn.Module) -> list[str]:
    """The names of the trainable parameters that penalties count."""
    return [name for name, p in net.named_parameters() if p.requires_grad and is_penalised(p)]


def l1(w: Tensor, lambda1: float) -> Tensor:
    """λ₁ Σ |w|, a scalar. Makes weights exactly 0 with a proximal step, nearly 0 with a gradient step."""
    return lambda1 * w.abs().sum()


def l1_gradient(w: Tensor, lambda1: float) -> Tensor:
    """λ₁ sign(w), of w's shape."""
    return lambda1 * torch.sign(w)


def l2(w: Tensor, lambda2: float) -> Tensor:
    """½ λ₂ Σ w², a scalar. Also called ridge or Tikhonov."""
    return 0.5 * lambda2 * w.square().sum()


def l2_gradient(w: Tensor, lambda2: float) -> Tensor:
    """λ₂ w, of w's shape."""
    return lambda2 * w


def elastic_net(w: Tensor, lambda1: float, lambda2: float) -> Tensor:
    """λ₁ Σ |w| + ½ λ₂ Σ w², a scalar. Zou and Hastie 2005."""
    return l1(w, lambda1) + l2(w, lambda2)


def elastic_net_gradient(w: Tensor, lambda1: float, lambda2: float) -> Tensor:
    """λ₁ sign(w) + λ₂ w, of w's shape."""
    return l1_gradient(w, lambda1) + l2_gradient(w, lambda2)


def penalty(net: nn.Module, lambda1: float, lambda2: float) -> Tensor:
    """The elastic net over all weights of a net, a scalar; 0 where it has none."""
    weights = [elastic_net(p, lambda1, lambda2) for p in net.parameters() if p.requires_grad and is_penalised(p)]
    return torch.stack(weights).sum() if weights else torch.zeros(())


def clip_by_norm(g: Tensor, tau: float) -> Tensor:
    """g ← τ g/‖g‖ where ‖g‖ > τ, else g untouched to the bit. The direction stays. Pascanu et al. 2013.

    Args:
        g: all gradients of a net as one tensor, so that ‖g‖ is their joint Euclidean norm.
        tau: τ > 0.
    """
    assert tau > 0
    norm = g.square().sum().sqrt()
    return torch.where(norm > tau, g * (tau / norm), g)


def clip_by_value(g: Tensor, limit: float) -> Tensor:
    """Each number of g into [−limit, limit]. This may turn the direction.

    Args:
        g: gradients.
        limit: above 0.
    """
    assert limit > 0
    return g.clamp(-limit, limit)
