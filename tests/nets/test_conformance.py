"""What every net keeps, whatever its settings: one suite over all of them.

A net that is registered without a case here fails the first test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.nets import by_hand
from torch import Tensor, nn
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx

from workings import nets
from workings.learning.losses import make_loss
from workings.nets.activations import NAMES
from workings.nets.arithmetic import describe, totals
from workings.nets.registry import SEQUENCES

OUTPUTS = 3
# Tiny enough for loops over pixels and for derivatives by differences.
CASES: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("perceptron", (4,), {}),
    ("perceptron", (2, 3, 3), {}),
    ("linear", (4,), {}),
    ("linear", (2, 3, 3), {}),
    *[("mlp", (4,), {"hidden": (5, 3), "activation": name}) for name in NAMES],
    ("mlp", (4,), {"hidden": (5,), "activation": "leaky_relu", "slope": 0.1}),
    ("mlp", (4,), {"hidden": (5,), "activation": "elu", "alpha": 0.5}),
    ("mlp", (4,), {"hidden": ()}),
    ("mlp", (4,), {"hidden": (5, 5, 5), "residual": True, "activation": "tanh"}),
    ("mlp", (4,), {"hidden": (5, 3), "batch_norm": True, "dropout": 0.3, "noise": 0.1, "activation": "silu"}),
    ("mlp", (2, 3, 3), {"hidden": (4,)}),
    ("dbn", (2, 3, 3), {"hidden": (5, 3), "output": True}),
    ("maxout", (4,), {"hidden": (3, 2), "pieces": 3}),
    ("maxout", (4,), {"hidden": (3, 2), "pieces": 2, "dropout": 0.4}),
    ("maxout", (1, 3, 3), {"hidden": (3,), "pieces": 1}),
    ("cnn", (2, 6, 6), {"channels": (3, 2), "dense": (4,)}),
    ("cnn", (1, 7, 5), {"channels": (2,), "padding": "valid", "pool": "average", "dense": (), "activation": "tanh"}),
    ("cnn", (1, 7, 7), {"channels": (2, 3), "stride": 2, "padding": 1, "pool": "none", "head": "average", "dense": ()}),
    ("cnn", (2, 6, 6), {"channels": (3,), "batch_norm": True, "dense": (4,), "conv_dropout": 0.2, "dropout": 0.2}),
    ("cnn", (1, 6, 6), {"channels": (2,), "kernel": 2, "padding": 0, "pool_size": 5, "activation": "gelu"}),
    ("cnn-64", (3, 12, 12), {}),
    ("cnn-32", (3, 12, 12), {}),
    ("resnet", (2, 8, 8), {"stem": 2, "widths": (3, 2), "blocks": (1, 0)}),
    ("resnet", (1, 8, 6), {"stem": 0, "widths": (2,), "blocks": (1,), "residual": False, "batch_norm": False}),
    ("resnet", (1, 9, 9), {"stem": 2, "widths": (2, 3), "blocks": (1,), "pool": "stride", "activation": "gelu"}),
    (
        "resnet",
        (1, 8, 8),
        {
            "stem": 2,
            "stem_kernel": 5,
            "stem_stride": 2,
            "widths": (2,),
            "blocks": (0,),
            "pool": "average",
            "scale": 0.125,
        },
    ),
    ("vgg", (2, 9, 9), {"widths": (3, 2)}),
    ("vgg", (1, 5, 6), {"widths": (2,), "head": "average", "activation": "tanh"}),
    ("resnet", (1, 4, 4), {"stem": 2, "widths": (2,), "blocks": (1,), "head": "max", "dropout": 0.3}),
]


def case_id(case: tuple[str, tuple[int, ...], dict[str, Any]]) -> str:
    name, shape, settings = case
    return f"{name}-{'x'.join(map(str, shape))}-{'-'.join(f'{k}={v}' for k, v in settings.items())}".replace(" ", "")


every_net = pytest.mark.parametrize("case", CASES, ids=case_id)


def make(
    case: tuple[str, tuple[int, ...], dict[str, Any]], dtype: torch.dtype = torch.float64
) -> tuple[nn.Module, Tensor]:
    """The net with random parameters and running statistics, in evaluation mode, and a batch of 4 samples."""
    name, shape, settings = case
    torch.manual_seed(1)
    net = nets.build(name, shape, OUTPUTS, **settings).to(dtype)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
        for key, buffer in net.named_buffers():
            if key.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand_like(buffer))
            elif key.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer))
    return net.eval(), torch.randn(4, *shape, dtype=dtype)


def test_every_registered_net_has_a_case() -> None:
    """No net for tables or images escapes; those for sequences and those without labels have suites of their own."""
    others = {info.name for info in nets.infos() if info.takes in SEQUENCES or info.learns == "samples"}
    assert {name for name, _, _ in CASES} == set(nets.names()) - others


@every_net
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_are_one_row_of_numbers_a_sample(case: Any, dtype: torch.dtype) -> None:
    """x (B, *shape) gives (B, outputs) in the number type of the parameters, and the input is left as it was."""
    net, x = make(case, dtype)
    before = x.clone()
    out = net(x)
    assert out.shape == (4, OUTPUTS)
    assert out.dtype is dtype
    assert torch.equal(x, before)


@every_net
def test_forward_equals_the_hand_calculation(case: Any) -> None:
    """The net equals its equations worked with loops in NumPy."""
    net, x = make(case)
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    expected = by_hand.FORWARD[case[0]](x.numpy(), state, case[2])
    np.testing.assert_allclose(net(x).detach().numpy(), expected, rtol=1e-12, atol=1e-12)


@every_net
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_gradients_equal_differences(case: Any, training: bool) -> None:
    """The derivative by every parameter and by the input equals the one by small differences, in float64."""
    net, x = make(case)
    net.train(training)
    names = [name for name, _ in net.named_parameters()]

    def forward(x: Tensor, *parameters: Tensor) -> Tensor:
        torch.manual_seed(2)  # the same masks and noise at every call
        return functional_call(net, dict(zip(names, parameters, strict=True)), (x,))

    # Off the kinks of ReLU and pooling by much more than the difference of 1e-6.
    inputs = (x.requires_grad_(), *(p.detach().clone().requires_grad_() for p in net.parameters()))
    assert torch.autograd.gradcheck(forward, inputs, fast_mode=True)


@every_net
def test_evaluation_is_deterministic(case: Any) -> None:
    """In evaluation the same batch gives the same bits, whatever the random state."""
    net, x = make(case)
    first = net(x)
    torch.manual_seed(99)
    assert torch.equal(net(x), first)


@every_net
def test_a_batch_equals_its_samples_one_by_one(case: Any) -> None:
    """In evaluation no sample depends on the others of its batch."""
    net, x = make(case)
    singly = torch.cat([net(x[i : i + 1]) for i in range(len(x))])
    torch.testing.assert_close(net(x), singly, rtol=1e-12, atol=1e-12)


@every_net
def test_training_draws_its_numbers_from_the_global_generator(case: Any) -> None:
    """The same state of torch's generator gives the same masks and noise, to the bit."""
    net, x = make(case)
    net.train()
    torch.manual_seed(5)
    first = net(x)
    torch.manual_seed(5)
    assert torch.equal(net(x), first)


@every_net
def test_a_training_pass_can_be_traced_into_one_graph(case: Any) -> None:
    """No Python decision depends on the numbers: traced on one batch, the graph is right on another, masks included."""
    net, x = make(case)
    net.train()
    names = [name for name, _ in net.named_parameters()]
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}

    def forward(x: Tensor, *parameters: Tensor) -> Tensor:
        own = {name: buffer.clone() for name, buffer in buffers.items()}
        return functional_call(net, {**dict(zip(names, parameters, strict=True)), **own}, (x,))

    parameters = [p.detach() for p in net.parameters()]
    graph = make_fx(forward)(x, *parameters)
    other, moved = torch.randn_like(x), [p + 0.1 for p in parameters]
    torch.manual_seed(4)
    expected = forward(other, *moved)
    torch.manual_seed(4)
    torch.testing.assert_close(graph(other, *moved), expected, rtol=1e-12, atol=1e-12)


@every_net
def test_weights_survive_a_file(case: Any) -> None:
    """Saved as safetensors bytes and loaded into a new net, the outputs are equal to the bit."""
    net, x = make(case)
    data = safetensors.torch.save(net.state_dict())
    other = nets.build(case[0], case[1], OUTPUTS, **case[2]).double().eval()
    other.load_state_dict(safetensors.torch.load(data), strict=True)
    assert torch.equal(other(x), net(x))


@every_net
@pytest.mark.parametrize("loss_name", ["cross_entropy", "mse"])
def test_one_step_down_the_gradient_lowers_the_loss(case: Any, loss_name: str) -> None:
    """A short step along −∂L/∂w lowers the loss on the same batch with the same masks."""
    net, x = make(case)
    net.train()
    loss = make_loss(loss_name)
    y = torch.tensor([0, 1, 2, 1]) if loss_name == "cross_entropy" else torch.randn(4, OUTPUTS, dtype=torch.float64)

    def value() -> Tensor:
        torch.manual_seed(3)
        return loss(net(x), y)

    before = value()
    parameters = [p for p in net.parameters() if p.requires_grad]  # a whitening stem is set, not learnt
    gradients = torch.autograd.grad(before, parameters, allow_unused=True, materialize_grads=True)
    length = torch.sqrt(sum((g.square().sum() for g in gradients), start=torch.zeros(())))
    with torch.no_grad():
        for p, g in zip(parameters, gradients, strict=True):
            p -= 1e-4 * g / length
    assert value() < before


@every_net
def test_described_parameters_are_all_parameters(case: Any) -> None:
    """The rows of the description sum to all parameters, and the description leaves the net as it was."""
    net, _ = make(case)
    net.train()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    random = torch.get_rng_state()
    rows = describe(net, case[1])
    assert totals(rows).parameters == sum(p.numel() for p in net.parameters())
    assert totals(rows).unknown == ()
    assert rows[-1].output == (OUTPUTS,)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(module.training for module in net.modules())


@pytest.mark.parametrize("name", [each.name for each in nets.infos() if each.sizes and each.takes not in SEQUENCES])
def test_every_size_builds(name: str) -> None:
    """The sizes that a net offers are settings that it takes, they grow, and medium is the default."""
    info = nets.info(name)
    shape = (3, 32, 32) if info.takes == "image" else (8,)
    counts = [
        sum(p.numel() for p in nets.build(name, shape, 2, **info.sizes[each]).parameters())
        for each in ("small", "medium", "large")
    ]
    assert counts == sorted(set(counts))
    assert info.sizes["medium"] == {}
