"""The three scores of recurrent attention equal their equations; padding is never attended to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from workings.nets.attention import SCORES, Score, masked_softmax

B, T, U, S = 3, 5, 4, 6


def by_hand(kind: str, s: Tensor, h: Tensor, state: dict[str, Tensor]) -> float:
    """The score of one state and one source state, one number at a time."""
    if kind == "dot":
        return sum(float(a) * float(b) for a, b in zip(s, h, strict=True))
    if kind == "multiplicative":
        W = state["W.weight"]
        return sum(float(s[i]) * float(W[i, j]) * float(h[j]) for i in range(W.shape[0]) for j in range(W.shape[1]))
    z = np.tanh(state["W_1.weight"].numpy() @ s.numpy() + state["W_2.weight"].numpy() @ h.numpy())
    return float((state["v.weight"].numpy()[0] * z).sum())


def example(kind: str) -> tuple[Score, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    H = S if kind == "dot" else 4
    score = Score(kind, S, H, width=7).double()
    real = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], dtype=torch.bool)
    return score, torch.randn(B, U, S, dtype=torch.float64), torch.randn(B, T, H, dtype=torch.float64), real


@pytest.mark.parametrize("kind", SCORES)
def test_attention_equals_its_equations(kind: str) -> None:
    """e, α and c worked out one number at a time are what ``attend`` gives, for one step and for all at once."""
    score, s, h, real = example(kind)
    state = {name: value.detach() for name, value in score.state_dict().items()}
    c, α = score.attend(s, h, real)
    keys = score.keys(h)
    for b in range(B):
        steps = int(real[b].sum())
        for u in range(U):
            e = np.array([by_hand(kind, s[b, u], h[b, t], state) for t in range(steps)])
            weights = np.exp(e) / np.exp(e).sum()
            np.testing.assert_allclose(α[b, u, :steps].detach(), weights, rtol=1e-12)
            np.testing.assert_allclose(c[b, u].detach(), weights @ h[b, :steps].numpy(), rtol=1e-12)
    for u in range(U):
        c_u, α_u = score.attend(s[:, u], h, real, keys)
        torch.testing.assert_close(c_u, c[:, u], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(α_u, α[:, u], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", SCORES)
def test_what_stands_at_padding_is_nothing(kind: str) -> None:
    """α is 0 at padding, sums to 1 over the rest, and other numbers at padding change no result and no gradient."""
    score, s, h, real = example(kind)
    c, α = score.attend(s, h, real)
    assert bool((α[~real[:, None].expand(B, U, T)] == 0).all())
    torch.testing.assert_close(α.sum(-1), torch.ones(B, U, dtype=torch.float64))
    h.requires_grad_()
    (gradient,) = torch.autograd.grad(score.attend(s, h, real)[0].square().sum(), h)
    assert bool((gradient[~real] == 0).all())
    assert torch.equal(score.attend(s, torch.where(real[..., None], h, 100.0), real)[0], c)


@pytest.mark.parametrize("kind", SCORES)
def test_a_source_of_padding_only_gives_zeros(kind: str) -> None:
    """Context and alignment of an empty source are 0, and so are the gradients: no NaN anywhere."""
    score, s, h, _ = example(kind)
    inputs = [s.requires_grad_(), h.requires_grad_(), *score.parameters()]
    c, α = score.attend(s, h, torch.zeros(B, T, dtype=torch.bool))
    assert bool((c == 0).all())
    assert bool((α == 0).all())
    gradients = torch.autograd.grad(c.sum() + α.sum(), inputs, allow_unused=True, materialize_grads=True)
    assert all(bool(torch.isfinite(g).all()) for g in gradients)


@pytest.mark.parametrize("kind", SCORES)
def test_gradients_equal_differences(kind: str) -> None:
    """The derivatives of c and α by s, h and every weight equal those by small differences."""
    score, s, h, real = example(kind)
    assert torch.autograd.gradcheck(lambda s, h, *w: score.attend(s, h, real), (s.requires_grad_(), h.requires_grad_()))
    for weight in score.parameters():
        assert torch.autograd.gradcheck(lambda w: score.attend(s, h, real), (weight,), fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_masked_softmax_has_no_nan_at_the_edge_of_its_numbers(dtype: torch.dtype) -> None:
    """Very large scores of either sign, some masked, give finite weights that sum to 1."""
    e = torch.tensor([[1e30, -1e30, 5.0], [-1e30, -1e30, 1e30]], dtype=dtype)
    α = masked_softmax(e, torch.tensor([[True, True, True], [True, True, False]]))
    assert α.tolist() == [[1, 0, 0], [0.5, 0.5, 0]]
