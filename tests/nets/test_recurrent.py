"""What every recurrent net keeps, for every form of samples and whatever its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.nets.sequences import FORMS, LENGTHS, B, Case, K, T, V, case_id, forward, samples
from torch import nn
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx

import workings
from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.base.tokens import PAD, UNK
from workings.nets.arithmetic import describe, totals
from workings.nets.recurrent import RecurrentNet
from workings.nets.sequences import ToVectors

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("rnn", {}),
    ("rnn", {"activation": "relu", "cell": "written"}),
    ("lstm", {"bidirectional": True, "layers": 2, "dropout": 0.3, "pooling": "last"}),
    ("lstm", {"cell": "written", "truncate": 4, "forget_bias": 2.0, "pooling": "mean"}),
    ("lstm", {"word_dropout": 0.3, "layers": 2, "pooling": "max"}),
    ("gru", {"pooling": "last"}),
    ("gru", {"cell": "written", "reset": "before", "bidirectional": True, "truncate": 2}),
]
CASES: list[Case] = [
    (form, name, given)
    for form in FORMS
    if form != "pairs"
    for name, given in SETTINGS
    if not (form == "language" and given.get("bidirectional"))
]


every_net = pytest.mark.parametrize("case", CASES, ids=case_id)


def build(case: Case, dtype: torch.dtype = torch.float64) -> RecurrentNet:
    form, shape = FORMS[case[0]]
    torch.manual_seed(1)
    net = nets.build(case[1], shape, K, form, **{"width": 4, "embedding": 3, "dropout": 0.0} | case[2]).to(dtype)
    assert isinstance(net, RecurrentNet)
    return net.eval()


@every_net
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_answers_have_the_shape_of_the_form(case: Any, dtype: torch.dtype) -> None:
    """(B, K), or (B, T, K) where each step is answered, finite, in the parameters' type; the input stays as it was."""
    net, x = build(case, dtype), samples(case, dtype)
    before = x.clone()
    out = net(x)
    assert out.shape == ((B, T, K) if net.form.each_step else (B, K))
    assert out.dtype is dtype
    assert torch.isfinite(out).all()
    assert torch.equal(x.nan_to_num(7.0), before.nan_to_num(7.0))


@every_net
def test_a_padded_batch_equals_its_single_samples(case: Any) -> None:
    """Padding, and the other samples of a batch, change no answer and no gradient."""
    net, x = build(case), samples(case)
    lengths = LENGTHS if net.form.horizon is None else (T,) * B
    each = net.form.each_step
    together = torch.cat([out[:n] if each else out[None] for out, n in zip(net(x), lengths, strict=True)])
    singly = torch.cat([net(x[i : i + 1, :n])[0 if each else slice(None)] for i, n in enumerate(lengths)])
    torch.testing.assert_close(together, singly, rtol=0, atol=1e-12)
    pull = torch.randn_like(singly)
    for a, b in zip(
        *(torch.autograd.grad((y * pull).sum(), [*net.parameters()]) for y in (together, singly)), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@settings(max_examples=25)
@given(
    lengths=some.lists(some.integers(1, T), min_size=1, max_size=5),
    more=some.integers(0, 3),
    name=some.sampled_from(["rnn", "lstm", "gru"]),
    pooling=some.sampled_from(["last", "mean", "max"]),
)
def test_more_padding_changes_nothing(lengths: list[int], more: int, name: str, pooling: str) -> None:
    """However long the batch is padded, in both directions and stacked: the answers stay."""
    torch.manual_seed(1)
    net = nets.build(
        name, (T,), K, Form(vocabulary=V), width=3, embedding=3, layers=2, bidirectional=True, pooling=pooling
    )
    net = net.double().eval()
    x = torch.randint(1, V, (len(lengths), max(lengths)))
    x = x.masked_fill(torch.arange(max(lengths)) >= torch.tensor(lengths)[:, None], PAD)
    longer = torch.nn.functional.pad(x, (0, more), value=PAD)
    torch.testing.assert_close(net(x), net(longer), rtol=0, atol=1e-12)


@every_net
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_gradients_equal_differences(case: Any, training: bool) -> None:
    """The derivative by every parameter equals the one by small differences, in float64; each is reached."""
    net, x = build(case), samples(case)
    net.train(training)
    if net.recurrence.onward[0].truncate is not None:
        net.recurrence.onward[0].truncate = T  # cut gradients are no derivatives, and are tested by themselves
        for layer in net.recurrence.back:
            layer.truncate = T
    if case[0] == "language":  # what is said of padding is nobody's, and its vector is not learnt
        x = x.clamp(min=1)
    parameters = [p.detach().clone().requires_grad_() for p in net.parameters()]
    run = forward(net)
    assert torch.autograd.gradcheck(lambda *p: run(x, *p), parameters, fast_mode=True)
    gradients = torch.autograd.grad(run(x, *parameters).square().sum(), parameters)
    assert all(torch.count_nonzero(g) for g in gradients)


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in ("text", "series")], ids=case_id)
def test_a_training_pass_can_be_traced_into_one_graph(case: Any) -> None:
    """No Python decision depends on the numbers: traced on one batch, the graph is right on one padded otherwise."""
    net, x = build(case), samples(case)
    net.train()
    run = forward(net)
    parameters = [p.detach() for p in net.parameters()]
    names = [name for name, _ in net.named_parameters()]
    traced = make_fx(lambda x, *p: functional_call(net, dict(zip(names, p, strict=True)), (x,)))(x, *parameters)
    other, moved = x.flip(0), [p + 0.1 for p in parameters]
    torch.manual_seed(2)
    torch.testing.assert_close(traced(other, *moved), run(other, *moved), rtol=1e-12, atol=1e-12)


@every_net
def test_only_training_is_random(case: Any) -> None:
    """In evaluation the same batch gives the same bits; in training the same state of torch's generator does."""
    net, x = build(case), samples(case)
    first = net(x)
    torch.manual_seed(99)
    assert torch.equal(net(x), first)
    net.train()
    run = forward(net, seed=5)
    assert torch.equal(run(x, *net.parameters()), run(x, *net.parameters()))


@every_net
def test_bfloat16_changes_little(case: Any) -> None:
    """Where torch computes in bfloat16 by itself, the answers stay near those of float32, and gradients are finite."""
    net, x = build(case, torch.float32), samples(case, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        out = net(x)
    torch.testing.assert_close(out.float(), net(x), rtol=0.05, atol=0.05)
    assert all(torch.isfinite(g).all() for g in torch.autograd.grad(out.float().sum(), [*net.parameters()]))


@every_net
def test_weights_survive_a_file(case: Any) -> None:
    """Saved as safetensors bytes and loaded into a new net, the outputs are equal to the bit."""
    net, x = build(case), samples(case)
    data = safetensors.torch.save(net.state_dict())
    torch.manual_seed(8)
    other = build((case[0], case[1], case[2]))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(safetensors.torch.load(data), strict=True)
    assert torch.equal(other(x), net(x))


@every_net
def test_described_parameters_are_all_parameters(case: Any) -> None:
    """The rows sum to all parameters, every layer is known, and the equations of parameters hold as printed."""
    net = build(case)
    rows = describe(net, FORMS[case[0]][1])
    assert totals(rows).parameters == sum(p.numel() for p in net.parameters())
    assert totals(rows).unknown == ()
    for row in rows:
        if row.parameter_equation:
            left, right = row.parameter_equation.split(" = ")
            assert eval(left.replace("·", "*")) == row.parameters == int(right.replace(",", ""))


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_no_step_sees_what_comes_after_it(name: str) -> None:
    """Other tokens later on leave every answer before them as it was, to the bit."""
    net, x = build(("language", name, {"layers": 2})), samples(("language", name, {}))
    for t in range(1, T):
        other = x.clone()
        other[:, t:] = torch.randint(1, V, (B, T - t))
        assert torch.equal(net(x)[:, :t], net(other)[:, :t])


@pytest.mark.parametrize(("form", "pooling"), [("language", "auto"), ("text", "last")])
def test_a_net_that_may_not_see_ahead_refuses_to_read_back(form: str, pooling: str) -> None:
    """Bidirectional is refused for texts to go on with, by one message, and for those alone."""

    def build_it() -> nn.Module:
        return nets.build("gru", (T,), K, FORMS[form][0], bidirectional=True, pooling=pooling)

    if form == "text":
        build_it()
        return
    with pytest.raises(UserError, match="cannot be bidirectional") as refused:
        build_it()
    assert "bidirectional" in refused.value.problems[0].where
    assert refused.value.problems[0].do


def test_a_gru_without_a_kernel_says_so() -> None:
    """reset = before is written out only: asked for by the kernel, it is refused with what to do."""
    with pytest.raises(UserError, match="no fused kernel") as refused:
        nets.build("gru", (T,), K, Form(vocabulary=V), reset="before")
    assert "cell=written" in refused.value.problems[0].do


@pytest.mark.parametrize("given", [{}, {"layers": 3}, {"cell": "written"}], ids=str)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_steps_equal_the_whole(name: str, given: dict[str, Any]) -> None:
    """Step by step from its start, a net says what it says of the whole; states can be reordered, and stay as given."""
    net, x = build(("language", name, given)), samples(("language", name, {}))
    x = x.clamp(min=1)
    state = net.start(None, B)
    assert all(len(part) == B for part in state.values())
    found = []
    for t in range(T):
        kept = {key: part.clone() for key, part in state.items()}
        out, new = net.step(x[:, t], state)
        assert all(torch.equal(state[key], kept[key]) for key in state)
        order = torch.tensor([2, 0, 3, 1])
        turned, _ = net.step(x[order, t], {key: part[order] for key, part in state.items()})
        torch.testing.assert_close(turned, out[order], rtol=0, atol=1e-12)
        found.append(out)
        state = new
    torch.testing.assert_close(torch.stack(found, 1), net(x), rtol=0, atol=1e-12)


def test_word_dropout_hides_whole_steps_in_training() -> None:
    """Tokens become the unknown one, frames 0, padding stays; in evaluation nothing is hidden."""
    torch.manual_seed(0)
    texts, frames = (
        ToVectors((50,), Form(vocabulary=V), 3, word_dropout=0.4),
        ToVectors((50, 2), Form(), 0, word_dropout=0.4),
    )
    x = torch.randint(4, V, (40, 50))
    x[:, 40:] = PAD
    vectors, real = texts(x)
    assert torch.equal(real, x != PAD)
    assert texts.embedding is not None
    hidden = (vectors == texts.embedding.weight[UNK]).all(2)
    assert not hidden[:, 40:].any()
    assert 0.36 < hidden[:, :40].double().mean() < 0.44
    assert torch.equal(vectors[~hidden], texts.embedding(x)[~hidden])
    series = torch.randn(40, 50, 2)
    vectors, real = frames(series)
    assert real.all()
    assert 0.36 < (vectors == 0).all(2).double().mean() < 0.44
    assert torch.equal(texts.eval()(x)[0], texts.embedding(x))
    assert torch.equal(frames.eval()(series)[0], series)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 60 short texts a class, told apart by some words."""
    folder = tmp_path_factory.mktemp("texts")
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(30)])
    for name, low in (("no", 0), ("yes", 10)):
        lines = [" ".join(rng.choice(words[low : low + 20], rng.integers(1, 12))) for _ in range(60)]
        (folder / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


class Interrupted:
    """Presses Ctrl-C at the end of an epoch."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, event: Any) -> None:
        if getattr(event, "epoch", 0) >= self.at and type(event).__name__ == "EpochEnded":
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_run_can_be_repeated_and_resumed_to_the_bit(name: str, texts: Path, tmp_path: Path) -> None:
    """The same seed gives the same weights, and so does a run that was interrupted and resumed."""
    asked: dict[str, Any] = {
        "net": name,
        "epochs": 3,
        "seed": 1,
        "settings": {"lane": "eager@1", "bidirectional": True, "layers": 2, "width": 8, "word_dropout": 0.1}
        | {"batch_size": 8, "baselines": False, "report": False},
    }
    whole = workings.train(texts, out=tmp_path / "whole", **asked)
    again = workings.train(texts, out=tmp_path / "again", **asked)
    with pytest.raises(KeyboardInterrupt):
        workings.train(texts, out=tmp_path / "stopped", **asked, emit=Interrupted(2))
    resumed = workings.train(resume=tmp_path / "stopped")
    files = [(Path(run.path) / "weights.safetensors").read_bytes() for run in (whole, again, resumed)]
    assert files[0] == files[1] == files[2]
    assert whole.metrics == again.metrics == resumed.metrics


@pytest.mark.slow
@pytest.mark.parametrize(("name", "bias"), [("lstm", "forget_bias"), ("gru", "update_bias")])
def test_gates_that_begin_open_remember_the_first_word(name: str, bias: str, tmp_path: Path) -> None:
    """The first word decides, a hundred random letters follow, and the last state alone answers: always rightly."""
    rng = np.random.default_rng(0)
    data = tmp_path / "texts"
    data.mkdir()
    for word in ("yes", "no"):
        lines = [" ".join([word, *rng.choice(list("abcdefgh"), 100)]) for _ in range(1000)]
        (data / f"{word}.txt").write_text("\n".join(lines), encoding="utf-8")
    asked: dict[str, Any] = {"width": 32, "embedding": 16, "dropout": 0.0, "pooling": "last", bias: 5.0}
    asked |= {"learning_rate": 0.005, "lane": "eager@1", "baselines": False, "report": False}
    run = workings.train(data, net=name, epochs=10, seed=0, out=tmp_path / "run", settings=asked)
    assert run.metrics["accuracy"] >= 0.99
