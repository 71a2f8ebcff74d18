"""Likelihoods of restricted Boltzmann machines: enumeration, annealed importance sampling, pseudo-likelihood."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neural_network import BernoulliRBM

from workings.base.form import Form
from workings.learning.rbm_likelihood import (
    ais_log_z,
    can_enumerate,
    exact_log_z,
    pseudo_log_likelihood,
    sampled_pseudo_log_likelihood,
)
from workings.nets.rbm import RBM

COLUMNS = (1, 0, 3)


def make(V: int, H: int, visible: str = "binary", columns: tuple[int, ...] | None = None, scale: float = 1.0) -> RBM:
    """A net whose weights are large enough that units depend on each other; float32, as it is trained."""
    rbm = RBM((V,), V, form=Form(columns=columns), units=H, visible=visible if columns is None else "auto")
    for parameter in rbm.parameters():
        parameter.data.normal_(std=scale)
    return rbm


@settings(max_examples=15, deadline=None)
@given(V=st.integers(1, 6), H=st.integers(1, 6), seed=st.integers(0, 99))
@torch.no_grad()
def test_exact_log_z_sums_over_all_states(V: int, H: int, seed: int) -> None:
    """ln Z = ln Σ_v Σ_h exp(−E(v, h)), whichever side is smaller; all p(v) then sum to 1."""
    torch.manual_seed(seed)
    rbm = make(V, H)
    W, b, c = (p.double().numpy() for p in (rbm.weight, rbm.visible_bias, rbm.hidden_bias))
    sides = [[np.array(state) for state in product((0.0, 1.0), repeat=n)] for n in (V, H)]
    total = sum(math.exp(b @ v + c @ h + h @ W @ v) for v in sides[0] for h in sides[1])
    found = exact_log_z(rbm)
    assert found.exact
    assert found.value == pytest.approx(math.log(total), rel=1e-6)
    v_all = torch.tensor(np.array(sides[0]), dtype=torch.float32)
    assert float(torch.exp(-rbm.free_energy(v_all).double() - found.value).sum()) == pytest.approx(1, rel=1e-4)


def test_exact_log_z_of_numbers_is_an_integral() -> None:
    """Of one Gaussian unit: ∫ exp(−F(v)) dv over a fine grid."""
    torch.manual_seed(0)
    rbm = make(1, 4, "gaussian")
    grid = torch.linspace(-20, 20, 40_001)[:, None]
    with torch.no_grad():
        integral = torch.trapezoid(torch.exp(-rbm.free_energy(grid)).double(), grid[:, 0].double())
    assert exact_log_z(rbm).value == pytest.approx(float(integral.log()), rel=1e-5)


@pytest.mark.parametrize(
    ("V", "columns", "visible"), [(8, None, "binary"), (4, None, "gaussian"), (5, COLUMNS, "auto")]
)
def test_annealed_importance_sampling_covers_the_exact_value(
    V: int, columns: tuple[int, ...] | None, visible: str
) -> None:
    """Of twenty nets, ln Z lies within the 95 % interval of at least sixteen, and within 0.5 nats of all."""
    within = 0
    for seed in range(20):
        torch.manual_seed(seed)
        rbm = make(V, 6, visible, columns, scale=0.7)
        mean = torch.rand(V) * 0.8 + 0.1
        found = ais_log_z(rbm, mean, chains=100, steps=100, generator=torch.Generator().manual_seed(seed))
        exact = exact_log_z(rbm).value
        assert abs(found.value - exact) < 0.5
        within += found.low <= exact <= found.high
    assert within >= 16


def test_what_can_be_enumerated() -> None:
    """Twenty binary units on one side; numbers cannot be enumerated."""
    assert can_enumerate(make(30, 20))
    assert can_enumerate(make(20, 30))
    assert not can_enumerate(make(21, 21))
    assert not can_enumerate(make(5, 21, "gaussian"))


def test_pseudo_likelihood_is_scikit_learns() -> None:
    """With the same units flipped, V ln p(v_i | others) is what ``BernoulliRBM.score_samples`` gives."""
    torch.manual_seed(0)
    rbm, v = make(7, 4), (torch.rand(9, 7) < 0.4).float()
    theirs = BernoulliRBM(n_components=4, n_iter=1, random_state=3).fit(v.numpy())
    theirs.components_ = rbm.weight.detach().numpy()
    theirs.intercept_hidden_ = rbm.hidden_bias.detach().numpy()
    theirs.intercept_visible_ = rbm.visible_bias.detach().numpy()
    flipped = torch.from_numpy(np.random.RandomState(3).randint(0, 7, 9))
    with torch.no_grad():
        ours = 7 * rbm.log_given_others(v, rbm.inputs(v), flipped)
    np.testing.assert_allclose(ours.numpy(), theirs.score_samples(v.numpy()), rtol=1e-4)


def test_sampled_pseudo_likelihood_has_no_bias() -> None:
    """Its mean over 4,000 flips a sample is the exact one within five standard errors; every unit once is exact."""
    torch.manual_seed(0)
    rbm, v = make(5, 3), (torch.rand(6, 5) < 0.5).float()
    exact = pseudo_log_likelihood(rbm, v)
    one = [sampled_pseudo_log_likelihood(rbm, v, 1, torch.Generator().manual_seed(i)) for i in range(400)]
    error = torch.stack(one).std(0) / 20
    assert bool(((torch.stack(one).mean(0) - exact).abs() < 5 * error).all())
    with torch.no_grad():
        z = rbm.inputs(v)
        every = sum(rbm.log_given_others(v, z, torch.full((6,), i)) for i in range(5))
    torch.testing.assert_close(torch.as_tensor(every).double(), exact, rtol=1e-4, atol=1e-5)
