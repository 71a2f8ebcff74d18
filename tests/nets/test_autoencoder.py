"""How unusual an autoencoder finds a sample: by hand, and by column."""

from __future__ import annotations

import pytest
import torch

from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.nets.autoencoder import Autoencoder


def make(shape: tuple[int, ...], form: Form | None = None, **settings: object) -> Autoencoder:
    torch.manual_seed(0)
    net = nets.build("autoencoder", shape, 1, form or Form(), hidden=(5,), code=2, coder="dense", **settings).double()
    assert isinstance(net, Autoencoder)
    return net.eval()


@torch.no_grad()
@pytest.mark.parametrize("likelihood", ["squared", "bernoulli"])
def test_the_share_of_contrast_that_is_not_rebuilt_by_hand(likelihood: str) -> None:
    """‖x − x̂‖² / (‖x − m‖² + εD); an image of one grey divides by no 0; a darker or inverted one has equal contrast."""
    net = make((1, 3, 3), likelihood=likelihood)
    x = torch.rand(4, 1, 3, 3, dtype=torch.float64)
    x[3] = 0.5
    rebuilt = net.reconstruct(x)
    for i, score in enumerate(net.unusual(x)):
        error = float((x[i] - rebuilt[i]).square().sum())
        contrast = float((x[i] - x[i].mean()).square().sum())
        assert float(score) == pytest.approx(error / (contrast + 0.009))


@torch.no_grad()
def test_of_rows_the_error_is_the_score_and_its_columns_add_up_to_it() -> None:
    """−ln p(x | o), column by column: numbers, yes or no, a category, one that training never saw."""
    net = make((7,), Form(columns=(1, 1, 0, 3, 0)))
    x = torch.tensor([[0.3, -2.0, 1, 0, 1, 0, 0], [9.0, 0, 0, 0, 0, 0, 1]], dtype=torch.float64)
    o = net(x)
    parts = net.unusual_columns(x)
    assert parts.shape == (2, 5)
    torch.testing.assert_close(parts.sum(1), net.unusual(x))
    torch.testing.assert_close(parts[:, 0], 0.5 * (x[:, 0] - o[:, 0]) ** 2)
    torch.testing.assert_close(parts[0, 2], -torch.sigmoid(o[0, 2]).log())
    log_p = o[:, 3:6].log_softmax(1)
    torch.testing.assert_close(parts[0, 3], -log_p[0, 1])
    torch.testing.assert_close(parts[1, 3], -log_p[1].min())


def test_contrast_is_for_images() -> None:
    """Of rows of a table it means nothing, and is refused."""
    with pytest.raises(UserError, match="score=error"):
        make((6,), score="contrast")
