"""The encoder-decoder: its equations by hand, steps and whole, padding, alignment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.base.tokens import BOS, PAD
from workings.nets.arithmetic import describe, totals

FORM = Form(vocabulary=(12, 9), each_step=True)
LENGTHS = ((7, 4), (3, 7), (1, 1))
CASES: list[dict[str, Any]] = [
    {"cell": "gru", "attention": "none"},
    {"cell": "lstm", "attention": "none", "layers": 2},
    {"cell": "rnn", "attention": "dot", "bidirectional": False},
    {"cell": "gru", "attention": "dot"},
    {"cell": "lstm", "attention": "multiplicative", "readout": 3},
    {"cell": "gru", "attention": "additive", "layers": 2, "bidirectional": False},
    {"cell": "lstm", "attention": "multiplicative", "feeding": True},
    {"cell": "gru", "attention": "additive", "feeding": True, "layers": 2, "readout": 3},
    {"cell": "gru", "attention": "dot", "positions": True},
    {"cell": "lstm", "attention": "multiplicative", "positions": True, "feeding": True},
]


def case_id(case: dict[str, Any]) -> str:
    return "-".join(str(value) if isinstance(value, str) else f"{name}={value}" for name, value in case.items())


every_case = pytest.mark.parametrize("case", CASES, ids=case_id)


def make(case: dict[str, Any], dtype: torch.dtype = torch.float64) -> tuple[Any, Tensor]:
    """A net with random parameters in evaluation mode, and three pairs of different lengths."""
    torch.manual_seed(1)
    net = nets.build("encoder-decoder", (2, 7), 9, FORM, **{"width": 4, "embedding": 3, "dropout": 0.0, **case})
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(0.6 * torch.randn_like(p))
            if name in ("source.weight", "target.weight"):
                p[PAD] = 0
    return net.to(dtype).eval(), pairs()


def pairs() -> Tensor:
    """(3, 2, 7) tokens."""
    x = torch.zeros(3, 2, 7, dtype=torch.int64)
    for b, (s, t) in enumerate(LENGTHS):
        x[b, 0, :s] = torch.randint(4, 12, (s,))
        x[b, 1, 0] = BOS
        x[b, 1, 1:t] = torch.randint(4, 9, (t - 1,))
    return x


# ------------------------------------------------------------------------------------------- by hand


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def step(kind: str, w: dict[str, np.ndarray], x: np.ndarray, state: list[np.ndarray]) -> list[np.ndarray]:
    """One step of a cell, from its equations."""
    a, h = w["W_x"] @ x + w["bias"], state[0]
    if kind == "rnn":
        return [np.tanh(a + w["W_h"] @ h)]
    if kind == "lstm":
        i, f, g, o = np.split(a + w["W_h"] @ h, 4)
        c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]
    (a_r, a_z, a_n), (u_r, u_z, u_n) = np.split(a, 3), np.split(w["W_h"] @ h, 3)
    r, z = sigmoid(a_r + u_r), sigmoid(a_z + u_z)
    n = np.tanh(a_n + r * (u_n + w["bias_n"]))
    return [(1 - z) * n + z * h]


def parts_of(w: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in w.items() if name.startswith(prefix)}


def by_hand(case: dict[str, Any], net: nn.Module, source: list[int], target: list[int]) -> np.ndarray:
    """(T, V): the logits of one pair, with loops over layers, directions and steps."""
    w = {name: value.numpy() for name, value in net.state_dict().items()}
    kind, layers, H = case["cell"], case.get("layers", 1), 4
    both = case.get("bidirectional", True)
    units = 2 if both else 4
    parts = 2 if kind == "lstm" else 1

    def run(prefix: str, xs: list[np.ndarray]) -> list[np.ndarray]:
        state, found = [np.zeros(units)] * parts, []
        for x in xs:
            state = step(kind, parts_of(w, prefix), x, state)
            found.append(state[0])
        return found

    def vector(side: str, token: int, t: int) -> np.ndarray:
        at = [(np.cos if d % 2 else np.sin)(t / 10_000 ** (d // 2 * 2 / 3)) for d in range(3)]
        place = np.array(at, np.float32)  # as the net keeps them
        return w[f"{side}.weight"][token] + (place if case.get("positions") else 0)

    h = [vector("source", token, t) for t, token in enumerate(source)]
    for n in range(layers):
        onward = run(f"encoder.onward.{n}.cell.", h)
        back = run(f"encoder.back.{n}.cell.", h[::-1])[::-1] if both else []
        h = [np.concatenate([a, b]) for a, b in zip(onward, back, strict=True)] if both else onward
    context = np.concatenate([h[-1][:units], h[0][units:]]) if both else h[-1]

    first = np.tanh(w["begin.weight"] @ context + w["begin.bias"]).reshape(layers, parts, H)
    states = [list(layer) for layer in first]
    fed = np.zeros(4) if case.get("feeding") else context
    logits = []
    for t, token in enumerate(target):
        y = vector("target", token, t)
        if case["attention"] == "none" or case.get("feeding"):
            y = np.concatenate([y, fed])
        for n in range(layers):
            states[n] = step(kind, parts_of(w, f"decoder.onward.{n}.cell."), y, states[n])
            y = states[n][0]
        c = context if case["attention"] == "none" else attended(case["attention"], w, y, h)
        fed = c
        out = np.concatenate([y, c])
        if case.get("readout"):
            out = np.tanh(w["readout.weight"] @ out + w["readout.bias"])
        logits.append(w["output.weight"] @ out + w["output.bias"])
    return np.array(logits)


def attended(kind: str, w: dict[str, np.ndarray], s: np.ndarray, h: list[np.ndarray]) -> np.ndarray:
    """c = Σ α_j h_j, α = softmax of the scores."""
    if kind == "dot":
        e = np.array([s @ each for each in h])
    elif kind == "multiplicative":
        e = np.array([s @ w["score.W.weight"] @ each for each in h])
    else:
        W_1, W_2, v = (w[f"score.{name}.weight"] for name in ("W_1", "W_2", "v"))
        e = np.array([float((v @ np.tanh(W_1 @ s + W_2 @ each))[0]) for each in h])
    α = np.exp(e - e.max()) / np.exp(e - e.max()).sum()
    return sum((a * each for a, each in zip(α, h, strict=True)), start=np.zeros_like(h[0]))


# --------------------------------------------------------------------------------------------- laws


@every_case
def test_forward_equals_the_hand_calculation(case: dict[str, Any]) -> None:
    """Every pair of a padded batch equals its equations, worked alone with loops in NumPy."""
    net, x = make(case)
    out = net(x).detach().numpy()
    for b, (s, t) in enumerate(LENGTHS):
        expected = by_hand(case, net, x[b, 0, :s].tolist(), x[b, 1, :t].tolist())
        np.testing.assert_allclose(out[b, :t], expected, rtol=1e-10, atol=1e-10)


@every_case
def test_steps_equal_the_whole(case: dict[str, Any]) -> None:
    """Token by token from ``start``, the net says what it says of the whole target; a state given stays as it was."""
    net, x = make(case)
    whole, state = net(x), net.start(x[:, 0], 3)
    for t in range(7):
        before = {name: tensor.clone() for name, tensor in state.items()}
        logits, new = net.step(x[:, 1, t], state)
        torch.testing.assert_close(logits, whole[:, t], rtol=1e-10, atol=1e-10)
        assert all(torch.equal(before[name], state[name]) for name in before)
        state = new


@every_case
def test_padding_changes_nothing(case: dict[str, Any]) -> None:
    """A pair alone, without its padding, gets the same logits as in the batch."""
    net, x = make(case)
    whole = net(x)
    for b, (s, t) in enumerate(LENGTHS):
        alone = x[b : b + 1, :, : max(s, t)]
        torch.testing.assert_close(net(alone)[0, :t], whole[b, :t], rtol=1e-10, atol=1e-10)


@every_case
def test_no_token_is_answered_from_what_comes_after_it(case: dict[str, Any]) -> None:
    """Changing a target token changes no logits before it."""
    net, x = make(case)
    other = x.clone()
    other[:, 1, 3] = 8
    assert torch.equal(net(x)[:, :3], net(other)[:, :3])


@every_case
def test_gradients_equal_differences(case: dict[str, Any]) -> None:
    """The derivative by every parameter equals the one by small differences, in float64."""
    net, x = make(case)
    names = [name for name, _ in net.named_parameters()]

    def forward(*parameters: Tensor) -> Tensor:
        return functional_call(net, dict(zip(names, parameters, strict=True)), (x,))[x[:, 1] != PAD]

    # The rows of padding get no gradient by design, though a difference there would move what is at padding.
    inputs = tuple(p.detach().clone().requires_grad_() for p in net.parameters())
    assert torch.autograd.gradcheck(forward, inputs, fast_mode=True)


def test_float32_equals_float64_to_its_digits() -> None:
    """The fused path in float32 stays within 1e-5 of float64."""
    net, x = make(CASES[4])
    exact = net(x)
    torch.testing.assert_close(net.float()(x).double(), exact, rtol=1e-5, atol=1e-5)


def test_an_alignment_is_a_share_of_real_source_steps() -> None:
    """α sums to 1 over the source, and is 0 at its padding."""
    net, x = make(CASES[5])
    α = net.alignment(x)
    assert α.shape == (3, 7, 7)
    torch.testing.assert_close(α.sum(2), torch.ones(3, 7, dtype=torch.float64))
    for b, (s, _) in enumerate(LENGTHS):
        assert bool((α[b, :, s:] == 0).all())


def test_a_fixed_context_has_no_alignment() -> None:
    """There is nothing to look at, and that is said."""
    net, x = make(CASES[0])
    with pytest.raises(ValueError, match="fixed context"):
        net.alignment(x)


def test_a_dot_needs_states_of_one_width() -> None:
    """An odd width cannot be halved between two directions; the message says what can be set."""
    with pytest.raises(UserError, match="width=6"):
        nets.build("encoder-decoder", (2, 7), 9, FORM, width=5, attention="dot")


def test_training_draws_its_numbers_from_the_global_generator() -> None:
    """The same state of torch's generator gives the same masks, to the bit."""
    net, x = make({"cell": "gru", "attention": "dot", "layers": 2, "dropout": 0.4})
    net.train()
    torch.manual_seed(5)
    first = net(x)
    torch.manual_seed(5)
    assert torch.equal(net(x), first)


@every_case
def test_described_parameters_are_all_parameters(case: dict[str, Any]) -> None:
    """The rows of the description sum to all parameters."""
    net, _ = make(case)
    assert totals(describe(net, (2, 7))).parameters == sum(p.numel() for p in net.parameters())
