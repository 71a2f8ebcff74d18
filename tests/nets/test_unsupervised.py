"""What every net without labels keeps: one suite over all of them. A net without a case here fails the first test."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from workings import nets
from workings.base.form import Form
from workings.nets.unsupervised import Codes, Draws, Reconstructs, Scores, Unsupervised

# A table of two numbers, a yes or no, and a category of three.
TABLE = Form(columns=(1, 1, 0, 3))
WINDOWS = Form(horizon=0)
CASES: list[tuple[str, tuple[int, ...], Form, dict[str, Any]]] = [
    ("autoencoder", (6,), Form(), {"hidden": (5,), "code": 2, "activation": "tanh"}),
    ("autoencoder", (6,), TABLE, {"hidden": (5,), "code": 2, "activation": "tanh", "noise": 0.1}),
    ("autoencoder", (1, 4, 4), Form(), {"hidden": (), "code": 3, "likelihood": "bernoulli"}),
    ("autoencoder", (2, 9, 8), Form(), {"channels": (2, 3), "code": 2, "activation": "silu", "likelihood": "gaussian"}),
    ("autoencoder", (9, 2), WINDOWS, {"channels": (2, 3), "code": 2, "activation": "silu", "coder": "convolution"}),
    ("vae", (6,), Form(), {"hidden": (5,), "code": 2, "activation": "tanh"}),
    ("vae", (6,), TABLE, {"hidden": (5,), "code": 2, "activation": "tanh", "free_bits": 0.1, "beta": 0.5}),
    ("vae", (1, 4, 4), Form(), {"hidden": (5,), "code": 3, "activation": "tanh", "beta": 2.0}),
    ("vae", (2, 9, 8), Form(), {"channels": (2, 3), "code": 2, "activation": "silu", "likelihood": "gaussian"}),
    ("vae", (5, 2), WINDOWS, {"hidden": (5,), "code": 2, "activation": "tanh"}),
    ("gan", (6,), Form(), {"hidden": (5,), "code": 3}),
    ("gan", (3, 2), WINDOWS, {"hidden": (5,), "code": 3}),
    ("gan", (6,), TABLE, {"hidden": (5,), "spectral": True, "penalty": "none"}),
    ("gan", (1, 4, 4), Form(), {"hidden": (5, 5), "code": 3, "penalty": "wgan-gp"}),
    ("gan", (2, 9, 8), Form(), {"channels": (2, 3), "code": 4, "spectral": True}),
    ("rbm", (6,), Form(), {"units": 3, "draw_steps": 9}),
    ("rbm", (6,), TABLE, {"units": 5, "draw_steps": 9}),
    ("rbm", (3, 2), WINDOWS, {"units": 4, "draw_steps": 9}),
    ("rbm", (2, 3, 4), Form(), {"units": 4, "draw_steps": 9}),
    ("dbn", (6,), Form(), {"hidden": (3,), "draw_steps": 9}),
    ("dbn", (6,), TABLE, {"hidden": (5, 4), "draw_steps": 9}),
    ("dbn", (3, 2), WINDOWS, {"hidden": (4,), "draw_steps": 9}),
    ("dbn", (2, 3, 4), Form(), {"hidden": (5, 4, 3), "draw_steps": 9}),
]
every_net = pytest.mark.parametrize(
    "case", CASES, ids=[f"{name}-{'x'.join(map(str, shape))}-{i}" for i, (name, shape, _, _) in enumerate(CASES)]
)


def make(case: Any, dtype: torch.dtype = torch.float64) -> tuple[Unsupervised, Tensor]:
    """The net, and a batch of 4 samples from 0 to 1; of tables, rows that can be."""
    name, shape, form, settings = case
    torch.manual_seed(1)
    net = nets.build(name, shape, 1, form, **settings).to(dtype)
    assert isinstance(net, Unsupervised)
    x = torch.rand(4, *shape, dtype=dtype)
    if form.columns:
        x[:, :2] = torch.randn(4, 2, dtype=dtype)
        x[:, 2] = (x[:, 2] > 0.5).to(dtype)
        x[:, 3:] = nn.functional.one_hot(torch.randint(0, 3, (4,)), 3).to(dtype)
    return net, x


def test_every_net_without_labels_has_a_case() -> None:
    """No net escapes this suite."""
    assert {name for name, *_ in CASES} == {info.name for info in nets.infos() if info.learns != "labels"}


@every_net
def test_the_objective_is_the_mean_of_its_samples(case: Any) -> None:
    """Weighted or not; a weight of 2 counts as the same sample twice."""
    net, x = make(case)
    net.eval()
    torch.manual_seed(0)
    out = net(x)
    each = net.per_sample(out, x)
    assert each.shape == (4,)
    assert torch.isfinite(each).all()
    torch.testing.assert_close(net.objective(out, x), each.mean())
    w = torch.tensor([1.0, 2.0, 0.0, 1.0], dtype=x.dtype)
    torch.testing.assert_close(net.objective(out, x, w), (each * w).sum() / 4)


@every_net
def test_gradients_equal_differences(case: Any) -> None:
    """The derivative of the objective by every parameter equals the one by small differences, in float64."""
    net, x = make(case)
    if not net.by_gradient:
        pytest.skip("it learns by a rule of its own")
    names = [name for name, _ in net.named_parameters()]

    def objective(*parameters: Tensor) -> Tensor:
        torch.manual_seed(2)  # the same noise at every call
        return net.objective(functional_call(net, dict(zip(names, parameters, strict=True)), (x,)), x)

    inputs = tuple(p.detach().clone().requires_grad_() for p in net.parameters())
    assert torch.autograd.gradcheck(objective, inputs, fast_mode=True)


@every_net
@torch.no_grad()
def test_what_a_net_says_of_a_sample_depends_on_no_other(case: Any) -> None:
    """Codes, reconstructions and scores of a batch are those of its single samples, and are the same every time."""
    net, x = make(case)
    net.eval()
    functions = []
    if isinstance(net, Reconstructs):
        functions.append(net.reconstruct)
        assert net.reconstruct(x).shape == x.shape
    if isinstance(net, Codes):
        functions.append(net.encode)
        assert net.encode(x).shape == (4, net.code)
        assert net.decode(net.encode(x)).shape == x.shape
    if isinstance(net, Scores):
        functions.append(net.unusual)
        assert net.unusual(x).shape == (4,)
    for function in functions:
        whole = function(x)
        torch.testing.assert_close(torch.cat([function(x[i : i + 1]) for i in range(4)]), whole)
        assert torch.equal(function(x), whole)


@every_net
@torch.no_grad()
def test_draws_are_those_of_the_generator(case: Any) -> None:
    """Equal generators draw equal samples; torch's own is left alone."""
    net, x = make(case, torch.float32)
    net.eval()
    if not isinstance(net, Draws):
        pytest.skip("it makes no new samples")
    before = torch.get_rng_state()
    one, two = (net.draw(5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.shape == (5, *x.shape[1:])
    assert torch.equal(one, two)
    assert not torch.equal(one, net.draw(5, torch.Generator().manual_seed(4)))
    assert torch.equal(before, torch.get_rng_state())


def test_a_code_as_wide_as_the_sample_is_refused() -> None:
    """A net that can copy learns nothing."""
    from workings.base.errors import UserError

    with pytest.raises(UserError, match="6"):
        nets.build("autoencoder", (6,), 1, code=6)
