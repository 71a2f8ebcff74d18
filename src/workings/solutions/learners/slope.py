"""How a discriminator's answer changes with its input, as operations of their own: the way back through its layers.

    s = 1 at the answer;  through a dense layer s ← Wᵀs,  a convolution s ← W ⋆ᵀ s,  an activation s ← s ⊙ σ′(z)

so that a penalty on ∇D(x) = s is worked like any other part of a loss, its gradient by W included. The activations
of a discriminator are of straight pieces, so σ′ is a constant to that gradient. Gulrajani et al. 2017; Mescheder et
al. 2018.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.nets.activations import Activation
from workings.nets.spectral_norm import SMALL, SpectralConv2d, SpectralLinear

Back = Callable[[Tensor], Tensor]


def judged_with_slope(discriminator: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """D(x) (B, 1), each layer run once, and ∇D(x) of each sample in the shape of x."""
    way: list[Back] = []
    a = x
    for layer in _layers(discriminator):
        if isinstance(layer, (nn.Linear, nn.Conv2d)) and a.ndim != (2 if isinstance(layer, nn.Linear) else 4):
            way.append(_shaped(a))
            a = a.flatten(1)
        u = layer.u_O.clone() if isinstance(layer, (SpectralLinear, SpectralConv2d)) else None
        given, a = a, layer(a)
        way.append(_back(layer, given, u))
    s = torch.ones_like(a)
    for back in reversed(way):
        s = back(s)
    return a, s


def _layers(module: nn.Module) -> list[nn.Module]:
    """The layers in the order in which they run."""
    inner = list(module.children())
    return [module] if not inner else [layer for child in inner for layer in _layers(child)]


def _shaped(a: Tensor) -> Back:
    shape = a.shape
    return lambda s: s.reshape(shape)


def _back(layer: nn.Module, given: Tensor, u: Tensor | None) -> Back:
    if isinstance(layer, nn.Flatten):
        return _shaped(given)
    if isinstance(layer, Activation):
        slope = layer.derivative(given.detach())
        return lambda s: s * slope
    assert isinstance(layer, (nn.Linear, nn.Conv2d)), type(layer).__name__
    W = layer.weight if u is None else layer.weight / _sigma(layer, u)
    if isinstance(layer, nn.Linear):
        return lambda s: s @ W
    stride, padding, kernel = layer.stride, layer.padding, layer.kernel_size
    assert isinstance(padding, tuple)
    H, W_in = given.shape[2:]

    def back(s: Tensor) -> Tensor:
        made = [(n - 1) * stride[i] - 2 * padding[i] + kernel[i] for i, n in enumerate(s.shape[2:])]
        return F.conv_transpose2d(s, W, None, stride, padding, (H - made[0], W_in - made[1]))

    return back


def _sigma(layer: nn.Module, u: Tensor) -> Tensor:
    """σ as the layer had it: u is its buffer as it was before."""
    assert isinstance(layer, (SpectralLinear, SpectralConv2d))
    W = layer.weight.flatten(1)
    with torch.no_grad():
        v = F.normalize(W.T @ u, dim=0, eps=SMALL)
        new = F.normalize(W @ v, dim=0, eps=SMALL)
    return new @ (W @ v)
