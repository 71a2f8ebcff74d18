"""Writing token by token: distributions are exact, seeds decide, beams find what exhaustive search finds."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from workings.base.errors import UserError
from workings.base.form import Form
from workings.base.tokens import BOS, EOS, PAD
from workings.learning.beam import beam_search, length_penalty
from workings.learning.decoding import Sampling, greedy, sample
from workings.learning.writers import ByPrefix, read_prompt, writing
from workings.nets import build

LOGITS = torch.tensor([[0.5, 2.0, -1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 3.0, -5.0]])


class Causal(nn.Module):
    """(B, T) → (B, T, V): what comes next depends on all that came before, by sums of a random table."""

    def __init__(self, V: int) -> None:
        super().__init__()
        self.table = nn.Embedding(V, V)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(2 * self.table(x).cumsum(1).sin())


class Pairs(nn.Module):
    """(B, 2, T) → (B, T, V): the same, and every answer depends on the source too."""

    def __init__(self, V: int) -> None:
        super().__init__()
        self.source, self.causal = nn.Embedding(V, V, padding_idx=PAD), Causal(V)

    def forward(self, x: Tensor) -> Tensor:
        return self.causal(x[:, 1]) + 2 * self.source(x[:, 0]).sum(1, keepdim=True)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_temperature_divides_the_logits() -> None:
    """p = softmax(z/τ); τ = 1 leaves what was learnt, τ = 0 the likeliest alone."""
    for tau in (0.3, 1.0, 2.5):
        expected = torch.softmax(LOGITS.double() / tau, 1)
        torch.testing.assert_close(Sampling(tau).probabilities(LOGITS), expected)
    assert Sampling(0).probabilities(LOGITS).tolist() == [[0, 1, 0, 0, 0], [0, 0, 0, 1, 0]]


def test_a_tiny_temperature_is_the_likeliest_and_never_nan() -> None:
    """z/τ beyond the range of floats."""
    assert Sampling(1e-300).probabilities(LOGITS).argmax(1).tolist() == [1, 3]
    assert bool(torch.isfinite(Sampling(1e-300).probabilities(LOGITS)).all())


def test_top_k_keeps_the_k_likeliest_in_proportion() -> None:
    """And exactly k of them, ties or not."""
    p = Sampling(top_k=2).probabilities(LOGITS)
    odds = math.exp(2.0 - 1.0)
    assert p[0].tolist() == pytest.approx([0, odds / (1 + odds), 0, 1 / (1 + odds), 0])
    assert int((p[1] > 0).sum()) == 2


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=9), st.floats(0.05, 1.0))
def test_top_p_keeps_the_fewest_tokens_that_reach_p(z: list[float], top_p: float) -> None:
    """What is kept sums to p at least; without its least likely token it does not."""
    full = torch.softmax(torch.tensor([z]).double(), 1)[0]
    kept = Sampling(top_p=top_p).probabilities(torch.tensor([z]))[0]
    inside = full[kept > 0]
    assert float(inside.sum()) >= top_p - 1e-9
    assert float(inside.sum() - inside.min()) < top_p + 1e-9
    assert float(kept.sum()) == pytest.approx(1)
    torch.testing.assert_close(kept[kept > 0], inside / inside.sum())


@pytest.mark.parametrize(
    ("how", "tokens"),
    [(Sampling(), {4, 5, 6}), (Sampling(0.5, top_k=2), {4, 6}), (Sampling(top_p=0.6), {4, 6}), (Sampling(0), {4})],
)
def test_sampled_tokens_have_the_probabilities_that_were_asked_for(how: Sampling, tokens: set[int]) -> None:
    """Of 20,000 draws each token has its share, within four standard errors; others never come."""
    z = torch.full((1, 7), -1e9)
    z[0, 4:] = torch.tensor([2.0, 0.0, 1.5])

    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return z.expand(*x.shape, -1)

    n = 20_000
    drawn = sample(Constant(), torch.full((n, 1), 4), 1, how, chance()).tokens[:, 0]
    assert set(drawn.tolist()) == tokens
    expected = how.probabilities(z)[0]
    shares = torch.bincount(drawn, minlength=7) / n
    assert bool(((shares - expected).abs() <= 4 * (expected * (1 - expected) / n).sqrt() + 1e-12).all())


def test_the_seed_decides_what_is_written() -> None:
    """The same seed writes the same; another another; the global generator is left alone."""
    net, prompt = Causal(12), torch.full((3, 2), 5)
    before = torch.get_rng_state()
    one, two, other = (sample(net, prompt, 20, Sampling(), chance(seed)) for seed in (1, 1, 2))
    assert one.tokens.equal(two.tokens)
    assert not one.tokens.equal(other.tokens)
    assert torch.get_rng_state().equal(before)
    assert net.training, "the net's mode is put back"


def test_scores_are_the_net_s_own_and_texts_end_at_eos() -> None:
    """The score of a text is Σ ln p of its tokens, EOS too; behind it there is padding."""
    net, prompt = Causal(6), torch.full((40, 1), 5)
    found = sample(net, prompt, 12, Sampling(), chance())
    assert bool((found.tokens == EOS).any())
    with torch.no_grad():
        logp = torch.log_softmax(net.eval()(torch.cat([prompt, found.tokens], 1)[:, :-1]).double(), 2)
    for b, row in enumerate(found.tokens.tolist()):
        n = row.index(EOS) + 1 if EOS in row else len(row)
        assert all(token == PAD for token in row[n:])
        assert float(found.scores[b]) == pytest.approx(sum(float(logp[b, t, row[t]]) for t in range(n)))
        assert found.texts()[b] == [token for token in row[:n] if token != EOS]


def test_padding_bos_and_unknown_are_never_written() -> None:
    """However likely the net thinks them."""
    net = Causal(6)
    with torch.no_grad():
        net.table.weight[:, :3] += 1.5
    tokens = sample(net, torch.full((50, 1), 5), 10, Sampling(), chance(), stop=None).tokens
    assert int(tokens.min()) >= EOS


@pytest.mark.parametrize("name", ["gpt", "lstm", "gru", "rnn"])
def test_stepping_with_a_state_is_reading_the_prefix_anew(name: str) -> None:
    """``start`` and ``step`` of a net give the logits that its forward pass gives at the last place."""
    net = build(name, (16,), 11, Form(vocabulary=11, each_step=True))
    x = torch.randint(4, 11, (3, 10))
    with torch.no_grad(), writing(net) as own:
        z, _ = read_prompt(own, None, x)
        again, _ = read_prompt(ByPrefix(net), None, x)  # type: ignore[arg-type]
    torch.testing.assert_close(z, again, atol=1e-5, rtol=1e-4)


def test_a_net_without_a_state_forgets_the_older_half_of_a_full_window() -> None:
    """It is never given more than its window."""
    seen = []

    class Watched(Causal):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.shape[1])
            return super().forward(x)

    sample(Watched(8), torch.full((1, 1), 5), 20, Sampling(), chance(), window=6, stop=None)
    assert max(seen) == 6
    assert min(seen[6:]) == 3


def exhaustive(
    net: nn.Module, source: Tensor | None, V: int, length: int, alpha: float
) -> list[tuple[float, list[int]]]:
    """Every text of at most ``length`` tokens, EOS counted, with its score, best first; those cut at the end too."""
    found = []
    net.eval()
    words = range(4, V)
    for n in range(length + 1):
        for text in itertools.product(words, repeat=n):
            tokens = [*text, EOS] if n < length else list(text)
            x = torch.tensor([[BOS, *tokens[:-1]]])
            if source is not None:
                T = max(x.shape[1], source.shape[1])
                pad = nn.functional.pad
                x = torch.stack([pad(source, (0, T - source.shape[1])), pad(x, (0, T - x.shape[1]))], 1)
            with torch.no_grad():
                logp = torch.log_softmax(net(x).double(), 2)[0]
            total = sum(float(logp[t, token]) for t, token in enumerate(tokens))
            found.append((total / length_penalty(len(tokens), alpha), list(text)))
    return sorted(found, key=lambda one: -one[0])


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_a_wide_beam_is_exhaustive_search(alpha: float) -> None:
    """With as many beams as there are beginnings it finds the best texts, in order, with their scores."""
    net, V, length = Pairs(7), 7, 4
    sources = torch.tensor([[4, 5, PAD], [6, 6, 4]])
    found = beam_search(net, sources, length, beams=3**length, penalty=alpha)
    for b in range(2):
        expected = exhaustive(net, sources[b : b + 1], V, length, alpha)
        assert [one.tokens for one in found[b]][:20] == [text for _, text in expected][:20]
        assert [one.score for one in found[b]][:20] == pytest.approx([score for score, _ in expected][:20])


def test_a_batch_of_sources_finds_what_each_finds_alone() -> None:
    """Beams of one text never mix with another's."""
    net = Pairs(9)
    sources = torch.randint(4, 9, (5, 3))
    together = beam_search(net, sources, 6, beams=3)
    alone = [beam_search(net, sources[b : b + 1], 6, beams=3)[0] for b in range(5)]
    assert [[one.tokens for one in each] for each in together] == [[one.tokens for one in each] for each in alone]


def test_one_beam_without_penalty_follows_greedy() -> None:
    """The beginning that is followed is the likeliest at each step."""
    net, endless = Causal(9), (PAD, BOS, EOS)
    text = greedy(net, None, 6, never=endless).tokens[0].tolist()
    assert beam_search(net, None, 6, beams=1, penalty=0.0, never=endless)[0][0].tokens == text


def test_more_beams_find_no_worse_text() -> None:
    """On this net the best score grows with the beams, up to the exhaustive one."""
    net = Pairs(8)
    source = torch.tensor([[4, 7, 5]])
    scores = [beam_search(net, source, 5, beams=k, penalty=0.0)[0][0].score for k in (1, 4, 4**5)]
    assert scores[0] <= scores[1] + 1e-12
    assert scores[1] <= scores[2] + 1e-12


@pytest.mark.parametrize("values", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_values_that_no_distribution_has_are_refused(values: dict[str, float]) -> None:
    """With their name and what fits."""
    with pytest.raises(UserError, match=next(iter(values))):
        Sampling(**values)  # type: ignore[arg-type]


def test_all_bad_values_are_told_at_once() -> None:
    """Three mistakes, one message."""
    with pytest.raises(UserError) as caught:
        Sampling(math.nan, 0, -1.0)
    assert len(caught.value.problems) == 3
