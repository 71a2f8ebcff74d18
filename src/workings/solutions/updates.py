"""The optimiser's arithmetic on one parameter tensor: each quantity of step t by its equation.

    gradient descent   w⁺ = w − η g                                             (weight decay: g + λw first)
    momentum           v⁺ = μ v + g                 w⁺ = w − η v⁺, or w − η (g + μ v⁺) with Nesterov's look-ahead
    Adam               m⁺ = β₁ m + (1 − β₁) g       m̂ = m⁺/(1 − β₁ᵗ)
                       v⁺ = β₂ v + (1 − β₂) g²      v̂ = v⁺/(1 − β₂ᵗ)            w⁺ = w − η m̂/(√v̂ + ε)
    AdamW              w shrinks first, (1 − ηλ) w

Sutskever et al. 2013; Kingma and Ba 2015; Loshchilov and Hutter 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from workings.solutions.expressions import Expr, Number, sqrt

Made = tuple[str, Callable[..., Any]]  # a symbol, and its formula of the ones before


@dataclass(frozen=True)
class Update:
    """An optimiser at step t. memory: for each parameter by name, its own tensors by symbol (m, v), before the step.

    kind: "sgd" or "adam". decoupled: AdamW's decay. decays: whether weight decay acts on a parameter, by name.
    """

    kind: str
    name: str
    eta: float
    t: int = 1
    momentum: float = 0.0
    nesterov: bool = False
    dampening: float = 0.0
    weight_decay: float = 0.0
    decoupled: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    maximise: bool = False
    rest_rate: float = 1.0
    memory: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    decays: Callable[[str], bool] = lambda _: True

    def described(self) -> str:
        """Name and settings."""
        told = [f"η = {self.eta:g}"]
        if self.kind == "sgd" and self.momentum:
            told.append(f"μ = {self.momentum:g}" + (", Nesterov" if self.nesterov else ""))
        if self.kind == "adam":
            told += [f"β₁ = {self.beta1:g}", f"β₂ = {self.beta2:g}", f"ε = {self.eps:g}", f"t = {self.t:,}"]
        if self.weight_decay:
            told.append(f"λ = {self.weight_decay:g}" + (", decoupled" if self.decoupled else ""))
        return f"{self.name}, {', '.join(told)}"

    def formulas(self, parameter: str, first: bool = False) -> list[Made]:
        """The quantities of one parameter in order, the last of which is w⁺; each takes the dict of those before."""
        decay = self.weight_decay if self.decays(parameter) else 0.0
        eta, mu, lam = self.eta, self.momentum, decay
        rest = 1.0 if self.decays(parameter) else self.rest_rate
        steps: list[Made] = []
        g = "g"
        if self.maximise:
            steps.append(("g₋", lambda q: -q["g"]))
            g = "g₋"
        if lam and not self.decoupled:
            before = g
            steps.append(("g̃", lambda q: q[before] + lam * q["w"]))
            g = "g̃"
        if rest != 1 and self.kind == "sgd":
            earlier = g
            steps.append(("g̃", lambda q: rest * q[earlier]))
            g = "g̃"
        w: Callable[[Any], Any] = lambda q: q["w"]  # noqa: E731
        if lam and self.decoupled:
            w = lambda q: q["w"] * (1 - _number(q, eta) * lam)  # noqa: E731
        if self.kind == "sgd":
            if not mu:
                return [*steps, ("w⁺", lambda q: w(q) - eta * q[g])]
            damped = 1 - self.dampening
            if first:
                steps.append(("v⁺", lambda q: q[g] * 1 if isinstance(q[g], Tensor) else q[g]))
            else:
                steps.append(("v⁺", lambda q: mu * q["v"] + (q[g] if damped == 1 else damped * q[g])))
            if self.nesterov:
                return [*steps, ("w⁺", lambda q: w(q) - eta * (q[g] + mu * q["v⁺"]))]
            return [*steps, ("w⁺", lambda q: w(q) - eta * q["v⁺"])]
        b1, b2, t = self.beta1, self.beta2, self.t
        return [
            *steps,
            ("m⁺", lambda q: b1 * q["m"] + (1 - _number(q, b1)) * q[g]),
            ("v⁺", lambda q: b2 * q["v"] + (1 - _number(q, b2)) * q[g] ** 2),
            ("m̂", lambda q: q["m⁺"] / (1 - _number(q, b1) ** t)),
            ("v̂", lambda q: q["v⁺"] / (1 - _number(q, b2) ** t)),
            ("w⁺", lambda q: w(q) - eta * q["m̂"] / (sqrt(q["v̂"]) + self.eps)),
        ]


def _number(q: dict[str, Any], x: float) -> Any:
    """A setting: in a line it stays as it is, 1 − 0.9 and not 0.1."""
    return Number(x) if isinstance(q["w"], Expr) else x


def of_torch(optimizer: Any, names: dict[int, str]) -> dict[str, Update] | None:
    """The updates of a torch optimiser, by parameter; None where it has no rule here. names: of parameters by id."""
    kind = type(optimizer).__name__
    if kind not in ("SGD", "Adam", "AdamW"):
        return None
    found: dict[str, Update] = {}
    for group in optimizer.param_groups:
        if group.get("amsgrad"):
            return None
        for p in group["params"]:
            if id(p) not in names:
                continue
            state, name = optimizer.state.get(p, {}), names[id(p)]
            common: dict[str, Any] = {"eta": float(group["lr"]), "weight_decay": float(group.get("weight_decay", 0.0))}
            common["maximise"] = bool(group.get("maximize", False))
            if kind == "SGD":
                memory = {"v": state["momentum_buffer"].double()} if state.get("momentum_buffer") is not None else {}
                found[name] = Update(
                    "sgd", "SGD", momentum=float(group["momentum"]), nesterov=bool(group["nesterov"]),
                    dampening=float(group["dampening"]), memory={name: memory}, **common,
                )  # fmt: skip
            else:
                t = int(state.get("step", 0)) + 1
                memory = {"m": state["exp_avg"].double(), "v": state["exp_avg_sq"].double()} if state else {}
                b1, b2 = group["betas"]
                decoupled = kind == "AdamW" or bool(group.get("decoupled_weight_decay"))
                found[name] = Update(
                    "adam", kind, t=t, beta1=float(b1), beta2=float(b2), eps=float(group["eps"]),
                    decoupled=decoupled, memory={name: memory}, **common,
                )  # fmt: skip
    return found
