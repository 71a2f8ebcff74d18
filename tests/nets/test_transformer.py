"""What every transformer keeps, for every form of samples and whatever its settings."""

from __future__ import annotations

from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.nets.sequences import FORMS, LENGTHS, B, Case, K, T, V, case_id, forward, samples
from tests.nets.transformers import CASES, WRITERS, build, every_net, outputs_of
from torch import Tensor, nn
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx

from workings import nets
from workings.base.form import Form
from workings.base.tokens import PAD
from workings.nets.arithmetic import describe, totals


def answers(case: Case, net: nn.Module, x: Tensor) -> list[Tensor]:
    """What is said of each sample, of its real steps only."""
    if case[0] == "pairs":
        return [out[:n] for out, n in zip(net(x), LENGTHS[::-1], strict=True)]
    each = FORMS[case[0]][0].each_step
    return [out[:n] if each else out for out, n in zip(net(x), LENGTHS, strict=True)]


def alone(case: Case, x: Tensor, i: int) -> Tensor:
    """Sample i without its padding."""
    if case[0] == "series":
        return x[i : i + 1]
    if case[0] == "pairs":
        return x[i : i + 1, :, : max(LENGTHS[i], LENGTHS[::-1][i])]
    return x[i : i + 1, : LENGTHS[i]]


@every_net
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_answers_have_the_shape_of_the_form(case: Case, dtype: torch.dtype) -> None:
    """(B, K), or (B, T, K) where each step is answered, in the parameters' type; the input stays as it was."""
    net, x = build(case, dtype), samples(case, dtype)
    before = x.clone()
    out = net(x)
    stepwise = case[0] == "pairs" or FORMS[case[0]][0].each_step
    assert out.shape == ((B, T, outputs_of(case)) if stepwise else (B, K))
    assert out.dtype is dtype
    assert torch.isfinite(out).all()
    assert torch.equal(x.nan_to_num(7.0), before.nan_to_num(7.0))


@every_net
def test_a_padded_batch_equals_its_single_samples(case: Case) -> None:
    """Padding, and the other samples of a batch, change no answer and no gradient."""
    net, x = build(case), samples(case)
    together = torch.cat([out.reshape(-1) for out in answers(case, net, x)])
    one_by_one = [
        out[: len(kept)] if kept.ndim == 2 else out
        for i, kept in enumerate(answers(case, net, x))
        for out in net(alone(case, x, i))
    ]
    singly = torch.cat([out.reshape(-1) for out in one_by_one])
    torch.testing.assert_close(together, singly, rtol=0, atol=1e-12)
    pull = torch.randn_like(singly)
    parameters = list(net.parameters())
    found = [torch.autograd.grad((y * pull).sum(), parameters) for y in (together, singly)]
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


@settings(max_examples=20)
@given(
    lengths=some.lists(some.integers(0, T), min_size=1, max_size=5),
    pooling=some.sampled_from(["mean", "first", "max"]),
    data=some.data(),
)
def test_more_padding_changes_nothing(lengths: list[int], pooling: str, data: Any) -> None:
    """However long a batch is padded, the answers stay: of texts without a single token too."""
    torch.manual_seed(1)
    net = nets.build("transformer-encoder", (T,), K, Form(vocabulary=V), width=8, heads=2, pooling=pooling)
    net = net.double().eval()
    longest = max(1, *lengths) if len(lengths) > 1 else max(1, lengths[0])
    x = torch.randint(1, V, (len(lengths), longest))
    x = x.masked_fill(torch.arange(longest) >= torch.tensor(lengths)[:, None], PAD)
    longer = nn.functional.pad(x, (0, data.draw(some.integers(0, T - longest))), value=PAD)
    torch.testing.assert_close(net(x), net(longer), rtol=0, atol=1e-12)


@pytest.mark.parametrize("way", ["fused", "written"])
@pytest.mark.parametrize(
    "case", [("text", "transformer-encoder"), ("frames", "transformer-encoder"), ("pairs", "transformer")]
)
def test_samples_of_padding_only_give_no_nan(case: tuple[str, str], way: str) -> None:
    """An empty source, text or recording has an answer, and a finite gradient."""
    net = build((*case, {"attention": way})).train()
    x = samples((*case, {}))
    x[1] = PAD if case[0] != "frames" else torch.nan
    out = net(x)
    assert torch.isfinite(out).all()
    assert all(torch.isfinite(g).all() for g in torch.autograd.grad(out.square().sum(), list(net.parameters())))


@every_net
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_gradients_equal_differences(case: Case, training: bool) -> None:
    """The derivative by every parameter equals the one by small differences, in float64; each is reached."""
    net, x = build(case), samples(case)
    net.train(training)
    if case[0] in ("language", "pairs"):  # what is said of padding is nobody's, and its vector is not learnt
        x = x.clamp(min=4)
    parameters = [p.detach().clone().requires_grad_() for p in net.parameters()]
    run = forward(net)
    assert torch.autograd.gradcheck(lambda *p: run(x, *p), parameters, fast_mode=True)
    gradients = torch.autograd.grad(run(x, *parameters).square().sum(), parameters)
    assert all(torch.count_nonzero(g) for g in gradients)


@every_net
def test_both_ways_of_attention_are_one(case: Case) -> None:
    """Fused and as written, the same weights give the same answers and gradients."""
    x = samples(case)
    found = []
    for way in ("fused", "written"):
        net = build((case[0], case[1], {**case[2], "attention": way}))
        out = net(x)
        found.append([out, *torch.autograd.grad(out.square().sum(), list(net.parameters()))])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", [CASES[0], CASES[1], *WRITERS[:2], *WRITERS[-3:-1]], ids=case_id)
def test_a_training_step_can_be_traced_into_one_graph(case: Case) -> None:
    """No Python decision depends on the numbers: a step traced on one batch is right on one padded otherwise."""
    net, x = build((case[0], case[1], {**case[2], "layers": 1})), samples(case)
    net.train()
    names = [name for name, _ in net.named_parameters()]

    def gradients(x: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        given = [p.detach().requires_grad_() for p in parameters]
        out = functional_call(net, dict(zip(names, given, strict=True)), (x,))
        return out, *torch.autograd.grad(out.square().sum(), given)

    parameters = [p.detach() for p in net.parameters()]
    graph = make_fx(gradients)(x, *parameters)
    other, moved = x.flip(0), [p + 0.1 for p in parameters]
    torch.manual_seed(2)
    expected = gradients(other, *moved)
    torch.manual_seed(2)
    for a, b in zip(graph(other, *moved), expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@every_net
def test_only_training_is_random(case: Case) -> None:
    """In evaluation the same batch gives the same bits; in training the same state of torch's generator does."""
    net, x = build(case), samples(case)
    first = net(x)
    torch.manual_seed(99)
    assert torch.equal(net(x), first)
    net.train()
    run = forward(net, seed=5)
    assert torch.equal(run(x, *net.parameters()), run(x, *net.parameters()))


@every_net
def test_weights_survive_a_file(case: Case) -> None:
    """Saved as safetensors bytes and loaded into a new net, the outputs are equal to the bit."""
    net, x = build(case), samples(case)
    data = safetensors.torch.save(net.state_dict())
    other = build(case)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(safetensors.torch.load(data), strict=True)
    assert torch.equal(other(x), net(x))
    assert set(net.state_dict()) == {name for name, _ in net.named_parameters()}


@every_net
def test_described_parameters_are_all_parameters(case: Case) -> None:
    """The rows sum to all parameters, every layer is known, and the equations of parameters hold as printed."""
    net = build(case)
    rows = describe(net, FORMS[case[0]][1])
    assert totals(rows).parameters == sum(p.numel() for p in net.parameters())
    assert totals(rows).unknown == ()
    for row in rows:
        if row.parameter_equation:
            left, right = row.parameter_equation.split(" = ")
            assert eval(left.replace("·", "*")) == row.parameters == int(right.replace(",", ""))


def test_multiply_adds_are_those_counted_by_hand() -> None:
    """A GPT of L layers: T(12 D² + 2 T D + 2 D) each for expansion 4, the last norm's T D and the output's T D V."""
    L, D = 2, 8
    net = nets.build("gpt", (T,), V, FORMS["language"][0], layers=L, width=D, heads=2)
    assert totals(describe(net, (T,))).multiply_adds == L * T * (12 * D * D + 2 * T * D + 2 * D) + T * D + T * D * V


@pytest.mark.parametrize("name", ["transformer-encoder", "gpt", "transformer"])
def test_every_size_builds(name: str) -> None:
    """The sizes that a net offers are settings that it takes, they grow, and medium is the default."""
    info = nets.info(name)
    form, shape = FORMS[{"gpt": "language", "transformer": "pairs"}.get(name, "text")]
    counts = [
        sum(p.numel() for p in nets.build(name, shape, V, form, **info.sizes[each]).parameters())
        for each in ("small", "medium", "large")
    ]
    assert counts == sorted(set(counts))
    assert info.sizes["medium"] == {}


def test_a_gpt_is_drawn_so_that_depth_does_not_make_it_louder() -> None:
    """Weights are N(0, 0.02²), those that end a branch divided by √(2L); biases are 0."""
    net = nets.build("gpt", (64,), 65, Form(vocabulary=65, each_step=True), layers=8)
    for name, p in net.named_parameters():
        if name.endswith("bias"):
            assert bool((p == 0).all())
        elif p.ndim == 2:
            branch = name.endswith(("attention.output.weight", "feed_forward.down.weight"))
            expected = 0.02 / 4 if branch else 0.02
            assert abs(float(p.detach().std()) / expected - 1) < 0.05


def test_bfloat16_is_near_float32() -> None:
    """Under autocast a transformer gives finite answers near those of float32."""
    for case in (CASES[0], WRITERS[1], WRITERS[-1]):
        net, x = build(case, torch.float32), samples(case, torch.float32)
        with torch.autocast("cpu", torch.bfloat16):
            out = net(x)
        exact = net(x)
        assert float((out.float() - exact).detach().norm() / exact.detach().norm()) < 0.05
