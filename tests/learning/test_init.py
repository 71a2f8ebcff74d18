"""Each initialisation draws the distribution that its name says."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from workings import nets
from workings.base.errors import UserError
from workings.learning.init import NAMES, fans, initialise, suited

LAYERS = [
    nn.Linear(300, 200),
    nn.Conv2d(16, 40, 3),
    nn.Conv2d(32, 48, 3, groups=4),
    nn.ConvTranspose2d(24, 40, 3),
    nn.Conv1d(64, 90, 5, bias=False),
]
VARIANCE: dict[str, Callable[[int, int], float]] = {
    "xavier_uniform": lambda n_in, n_out: 2 / (n_in + n_out),
    "xavier_normal": lambda n_in, n_out: 2 / (n_in + n_out),
    "xavier_in": lambda n_in, n_out: 1 / n_in,
    "lecun_normal": lambda n_in, n_out: 1 / n_in,
    "he_normal": lambda n_in, n_out: 2 / n_in,
    "he_uniform": lambda n_in, n_out: 2 / n_in,
    "torch_default": lambda n_in, n_out: 1 / (3 * n_in),
    "zeros": lambda n_in, n_out: 0.0,
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("layer", LAYERS[:2] + LAYERS[4:], ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("name", list(VARIANCE))
def test_variance_is_the_stated_one(name: str, layer: nn.Module) -> None:
    """Mean 0 and the stated variance, within five standard errors; a uniform one stays within ±√3 of it."""
    initialise(layer, name, generator())
    W = layer.weight.detach().double()
    n_in, n_out = fans(layer)
    expected = VARIANCE[name](n_in, n_out)
    sigma = math.sqrt(expected)
    assert abs(float(W.mean())) <= 5 * sigma / math.sqrt(W.numel())
    assert abs(float(W.square().mean()) - expected) <= 5 * expected * math.sqrt(2 / W.numel())
    if "uniform" in name or name == "torch_default":
        assert float(W.abs().max()) <= math.sqrt(3) * sigma * (1 + 1e-6)
    elif name != "zeros":
        assert float(W.abs().max()) > 3 * sigma


@pytest.mark.parametrize(
    ("layer", "expected"),
    list(zip(LAYERS, [(300, 200), (144, 360), (72, 108), (216, 360), (320, 450)], strict=True)),
    ids=lambda value: type(value).__name__,
)
def test_fans_count_the_connections_of_a_unit(layer: nn.Module, expected: tuple[int, int]) -> None:
    """n_in and n_out: units for a dense layer, channels of a group × filter for a convolution."""
    assert fans(layer) == expected


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("xavier_uniform", nn.init.xavier_uniform_),
        ("xavier_normal", nn.init.xavier_normal_),
        ("he_normal", lambda W, generator: nn.init.kaiming_normal_(W, nonlinearity="relu", generator=generator)),
        ("he_uniform", lambda W, generator: nn.init.kaiming_uniform_(W, nonlinearity="relu", generator=generator)),
        ("torch_default", lambda W, generator: nn.init.kaiming_uniform_(W, a=math.sqrt(5), generator=generator)),
    ],
)
@pytest.mark.parametrize("layer", LAYERS[:2], ids=lambda layer: type(layer).__name__)
def test_drawn_numbers_equal_torch(name: str, reference: Callable[..., object], layer: nn.Module) -> None:
    """From the same generator, the very numbers of torch.nn.init, to rounding."""
    expected = torch.empty_like(layer.weight)
    reference(expected, generator=generator(3))
    initialise(layer, name, generator(3))
    torch.testing.assert_close(layer.weight.detach(), expected)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_torch_default_has_the_bounds_of_torch(layer: nn.Module) -> None:
    """Weights and biases within ±√(1/n_in) as torch counts it, and near those bounds."""
    torch.manual_seed(0)
    layer.reset_parameters()
    theirs = float(layer.weight.detach().abs().max())
    initialise(layer, "torch_default", generator())
    assert float(layer.weight.detach().abs().max()) == pytest.approx(theirs, rel=0.01)
    if layer.bias is not None:
        assert 0 < float(layer.bias.detach().abs().max()) <= theirs * 1.01


def test_orthogonal_has_orthonormal_rows_or_columns() -> None:
    """QᵀQ = I for tall weights, QQᵀ = I for wide ones; a convolution is flattened first."""
    for layer in (nn.Linear(20, 50), nn.Linear(50, 20), nn.Conv2d(3, 8, 3)):
        initialise(layer, "orthogonal", generator())
        W = layer.weight.detach().flatten(1)
        product = W.T @ W if W.shape[0] >= W.shape[1] else W @ W.T
        torch.testing.assert_close(product, torch.eye(len(product)), atol=1e-5, rtol=0)


def test_what_textbooks_call_xavier_is_not_glorots() -> None:
    """N(0, 1/n_in) and N(0, 2/(n_in + n_out)) differ where n_in and n_out do; the first is LeCun's."""
    layer = nn.Linear(10, 1000)
    drawn = {}
    for name in ("xavier_in", "lecun_normal", "xavier_normal"):
        initialise(layer, name, generator())
        drawn[name] = layer.weight.detach().clone()
    assert torch.equal(drawn["xavier_in"], drawn["lecun_normal"])
    ratio = drawn["xavier_in"].std() / drawn["xavier_normal"].std()
    assert float(ratio) == pytest.approx(math.sqrt((1 / 10) / (2 / 1010)), rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_weights_and_the_global_generator_is_left_alone(name: str) -> None:
    """The generator decides everything; torch's own is not touched when another is given."""
    net = nets.build("cnn", (2, 8, 8), 3, channels=(4,), dense=(5,))
    before = torch.get_rng_state()
    initialise(net, name, generator(7))
    first = {key: value.clone() for key, value in net.state_dict().items()}
    initialise(net, name, generator(7))
    assert all(torch.equal(value, first[key]) for key, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), before)


def test_biases_are_zero_norms_stay_and_nothing_is_lost() -> None:
    """Every parameter is either changed or named as left; norms keep 1 and 0."""
    net = nets.build("resnet", (1, 8, 8), 2, stem=4, widths=(4,), blocks=(1,))
    net.add_module("embedding", nn.Embedding(3, 2))
    done = initialise(net, "he_normal")
    assert sorted(done.changed + done.left) == sorted(name for name, _ in net.named_parameters())
    assert all(".norm." in name or name.startswith("embedding") for name in done.left)
    assert not net.output.bias.any()
    assert torch.equal(net.maps[0].norm.weight, torch.ones(4))


@pytest.mark.parametrize(("activation", "name"), [("relu", "he_normal"), ("tanh", "xavier_uniform")])
def test_the_suited_initialisation_keeps_the_signal_through_20_layers(activation: str, name: str) -> None:
    """From the first hidden layer to the last it keeps a twentieth at least; with torch's own, not a thousandth."""
    assert suited(activation)[0] == name
    sizes = {}
    for each in (name, "torch_default"):
        torch.manual_seed(0)
        net = nets.build("mlp", (128,), 1, hidden=(128,) * 20, activation=activation)
        initialise(net, each, generator())
        x = torch.randn(64, 128)
        with torch.no_grad():
            first, last = net.hidden[0](x), net.hidden(x)
        # What differs between samples is the signal; what biases add alike to all is not.
        sizes[each] = float(last.std(dim=0).mean() / first.std(dim=0).mean())
    assert sizes[name] > 1 / 20
    assert sizes["torch_default"] < 1 / 1000


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A typo gets a suggestion."""
    with pytest.raises(UserError, match="Did you mean 'he_normal'"):
        initialise(nn.Linear(2, 2), "he_norml")
