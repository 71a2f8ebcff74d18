"""The restricted Boltzmann machine: visible and hidden units, with weights between the two kinds only.

    E(v, h) = ε(v) − bᵀv − cᵀh − hᵀWv         ε(v) = ½ Σ v² over Gaussian visible units, else 0
    p(v, h) = exp(−E(v, h)) / Z
    p(h_j = 1 | v) = σ(c + Wv)_j
    p(v | h)       of the activation a = b + Wᵀh: σ(a) for binary units, N(a, 1) for Gaussian ones, softmax(a) for a
                   category: see ``nets.visible``
    F(v) = −ln Σ_h exp(−E(v, h)) = ε(v) − bᵀv − Σ_j ln(1 + exp(c + Wv)_j)

F is the free energy: p(v) = exp(−F(v)) / Z, so the higher, the more unusual a sample. What the net gives for x is the
activation of the mean-field reconstruction, a = b + Wᵀ E[h|v = x]. It learns by ``learning.contrastive``.
Smolensky 1986; Hinton 2002, 2012; Gaussian units: Welling, Rosen-Zvi and Hinton 2005.

Legend: B batch, V visible units (numbers of a sample), H hidden units.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.form import Form
from workings.nets.rbm_columns import costs
from workings.nets.registry import kind_of_samples, register
from workings.nets.settings import Setting
from workings.nets.unsupervised import Unsupervised
from workings.nets.visible import Visible

FLIPS = 5  # units of each sample that a look at the pseudo-likelihood flips


@register(
    "rbm",
    "energies of visible and hidden units; learns by contrastive divergence",
    shapes="any",
    family="generative",
    sizes={"small": {"units": 64}, "medium": {}, "large": {"units": 512}},
    learns="samples",
)
class RBM(Unsupervised):
    """x (B, *shape) → a (B, V), flat."""

    by_gradient = False

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        units: Annotated[int, Setting("hidden units", low=1)] = 256,
        visible: Annotated[
            str, Setting("what the visible units are; auto: by the samples", choices=("auto", "binary", "gaussian"))
        ] = "auto",
        k: Annotated[int, Setting("steps of Gibbs sampling for each step of learning", low=1)] = 1,
        chains: Annotated[int, Setting("chains that persist from step to step; 0: begun at the data", low=0)] = 100,
        sparsity: Annotated[float, Setting("share of samples that a hidden unit is to be on for", low=0, high=1)] = 0.1,
        sparsity_cost: Annotated[float, Setting("how strongly units are drawn to it; 0: not at all", low=0)] = 0.0,
        draw_steps: Annotated[int, Setting("steps of Gibbs sampling before a new sample", low=1)] = 1000,
    ) -> None:
        super().__init__()
        V = math.prod(shape)
        self.shape = tuple(shape)
        self.columns = form.columns
        self.code = units
        self.k = k
        self.chains = chains
        self.sparsity = sparsity
        self.sparsity_cost = sparsity_cost
        self.draw_steps = draw_steps
        if visible == "auto":
            # Pixels are 0…1; numbers of a table are standardised, and a table says what each of its columns is.
            image = kind_of_samples(shape, form) == "image"
            self.visible = Visible("binary" if image else "gaussian", form.columns)
        else:
            self.visible = Visible(visible)
        self.weight = nn.Parameter(0.01 * torch.randn(units, V))  # W (H, V); small, to break the symmetry: Hinton 2012
        self.visible_bias = nn.Parameter(torch.zeros(V))  # b
        self.hidden_bias = nn.Parameter(torch.zeros(units))  # c

    def start(self, mean_V: Tensor) -> None:
        """Begin with visible units that are on as often as in the training samples, whose mean this is."""
        with torch.no_grad():
            self.visible_bias.copy_(self.visible.bias_of(mean_V))

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.encode(x))

    def per_sample(self, out: Tensor, x: Tensor) -> Tensor:
        return self.visible.cost(out, x.flatten(1))

    def encode(self, x: Tensor) -> Tensor:
        """p(h = 1 | v), (B, H)."""
        return torch.sigmoid(self.inputs(x.flatten(1)))

    def inputs(self, v_BV: Tensor) -> Tensor:
        """z = c + Wv, (B, H)."""
        return F.linear(v_BV, self.weight, self.hidden_bias)

    def activation(self, h_BH: Tensor) -> Tensor:
        """a = b + Wᵀh, (B, V)."""
        return torch.addmm(self.visible_bias, h_BH, self.weight)

    def decode(self, z: Tensor) -> Tensor:
        """E[v | h = z], (B, *shape)."""
        return self.visible.mean(self.activation(z)).unflatten(1, self.shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def free_energy(self, v_BV: Tensor) -> Tensor:
        """F(v), (B,)."""
        return self.visible.own_energy(v_BV) - v_BV @ self.visible_bias - F.softplus(self.inputs(v_BV)).sum(1)

    def log_given_others(self, v_BV: Tensor, z_BH: Tensor, i_B: Tensor) -> Tensor:
        """ln p(v_i | all other units) = ln σ(F(v with v_i flipped) − F(v)), (B,), in nats; i (B,) one unit a sample.

        z: ``inputs(v)``; flipping adds d = 1 − 2v_i to v_i and so d W_·i to z.
        """
        assert self.visible.kind == "binary"
        d_B1 = 1 - 2 * v_BV.gather(1, i_B[:, None])
        moved_BH = torch.addcmul(z_BH, d_B1, self.weight.T[i_B])
        change_B = -d_B1[:, 0] * self.visible_bias[i_B] - (F.softplus(moved_BH) - F.softplus(z_BH)).sum(1)
        return F.logsigmoid(change_B)

    def looks(self, x: Tensor) -> dict[str, Tensor]:
        """What is watched beside the loss, (B,) each: the free energy; of binary units the pseudo-likelihood, V times
        the mean ln p(v_i | all other units) over a few units i drawn for each sample."""
        v_BV = x.flatten(1)
        found = {"free_energy": self.free_energy(v_BV)}
        if self.visible.kind == "binary":
            z_BH, V = self.inputs(v_BV), v_BV.shape[1]
            some = torch.randint(V, (FLIPS, len(v_BV)))
            each = torch.stack([self.log_given_others(v_BV, z_BH, i_B) for i_B in some])
            found["pseudo_log_likelihood"] = V * each.mean(0)
        return found

    def unusual(self, x: Tensor) -> Tensor:
        return self.free_energy(x.flatten(1))

    def unusual_columns(self, x: Tensor) -> Tensor:
        """Of a table; see :mod:`workings.nets.rbm_columns`."""
        return costs(self, x.flatten(1))

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """New samples (n, *shape), each the end of a chain of its own: ``draw_steps`` steps of Gibbs sampling from
        units drawn by their biases alone. Of images, the means of the last step: pixels without its noise."""
        v_BV = self.visible.sample(self.visible_bias.expand(n, -1), generator)
        a_BV = self.visible_bias.expand(n, -1)
        for step in range(self.draw_steps):
            p_BH = self.encode(v_BV)
            h_BH = (torch.rand(p_BH.shape, generator=generator, dtype=p_BH.dtype) < p_BH).to(p_BH.dtype)
            a_BV = self.activation(h_BH)
            if step < self.draw_steps - 1 or len(self.shape) < 3:
                v_BV = self.visible.sample(a_BV, generator)
        drawn_BV = v_BV if len(self.shape) < 3 else self.visible.mean(a_BV)
        return drawn_BV.unflatten(1, self.shape)
