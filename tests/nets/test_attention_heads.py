"""Attention of many heads: as written, by the fused kernel and in torch's own layers it is one and the same."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.nets.multihead import CrossAttention, DotProduct, SelfAttention, attention_maps, seen
from workings.nets.positions import Positions, Rotary, sinusoids
from workings.nets.transformer_blocks import Block, DecoderBlock

B, T, S, D, H = 3, 6, 5, 12, 3
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
both_types = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
REAL = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0]], dtype=torch.bool)


def same(a: Tensor, b: Tensor) -> None:
    """Equal within the house's tolerance for their type, relative to the largest number."""
    scale = max(1.0, float(b.detach().abs().max()))
    torch.testing.assert_close(a / scale, b / scale, rtol=0, atol=TOLERANCE[b.dtype])


def same_with_gradients(outs: tuple[Tensor, Tensor], inputs: tuple[list[Tensor], list[Tensor]]) -> None:
    """Two results of equal inputs, and their gradients by these."""
    same(*outs)
    torch.manual_seed(9)
    pull = torch.randn_like(outs[0])
    found = [torch.autograd.grad((out * pull).sum(), given) for out, given in zip(outs, inputs, strict=True)]
    for a, b in zip(*found, strict=True):
        same(a, b)


@pytest.mark.parametrize("mask", ["none", "padding", "causal"])
@both_types
def test_the_fused_kernel_equals_the_equation(mask: str, dtype: torch.dtype) -> None:
    """softmax(QKᵀ/√d + mask)V, value and all gradients, worked out by loops, as written and by torch's kernel."""
    torch.manual_seed(0)
    Q, K, V = (torch.randn(B, H, T, D // H, dtype=dtype) for _ in range(3))
    real = REAL if mask == "padding" else None
    outs, inputs = [], []
    for way in ("fused", "written"):
        given = [x.clone().requires_grad_() for x in (Q, K, V)]
        outs.append(DotProduct(way, causal=mask == "causal")(*given, real))
        inputs.append(given)
    same_with_gradients((outs[0], outs[1]), (inputs[0], inputs[1]))
    for b, h, t in np.ndindex(B, H, T):
        places = [s for s in range(T) if (real is None or real[b, s]) and (mask != "causal" or s <= t)]
        e = np.array([float(Q[b, h, t] @ K[b, h, s]) / math.sqrt(D // H) for s in places])
        α = np.exp(e) / np.exp(e).sum()
        same(outs[1][b, h, t].detach(), torch.tensor(α @ V[b, h, places].numpy(), dtype=dtype))


def copied(ours: SelfAttention | CrossAttention, theirs: nn.MultiheadAttention) -> None:
    """Give our attention the weights of torch's."""
    assert theirs.in_proj_bias is not None
    parts = [ours.qkv] if isinstance(ours, SelfAttention) else [ours.query, ours.key_value]
    at = [0, *np.cumsum([part.out_features for part in parts])]
    with torch.no_grad():
        theirs.in_proj_bias.normal_()
        for part, (low, high) in zip(parts, pairwise(at), strict=True):
            part.weight.copy_(theirs.in_proj_weight[low:high])
            part.bias.copy_(theirs.in_proj_bias[low:high])
        ours.output.load_state_dict(theirs.out_proj.state_dict())


@pytest.mark.parametrize("way", ["fused", "written"])
@both_types
def test_attention_equals_torchs(way: str, dtype: torch.dtype) -> None:
    """With the same weights, self- and cross-attention equal nn.MultiheadAttention, masks and gradients too."""
    torch.manual_seed(0)
    x, m = torch.randn(B, S, D, dtype=dtype), torch.randn(B, T, D, dtype=dtype)
    theirs = nn.MultiheadAttention(D, H, batch_first=True, dtype=dtype)
    cross = CrossAttention(D, H, way).to(dtype)
    copied(cross, theirs)
    pairs = [x.clone().requires_grad_() for _ in range(2)], [m.clone().requires_grad_() for _ in range(2)]
    a = cross(pairs[0][0], pairs[1][0], REAL)
    b, maps = theirs(pairs[0][1], pairs[1][1], pairs[1][1], key_padding_mask=~REAL, average_attn_weights=False)
    same_with_gradients((a, b), ([pairs[0][0], pairs[1][0]], [pairs[0][1], pairs[1][1]]))
    with attention_maps(cross) as seen_maps:
        cross(x, m, REAL)
    same(seen_maps["dot"], maps.detach())
    causal = SelfAttention(D, H, way, causal=True).to(dtype)
    copied(causal, theirs)
    mask = nn.Transformer.generate_square_subsequent_mask(T, dtype=dtype)
    ours, torchs = m.clone().requires_grad_(), m.clone().requires_grad_()
    same_with_gradients(
        (causal(ours), theirs(torchs, torchs, torchs, attn_mask=mask, need_weights=False)[0]), ([ours], [torchs])
    )


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@both_types
def test_blocks_equal_torchs_layers(norm: str, activation: str, dtype: torch.dtype) -> None:
    """With the same weights a block equals nn.TransformerEncoderLayer and nn.TransformerDecoderLayer."""
    torch.manual_seed(0)
    x, m = torch.randn(B, S, D, dtype=dtype), torch.randn(B, T, D, dtype=dtype)
    options = {"activation": activation, "norm_first": norm == "pre", "batch_first": True, "dropout": 0.0}
    sizes = (D, 4, activation, norm, 0.0)
    encoder = nn.TransformerEncoderLayer(D, H, 4 * D, dtype=dtype, **options)
    decoder = nn.TransformerDecoderLayer(D, H, 4 * D, dtype=dtype, **options)
    block = Block(SelfAttention(D, H, "fused"), *sizes).to(dtype)
    decoder_block = DecoderBlock(SelfAttention(D, H, "fused", True), CrossAttention(D, H, "fused"), *sizes).to(dtype)
    for ours, theirs in ((block, encoder), (decoder_block, decoder)):
        copied(ours.attention, theirs.self_attn)
        for i in (1, 2, 3):
            if hasattr(ours, f"norm_{i}"):
                torch.nn.init.normal_(getattr(theirs, f"norm{i}").weight)
                getattr(ours, f"norm_{i}").load_state_dict(getattr(theirs, f"norm{i}").state_dict())
        ours.feed_forward.up.load_state_dict(theirs.linear1.state_dict())
        ours.feed_forward.down.load_state_dict(theirs.linear2.state_dict())
    copied(decoder_block.cross, decoder.multihead_attn)
    a, b = m.clone().requires_grad_(), m.clone().requires_grad_()
    same_with_gradients((block(a, REAL), encoder(b, src_key_padding_mask=~REAL)), ([a], [b]))
    future = nn.Transformer.generate_square_subsequent_mask(S, dtype=dtype)
    given = [[x.clone().requires_grad_(), m.clone().requires_grad_()] for _ in range(2)]
    theirs_out = decoder(*given[1], tgt_mask=future, memory_key_padding_mask=~REAL)
    same_with_gradients((decoder_block(*given[0], REAL), theirs_out), (given[0], given[1]))


def test_looking_at_attention_changes_nothing() -> None:
    """With the weights kept, outputs are the same to the bit; each row sums to 1; nothing is kept afterwards."""
    torch.manual_seed(0)
    net = nets.build("transformer-encoder", (T,), 2, Form(vocabulary=9), width=8, heads=2, layers=2).eval()
    x = torch.randint(1, 9, (B, T)).masked_fill(~REAL, 0)
    before = net(x)
    with attention_maps(net) as maps:
        assert torch.equal(net(x), before)
    assert list(maps) == ["blocks.0.attention", "blocks.1.attention"]
    for α in maps.values():
        assert α.shape == (B, 2, T, T)
        torch.testing.assert_close(α.sum(-1), torch.ones(B, 2, T))
        assert bool((α.transpose(1, 3)[~REAL] == 0).all())
    with attention_maps(net) as nothing:
        pass
    assert nothing == {}


def test_a_text_of_padding_only_has_a_place_to_look_at() -> None:
    """The first place is always seen; the others where they are real."""
    assert seen(torch.zeros(2, 3, dtype=torch.bool)).tolist() == [[True, False, False]] * 2
    assert torch.equal(seen(REAL), REAL)


def test_sinusoids_are_those_of_the_paper() -> None:
    """PE_(t, 2i) = sin(t/10000^(2i/D)), PE_(t, 2i+1) = cos of the same, for odd D too."""
    for width in (6, 7):
        table = sinusoids(5, width)
        for t, j in np.ndindex(5, width):
            angle = t / 10_000 ** (2 * (j // 2) / width)
            assert math.isclose(table[t, j], math.sin(angle) if j % 2 == 0 else math.cos(angle), abs_tol=1e-12)


def test_rotary_positions_tell_distances_only() -> None:
    """Turned q and k keep their lengths, and q_t · k_s is the same wherever both stand, for the same t − s."""
    torch.manual_seed(0)
    rotary = Rotary(20, 8).double()
    q, k = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64)
    at = [(rotary(q, t), rotary(k, t)) for t in range(20)]
    for t in range(20):
        torch.testing.assert_close(at[t][0].norm(), q.norm())
        for s in range(t, 20):
            torch.testing.assert_close((at[s][0] * at[t][1]).sum(), (at[s - t][0] * at[0][1]).sum(), atol=1e-5, rtol=0)
    together = rotary(q.expand(1, 1, 20, 8))
    assert torch.equal(together[0, 0, 7], at[7][0][0, 0, 0])


@pytest.mark.parametrize("make", [lambda: Positions("learned", 4, D), lambda: Positions("sinusoidal", 4, D)])
def test_there_are_no_more_positions_than_a_net_was_built_for(make: object) -> None:
    """A longer sequence is refused with its length and the most there may be."""
    positions = make()  # type: ignore[operator]
    positions(torch.zeros(1, 4, D))
    with pytest.raises(UserError, match="5 tokens is longer than the 4 positions"):
        positions(torch.zeros(1, 5, D))
    with pytest.raises(UserError, match="5 tokens is longer than the 4 positions"):
        positions(torch.zeros(1, 1, D), start=4)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("gpt", {"width": 10, "heads": 4}, "cannot be shared out among 4 heads"),
        ("gpt", {"width": 12, "heads": 4, "positions": "rotary"}, "an odd one"),
        ("gpt", {"positions": "rotory"}, "Did you mean 'rotary'"),
        ("transformer-encoder", {"pooling": "last"}, "one of mean, first, max"),
        ("transformer-encoder", {"attention": "flash"}, "one of fused, written"),
    ],
)
def test_what_cannot_be_built_is_told(name: str, given: dict[str, object], said: str) -> None:
    """Heads that do not divide, halves that are none, and names that are not there."""
    with pytest.raises(UserError, match=said) as refused:
        nets.build(name, (T,), 9, Form(vocabulary=9, each_step=name == "gpt"), **given)
    assert refused.value.problems[0].do


def test_a_tied_output_has_the_size_of_the_vocabulary() -> None:
    """Another number of outputs is refused; untied it may be had."""
    with pytest.raises(UserError, match="tied to the vectors of 9 tokens"):
        nets.build("gpt", (T,), 5, Form(vocabulary=9, each_step=True))
    assert nets.build("gpt", (T,), 5, Form(vocabulary=9, each_step=True), tied=False)
