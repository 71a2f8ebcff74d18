"""Transformers that write: no step sees the next, and step by step is the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.nets.sequences import FORMS, B, Case, T, V, case_id, samples
from tests.nets.transformers import CASES, WRITERS, build, every_writer
from torch import Tensor, nn

from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.base.tokens import BOS, EOS
from workings.learning.flat import FlatParameters
from workings.learning.losses import make_loss
from workings.learning.optimisers import make_optimiser
from workings.learning.step import GradientStep, Regularisation


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in ("language", "pairs")], ids=case_id)
def test_no_step_sees_what_comes_after_it(case: Case) -> None:
    """Other tokens later on leave every answer before them as it was, and no gradient comes from there."""
    net = build(case)
    x = torch.randint(4, V, (B, 2, T) if case[0] == "pairs" else (B, T))
    first = net(x)
    for t in range(1, T):
        other = x.clone()
        other[..., -1 if case[0] == "pairs" else slice(None), t:] = torch.randint(4, V, (B, T - t))
        torch.testing.assert_close(net(other)[:, :t], first[:, :t], rtol=0, atol=1e-13)
    vectors: list[Tensor] = []
    tokens = net.target if case[0] == "pairs" else getattr(net, "embedding", None) or net.vectors.embedding

    def keep(layer: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        vectors.append(output.detach().requires_grad_())
        return vectors[-1]

    handle = tokens.register_forward_hook(keep)
    out = net(x)
    handle.remove()
    for t in range(T):
        (g,) = torch.autograd.grad(out[:, t].square().sum(), vectors, retain_graph=True)
        assert bool((g[:, t + 1 :] == 0).all())
        assert bool((g[:, : t + 1] != 0).any(-1).all())


@every_writer
def test_steps_equal_the_whole(case: Case) -> None:
    """Step by step from its start, a net says what it says of the whole; states can be reordered, and stay as given."""
    net = build(case)
    x = samples(case)
    source, tokens = (x[:, 0], x[:, 1].clamp(min=4)) if case[0] == "pairs" else (None, x.clamp(min=1))
    whole = net(torch.stack([source, tokens], 1) if source is not None else tokens)
    state = net.start(source, B)
    assert all(len(part) == B for part in state.values())
    order = torch.tensor([2, 0, 3, 1])
    for t in range(T):
        kept = {key: part.clone() for key, part in state.items()}
        out, new = net.step(tokens[:, t], state)
        assert all(torch.equal(state[key], kept[key]) for key in state)
        turned, _ = net.step(tokens[order, t], {key: part[order] for key, part in state.items()})
        torch.testing.assert_close(turned, out[order], rtol=0, atol=1e-12)
        torch.testing.assert_close(out, whole[:, t], rtol=0, atol=1e-12)
        state = new


@pytest.mark.parametrize("longest", [1, 2, 5])
def test_a_gpt_writes_on_beyond_its_positions(longest: int) -> None:
    """The older half is forgotten where the positions end; the answer is that of the whole of what is kept."""
    torch.manual_seed(0)
    net: Any = nets.build("gpt", (longest,), V, FORMS["language"][0], width=8, heads=2, layers=2).double().eval()
    state = net.start(None, 2)
    for t, token in enumerate(torch.randint(1, V, (3 * longest + 2, 2))):
        out, state = net.step(token, state)
        window = state["tokens"]
        assert torch.equal(window[:, -1], token)
        assert min(t + 1, max(1, longest // 2)) <= window.shape[1] <= longest
        torch.testing.assert_close(out, net(window)[:, -1], rtol=0, atol=1e-12)


def test_a_translation_ends_where_its_positions_do() -> None:
    """One token more than any training sample had is refused."""
    net = build(WRITERS[-1])
    state = net.start(torch.full((1, 2), 5), 1)
    for _ in range(T):
        _, state = net.step(torch.tensor([5]), state)
    with pytest.raises(UserError, match="longer than the 6 positions"):
        net.step(torch.tensor([5]), state)


@pytest.mark.slow
def test_a_transformer_learns_to_copy() -> None:
    """Sequences of ten letters are copied letter by letter, all of 200 new ones exactly, by what it writes itself."""
    torch.manual_seed(0)
    letters, length, rows = 12, 10, 64
    form = Form(vocabulary=(4 + letters, 4 + letters))
    net: Any = nets.build("transformer", (2, length + 1), 4 + letters, form, width=64, layers=2, dropout=0.0)
    step = _steps(net, rate=1e-3)
    for _ in range(700):
        text = torch.randint(4, 4 + letters, (rows, length))
        source = nn.functional.pad(text, (0, 1), value=EOS)
        step(torch.stack([source, nn.functional.pad(text, (1, 0), value=BOS)], 1), source)
    net.eval()
    text = torch.randint(4, 4 + letters, (200, length))
    state = net.start(nn.functional.pad(text, (0, 1), value=EOS), 200)
    token = torch.full((200,), BOS)
    written = []
    with torch.no_grad():
        for _ in range(length + 1):
            out, state = net.step(token, state)
            token = out.argmax(1)
            written.append(token)
    assert torch.equal(torch.stack(written, 1), nn.functional.pad(text, (0, 1), value=EOS))


def _steps(net: nn.Module, rate: float) -> Any:
    """One step of learning at each call, by the same parts as a run."""
    flat = FlatParameters(net.train())
    optimiser = make_optimiser("adamw")
    learning = GradientStep(net, flat, make_loss("token_cross_entropy"), optimiser, Regularisation(clip_norm=1.0))
    state = optimiser.start(flat.w)
    count = 0

    def step(x: Tensor, y: Tensor) -> float:
        nonlocal count
        count += 1
        return float(learning.in_place(state, x, y, None, optimiser.scalars(count, rate)))

    return step
