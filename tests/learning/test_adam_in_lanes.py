"""Adam's fused kernel works on the parameters where they lie: for every net and lane its steps are those of torch's."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from workings import nets
from workings.base.form import Form
from workings.learning.gradient import GradientRule
from workings.learning.lanes import parse_lane
from workings.learning.losses import make_loss
from workings.learning.optimisers import make_optimiser
from workings.nets.registry import ACCEPTS
from workings.nets.unsupervised import Unsupervised

B, K = 6, 3
EPS = 1e-4  # so that a gradient that is all but 0, whose sign is chance, moves nothing
SMALL: dict[str, Any] = {"width": 8, "embedding": 8, "heads": 2, "layers": 1, "dropout": 0.0, "hidden": (5,)}
SAMPLES: dict[str, tuple[tuple[int, ...], Form, int]] = {
    "table": ((5,), Form(), K),
    "image": ((2, 16, 16), Form(), K),
    "text": ((7,), Form(vocabulary=9), K),
    "language": ((7,), Form(vocabulary=9, each_step=True), 9),
    "series": ((7, 2), Form(horizon=2), 4),
    "pairs": ((2, 7), Form(vocabulary=(9, 9)), 9),
    "frames": ((7, 5), Form(), K),
    "sound": ((40, 16), Form(), K),
}


def learns_by_gradient(name: str) -> bool:
    """Whether the net has no rule of its own."""
    shape, form, outputs = SAMPLES[ACCEPTS[nets.info(name).takes][0]]
    return getattr(nets.build(name, shape, outputs, form), "by_gradient", True)


CASES = [
    (info.name, samples, lane)
    for info in nets.infos()
    for samples in ACCEPTS[info.takes]
    if samples in SAMPLES and info.name != "perceptron" and learns_by_gradient(info.name)
    if info.learns == "labels" or samples in ("table", "image")
    for lane in ["eager@1"] + ["channels-last@1"] * (samples == "image")
]


def x_and_y(samples: str, shape: tuple[int, ...], form: Form, outputs: int) -> tuple[Tensor, Tensor, str]:
    """Three batches, their targets and the loss."""
    generator = torch.Generator().manual_seed(3)
    if form.vocabulary is None:
        x = torch.randn(3, B, *shape, generator=generator)
    else:
        x = torch.randint(4, 9, (3, B, *shape), generator=generator)
    if form.each_step or samples == "pairs":
        return x, torch.randint(4, 9, (3, B, shape[-1]), generator=generator), "token_cross_entropy"
    if samples == "series":
        return x, torch.randn(3, B, outputs, generator=generator), "mse"
    return x, torch.randint(0, outputs, (3, B), generator=generator), "cross_entropy"


@pytest.mark.parametrize(("net", "samples", "lane"), CASES)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_three_steps_are_those_of_torch(net: str, samples: str, lane: str, decay: float) -> None:
    """Whatever order the axes of a gradient lie in, with weight decay on weights alone."""
    shape, form, outputs = SAMPLES[samples]
    x, y, loss_name = x_and_y(samples, shape, form, outputs)
    if nets.info(net).learns != "labels":
        x = y = torch.sigmoid(x)
    known = nets.info(net).settings
    torch.manual_seed(0)
    made = nets.build(net, shape, outputs, form, **{name: v for name, v in SMALL.items() if name in known})
    theirs = copy.deepcopy(made).train()
    first = {name: p.detach().clone() for name, p in theirs.named_parameters()}
    loss = made.objective if isinstance(made, Unsupervised) else make_loss(loss_name)
    their_loss = theirs.objective if isinstance(theirs, Unsupervised) else loss
    ours = GradientRule(
        made, loss, make_optimiser("adamw", weight_decay=decay, eps=EPS), lambda t: 0.01, None, parse_lane(lane)
    )
    made.train()
    torch.manual_seed(1)
    ours.advance(x, y, None, 0)
    parameters = [p for p in theirs.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW([group for group in groups if group["params"]], lr=0.01, eps=EPS)
    torch.manual_seed(1)
    for x_t, y_t in zip(x, y, strict=True):
        optimiser.zero_grad()
        their_loss(theirs(x_t), y_t, None).backward()
        optimiser.step()
    for name, p in theirs.named_parameters():
        moved, apart = (p - first[name]).norm(), (made.get_parameter(name) - p).norm()
        # Another order of sums may move a maximum and with it some terms; a wrong layout is off by the whole.
        assert apart <= 0.1 * moved + 1e-4, f"{name}: {float(apart):.2e} apart after moving {float(moved):.2e}"
