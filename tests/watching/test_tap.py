"""What a tap says of operations, recurrence, attention and losses is what an independent calculation says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import UserError
from workings.nets.cells import GRUCell, LSTMCell, RNNCell
from workings.nets.recurrence import Layer
from workings.watching.budget import AHEAD, Budget
from workings.watching.history import History
from workings.watching.loss_graph import read_loss
from workings.watching.statistics import as_drawn, share_alike
from workings.watching.tap import Tap
from workings.watching.watch import watch

B, T, D, H = 4, 7, 3, 5


def looked_at(net: nn.Module, x: Any, back: Callable[[Any], Tensor]) -> dict[tuple[str, str], float]:
    tap = Tap(net)
    with tap.looking():
        out = net(x)
    back(out).backward()
    return {(where, name): value for where, name, value in tap.read()}


# --------------------------------------------------------------------------------------------- through time


class Last(nn.Module):
    """The sum of squares of the last state is the loss."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.layer, Layer):
            return self.layer(x, self.layer.cell.start(x))[0]
        return self.layer(x)[0]


def states(step: Callable[[Tensor, Any], tuple[Tensor, ...]], x: Tensor, start: Any) -> list[tuple[Tensor, ...]]:
    found, state = [], start
    for x_t in x.unbind(1):
        state = step(x_t, state)
        if not found:  # h and c of step 1 as what they are to step 2: two states
            state = tuple(part.detach().requires_grad_() for part in state)
        for part in state:
            part.retain_grad()
        found.append(state)
    return found


def expected(found: list[tuple[Tensor, ...]]) -> float:
    """‖∂L/∂s_1‖/‖∂L/∂h_T‖ by autograd, step by step."""
    (found[-1][0] ** 2).sum().backward()
    first = torch.stack([part.grad.norm() for part in found[0] if part.grad is not None]).norm()
    return float(first / found[-1][0].grad.norm())


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "written"])
@pytest.mark.parametrize("make", [RNNCell, LSTMCell, GRUCell])
def test_the_gradient_through_time_is_that_of_autograd_in_layers_of_workings(make: Any, fused: bool) -> None:
    torch.manual_seed(0)
    layer, x = Layer(make(D, H), fused, None), torch.randn(B, T, D)
    told = looked_at(Last(layer), x, lambda h: (h[:, -1] ** 2).sum())
    cell = layer.cell
    steps = states(lambda x_t, state: cell.step(cell.taken_in(x_t), state), x, cell.start(x))
    assert told["layer·layer", "delta_first"] == pytest.approx(expected(steps), rel=1e-3)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_the_gradient_through_time_is_that_of_autograd_in_layers_of_torch(kind: str) -> None:
    torch.manual_seed(0)
    layer, cell = getattr(nn, kind)(D, H, batch_first=True), getattr(nn, f"{kind}Cell")(D, H)
    for name, p in cell.named_parameters():
        p.data.copy_(getattr(layer, f"{name}_l0").data)
    x = torch.randn(B, T, D)
    told = looked_at(Last(layer), x, lambda h: (h[:, -1] ** 2).sum())

    def step(x_t: Tensor, state: Any) -> tuple[Tensor, ...]:
        after = cell(x_t, state if kind == "LSTM" else state[0])
        return after if isinstance(after, tuple) else (after,)

    zeros = (torch.zeros(B, H), torch.zeros(B, H))
    ratio = expected(states(step, x, zeros))
    assert told[f"layer·{kind.lower()}", "delta_first"] == pytest.approx(ratio, rel=1e-3)

    class Called(nn.Module):
        """The same cell, called step by step in somebody's own loop."""

        def __init__(self) -> None:
            super().__init__()
            self.cell = cell

        def forward(self, x: Tensor) -> Tensor:
            state: Any = zeros
            for x_t in x.unbind(1):
                state = step(x_t, state)
            return state[0]

    told = looked_at(Called(), x, lambda h: (h**2).sum())
    # c of step 1 also makes h of step 1: here that counts with c.
    assert told[f"cell·{kind.lower()}cell", "delta_first"] == pytest.approx(ratio, rel=0.3 if kind == "LSTM" else 1e-3)


def test_a_loss_at_every_step_does_not_hide_that_the_past_is_forgotten() -> None:
    """Only what the last step sends back counts: it dies, though ∂L/∂h_1 itself is large."""
    torch.manual_seed(0)
    layer = nn.RNN(D, H, batch_first=True)
    layer.weight_hh_l0.data.mul_(0.1)
    told = looked_at(Last(layer), torch.randn(B, 30, D), lambda h: (h**2).sum())
    assert told["layer·rnn", "delta_first"] < 1e-12


# ------------------------------------------------------------------------------------------------ attention


@pytest.mark.parametrize("mask", ["none", "causal", "bool", "float"])
def test_the_entropy_of_attention_is_that_of_its_weights(mask: str) -> None:
    torch.manual_seed(0)
    q, k = torch.randn(1, 2, T, 4, requires_grad=True), 3 * torch.randn(1, 2, T, 4)
    seen = torch.ones(T, T, dtype=torch.bool)
    if mask == "causal":
        seen = seen.tril()
    elif mask != "none":
        seen[:, 5:] = False
    given: dict[str, Any] = {"is_causal": True} if mask == "causal" else {}
    if mask in ("bool", "float"):
        given["attn_mask"] = seen if mask == "bool" else torch.where(seen, 0.0, -1e9)

    class Attends(nn.Module):
        def forward(self, q: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(q, k, k, **given)

    told = looked_at(Attends(), q, lambda out: out.sum())
    α = (q[0] @ k[0].mT / 2).masked_fill(~seen, -math.inf).softmax(-1)
    each = -(α * α.clamp_min(1e-30).log()).sum(-1)
    counts = seen.sum(-1).expand_as(each)
    wanted = (each[counts > 1] / counts[counts > 1].log()).mean().detach()
    assert told["·attention", "entropy"] == pytest.approx(float(wanted), rel=1e-4)


def test_the_entropy_of_torch_s_many_headed_attention_is_that_of_its_weights() -> None:
    torch.manual_seed(0)
    net = nn.MultiheadAttention(8, 2, batch_first=True)
    x, hidden = torch.randn(3, T, 8), torch.zeros(3, T, dtype=torch.bool)
    hidden[0, 5:] = True

    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x, x, x, key_padding_mask=hidden, need_weights=False)[0]

    told = looked_at(Attends(), x, lambda out: out.sum())
    _, α = net(x, x, x, key_padding_mask=hidden, average_attn_weights=False)
    each = torch.special.entr(α[0]).sum(-1) / math.log(5)
    assert told["net·attention", "entropy"] == pytest.approx(float(each.mean().detach()), rel=1e-4)


# --------------------------------------------------------------------------------------------------- losses

x, y = torch.randn(8, 5), torch.randint(0, 3, (8,))
t = torch.rand(8, 3)
CALLS: dict[str, tuple[Callable[[Tensor], Tensor], dict[str, Any]]] = {
    "cross-entropy": (
        lambda z: F.cross_entropy(z, y),
        {"name": "cross_entropy", "reduction": "mean", "given": "affine"},
    ),
    "summed": (lambda z: F.cross_entropy(z, y, reduction="sum"), {"reduction": "sum"}),
    "mean of each": (lambda z: F.cross_entropy(z, y, reduction="none").mean(), {"reduction": "mean"}),
    "softmax twice": (lambda z: F.cross_entropy(z.softmax(1), y), {"name": "cross_entropy", "given": "softmax"}),
    "smoothed": (lambda z: F.cross_entropy(z, y, label_smoothing=0.1), {"name": "cross_entropy"}),
    "nll of a log": (lambda z: F.nll_loss(z.log_softmax(1), y), {"name": "cross_entropy", "given": "affine"}),
    "nll of shares": (lambda z: F.nll_loss(z.softmax(1), y), {"name": "nll_loss", "given": "softmax"}),
    "scaled": (lambda z: F.mse_loss(z, t) * 1024, {"name": "mse_loss", "scale": 1024.0}),
    "a part of a batch": (lambda z: F.mse_loss(z, t) / 4, {"name": "mse_loss", "scale": 0.25}),
    "with a penalty": (lambda z: F.huber_loss(z, t) + 0.1 * z.square().sum(), {"name": "huber_loss"}),
    "sigmoid": (lambda z: F.binary_cross_entropy(z.sigmoid(), t), {"name": "binary_cross_entropy", "given": "sigmoid"}),
    "weighted": (lambda z: F.cross_entropy(z, y, weight=torch.rand(3)), {"weighted": True}),
    "spread": (lambda z: F.mse_loss(z[:, :1], t[:, 0]), {"spread": True}),
    "by hand": (lambda z: ((z - t) ** 2).mean(), {"name": "", "reduction": ""}),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("how", CALLS)
def test_a_loss_is_known_by_its_graph_however_it_is_written(how: str) -> None:
    call, wanted = CALLS[how]
    found = read_loss(call(nn.Linear(5, 3)(x)))
    assert {name: getattr(found, name) for name in wanted} == wanted


# --------------------------------------------------------------------------------------- what cannot learn


def test_what_cannot_learn_is_named() -> None:
    torch.manual_seed(0)
    net = nn.ModuleDict({name: nn.Linear(4, 4) for name in ("used", "left", "out", "still")})
    net["still"].weight.requires_grad_(False)
    given = [p for name in ("used", "left", "still") for p in net[name].parameters()]
    optimizer = torch.optim.SGD(given, 0.1)
    with watch(net, optimizer, budget=1e9) as watched:
        for _ in range(3):
            h = net["still"](net["used"](torch.randn(8, 4)))
            F.mse_loss(net["out"](h), torch.zeros(8, 4)).backward()
            optimizer.step()
            optimizer.zero_grad()
    facts = watched.history.facts
    assert facts["not_in_optimiser"] == ["out.weight", "out.bias"]
    assert facts["no_gradient"] == ["left.weight", "left.bias"]
    assert facts["frozen"] == {"still.weight": True}


def test_units_that_are_copies_and_weights_that_were_never_learnt_are_told_apart() -> None:
    torch.manual_seed(0)
    w = torch.randn(60, 40)
    assert float(share_alike(w)) == 0
    assert float(share_alike(torch.cat([w, w[:20]]))) == pytest.approx(0.5)
    assert float(share_alike(torch.full((5, 7), 0.3))) == 1
    assert as_drawn(w)
    assert not as_drawn(w + 0.5 * torch.randn(60, 1) @ torch.randn(1, 40) * 3)


# ------------------------------------------------------------------------------------------------- budget


@pytest.mark.parametrize("cost", [0.0005, 0.01, 0.5])
def test_looks_keep_within_their_share_whatever_they_cost(cost: float) -> None:
    """Ten minutes of steps of a millisecond, by a clock of its own."""
    budget = Budget(0.03, began=0.0)
    now, step = 0.0, 0
    while now < 600 and step < 200_000:
        if budget.allows(now, step):
            budget.pay(cost)
            now += cost
            budget.looked(step, now)
        now += 0.001
        step += 1
    assert 1 < budget.looks < 4_000
    assert budget.spent <= 0.03 * max(now, AHEAD) + cost


def test_the_few_looks_of_a_short_run_reach_into_its_later_half() -> None:
    """Three seconds of steps of ten milliseconds, of which a look takes as long."""
    budget = Budget(0.03, began=0.0)
    now, seen = 0.0, []
    for step in range(300):
        if budget.allows(now, step):
            budget.pay(0.01)
            now += 0.01
            budget.looked(step, now)
            seen.append(step)
        now += 0.01
    assert sum(step < 30 for step in seen) >= 3
    assert seen[-1] >= 150


def test_a_history_says_what_its_names_mean() -> None:
    """Whatever a watch writes down is in ``NAMES``, but for val_… and train_…, which others name."""
    from workings.watching.history import COUNTS, FACTS, NAMES

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(108, 3))
    optimizer = torch.optim.Adam(net.parameters())
    with watch(net, optimizer, budget=1e9) as watched:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(net(torch.rand(8, 1, 8, 8)), torch.randint(0, 3, (8,))).backward()
            optimizer.step()
    history: History = watched.history
    assert {name for _, name in history.values} <= set(NAMES)
    assert set(history.counts) <= set(COUNTS)
    unknown = set(history.facts) - set(FACTS) - {"learning_rate", "parameters", "optimisers"}
    assert not unknown


def test_what_cannot_be_watched_is_refused_with_everything_that_is_wrong() -> None:
    net = nn.Linear(2, 2)
    with pytest.raises(UserError) as refused:
        watch(torch.optim.SGD(net.parameters(), 0.1), net, budget=0)  # type: ignore[arg-type]
    assert [each.code for each in refused.value.problems] == ["not-a-model", "not-an-optimiser", "bad-setting"]
