"""Losses: how wrong a net's outputs are, one number ℓᵢ a sample, and their weighted mean over a batch.

    L = Σᵢ wᵢ ℓᵢ / Σᵢ wᵢ            wᵢ = 1 where no weights are given

So weights have no scale (2w and w are the same), a row of weight 2 counts exactly like the same row twice, and a row
of weight 0 like no row. A batch whose weights are all 0 says nothing: its loss is 0. Class weights c multiply:
wᵢ becomes wᵢ c_(yᵢ).

Legend: B batch, K outputs; out (B, K) logits z or values a; y (B,) class numbers (int64) or targets t (float).
An output of one column, (B, 1) or (B,), is compared with y (B,) number by number. Other shapes are refused: they
would broadcast to (B, B) and train on nonsense.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.base.errors import UserError, refuse
from workings.base.problems import unknown_name
from workings.base.tokens import PAD


def weighted_mean(losses_B: Tensor, w_B: Tensor | None) -> Tensor:
    """Σ wᵢ ℓᵢ / Σ wᵢ, 0 where the weights are all 0."""
    if w_B is None:
        return losses_B.mean()
    total = w_B.sum()
    return (losses_B * w_B).sum() / torch.where(total > 0, total, torch.ones_like(total))


def aligned(out: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """``out`` and ``y`` as (B, K) each, y in out's type.

    Raises:
        UserError: they do not hold one target for each output.
    """
    a = out[:, None] if out.ndim == 1 else out
    t = y[:, None] if y.ndim == 1 else y
    if a.shape != t.shape:
        raise refuse(
            "loss-shape",
            f"The outputs have shape {tuple(out.shape)} and the targets {tuple(y.shape)}.",
            why="Each output needs one target; spreading one over the other would compare every row with every other.",
            do="Give targets (B,) for one output, or of the same shape as the outputs.",
        )
    return a, t.to(a.dtype)


class Loss:
    """The common part of all losses: the weighted mean of ``per_sample``."""

    name: ClassVar[str]
    formula: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        """ℓ (B,), without weights."""
        raise NotImplementedError

    def weights(self, y: Tensor, w: Tensor | None) -> Tensor | None:
        """The weight of each sample (B,): ``w``, times its class's weight where there are class weights."""
        return w

    def __call__(self, out: Tensor, y: Tensor, w: Tensor | None = None) -> Tensor:
        """L (), the weighted mean over the batch."""
        return weighted_mean(self.per_sample(out, y), self.weights(y, w))


@dataclass(frozen=True)
class HalfSquared(Loss):
    """ℓ = ½ Σ_k (t_k − a_k)², whose derivative is a_k − t_k. Rumelhart, Hinton and Williams 1986."""

    name: ClassVar[str] = "half_squared"
    formula: ClassVar[str] = "½ Σ (t − a)²"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "forecast")

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        a, t = aligned(out, y)
        return 0.5 * (t - a).square().sum(dim=1)


@dataclass(frozen=True)
class MeanSquared(Loss):
    """ℓ = (1/K) Σ_k (t_k − a_k)²."""

    name: ClassVar[str] = "mse"
    formula: ClassVar[str] = "mean of (t − a)²"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "forecast")

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        a, t = aligned(out, y)
        return (t - a).square().mean(dim=1)


@dataclass(frozen=True)
class MeanAbsolute(Loss):
    """ℓ = (1/K) Σ_k |t_k − a_k|: fits the median, so outliers pull less than under the square."""

    name: ClassVar[str] = "mae"
    formula: ClassVar[str] = "mean of |t − a|"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "forecast")

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        a, t = aligned(out, y)
        return (t - a).abs().mean(dim=1)


@dataclass(frozen=True)
class Huber(Loss):
    """ℓ = mean of ½r² where |r| ≤ δ, else δ(|r| − ½δ), r = t − a. Huber 1964.

    delta: δ > 0, in units of the (standardised) target.
    """

    name: ClassVar[str] = "huber"
    formula: ClassVar[str] = "mean of ½r² where |r| ≤ δ, else δ(|r| − ½δ); r = t − a"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "forecast")
    delta: float = 1.0

    def __post_init__(self) -> None:
        if not self.delta > 0:
            raise refuse("bad-setting", f"The loss huber needs delta above 0, not {self.delta!r}.", do="Give 1.0.")

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        a, t = aligned(out, y)
        r = (t - a).abs()
        inner = r.clamp(max=self.delta)
        return (inner * (r - 0.5 * inner)).mean(dim=1)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """ℓ = −y log σ(z) − (1 − y) log(1 − σ(z)) = (1 − y) z + log(1 + e^(−z)).

    The second form, with the logarithm computed without overflow, never sees log 0. One output z; y in {0, 1}.

    label_smoothing: ε; y becomes (1 − ε)y + ε/2. class_weights: (c₀, c₁).
    """

    name: ClassVar[str] = "bce"
    formula: ClassVar[str] = "−y log σ(z) − (1 − y) log(1 − σ(z))"
    tasks: ClassVar[tuple[str, ...]] = ("binary",)
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        _check_smoothing(self.name, self.label_smoothing)
        _check_class_weights(self.name, self.class_weights, 2)

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        z, t = aligned(out, y)
        if self.label_smoothing:
            t = (1 - self.label_smoothing) * t + 0.5 * self.label_smoothing
        return ((1 - t) * z - F.logsigmoid(z)).mean(dim=1)

    def weights(self, y: Tensor, w: Tensor | None) -> Tensor | None:
        return _times_class_weights(self.class_weights, y, w)


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """ℓ = −Σ_k q_k log p_k = log Σ_k e^(z_k) − Σ_k q_k z_k,  p = softmax(z), q = 1 at the class y and 0 elsewhere.

    label_smoothing: ε; q becomes (1 − ε)q + ε/K. class_weights: one c a class, multiplied into the sample weights
    (so a smoothed target is weighted by its true class; torch's ``weight`` would weigh each class's share apart).
    """

    name: ClassVar[str] = "cross_entropy"
    formula: ClassVar[str] = "log Σ e^(z_k) − z_y"
    tasks: ClassVar[tuple[str, ...]] = ("multiclass",)
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        _check_smoothing(self.name, self.label_smoothing)
        _check_class_weights(self.name, self.class_weights, None)

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        if out.ndim != 2 or out.shape[1] < 2 or y.shape != out.shape[:1]:
            raise refuse(
                "loss-shape",
                f"The outputs have shape {tuple(out.shape)} and the targets {tuple(y.shape)}.",
                why="Cross-entropy takes logits (B, K) of K ≥ 2 classes and one class number a row, (B,).",
                do="Give the net one output a class; for two classes and one output use the loss bce.",
            )
        log_p = torch.log_softmax(out, dim=1)  # z − log Σ e^z, computed without overflow
        nll = -log_p.gather(1, y[:, None])[:, 0]
        if not self.label_smoothing:
            return nll
        return (1 - self.label_smoothing) * nll - self.label_smoothing * log_p.mean(dim=1)

    def weights(self, y: Tensor, w: Tensor | None) -> Tensor | None:
        return _times_class_weights(self.class_weights, y, w)


@dataclass(frozen=True)
class TokenCrossEntropy(Loss):
    """−ln p of the token that came, in the mean over all tokens that are no padding.

    out: (B, T, V) logits. y: (B, T) int64 tokens; PAD counts for nothing. w: (B,), of whole texts.
    label_smoothing: ε; the target is (1 − ε) on the token and ε/V on every one (Szegedy et al. 2016).
    """

    name: ClassVar[str] = "token_cross_entropy"
    formula: ClassVar[str] = "−Σ_t ln p(y_t) / T"
    tasks: ClassVar[tuple[str, ...]] = ("language", "translation")
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        _check_smoothing(self.name, self.label_smoothing)

    def per_token(self, out: Tensor, y: Tensor) -> Tensor:
        """−ln p of each token, (B, T); 0 at padding."""
        flat = out.reshape(-1, out.shape[-1])
        return F.cross_entropy(
            flat, y.reshape(-1), ignore_index=PAD, label_smoothing=self.label_smoothing, reduction="none"
        ).view(y.shape)

    def per_sample(self, out: Tensor, y: Tensor) -> Tensor:
        """The mean over each text's own tokens, (B,)."""
        return self.per_token(out, y).sum(1) / (y != PAD).sum(1).clamp(min=1)

    def __call__(self, out: Tensor, y: Tensor, w: Tensor | None = None) -> Tensor:
        counted = (y != PAD).to(out.dtype)
        if w is not None:
            counted = counted * w[:, None]
        return (self.per_token(out, y) * counted).sum() / counted.sum().clamp(min=1e-12)


LOSSES: dict[str, type[Loss]] = {
    kind.name: kind
    for kind in (HalfSquared, MeanSquared, MeanAbsolute, Huber, BinaryCrossEntropy, CrossEntropy, TokenCrossEntropy)
}
NAMES: tuple[str, ...] = tuple(LOSSES)


def make_loss(name: str, **settings: Any) -> Loss:
    """The loss of that name.

    Raises:
        UserError: no such loss, no such setting, or a value that it does not take.
    """
    if name not in LOSSES:
        raise UserError(unknown_name("loss", name, NAMES))
    kind = LOSSES[name]
    known = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    problems = [unknown_name(f"setting of {name}", each, known) for each in settings if each not in known]
    if problems:
        raise UserError(problems)
    return kind(**{each: tuple(value) if isinstance(value, list) else value for each, value in settings.items()})


def choose(task_kind: str) -> str:
    """The name of the usual loss of a task: binary bce, multiclass cross_entropy, regression mse."""
    usual = {"binary": "bce", "multiclass": "cross_entropy", "regression": "mse", "forecast": "mse"}
    usual |= dict.fromkeys(("language", "translation"), "token_cross_entropy")
    usual["unsupervised"] = "own"
    if task_kind not in usual:
        raise UserError(unknown_name("task", task_kind, list(usual)))
    return usual[task_kind]


def _check_smoothing(name: str, epsilon: float) -> None:
    if not 0 <= epsilon < 1:
        raise refuse("bad-setting", f"The loss {name} needs label_smoothing from 0 to below 1, not {epsilon!r}.")


def _check_class_weights(name: str, weights: tuple[float, ...] | None, count: int | None) -> None:
    if weights is None:
        return
    if (count is not None and len(weights) != count) or not weights or min(weights) < 0 or max(weights) <= 0:
        number = f"{count} numbers" if count else "a number"
        raise refuse(
            "bad-setting",
            f"The loss {name} cannot use class_weights = {weights!r}.",
            do=f"Give {number if count else 'a number a class'}, none below 0 and not all 0.",
        )


def _times_class_weights(c: tuple[float, ...] | None, y: Tensor, w: Tensor | None) -> Tensor | None:
    if c is None:
        return w
    c_y = torch.tensor(c, dtype=torch.float32 if w is None else w.dtype, device=y.device)[y.reshape(-1).long()]
    return c_y if w is None else w * c_y
