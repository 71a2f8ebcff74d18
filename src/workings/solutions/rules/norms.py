"""Normalising over a group of numbers: batch norm over the samples of a channel, layer norm over a sample's features.

    μ = (1/N) Σ x        v = (1/N) Σ (x − μ)²        x̂ = (x − μ)/√(v + ε)        n = γ x̂ + β

    ∂L/∂β = Σ g     ∂L/∂γ = Σ g x̂     ∂L/∂x = γ/√(v + ε) · (g − mean(g) − x̂ mean(g x̂))        g = ∂L/∂n

In layer norm γ belongs to the features, so it goes with g inside the means. In use (not training) batch norm takes the
μ and v that it has kept, which do not depend on x: ∂L/∂x = γ/√(v + ε) · g. Ioffe and Szegedy 2015; Ba et al. 2016.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Joined, Number, SumOver, Symbol, sqrt
from workings.solutions.rules.base import Equation, Index, Inner, Rule, Symbols, accumulate, gradient, whole
from workings.solutions.sums import products, sum_of


class Norm(Rule):
    """Common to both. A subclass says which axes are summed over, and the shape of γ and β."""

    letter = "n"
    complete = True

    def parts(self, call: Call) -> tuple[Value, Value | None, Value | None, float]:
        """x, γ, β, ε."""
        raise NotImplementedError

    def axes(self, call: Call) -> tuple[int, ...]:
        """The axes over which μ and v are taken."""
        raise NotImplementedError

    def spread(self, call: Call, p: Tensor) -> Tensor:
        """γ or β in a shape that goes with x."""
        raise NotImplementedError

    def kept(self, call: Call) -> tuple[Tensor, Tensor] | None:
        """μ and v that are not taken from x."""
        return None

    def moments(self, call: Call) -> tuple[Tensor, Tensor]:
        """μ and v, in x's number of axes."""
        kept = self.kept(call)
        if kept is not None:
            return kept
        x, axes = self.parts(call)[0].data, self.axes(call)
        mu = x.mean(axes, keepdim=True)
        return mu, (x - mu).square().mean(axes, keepdim=True)

    def normal(self, call: Call) -> Tensor:
        """x̂."""
        mu, v = self.moments(call)
        return (self.parts(call)[0].data - mu) / (v + self.parts(call)[3]).sqrt()

    def forward(self, call: Call) -> list[Tensor]:
        _, gamma, beta, _ = self.parts(call)
        n = self.normal(call)
        n = n if gamma is None else n * self.spread(call, gamma.data)
        return [n if beta is None else n + self.spread(call, beta.data)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, gamma, beta, eps = self.parts(call)
        g, x_hat, (_, v) = deltas[0], self.normal(call), self.moments(call)
        sent: dict[int, Tensor] = {}
        if beta is not None:
            accumulate(sent, beta, self.gathered(call, g, beta.data.shape))
        if gamma is not None:
            accumulate(sent, gamma, self.gathered(call, g * x_hat, gamma.data.shape))
            g = g * self.spread(call, gamma.data)
        if self.kept(call) is None:
            axes = self.axes(call)
            g = g - g.mean(axes, keepdim=True) - x_hat * (g * x_hat).mean(axes, keepdim=True)
        accumulate(sent, x, g / (v + eps).sqrt())
        return sent

    def gathered(self, call: Call, g: Tensor, shape: Any) -> Tensor:
        """g summed to the shape of γ."""
        raise NotImplementedError

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        mu, v = (at.inner(call, k, t) for k, t in zip(("μ", "v"), self.moments(call), strict=True))
        hat = at.inner(call, "x̂", self.normal(call))
        x, eps = at.quantity(self.parts(call)[0]), self.parts(call)[3]
        fresh = self.kept(call) is None

        def mean(i: Index) -> Expr:
            group = self.group(call, i)
            return sum_of([x[k] for k in group]) / len(group)

        def variance(i: Index) -> Expr:
            group = self.group(call, i)
            return sum_of([(x[k] - mu[i]) ** 2 for k in group]) / len(group)

        def normal(i: Index) -> Expr:
            m = self.moment_index(call, i)
            return (x[i] - mu[m]) / sqrt(v[m] + Number(eps))

        X = whole(at, self.parts(call)[0])
        return [
            Inner(mu, mean if fresh else None, (Symbol("μ"), Joined((Symbol("mean"), X)) if fresh else Symbol("kept"))),
            Inner(v, variance if fresh else None,
                  (Symbol("v"), Joined((Symbol("mean"), (X - Symbol("μ")) ** 2)) if fresh else Symbol("kept"))),
            Inner(hat, normal, (Symbol("x̂"), (X - Symbol("μ")) / sqrt(Symbol("v") + Symbol("ε")))),
        ]  # fmt: skip

    def group(self, call: Call, moment: Index) -> list[Index]:
        """The entries of x that a μ is the mean of."""
        shape, axes = self.parts(call)[0].data.shape, self.axes(call)
        return list(product(*(range(n) if i in axes else [moment[i]] for i, n in enumerate(shape))))

    def moment_index(self, call: Call, index: Index) -> Index:
        """The entry of μ that an entry of x goes with."""
        shape = self.moments(call)[0].shape
        return tuple(0 if n == 1 else i for i, n in zip(index, shape, strict=True))

    def scale_index(self, call: Call, index: Index) -> Index:
        """The entry of γ that an entry of x goes with."""
        raise NotImplementedError

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        _, gamma, beta, _ = self.parts(call)
        e: Expr = Symbol("x̂")
        e = e if gamma is None else Joined((whole(at, gamma), e), " ⊙ ")
        return [(whole(at, call.out), e if beta is None else e + whole(at, beta))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        x, gamma, beta, _ = self.parts(call)
        g, hat, found = gradient(at, call.out), Symbol("x̂"), []
        if beta is not None:
            found.append((gradient(at, beta), SumOver("", g)))
        if gamma is not None:
            found.append((gradient(at, gamma), SumOver("", Joined((g, hat), " ⊙ "))))
            g = Joined((whole(at, gamma), g), " ⊙ ")
        below = sqrt(Symbol("v") + Symbol("ε"))
        if self.kept(call) is not None:
            return [*found, (gradient(at, x), g / below)]
        mean = Symbol("mean")
        inside = g - Joined((mean, g)) - Joined((hat, mean, Joined((g, hat), " ⊙ ")))
        return [*found, (gradient(at, x), inside / below)]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        _, gamma, beta, _ = self.parts(call)
        s = self.scale_index(call, index)
        e: Expr = at.inner(call, "x̂", self.normal(call))[index]
        e = e if gamma is None else at.quantity(gamma)[s] * e
        return e if beta is None else e + at.quantity(beta)[s]

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        x, gamma, beta, eps = self.parts(call)
        g, hat = at.delta(call.out), at.inner(call, "x̂", self.normal(call))
        if to is beta or to is gamma:
            mine = self.scaled(call, index)
            return sum_of([g[i] for i in mine]) if to is beta else products([(g[i], hat[i]) for i in mine])
        if to is not x:
            return None
        v = at.inner(call, "v", self.moments(call)[1])[self.moment_index(call, index)]
        weighted = g.data if gamma is None else g.data * self.spread(call, gamma.data)
        gw = at.inner(call, "γg", weighted) if gamma is not None else g
        e: Expr = gw[index]
        if self.kept(call) is None:
            group = self.group(call, self.moment_index(call, index))
            n = len(group)
            e = e - sum_of([gw[i] for i in group]) / n - hat[index] * products([(gw[i], hat[i]) for i in group]) / n
        return e / sqrt(v + Number(eps))

    def scaled(self, call: Call, index: Index) -> list[Index]:
        """The entries that an entry of γ multiplies."""
        raise NotImplementedError


class BatchNorm(Norm):
    """Over the samples (and pixels) of each channel."""

    name = "batch norm"
    _names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")

    def fits(self, call: Call) -> bool:
        return isinstance(call.bound(*self._names)[0], Value)

    def parts(self, call: Call) -> tuple[Value, Value | None, Value | None, float]:
        x, _, _, gamma, beta, _, _, eps = call.bound(*self._names, eps=1e-5)
        return x, gamma, beta, float(eps)

    def kept(self, call: Call) -> tuple[Tensor, Tensor] | None:
        x, mean, var, _, _, training, _, _ = call.bound(*self._names, training=False)
        if training or mean is None:
            return None
        shape = (1, -1, *[1] * (x.data.ndim - 2))
        return mean.data.reshape(shape), var.data.reshape(shape)

    def axes(self, call: Call) -> tuple[int, ...]:
        return tuple(i for i in range(self.parts(call)[0].data.ndim) if i != 1)

    def spread(self, call: Call, p: Tensor) -> Tensor:
        return p.reshape(1, -1, *[1] * (self.parts(call)[0].data.ndim - 2))

    def gathered(self, call: Call, g: Tensor, shape: Any) -> Tensor:
        return g.sum(self.axes(call))

    def scale_index(self, call: Call, index: Index) -> Index:
        return (index[1],)

    def scaled(self, call: Call, index: Index) -> list[Index]:
        return self.group(call, tuple(index[0] if i == 1 else 0 for i in range(self.parts(call)[0].data.ndim)))

    def forward(self, call: Call) -> list[Tensor]:
        made = super().forward(call)
        # What it keeps for use is bookkeeping, not the textbook's forward pass.
        return made + [o.data for o in call.outputs[1:]]


class LayerNorm(Norm):
    """Over the last axes of each sample."""

    name = "layer norm"
    _names = ("input", "normalized_shape", "weight", "bias", "eps")

    def parts(self, call: Call) -> tuple[Value, Value | None, Value | None, float]:
        x, _, gamma, beta, eps = call.bound(*self._names, eps=1e-5)
        return x, gamma, beta, float(eps)

    def axes(self, call: Call) -> tuple[int, ...]:
        x, shape = call.bound(*self._names)[:2]
        return tuple(range(x.data.ndim - len(shape), x.data.ndim))

    def spread(self, call: Call, p: Tensor) -> Tensor:
        return p

    def gathered(self, call: Call, g: Tensor, shape: Any) -> Tensor:
        return g.sum(tuple(range(g.ndim - len(shape))))

    def scale_index(self, call: Call, index: Index) -> Index:
        return index[len(index) - len(self.axes(call)) :]

    def scaled(self, call: Call, index: Index) -> list[Index]:
        before = self.parts(call)[0].data.shape[: -len(index)]
        return [(*i, *index) for i in product(*map(range, before))]
