"""What a restricted Boltzmann machine says of columns, against sums and integrals done apart from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from workings.base.form import Form
from workings.nets.rbm import RBM

COLUMNS = (0, 1, 3, 1)  # yes or no, a number, a category of three, a number
ROWS = torch.tensor([[1, 0.5, 0, 1, 0, -2.0], [0, -3.0, 1, 0, 0, 0.1], [0, 0.2, 0, 0, 1, 9.0]], dtype=torch.float64)


@pytest.fixture(scope="module")
def rbm() -> RBM:
    generator = torch.Generator().manual_seed(3)
    net = RBM((6,), 6, form=Form(columns=COLUMNS), units=5).double()
    for parameter in net.parameters():
        parameter.data = 0.8 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return net


def energy(net: RBM, row: torch.Tensor, at: list[int], values: list[float]) -> float:
    """F of the row with other values at some places."""
    changed = row.clone()
    changed[at] = torch.tensor(values, dtype=torch.float64)
    return float(net.free_energy(changed[None]).detach()[0])


def test_a_column_costs_what_the_row_has_over_the_mean_of_what_it_could_be(rbm: RBM) -> None:
    """Yes and no and categories by summing over them, numbers by integrating over all of them."""
    found = rbm.unusual_columns(ROWS).detach().numpy()
    assert found.shape == (3, 4)
    for row, told in zip(ROWS, found, strict=True):
        here = energy(rbm, row, [], [])
        choices = {0: ([0], [[0.0], [1.0]]), 2: ([2, 3, 4], np.eye(3).tolist())}
        for column, (at, values) in choices.items():
            each = np.array([energy(rbm, row, at, value) for value in values])
            p = np.exp(-each + each.min())
            assert told[column] == pytest.approx(here - (p * each).sum() / p.sum(), abs=1e-9)
        for column, place in ((1, 1), (3, 5)):
            least = min(energy(rbm, row, [place], [u]) for u in np.linspace(-8, 8, 65))
            weight = quad(lambda u, i=place, low=least, r=row: np.exp(low - energy(rbm, r, [i], [u])), -20, 20)[0]
            mean = quad(
                lambda u, i=place, low=least, r=row: energy(rbm, r, [i], [u]) * np.exp(low - energy(rbm, r, [i], [u])),
                -20,
                20,
            )[0]
            assert told[column] == pytest.approx(here - mean / weight, abs=1e-5)


def test_the_column_that_was_broken_costs_most(rbm: RBM) -> None:
    """A number far out costs its row more than any other column does, and more than in a usual row."""
    found = rbm.unusual_columns(ROWS).detach()
    assert int(found[2].argmax()) == 3
    assert float(found[2, 3]) > float(found[:2, 3].max())


def test_units_said_to_be_of_one_kind_stand_for_themselves() -> None:
    """Where every unit is told to be binary, a category costs what its units do."""
    torch.manual_seed(0)
    whole = RBM((3,), 3, form=Form(columns=(3,)), units=4, visible="binary").double()
    apart = RBM((3,), 3, form=Form(columns=(0, 0, 0)), units=4, visible="binary").double()
    apart.load_state_dict(whole.state_dict())
    x = torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(whole.unusual_columns(x)[:, 0], apart.unusual_columns(x).sum(1))
