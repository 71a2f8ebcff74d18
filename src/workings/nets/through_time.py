"""Backpropagation through time, written out for the RNN and the GRU: what runs where the library has no kernel.

Autograd would record every small operation of every step and add up the gradient of U step by step. Written out, a
step back is one product, and ∂L/∂U one product over all steps at the end. With δ_t = ∂L/∂h_t, all paths together,
and g_t the part of it that comes from the output of step t:

    RNN    z_t = a_t + U h_{t−1}, h_t = f(z_t)
           ∂L/∂z_t = δ_t ⊙ f'(z_t),  f' = 1 − h² for tanh, [h > 0] for ReLU
           δ_{t−1} = g_{t−1} + Uᵀ ∂L/∂z_t

    GRU    u = U h_{t−1} + (0, 0, d), r = σ(a_r + u_r), z = σ(a_z + u_z), n = tanh(a_n + r ⊙ u_n)
           h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}
           ∂L/∂u_t = δ_t ⊙ κ_t,  κ = (κ_n u_n r (1 − r), (h_{t−1} − n) z (1 − z), κ_n r),  κ_n = (1 − z)(1 − n²)
           ∂L/∂a_t is the same but for its last block, δ_t ⊙ κ_n
           δ_{t−1} = g_{t−1} + δ_t ⊙ z_t + Uᵀ ∂L/∂u_t

    both   ∂L/∂U = Σ_t ∂L/∂u_t h_{t−1}ᵀ

Legend: T steps, B batch, H units, G blocks; a (T, B, G·H), U (G·H, H), d (H), h (T, B, H). Sums run in another order
than autograd's, so the results are equal to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class RNNThroughTime(torch.autograd.Function):
    """a, U, h_0 (B, H) → h of all steps. relu: whether f is ReLU; else it is tanh."""

    @staticmethod
    def forward(ctx: Any, a_TBH: Tensor, U: Tensor, h_0: Tensor, relu: bool) -> Tensor:
        T, B, H = a_TBH.shape
        hs = a_TBH.new_empty(T + 1, B, H)
        h, *later = hs.unbind(0)
        h.copy_(h_0)
        for a, h_t in zip(a_TBH.unbind(0), later, strict=True):
            torch.addmm(a, h, U.t(), out=h_t)
            h = h_t.relu_() if relu else h_t.tanh_()
        ctx.save_for_backward(hs, U)
        ctx.relu = relu
        return hs[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        hs, U = ctx.saved_tensors
        (g,) = gradients
        slope = (hs[1:] > 0).to(hs.dtype) if ctx.relu else 1 - hs[1:].square()
        dz = torch.empty_like(slope)
        delta = torch.zeros_like(hs[0])
        for g_t, slope_t, dz_t in reversed(list(zip(g.unbind(0), slope.unbind(0), dz.unbind(0), strict=True))):
            delta = torch.mul(delta + g_t, slope_t, out=dz_t) @ U
        return dz, _over_all_steps(dz, hs[:-1]), delta, None


class GRUThroughTime(torch.autograd.Function):
    """a, U, d, h_0 (B, H) → h of all steps, of the GRU that resets after the product."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, U: Tensor, d: Tensor, h_0: Tensor) -> Tensor:
        T, B, _ = a.shape
        H = U.shape[1]
        hs, us = a.new_empty(T + 1, B, H), a.new_empty(T, B, 3 * H)
        rz, ns = a.new_empty(T, B, 2 * H), a.new_empty(T, B, H)
        inner = torch.cat((d.new_zeros(2 * H), d))
        h, *later = hs.unbind(0)
        h.copy_(h_0)
        parts = (a[..., : 2 * H], a[..., 2 * H :], us, us[..., : 2 * H], us[..., 2 * H :])
        parts += (rz, rz[..., :H], rz[..., H:], ns)
        steps = zip(*(part.unbind(0) for part in parts), later, strict=True)
        for a_rz, a_n, u, u_rz, u_n, rz_t, r, z, n, h_t in steps:
            torch.addmm(inner, h, U.t(), out=u)
            torch.add(a_rz, u_rz, out=rz_t).sigmoid_()
            torch.addcmul(a_n, r, u_n, out=n).tanh_()
            h = torch.lerp(n, h, z, out=h_t)
        ctx.save_for_backward(hs, us, rz, ns, U)
        return hs[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        hs, us, rz, n, U = ctx.saved_tensors
        (g,) = gradients
        T, B, H = n.shape
        r, z = rz.split(H, 2)
        kappa_n = (1 - z) * (1 - n * n)
        kappa = n.new_empty(T, B, 3, H)
        torch.mul(kappa_n, r, out=kappa[:, :, 2])
        torch.mul(kappa[:, :, 2] * us[..., 2 * H :], 1 - r, out=kappa[:, :, 0])
        torch.mul((hs[:-1] - n) * z, 1 - z, out=kappa[:, :, 1])
        du, deltas = torch.empty_like(kappa), torch.empty_like(hs)
        # What comes from the outputs waits where δ is added up: δ_t lies at t, and nothing is put out before step 1.
        deltas[1:].copy_(g)
        deltas[0].zero_()
        before, at = deltas[:-1].unbind(0), deltas[1:].unbind(0)
        steps = list(zip(before, at, kappa.unbind(0), z.unbind(0), du.unbind(0), du.flatten(2).unbind(0), strict=True))
        for delta_before, delta, kappa_t, z_t, du_t, du_flat in reversed(steps):
            torch.mul(delta[:, None], kappa_t, out=du_t)
            delta_before.addcmul_(delta, z_t).addmm_(du_flat, U)
        flat = du.flatten(2)
        dU, dd = _over_all_steps(flat, hs[:-1]), flat[..., 2 * H :].sum((0, 1))
        torch.mul(deltas[1:], kappa_n, out=flat[..., 2 * H :])  # from ∂L/∂u to ∂L/∂a
        return flat, dU, dd, deltas[0]


def _over_all_steps(du: Tensor, h_before: Tensor) -> Tensor:
    """Σ_t ∂L/∂u_t h_{t−1}ᵀ, as one product."""
    return du.flatten(0, 1).t() @ h_before.flatten(0, 1)
