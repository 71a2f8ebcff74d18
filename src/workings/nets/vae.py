"""The variational autoencoder: codes that are drawn, so that any code means a sample.

    μ, log σ² = encoder(x)                 q(z|x) = N(μ, diag σ²)
    z = μ + σ ⊙ ε,  ε ~ N(0, I)            the gradient goes through μ and σ ("reparameterisation")
    o = decoder(z)                         p(x|z): Bernoulli(σ(o)), or N(o, s²)
    KL_j = ½ (μ_j² + σ_j² − 1 − ln σ_j²)   of q(z_j|x) from the prior p(z_j) = N(0, 1)
    L = −ln p(x|z) + β_t Σ_j KL_j          for β_t = 1 it is −ELBO ≥ −ln p(x), one ε a sample

Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014. β: Higgins et al. 2017. KL annealing, Bowman et al. 2016:
β_t = β min(1, t/T) at the t-th step, from 0. Free bits λ, Kingma et al. 2016: in training each KL_j, averaged over
the batch, counts as λ nats where it is less, so that no unit is pressed below λ. s is learnt where it is not given, one
for all numbers of a sample, or one for each column of a table (Rybkin et al. 2021); s ≥ ``LEAST_SPREAD``, for a column
that can be rebuilt exactly has no likelihood otherwise.

Legend: B batch, D numbers of a sample, O of the decoder's output, S spreads, d of a code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import refuse
from workings.base.form import Form
from workings.nets import activations
from workings.nets.coders import CODERS, coders
from workings.nets.likelihood import Likelihood
from workings.nets.registry import register
from workings.nets.settings import Setting
from workings.nets.unsupervised import Unsupervised

LIKELIHOODS = ("auto", "bernoulli", "gaussian")
LEAST_SPREAD = 0.05
PACE = 10.0  # adam moves no parameter by more than η a step, and s has far to go


def code_for(D: int) -> int:
    """d for samples of D numbers: half, from 2 to 20; units that are not needed switch themselves off."""
    return max(2, min(20, D // 2))


def kl_of_units(mu_Bd: Tensor, log_var_Bd: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) of each unit, (B, d), in nats."""
    return 0.5 * (mu_Bd.square() + log_var_Bd.exp() - 1 - log_var_Bd)


@register(
    "vae",
    "variational autoencoder: draws new samples, and varies them by their code",
    shapes="any",
    family="generative",
    sizes={"small": {"hidden": (128,), "channels": (16, 32)}, "medium": {}, "large": {"hidden": (512, 256)}},
    learns="samples",
)
class VariationalAutoencoder(Unsupervised):
    """x (B, *shape) → (B, O + S + 2d + 2): o of one z, s, μ, log σ², β_t and λ, side by side."""

    steps_done: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        code: Annotated[int, Setting("numbers of the code; 0: half of a sample's, 2 to 20", low=0)] = 0,
        coder: Annotated[str, Setting("dense, or convolution for images and series", choices=CODERS)] = "auto",
        hidden: Annotated[Sequence[int], Setting("units of dense layers before the code, mirrored behind", low=1)] = (
            400,
        ),
        channels: Annotated[Sequence[int], Setting("of convolution stages, each halves the sides", low=1)] = (32, 64),
        activation: Annotated[str, Setting("of the hidden layers", choices=activations.NAMES)] = "relu",
        likelihood: Annotated[
            str, Setting("of a number given the code; auto: bernoulli for images", choices=LIKELIHOODS)
        ] = "auto",
        spread: Annotated[float, Setting("s of the gaussian; 0: learnt", low=0)] = 0.0,
        beta: Annotated[float, Setting("weight of the KL term", low=0)] = 1.0,
        annealing: Annotated[int, Setting("steps over which beta rises from 0", low=0)] = 0,
        free_bits: Annotated[float, Setting("nats of KL that each unit has for nothing", low=0)] = 0.0,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.code = code or code_for(math.prod(shape))
        self.encoder, self.decoder = coders(shape, coder, hidden, channels, self.code, 2 * self.code, 1, activation)
        if likelihood == "bernoulli" and form.columns:
            raise refuse(
                "likelihood-of-columns",
                "likelihood=bernoulli is for samples of one kind of number; each column of a table has its own.",
                do="Leave it out: yes or no is bernoulli, a category has probabilities, a number is gaussian.",
            )
        if likelihood == "auto":
            likelihood = "bernoulli" if len(shape) == 3 else "gaussian"
        self.likelihood = Likelihood(likelihood, form.columns, spread or 1.0)
        S = self.likelihood.spreads
        # s = LEAST_SPREAD + ln(1 + e^(PACE·a)), 1 at first
        learnt = S > 0 and not spread
        self.spread = nn.Parameter(torch.full((S,), math.log(math.expm1(1 - LEAST_SPREAD)) / PACE)) if learnt else None
        self.beta, self.annealing, self.free_bits = beta, annealing, free_bits
        if annealing:
            self.register_buffer("steps_done", torch.zeros((), dtype=torch.int64))

    def q(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x), each (B, d)."""
        both = self.encoder(x)
        if both.dtype == torch.bfloat16:  # in that lane; what is drawn and what is summed over units stays fine
            both = both.float()
        mu_Bd, log_var_Bd = both.chunk(2, 1)
        return mu_Bd, log_var_Bd

    def log_p(self, x: Tensor, z_Bd: Tensor) -> Tensor:
        """ln p(x|z), (B,)."""
        return -self.likelihood.negative_log(self.decoder(z_Bd), x, self._spread(len(x)))

    def forward(self, x: Tensor) -> Tensor:
        mu_Bd, log_var_Bd = self.q(x)
        z_Bd = mu_Bd + (0.5 * log_var_Bd).exp() * torch.randn_like(mu_Bd)
        s_BS = self._spread(len(x))
        beta = self._beta(mu_Bd).expand(len(x), 1)
        lam = mu_Bd.new_full((len(x), 1), self.free_bits if self.training else 0.0)
        return torch.cat([self.decoder(z_Bd), *([] if s_BS is None else [s_BS]), mu_Bd, log_var_Bd, beta, lam], 1)

    def _beta(self, like: Tensor) -> Tensor:
        """β_t, (1, 1); in evaluation β itself, so that looks at the validation rows can be compared."""
        beta = like.new_full((1, 1), self.beta)
        if not (self.annealing and self.training):
            return beta
        beta = beta * (self.steps_done.to(like.dtype) / self.annealing).clamp(max=1)
        self.steps_done.add_(1)
        return beta

    def _spread(self, B: int) -> Tensor | None:
        """s, (B, S), where it is learnt."""
        return None if self.spread is None else (LEAST_SPREAD + F.softplus(PACE * self.spread)).expand(B, -1)

    def _terms(self, out: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """−ln p(x|z) (B,), KL_j (B, d), β_t (B,) and λ (B,) of what ``forward(x)`` gave."""
        d, S = self.code, 0 if self.spread is None else self.likelihood.spreads
        sizes = [out.shape[1] - S - 2 * d - 2, S, d, d, 1, 1]
        o_BO, s_BS, mu_Bd, log_var_Bd, beta_B1, lam_B1 = out.split(sizes, 1)
        missed_B = self.likelihood.negative_log(o_BO, x, s_BS if S else None)
        return missed_B, kl_of_units(mu_Bd, log_var_Bd), beta_B1[:, 0], lam_B1[:, 0]

    def per_sample(self, out: Tensor, x: Tensor) -> Tensor:
        """−ln p(x|z) + β_t Σ_j KL_j, (B,): without free bits, which are a matter of whole batches."""
        missed_B, kl_Bd, beta_B, _ = self._terms(out, x)
        return missed_B + beta_B * kl_Bd.sum(1)

    def objective(self, out: Tensor, x: Tensor, w: Tensor | None = None) -> Tensor:
        if not self.free_bits:
            return super().objective(out, x, w)
        missed_B, kl_Bd, beta_B, lam_B = self._terms(out, x)
        share_B = torch.full_like(missed_B, 1 / len(x)) if w is None else w / w.sum()
        kl_d = (share_B[:, None] * kl_Bd).sum(0)
        return (share_B * missed_B).sum() + beta_B[0] * torch.maximum(kl_d, lam_B[0]).sum()

    def encode(self, x: Tensor) -> Tensor:
        return self.q(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        return self.likelihood.mean(self.decoder(z), self.shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def unusual(self, x: Tensor) -> Tensor:
        """−ln p(x|z) + Σ_j KL_j at z = μ, (B,): the bound without its randomness."""
        mu_Bd, log_var_Bd = self.q(x)
        return kl_of_units(mu_Bd, log_var_Bd).sum(1) - self.log_p(x, mu_Bd)

    def unusual_columns(self, x: Tensor) -> Tensor:
        """Of a table; see :class:`workings.nets.unsupervised.Explains`. Σ_j KL_j is the whole row's."""
        return self.likelihood.by_column(self.decoder(self.encode(x)), x, self._spread(len(x)))

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """z ~ N(0, I); of images the mean of p(x|z), as is usual; of the rest x ~ p(x|z), for a mean row is no row."""
        like = next(self.parameters())
        z_nd = torch.randn(n, self.code, generator=generator, dtype=like.dtype)
        if len(self.shape) == 3:
            return self.decode(z_nd)
        return self.likelihood.draw(self.decoder(z_nd), self.shape, generator, self._spread(n))
