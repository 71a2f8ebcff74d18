"""The restricted Boltzmann machine against enumeration: energies, conditional probabilities, samples."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workings.base.form import Form
from workings.nets.rbm import RBM
from workings.nets.visible import Visible

COLUMNS = (1, 0, 3)  # a number, a yes or no, a category of three
few = settings(max_examples=20, deadline=None)


def make(V: int, H: int, visible: str = "binary", columns: tuple[int, ...] | None = None, seed: int = 0) -> RBM:
    """A net of float64 with large weights, so that units depend on each other."""
    torch.manual_seed(seed)
    rbm = RBM((V,), V, form=Form(columns=columns), units=H, visible=visible if columns is None else "auto").double()
    for parameter in rbm.parameters():
        parameter.data.normal_()
    return rbm


def states(n: int) -> Tensor:
    """(2^n, n): counting in binary."""
    return torch.tensor([[float(digit) for digit in f"{i:0{n}b}"] for i in range(2**n)], dtype=torch.float64)


def energy(rbm: RBM, v: Tensor, h: Tensor) -> float:
    """E(v, h), term by term."""
    W, b, c = rbm.weight.detach(), rbm.visible_bias.detach(), rbm.hidden_bias.detach()
    kinds = rbm.visible.columns or ((1,) * len(v) if rbm.visible.kind == "gaussian" else (0,) * len(v))
    numbers = [i for i, kind in enumerate([k for size in kinds for k in [size] * max(size, 1)]) if kind == 1]
    total = sum(0.5 * float(v[i]) ** 2 for i in numbers)
    total -= sum(float(b[i] * v[i]) for i in range(len(v))) + sum(float(c[j] * h[j]) for j in range(len(h)))
    return total - sum(float(h[j] * W[j, i] * v[i]) for i in range(len(v)) for j in range(len(h)))


@few
@given(V=st.integers(1, 5), H=st.integers(1, 5), kind=st.sampled_from(["binary", "gaussian"]), seed=st.integers(0, 99))
@torch.no_grad()
def test_free_energy_sums_over_hidden_states(V: int, H: int, kind: str, seed: int) -> None:
    """F(v) = −ln Σ_h exp(−E(v, h)), the sum written out."""
    rbm = make(V, H, kind, seed=seed)
    v = torch.randn(V, dtype=torch.float64) if kind == "gaussian" else (torch.rand(V) < 0.5).double()
    summed = -math.log(sum(math.exp(-energy(rbm, v, h)) for h in states(H)))
    assert float(rbm.free_energy(v[None])) == pytest.approx(summed, rel=1e-10)


@torch.no_grad()
def test_free_energy_of_a_table_sums_over_hidden_states() -> None:
    """The same for a row of a number, a yes and a category."""
    rbm = make(5, 3, columns=COLUMNS)
    v = torch.tensor([0.7, 1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    summed = -math.log(sum(math.exp(-energy(rbm, v, h)) for h in states(3)))
    assert float(rbm.free_energy(v[None])) == pytest.approx(summed, rel=1e-10)


@few
@given(V=st.integers(1, 4), H=st.integers(1, 4), seed=st.integers(0, 99))
@torch.no_grad()
def test_units_of_a_kind_are_independent_given_the_others(V: int, H: int, seed: int) -> None:
    """p(h|v) and p(v|h) are those of the joint probability of all states."""
    rbm = make(V, H, seed=seed)
    v_all, h_all = states(V), states(H)
    joint = torch.tensor([[math.exp(-energy(rbm, v, h)) for h in h_all] for v in v_all], dtype=torch.float64)
    torch.testing.assert_close(rbm.encode(v_all), joint @ h_all / joint.sum(1, keepdim=True))
    torch.testing.assert_close(rbm.decode(h_all), joint.T @ v_all / joint.sum(0)[:, None])
    torch.testing.assert_close(rbm.reconstruct(v_all), rbm.decode(rbm.encode(v_all)))


@torch.no_grad()
def test_a_unit_given_all_others() -> None:
    """ln p(v_i | all others) is that of two states that differ in it alone."""
    rbm = make(4, 3)
    v_all = states(4)
    p = torch.exp(-rbm.free_energy(v_all))
    for i in range(4):
        other = v_all.clone()
        other[:, i] = 1 - other[:, i]
        expected = torch.log(p / (p + torch.exp(-rbm.free_energy(other))))
        found = rbm.log_given_others(v_all, rbm.inputs(v_all), torch.full((16,), i))
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("columns", [None, COLUMNS])
def test_the_sum_over_visible_states(columns: tuple[int, ...] | None) -> None:
    """A(a) = ln Σ_v exp(aᵀv − ε(v)), by enumeration and, for a number, by integration."""
    a = torch.tensor([[0.3, -1.2, 0.5, 2.0, -0.4]], dtype=torch.float64)
    if columns is None:
        expected = math.log(sum(math.exp(float(a[0] @ v)) for v in states(5)))
        assert float(Visible("binary").log_partition(a)) == pytest.approx(expected)
        return
    x = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    integral = torch.trapezoid(torch.exp(a[0, 0] * x - 0.5 * x.square()), x)
    expected = float(integral.log()) + math.log(1 + math.exp(a[0, 1])) + math.log(float(a[0, 2:].exp().sum()))
    assert float(Visible(columns=columns).log_partition(a)) == pytest.approx(expected)
    every = Visible("gaussian").log_partition(a[:, :1])
    assert float(every) == pytest.approx(float(integral.log()))


@pytest.mark.parametrize("visible", [Visible("binary"), Visible("gaussian"), Visible(columns=COLUMNS)])
def test_samples_have_their_means(visible: Visible) -> None:
    """The mean of 40,000 samples is E[v | a] within five standard errors; what is a category has one 1."""
    n = 40_000
    a = torch.tensor([0.3, -1.2, 0.5, 2.0, -0.4], dtype=torch.float64).expand(n, -1)
    v = visible.sample(a, torch.Generator().manual_seed(1))
    error = v.std(0) / math.sqrt(n)
    assert bool(((v.mean(0) - visible.mean(a)[0]).abs() < 5 * error).all())
    if visible.columns:
        assert bool((v[:, 2:].sum(1) == 1).all())
        assert set(v[:, 1:].unique().tolist()) == {0.0, 1.0}
        assert float(v[:, 0].var()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("visible", [Visible("binary"), Visible("gaussian"), Visible(columns=COLUMNS)])
def test_a_bias_for_a_mean(visible: Visible) -> None:
    """Units begin as they are on average, but for shares of 0 and 1."""
    mean = torch.tensor([0.2, 0.9, 0.25, 0.7, 0.05], dtype=torch.float64)
    torch.testing.assert_close(visible.mean(visible.bias_of(mean)[None])[0], mean)
    assert bool(torch.isfinite(visible.bias_of(torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]))).all())


def test_columns_of_one_kind_are_that_kind() -> None:
    """A table of numbers alone has Gaussian units, one of yes or no alone binary ones, with all that these can do."""
    assert Visible(columns=(1, 1)).kind == "gaussian"
    assert Visible(columns=(0, 0)).kind == "binary"
    assert Visible(columns=(1, 0)).kind == Visible(columns=(3, 3)).kind == "mixed"


@torch.no_grad()
def test_draws_are_as_frequent_as_they_are_likely() -> None:
    """Of a net of three units, 8,000 draws come within 0.03 of exp(−F)/Z in total variation."""
    rbm = make(3, 2)
    rbm.draw_steps = 40
    p = torch.softmax(-rbm.free_energy(states(3)), 0)
    v = rbm.draw(8000, torch.Generator().manual_seed(2))
    share = torch.bincount((v @ torch.tensor([4.0, 2.0, 1.0], dtype=v.dtype)).long(), minlength=8) / 8000
    assert float(0.5 * (share - p).abs().sum()) < 0.03
