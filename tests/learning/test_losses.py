"""Every loss is its equation, and says what does not fit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F

from workings.base.errors import UserError
from workings.learning.losses import LOSSES, NAMES, choose, make_loss
from workings.nets.endings import misfit

seeds = st.integers(0, 2**31)
K = 4


def batch(name: str, n: int = 6) -> tuple[Tensor, Tensor]:
    """Outputs and targets that a loss takes, float64."""
    if name == "cross_entropy":
        return 3 * torch.randn(n, K, dtype=torch.float64), torch.randint(K, (n,))
    if name == "token_cross_entropy":
        return 3 * torch.randn(n, 5, K, dtype=torch.float64), torch.randint(1, K, (n, 5))
    if name == "bce":
        return 3 * torch.randn(n, 1, dtype=torch.float64), torch.randint(2, (n,))
    return 2 * torch.randn(n, K, dtype=torch.float64), torch.randn(n, K, dtype=torch.float64)


def reference(name: str, out: Tensor, y: Tensor) -> Tensor:
    """torch's own function, one number a sample."""
    if name == "cross_entropy":
        return F.cross_entropy(out, y, reduction="none")
    if name == "token_cross_entropy":
        return F.cross_entropy(out.mT, y, reduction="none").mean(1)
    if name == "bce":
        return F.binary_cross_entropy_with_logits(out[:, 0], y.double(), reduction="none")
    functions = {
        "half_squared": lambda a, t: 0.5 * K * F.mse_loss(a, t, reduction="none"),
        "mse": lambda a, t: F.mse_loss(a, t, reduction="none"),
        "mae": lambda a, t: F.l1_loss(a, t, reduction="none"),
        "huber": lambda a, t: F.huber_loss(a, t, reduction="none"),
    }
    return functions[name](out, y).mean(1)


@pytest.mark.parametrize("name", NAMES)
@given(seeds)
def test_values_and_gradients_equal_torch(name: str, seed: int) -> None:
    """In float64, each loss and its gradient equal torch.nn.functional's."""
    torch.manual_seed(seed)
    out, y = batch(name)
    out.requires_grad_()
    loss = make_loss(name)
    torch.testing.assert_close(loss.per_sample(out, y), reference(name, out, y), rtol=1e-12, atol=1e-12)
    (ours,) = torch.autograd.grad(loss(out, y), out)
    (theirs,) = torch.autograd.grad(reference(name, out, y).mean(), out)
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_differences(name: str) -> None:
    """The derivative of each loss by its outputs, with weights, equals the one by small differences."""
    out, y = batch(name)
    w = torch.rand(len(y), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: make_loss(name)(a, y, w), out.requires_grad_())


def test_cross_entropy_by_hand() -> None:
    """z = (1, 2, 3), class 2: log(e + e² + e³) − 3 = 0.407606; two classes of one logit: log(1 + e^(−z))."""
    z = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    by_hand = math.log(math.e + math.e**2 + math.e**3) - 3
    assert make_loss("cross_entropy")(z, torch.tensor([2])).item() == pytest.approx(by_hand, rel=1e-14)
    z = torch.tensor([[0.7]], dtype=torch.float64)
    assert make_loss("bce")(z, torch.tensor([1])).item() == pytest.approx(math.log(1 + math.exp(-0.7)), rel=1e-14)
    assert make_loss("bce")(z, torch.tensor([0])).item() == pytest.approx(math.log(1 + math.exp(0.7)), rel=1e-14)


def test_half_squared_error_by_hand() -> None:
    """½Σ(t − a)² with t = .25, a = .7153 is .1082 (erratum: printed .1083), and its derivative is a − t."""
    a = torch.tensor([[0.7153]], dtype=torch.float64, requires_grad=True)
    E = make_loss("half_squared")(a, torch.tensor([0.25], dtype=torch.float64))
    assert E.item() == pytest.approx(0.10825, abs=1e-5)
    (gradient,) = torch.autograd.grad(E, a)
    assert gradient.item() == pytest.approx(0.7153 - 0.25, rel=1e-12)


@pytest.mark.parametrize(("name", "size"), [("bce", 1), ("cross_entropy", K)])
@pytest.mark.parametrize("z", [-1e4, -100.0, 0.0, 100.0, 1e4])
def test_extreme_logits_stay_finite(name: str, size: int, z: float) -> None:
    """No overflow and no log 0: value and gradient are finite in float32, right or wrong, however sure."""
    for label in range(2):
        out = torch.zeros(1, size)
        out[0, 0] = z
        out.requires_grad_()
        loss = make_loss(name)(out, torch.tensor([label]))
        (gradient,) = torch.autograd.grad(loss, out)
        assert torch.isfinite(loss)
        assert torch.isfinite(gradient).all()


# --------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("name", NAMES)
@given(seeds, st.floats(0.01, 100))
def test_weights_are_a_weighted_mean(name: str, seed: int, factor: float) -> None:
    """L = Σwℓ/Σw: no scale; equal weights change nothing; weight 0 is absence; weight 2 is the row twice."""
    torch.manual_seed(seed)
    out, y = batch(name)
    loss = make_loss(name)
    w = torch.rand(len(y), dtype=torch.float64) + 0.1
    plain = (loss.per_sample(out, y) * w).sum() / w.sum()
    torch.testing.assert_close(loss(out, y, w), plain)
    torch.testing.assert_close(loss(out, y, factor * w), plain)
    torch.testing.assert_close(loss(out, y, torch.full_like(w, factor)), loss(out, y))
    without = torch.tensor([1.0, 1, 0, 1, 0, 1], dtype=torch.float64)
    kept = without.bool()
    torch.testing.assert_close(loss(out, y, without), loss(out[kept], y[kept]))
    twice = torch.ones_like(without)
    twice[0] = 2
    torch.testing.assert_close(loss(out, y, twice), loss(torch.cat([out, out[:1]]), torch.cat([y, y[:1]])))


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_without_weight_says_nothing(name: str) -> None:
    """All weights 0: the loss is 0 and so is its gradient."""
    out, y = batch(name)
    out.requires_grad_()
    loss = make_loss(name)(out, y, torch.zeros(len(y), dtype=torch.float64))
    (gradient,) = torch.autograd.grad(loss, out)
    assert loss.item() == 0
    assert not gradient.any()


@pytest.mark.parametrize(("name", "c"), [("bce", (1.0, 3.0)), ("cross_entropy", (1.0, 0.5, 2.0, 4.0))])
def test_class_weights_equal_torch_and_multiply_sample_weights(name: str, c: tuple[float, ...]) -> None:
    """wᵢ c_(yᵢ): for cross-entropy torch's ``weight``; with sample weights, their product."""
    out, y = batch(name, 20)
    weighted, plain = make_loss(name, class_weights=list(c)), make_loss(name)
    c_y = torch.tensor(c, dtype=torch.float64)[y]
    torch.testing.assert_close(weighted(out, y), plain(out, y, c_y))
    w = torch.rand(20, dtype=torch.float64)
    torch.testing.assert_close(weighted(out, y, w), plain(out, y, w * c_y))
    if name == "cross_entropy":
        expected = F.cross_entropy(out, y, weight=torch.tensor(c, dtype=torch.float64))
        torch.testing.assert_close(weighted(out, y), expected)


@given(seeds, st.floats(0, 0.9))
def test_label_smoothing_equals_torch(seed: int, epsilon: float) -> None:
    """q = (1 − ε) at the class plus ε/K everywhere; for one logit, y becomes (1 − ε)y + ε/2."""
    torch.manual_seed(seed)
    out, y = batch("cross_entropy")
    ours = make_loss("cross_entropy", label_smoothing=epsilon)(out, y)
    torch.testing.assert_close(ours, F.cross_entropy(out, y, label_smoothing=epsilon))
    out, y = batch("bce")
    soft = (1 - epsilon) * y.double() + epsilon / 2
    ours = make_loss("bce", label_smoothing=epsilon)(out, y)
    torch.testing.assert_close(ours, F.binary_cross_entropy_with_logits(out[:, 0], soft))


# ---------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize("name", ["bce", "mse", "mae", "huber", "half_squared"])
def test_one_column_and_a_vector_are_the_same(name: str) -> None:
    """out (B, 1) or (B,) against y (B,) or (B, 1): number by number, the same loss."""
    out = torch.randn(5)
    y = torch.randint(2, (5,)).float()
    loss = make_loss(name)
    values = [loss(a, t) for a in (out, out[:, None]) for t in (y, y[:, None])]
    assert all(torch.equal(value, values[0]) for value in values)
    assert loss.per_sample(out[:, None], y).shape == (5,)


@pytest.mark.parametrize(
    ("name", "out", "y"),
    [
        ("mse", (5, 3), (5,)),
        ("mse", (5, 1), (4,)),
        ("mse", (5,), (1, 5)),
        ("bce", (5, 2), (5,)),
        ("cross_entropy", (5, 1), (5,)),
        ("cross_entropy", (5,), (5,)),
        ("cross_entropy", (5, 3), (5, 1)),
        ("cross_entropy", (5, 3), (4,)),
    ],
)
def test_nothing_is_broadcast(name: str, out: tuple[int, ...], y: tuple[int, ...]) -> None:
    """Shapes that would spread one over the other are refused, with both shapes in the message."""
    target = torch.zeros(y, dtype=torch.int64 if name == "cross_entropy" else torch.float32)
    with pytest.raises(UserError) as caught:
        make_loss(name)(torch.zeros(out), target)
    assert str(out) in str(caught.value)
    assert str(y) in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_can_be_traced_into_one_graph(name: str) -> None:
    """No Python decision depends on the numbers: a graph traced on one batch is right on another."""
    settings: dict[str, Any] = (
        {"class_weights": (1.0,) * (2 if name == "bce" else K)} if name in ("bce", "cross_entropy") else {}
    )
    loss = make_loss(name, **settings)
    w = torch.rand(6, dtype=torch.float64)
    graph = make_fx(lambda out, y, w: loss(out, y, w))(*batch(name), w)
    out, y = batch(name)
    for weights in (w, torch.zeros_like(w)):
        torch.testing.assert_close(graph(out, y, weights), loss(out, y, weights))


# ---------------------------------------------------------------------------------------- names and fits


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("cross_entropi", {}, "Did you mean 'cross_entropy'"),
        ("bce", {"label_smoothin": 0.1}, "Did you mean 'label_smoothing'"),
        ("mse", {"delta": 0.1}, "no setting of mse called 'delta'"),
        ("bce", {"label_smoothing": 1.0}, "from 0 to below 1"),
        ("bce", {"class_weights": (1.0, 2.0, 3.0)}, "2 numbers"),
        ("cross_entropy", {"class_weights": (-1.0, 2.0)}, "none below 0"),
        ("cross_entropy", {"class_weights": ()}, "a number a class"),
        ("huber", {"delta": 0.0}, "delta above 0"),
    ],
)
def test_wrong_names_and_values_are_refused(name: str, settings: dict[str, Any], said: str) -> None:
    """One message each, with the nearest name or the range."""
    with pytest.raises(UserError, match=said):
        make_loss(name, **settings)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_usual_loss_fits_its_task(task: str) -> None:
    """What ``choose`` gives is made for the task."""
    assert task in LOSSES[choose(task)].tasks
    with pytest.raises(UserError, match="no task called"):
        choose("clustering")


@pytest.mark.parametrize(
    ("last", "outputs", "task"),
    [("softmax", 3, "multiclass"), ("sigmoid", 1, "binary"), ("sigmoid", 1, "regression"), ("relu", 1, "regression")],
)
def test_an_activation_before_the_loss_that_does_not_fit_is_told(last: str, outputs: int, task: str) -> None:
    """The last activation is held against the task; none fits all."""
    problem = misfit(last, "given", outputs, task)
    assert problem is not None
    assert (problem.level, problem.code) == ("error", "loss-activation")
    assert problem.do
    assert misfit("linear", "given", outputs, task) is None


def test_every_loss_says_its_formula() -> None:
    """The registry holds each formula as text and the tasks it is for."""
    assert all(kind.formula and kind.tasks for kind in LOSSES.values())
    assert np.all([make_loss(name).name == name for name in NAMES])
