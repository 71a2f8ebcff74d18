"""The perceptron's update: ŷ = [z ≥ 0], w ← w + η(t − ŷ)x, b ← b + η(t − ŷ), sample after sample. Rosenblatt 1958."""

from __future__ import annotations

import torch
from torch import Tensor

from workings.learning.perceptron import PerceptronRule
from workings.solutions.expressions import Expr, Joined, Number, Quantity, Symbol, holds
from workings.solutions.learners.real import Real
from workings.solutions.learners.working import worked
from workings.solutions.rounding import POLICY
from workings.solutions.rules.base import Index
from workings.solutions.solving import TOLERANCE, Detail, relative
from workings.solutions.steps import Check, Solution, Step
from workings.solutions.sums import products

_OWN = "the perceptron's own rule"


def perceptron_solution(
    real: Real, x: Tensor, y: Tensor, title: str, facts: list[tuple[str, str]], detail: Detail
) -> Solution:
    """The update on samples x (B, …) of classes y (B,), one after the other, from the weights of the run."""
    rule = real.rule
    assert isinstance(rule, PerceptronRule)
    state = rule.tensors()
    W, b, x = state["weight"].clone(), state["bias"].clone(), x.flatten(1)
    K = len(b)
    t = y[:, None].to(x.dtype) if K == 1 else torch.nn.functional.one_hot(y.long(), K).to(x.dtype)
    z_net = real.net(x.reshape(-1, *x.shape[1:])).detach()
    sections: list[Step] = []
    for i in range(len(x)):
        steps, W_new, b_new = _sample(W, b, x[i], t[i], rule.eta, detail)
        if torch.equal(W, state["weight"]) and torch.equal(b, state["bias"]):
            steps[0].checks.append(Check("the net's own value", relative(steps[0].values[0].data, z_net[i]), TOLERANCE))
        W, b = W_new, b_new
        if len(x) == 1:
            sections = steps
        else:
            sections.append(Step(f"Sample {i + 1} of {len(x)}", children=steps))
    rule.advance(x[None], y[None], None, 0)
    last = sections[-1] if len(x) == 1 else sections[-1].children[-1]
    for name, said, made in (("weight", "weights", W), ("bias", "biases", b)):
        last.checks.append(Check(f"{_OWN}: {said}", relative(made, rule.tensors()[name]), TOLERANCE))
    return Solution(title, facts, sections, POLICY.format(digits=detail.digits), detail.digits)


def _sample(
    W: Tensor, b: Tensor, x: Tensor, t: Tensor, eta: float, detail: Detail
) -> tuple[list[Step], Tensor, Tensor]:
    """Forward, decision, error, update, and the decision after it, on one sample x (D,) with targets t (K,)."""
    z = W @ x + b
    said = (z >= 0).to(z.dtype)
    e = t - said
    W_new, b_new = W + eta * e[:, None] * x[None, :], b + eta * e
    q_W, q_b, q_x = Quantity("W", "", W), Quantity("b", "", b), Quantity("x", "", x)
    q_z, q_y, q_t, q_e = Quantity("z", "", z), Quantity("ŷ", "", said), Quantity("t", "", t), Quantity("e", "", e)
    new_W, new_b = Quantity("W", "", W_new, new=True), Quantity("b", "", b_new, new=True)
    D, eta_ = len(x), Number(eta)
    S = Symbol

    def sum_over(weights: Quantity, bias: Quantity, i: Index) -> Expr:
        return products([(weights[i[0], j], q_x[(j,)]) for j in range(D)], [bias[i]])

    steps = [
        worked("Forward", q_z, lambda i: sum_over(q_W, q_b, i), detail,
               equation=(S("z"), Joined((S("W"), S("x"))) + S("b"))),
        worked("Decision", q_y, lambda i: holds(q_z[i], "≥", 0), detail, equation=(S("ŷ"), holds(S("z"), "≥", 0))),
        worked("Error", q_e, lambda i: q_t[i] - q_y[i], detail, equation=(S("e"), S("t") - S("ŷ"))),
    ]  # fmt: skip
    if len(b) > 1:
        steps[1].remarks.append("Each output learns by itself whether the sample is of its class; the largest z wins.")
    if not bool(e.any()):
        unchanged = Step("Update", remarks=["No mistake was made, so nothing changes: W⁺ = W, b⁺ = b."])
        return [*steps, unchanged], W_new, b_new
    moved = (new_W.data - W).abs()
    most = torch.topk(moved.reshape(-1), min(detail.units, int((moved > 0).sum()))).indices.sort().values
    places = [tuple(int(i) for i in torch.unravel_index(k, W.shape)) for k in most]
    of_weights = worked(
        "weights",
        new_W,
        lambda i: q_W[i] + eta_ * q_e[(i[0],)] * q_x[(i[1],)],
        detail,
        equation=(S("W", new=True), S("W") + S("η") * Joined((S("e"), S("xᵀ")))),
        chosen=places,
        why="that move most",
        remarks=[f"{int((moved > 0).sum()):,} of {W.numel():,} weights move."],
    )
    wrong = [(int(k),) for k in e.nonzero()[:, 0][: detail.units]]
    of_biases = worked("biases", new_b, lambda i: q_b[i] + eta_ * q_e[i], detail, chosen=wrong, why="of mistakes",
                       equation=(S("b", new=True), S("b") + S("η") * S("e")))  # fmt: skip
    q_after = Quantity("z", "", W_new @ x + b_new, new=True)
    after = worked("Forward again", q_after, lambda i: sum_over(new_W, new_b, i), detail)
    right = bool((((q_after.data >= 0).to(t.dtype) - t) == 0).all())
    after.remarks.append(
        "Now the decision is right." if right else "The decision is still wrong: one step need not be enough."
    )
    return [*steps, Step("Update", children=[of_weights, of_biases]), after], W_new, b_new
