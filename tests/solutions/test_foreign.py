"""Models that Workings did not make: what PyTorch can run and differentiate is solved, or says what lacks an equation.

Each model is written as people write them, with the constructs that break tools which hook modules or trace graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.checkpoint import checkpoint

from workings.solutions.calls import Call
from workings.solutions.record import Record
from workings.solutions.rules.dense import Dense
from workings.solutions.show import show
from workings.solutions.solving import Solver
from workings.solutions.steps import Solution


def failures(solution: Solution) -> list[str]:
    """What does not hold, in words."""
    bad = [f"{s.title} {s.place}: {c.what} {c.error}" for s in solution.walk() for c in s.checks if not c.ok]
    return bad + [f"{s.title}: a line {line.error}" for s in solution.walk() for line in s.lines if not line.holds]


class Branching(nn.Module):
    """Control flow that depends on the data, a layer used again and again, an early return."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(int(x.abs().sum()) % 3 + 1):
            x = torch.tanh(self.layer(x))
        if x.mean() > 0:
            return self.a(x)
        return self.b(x) * x.norm()


class InPlace(nn.Module):
    """Changes in place: of a tensor, of views of it, and of the whole while views of it are alive."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        first = y[:, :2]
        rows = y.view(-1, 3)
        first.mul_(1.5).sin_()
        rows[0] += rows[1].clone() * 2
        y[:, -1] = first.sum(1) * x[:, 0]
        y.T[3].exp_()
        out = torch.zeros(len(x), 6)
        out[:, ::2] = y[:, ::2] + first[:, :1]
        out[:, 1::2].copy_(rows.reshape(len(x), 6)[:, 1::2])
        return out.relu_() + first[0, 0]


class Tied(nn.Module):
    """One matrix embeds and is read out by; a buffer goes in, another is kept up to date."""

    position: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.layer = nn.Linear(4, 4)
        self.output = nn.Linear(4, 7, bias=False)
        self.output.weight = self.embedding.weight
        self.register_buffer("position", torch.randn(3, 4))
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens) + self.position
        h = torch.tanh(self.layer(x))
        with torch.no_grad():
            self.seen.mul_(0.9).add_(0.1 * h.mean((0, 1)))
        return self.output(h - self.seen).mean(1)


class Outputs(NamedTuple):
    """Two answers."""

    mean: Tensor
    scale: Tensor


class Several(nn.Module):
    """Inputs by name, nested; outputs in a dict and a named tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, *, parts: dict[str, Tensor], factor: float = 1.0) -> dict[str, Any]:
        z = self.layer(parts["left"] * factor) + self.layer(parts["right"])
        return {"both": Outputs(z, F.softplus(z)), "norms": [z.norm(dim=1)]}


class Checkpointed(nn.Module):
    """Activations that are worked out again on the way back, in both ways that torch has."""

    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.reentrant = reentrant
        self.first, self.second, self.output = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = checkpoint(lambda h: torch.tanh(self.second(h)), self.first(x), use_reentrant=self.reentrant)
        return self.output(h)


class Packed(nn.Module):
    """A recurrent layer over sequences of their own lengths, dropout between its layers."""

    def __init__(self, kind: Any, packs: bool) -> None:
        super().__init__()
        self.packs = packs
        self.layer = kind(3, 4, 1 if packs else 2, batch_first=True, bidirectional=packs, dropout=0.0 if packs else 0.4)
        self.output = nn.Linear(8 if packs else 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        if not self.packs:
            return self.output(self.layer(x)[0][:, -1])
        packed = pack_padded_sequence(x, torch.tensor([2, 4, 3]), batch_first=True, enforce_sorted=False)
        y, last = self.layer(packed)
        states = last[0] if isinstance(last, tuple) else last
        padded, _ = pad_packed_sequence(y, batch_first=True)
        return self.output(padded.sum(1)) + states.sum()


class Picture(nn.Module):
    """Down by convolutions, up again by transposed ones and interpolation; norms over groups, instances, channels."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(2, 4, 3, 2, 1), nn.GroupNorm(2, 4), nn.PReLU(4), nn.Dropout2d(0.3))
        self.up = nn.ConvTranspose2d(4, 2, 3, 2, 1, output_padding=1, groups=2)
        self.norm = nn.InstanceNorm2d(2, affine=True)
        self.line = nn.ConvTranspose1d(2, 2, 2, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.down(x)
        up = F.interpolate(h[:, :2], scale_factor=2, mode="bilinear") * F.interpolate(h[:, 2:], (6, 6), mode="nearest")
        y = self.norm(self.up(h) + up)
        y = F.avg_pool2d(y, 3, 2, 1, count_include_pad=False) + F.max_pool2d(y, 3, 2, ceil_mode=True)
        return self.line(y.flatten(2)).mean((1, 2))


class Choosing(nn.Module):
    """Places that depend on the numbers: the largest few, gathered, scattered, put, counted up."""

    def __init__(self) -> None:
        super().__init__()
        self.score, self.expert = nn.Linear(4, 5), nn.Parameter(torch.randn(5, 4, 3))

    def forward(self, x: Tensor) -> Tensor:
        share, chosen = self.score(x).softmax(-1).topk(2)
        out = torch.zeros(len(x), 3)
        for e in range(5):
            row, place = torch.where(chosen == e)
            if len(row):
                out.index_add_(0, row, share[row, place, None] * (x[row] @ self.expert[e]))
        running = share.cumsum(1).gather(1, chosen % 2)
        counted = torch.zeros(len(x), 5).scatter_add(1, chosen, running)
        put = counted.index_put((torch.tensor([0]), torch.tensor([1])), x[0, :1])
        sorted_ = put.sort(1, descending=True).values
        return out + torch.where(sorted_ > 0.2, sorted_, sorted_**2)[:, :3].masked_fill(out < -1, 0.5)


class Products(nn.Module):
    """Einsum with three tensors and an ellipsis, shared queries, dropout inside attention, deviations, RMS norm."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(4, 8), nn.Linear(4, 4)
        self.mix, self.norm = nn.Parameter(torch.randn(2, 2, 3)), nn.RMSNorm(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        q, k = self.q(x).unflatten(-1, (4, 2)).transpose(1, 2), self.k(x).unflatten(-1, (2, 2)).transpose(1, 2)
        o = F.scaled_dot_product_attention(q, k, 2 * k, dropout_p=0.25, is_causal=True, enable_gqa=True)
        y = torch.einsum("...htd,dgu,hg->...tu", o, self.mix, o[0, :, 0])
        return (y / (y.std(-1, keepdim=True) + y.var(1, unbiased=False, keepdim=True))).mean(1)


class Mine(torch.autograd.Function):
    """A person's own: x³ with its slope."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # type: ignore[override]
        return 3 * ctx.saved_tensors[0] ** 2 * g


class Own(nn.Module):
    """With an autograd function of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return Mine.apply(self.layer(x)) + self.layer(x)


class HalfPrecise(nn.Module):
    """Casts to fewer digits on the way, as models written for bfloat16 do."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layer(x).float()
        h = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6)
        return h.softmax(-1, dtype=torch.float32).to(torch.bfloat16).to(x.dtype)


class Volume(nn.Module):
    """Three axes, a quantile of noise, packed parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv3d(1, 4, 2, groups=1, dilation=(1, 1, 2)))
        self.output = nn.Bilinear(4, 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = F.gelu(self.conv(x), approximate="tanh")
        h = F.max_pool3d(h, 2, 1) + F.adaptive_avg_pool3d(h, (2, 2, 1))
        h = F.pad(h.flatten(2), (1, 1), mode="replicate").logsumexp(-1)
        return self.output(h, F.normalize(h, dim=1)) + torch.rand(2).clamp_min(0.5)


MODELS: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "control flow": (Branching, (4,)),
    "in place, through views": (InPlace, (4,)),
    "checkpointing": (lambda: Checkpointed(reentrant=False), (4,)),
    "checkpointing, reentrant": (lambda: Checkpointed(reentrant=True), (4,)),
    "packed lstm": (lambda: Packed(nn.LSTM, packs=True), (4, 3)),
    "packed gru": (lambda: Packed(nn.GRU, packs=True), (4, 3)),
    "rnn with dropout between": (lambda: Packed(nn.RNN, packs=False), (4, 3)),
    "lstm with dropout between": (lambda: Packed(nn.LSTM, packs=False), (4, 3)),
    "down and up": (Picture, (2, 6, 6)),
    "choices": (Choosing, (4,)),
    "products": (Products, (3, 4)),
    "casts": (HalfPrecise, (4,)),
    "three axes": (Volume, (1, 3, 3, 4)),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_as_people_write_them_are_solved_whole(name: str) -> None:
    """Every operation has its equation; autograd, the net run alone, the optimiser and every line agree."""
    torch.manual_seed(3)
    make, shape = MODELS[name]
    model, x = make(), torch.randn(3, *shape)
    target = torch.randn(model(x).shape)
    solution = show(model, x, target, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=0.01))
    assert not failures(solution)
    assert not solution.lacking
    assert solution.complete


def test_tied_weights_and_buffers_are_solved_whole_and_stay_as_they_were() -> None:
    """The gradient of a shared matrix is the sum of its uses; the model's buffer is not touched."""
    model = Tied()
    solution = show(model, torch.tensor([[1, 5, 5], [2, 0, 6]]), torch.tensor([3, 4]), nn.CrossEntropyLoss())
    assert not failures(solution)
    assert solution.complete
    assert any("2 uses of" in step.title for step in solution.walk())
    assert not model.seen.any()


def test_inputs_by_name_and_outputs_in_a_dict_are_solved_whole() -> None:
    """Inputs may be nested, outputs may be anything that the loss understands."""

    def loss(out: dict[str, Any], target: dict[str, Tensor]) -> Tensor:
        return F.gaussian_nll_loss(out["both"].mean, target["t"], out["both"].scale) + out["norms"][0].mean()

    given = {"parts": {"left": torch.randn(2, 3), "right": torch.randn(2, 3)}, "factor": 0.5}
    solution = show(Several(), given, {"t": torch.randn(2, 2)}, loss)
    assert not failures(solution)
    assert solution.complete


def test_an_autograd_function_of_ones_own_is_named_and_shown_by_what_it_was_given_and_gave() -> None:
    """It has no equation here; all else is compared, its gradient too."""
    solution = show(Own(), torch.randn(2, 4), torch.tensor([0, 2]), nn.CrossEntropyLoss())
    assert solution.lacking == {"Mine": 1}
    assert not failures(solution)
    assert not solution.complete
    told = [p for p in solution.problems if p.code == "no-equation"]
    assert len(told) == 1
    assert "Mine" in told[0].what
    step = next(s for s in solution.walk() if any("'Mine'" in remark for remark in s.remarks))
    assert len(step.values) == 2  # what it was given, what it gave


def test_an_operation_that_cannot_be_seen_is_told_and_its_gradient_is_autograds() -> None:
    """A compiled function shows no operations; what flows through it is not lost."""
    solution = show(Hidden(), torch.randn(2, 4), torch.tensor([0, 2]), nn.CrossEntropyLoss())
    assert solution.lacking
    assert not failures(solution)
    assert "gradient-from-autograd" in {p.code for p in solution.problems}


class Hidden(nn.Module):
    """Part of it is a scripted function, which torch runs without asking Python."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.output = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layer(x)
        with torch._C.DisableTorchFunction():
            hidden = h.sin() * h
        return self.output(hidden + h)


def test_a_cast_is_told() -> None:
    """The page is in float64 throughout, and says where the model is not."""
    solution = show(HalfPrecise(), torch.randn(2, 4), torch.rand(2, 3), nn.MSELoss())
    assert "kept-in-float64" in {p.code for p in solution.problems}
    assert all(c.error < 1e-12 for c in solution.checks)


def test_random_numbers_and_models_stay_as_they_were() -> None:
    """The generators of torch, NumPy and Python, the model's weights, buffers and gradients, and the inputs."""
    import random

    import numpy as np

    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(inplace=True), nn.Dropout())
    x, target = torch.randn(3, 4), torch.randn(3, 3)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    kept: Any = np.random.get_state()
    states = torch.get_rng_state(), kept[1].copy(), random.getstate()
    given = x.clone()
    show(model, x, target, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.1))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(torch.get_rng_state(), states[0])
    now: Any = np.random.get_state()
    assert (now[1] == states[1]).all()
    assert random.getstate() == states[2]
    assert torch.equal(x, given)


class SlightlyWrong(Dense):
    """A dense layer whose way back is off by a ten-millionth."""

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        return {key: g * (1 + 1e-7) for key, g in super().backward(call, deltas).items()}


@pytest.mark.parametrize("wrong", [0, 5, 11])
def test_a_gradient_that_is_off_by_a_ten_millionth_is_seen_in_a_deep_net(wrong: int) -> None:
    """Where terms cancel, comparisons are relative to what cancelled; elsewhere that makes none of them blind."""
    torch.manual_seed(0)
    deep = nn.Sequential(*(nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4), nn.Sigmoid()) for _ in range(12))).double()
    record = Record(deep)
    x = torch.randn(2, 4, dtype=torch.float64)
    record.note(x, "input", "x")
    with record.watching():
        L = deep(x).square().mean()
    L.backward()
    for name, p in deep.named_parameters():
        record.parameters[name].grad = p.grad
    for change in (False, True):
        solver = Solver(record, 2, record.value_of(L), len(record.calls))
        if change:
            dense = [call for call in record.calls if call.name == "linear"]
            solver.rules[id(dense[wrong])] = SlightlyWrong()
        solver.forward()
        checks = [c for step in solver.backward() for c in step.checks]
        assert all(c.ok for c in checks) is not change
