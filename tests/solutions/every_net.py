"""Every net of the registry, small, with settings that reach its branches, and a batch of its kind of data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from workings import nets
from workings.base.form import Form
from workings.base.tokens import BOS, PAD
from workings.learning.adversarial import AdversarialRule
from workings.learning.contrastive_rule import ContrastiveRule
from workings.learning.layerwise import OnTop, stack_of
from workings.learning.losses import Loss, make_loss
from workings.learning.optimisers import make_optimiser
from workings.learning.perceptron import PerceptronRule
from workings.nets.activations import NAMES
from workings.nets.registry import kind_of_samples
from workings.nets.unsupervised import Unsupervised
from workings.solutions.learners.adversarial import adversarial_solution
from workings.solutions.learners.contrastive import contrastive_solution
from workings.solutions.learners.perceptron import perceptron_solution
from workings.solutions.learners.real import Real
from workings.solutions.show import show
from workings.solutions.solving import Detail
from workings.solutions.steps import Solution

T, V, B = 5, 9, 2
TEXT, SERIES, FRAMES = Form(vocabulary=V), Form(horizon=2), Form()
LANGUAGE, PAIRS = Form(vocabulary=V, each_step=True), Form(vocabulary=(V + 2, V), each_step=True)
MIXED = Form(columns=(1, 3, 0, 1))  # a number, a category of three, a yes or no, a number


@dataclass(frozen=True)
class Case:
    """A net, samples of ``shape``, and the loss it is taught by; None for a net with an objective of its own."""

    net: str
    shape: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    form: Form = field(default_factory=Form)
    loss: str | None = "cross_entropy"

    @property
    def id(self) -> str:
        """For the test's name."""
        said = "-".join(f"{k}={v}" for k, v in self.settings.items()).replace(" ", "")
        kind = {TEXT: "text-", SERIES: "series-", MIXED: "columns-"}.get(self.form, "")
        return f"{self.net}-{kind}{'x'.join(map(str, self.shape))}-{said}".rstrip("-")

    @property
    def outputs(self) -> int:
        """Of the net."""
        if self.form.horizon is not None:
            return 2 * self.form.horizon
        return V if self.loss == "token_cross_entropy" else 1 if self.loss in ("bce", None) else 3


# Nets that learn by a rule of their own.
RULES: list[Case] = [
    Case("perceptron", (4,), loss="bce"),
    Case("perceptron", (1, 3, 3), loss="cross_entropy"),
    Case("rbm", (6,), {"units": 4, "chains": 3, "sparsity_cost": 0.2, "visible": "binary"}, loss=None),
    Case("rbm", (1, 4, 4), {"units": 3, "chains": 0, "k": 2}, loss=None),
    Case("rbm", (6,), {"units": 3, "chains": 0}, MIXED, None),
    Case("gan", (6,), {"hidden": (4,), "code": 3}, loss=None),
    Case("gan", (6,), {"hidden": (4,), "code": 3, "penalty": "wgan-gp", "spectral": True}, MIXED, None),
    Case("gan", (1, 8, 8), {"channels": (2,), "code": 3, "discriminator_steps": 2}, loss=None),
    Case("dbn", (6,), {"hidden": (4, 3)}, loss=None),
    Case("dbn", (1, 3, 3), {"hidden": (4,), "chains": 2}, loss=None),
]
ATTENDING = {"width": 4, "heads": 2, "layers": 1, "expansion": 2}
CELLS = {"width": 3, "embedding": 3}
# By the gradient of one loss, which any of these nets learns by.
GRADIENT: list[Case] = [
    Case("linear", (4,), loss="bce"),
    Case("linear", (2, 3, 3)),
    Case("mlp", (4,), {"hidden": (5, 3)}, loss="mse"),
    Case("mlp", (4,), {"hidden": (5,), "batch_norm": True, "dropout": 0.3, "noise": 0.1, "activation": "silu"}),
    Case("mlp", (4,), {"hidden": (5, 5), "residual": True, "activation": "tanh"}, loss="mae"),
    Case("mlp", (2, 3, 3), {"hidden": (4,)}, loss="huber"),
    *[Case("mlp", (3,), {"hidden": (4,), "activation": name}, loss="half_squared") for name in NAMES],
    Case("maxout", (4,), {"hidden": (3, 2), "pieces": 3, "dropout": 0.4}),
    Case("maxout", (1, 3, 3), {"hidden": (3,), "pieces": 1}, loss="bce"),
    Case("cnn", (2, 6, 6), {"channels": (3, 2), "dense": (4,), "batch_norm": True, "conv_dropout": 0.2}),
    Case("cnn", (1, 7, 5), {"channels": (2,), "padding": "valid", "pool": "average", "dense": ()}, loss="mse"),
    Case("cnn", (1, 7, 7), {"channels": (2,), "stride": 2, "padding": 1, "pool": "none", "head": "average"}),
    Case("cnn-64", (3, 10, 10)),
    Case("cnn-32", (3, 10, 10)),
    Case("resnet", (2, 8, 8), {"stem": 2, "widths": (3, 2), "blocks": (1, 0)}),
    Case("resnet", (1, 9, 9), {"stem": 2, "widths": (2, 3), "blocks": (1,), "pool": "stride", "activation": "gelu"}),
    Case("resnet", (1, 4, 4), {"stem": 2, "widths": (2,), "blocks": (1,), "head": "max", "dropout": 0.3}),
    Case("resnet", (1, 8, 8), {"stem": 2, "widths": (2,), "blocks": (0,), "pool": "average", "scale": 0.125}),
    Case("vgg", (2, 9, 9), {"widths": (3, 2)}),
    Case("vgg", (1, 5, 6), {"widths": (2,), "head": "average", "activation": "tanh"}),
    Case("spectral-cnn", (9, 6), {"widths": (3, 2)}, FRAMES),
    Case("spectral-cnn", (9, 6), {"widths": (2,), "mask": 0.0, "dropout": 0.2}, FRAMES),
    Case("nlinear", (T, 2), {}, SERIES, "mse"),
    Case("nlinear", (T, 2), {"individual": True, "returns": True}, SERIES, "mae"),
    Case("nlinear", (T, 2), {"others": True}, SERIES, "huber"),
    *[
        Case(net, shape, CELLS | more, form, loss)
        for net, more in (
            ("rnn", {"bidirectional": True}),
            ("gru", {"layers": 2, "reset": "after"}),
            ("lstm", {"cell": "written", "pooling": "mean"}),
        )
        for shape, form, loss in (((T,), TEXT, "cross_entropy"), ((T, 2), SERIES, "mse"))
    ],
    Case("lstm", (T,), CELLS, LANGUAGE, "token_cross_entropy"),
    Case("gru", (T, 2), CELLS | {"cell": "written", "reset": "before", "dropout": 0.2}, FRAMES),
    *[
        Case("encoder-decoder", (2, T), CELLS | {"dropout": 0.0} | more, PAIRS, "token_cross_entropy")
        for more in (
            {"cell": "gru", "attention": "none"},
            {"cell": "lstm", "attention": "multiplicative", "feeding": True},
            {"cell": "gru", "attention": "additive", "readout": 3, "bidirectional": False},
            {"cell": "rnn", "attention": "dot", "bidirectional": False},
        )
    ],
    Case("transformer-encoder", (T,), ATTENDING, TEXT, "bce"),
    Case("transformer-encoder", (T, 2), ATTENDING | {"attention": "written", "norm": "post"}, SERIES, "mse"),
    Case("transformer-encoder", (T, 2), ATTENDING | {"positions": "learned", "pooling": "first"}, FRAMES),
    Case("gpt", (T,), ATTENDING, LANGUAGE, "token_cross_entropy"),
    Case("gpt", (T,), ATTENDING | {"positions": "rotary", "attention": "written"}, LANGUAGE, "token_cross_entropy"),
    Case("gpt", (T,), ATTENDING | {"positions": "sinusoidal", "tied": False}, LANGUAGE, "token_cross_entropy"),
    Case("transformer", (2, T), ATTENDING, PAIRS, "token_cross_entropy"),
    Case("transformer", (2, T), ATTENDING | {"norm": "post", "tied": False}, PAIRS, "token_cross_entropy"),
    Case("autoencoder", (6,), {"hidden": (5,), "code": 2}, loss=None),
    Case("autoencoder", (6,), {"hidden": (5,), "code": 2}, MIXED, None),
    Case("autoencoder", (1, 8, 8), {"channels": (2, 3), "code": 2, "noise": 0.2}, loss=None),
    Case("vae", (6,), {"hidden": (4,), "code": 2}, MIXED, None),
    Case("vae", (6,), {"hidden": (4,), "code": 2, "free_bits": 0.5, "annealing": 4}, loss=None),
    Case("vae", (1, 8, 8), {"channels": (2, 3), "code": 2, "likelihood": "bernoulli"}, loss=None),
    Case("dbn", (6,), {"hidden": (5, 3), "output": True}),
]
ALL = [*RULES, *GRADIENT]


def made(case: Case, seed: int = 1) -> nn.Module:
    """The net, in float64 and learning."""
    torch.manual_seed(seed)
    settings = dict(case.settings)
    return nets.build(case.net, case.shape, case.outputs, case.form, **settings).double().train()


def batch(case: Case, n: int = B, seed: int = 2) -> Tensor:
    """Samples; texts and recordings of different lengths, padded."""
    torch.manual_seed(seed)
    kind = kind_of_samples(case.shape, case.form)
    steps = case.shape[-1] if kind in ("text", "language", "pairs") else case.shape[0]
    beyond = torch.arange(steps) >= steps - torch.arange(n)[:, None]
    if kind == "pairs":
        x = torch.randint(4, V, (n, *case.shape)).masked_fill(beyond[:, None], PAD)
        x[:, 1, 0] = BOS
        return x
    if kind in ("text", "language"):
        return torch.randint(4, V, (n, *case.shape)).masked_fill(beyond, PAD)
    x = torch.randn(n, *case.shape, dtype=torch.float64)
    if kind == "frames":
        return x.masked_fill(beyond[..., None], torch.nan)
    if kind == "image":
        return x.sigmoid()
    if case.form.columns:
        parts = [
            _column(size, part) for size, part in zip(case.form.columns, x.split(_sizes(case.form), 1), strict=True)
        ]
        return torch.cat(parts, 1)
    return x


def _sizes(form: Form) -> list[int]:
    return [max(size, 1) for size in form.columns or ()]


def _column(size: int, x: Tensor) -> Tensor:
    if size == 1:
        return x
    return (x > 0).double() if size == 0 else nn.functional.one_hot(x.argmax(1), size).double()


def target(case: Case, x: Tensor) -> Tensor:
    """What the loss compares with."""
    n = len(x)
    if case.loss is None:
        return x
    if case.loss == "token_cross_entropy":
        tokens = x if x.ndim == 2 else x[:, 1]
        return torch.cat([tokens[:, 1:], torch.full((n, 1), PAD)], 1)
    if case.loss in ("cross_entropy", "bce"):
        y = torch.arange(n) % (3 if case.loss == "cross_entropy" else 2)
        return y if case.loss == "cross_entropy" else y.double()
    return torch.randn(n, case.outputs, dtype=torch.float64)


def loss_of(case: Case, net: nn.Module) -> Any:
    """The loss, or the net's own objective."""
    if case.loss is not None:
        made_loss: Loss = make_loss(case.loss)
        return made_loss
    assert isinstance(net, Unsupervised)
    return lambda out, x: net.objective(out, x, None)


def solved(case: Case, optimiser: Callable[..., torch.optim.Optimizer] = torch.optim.AdamW) -> Solution:
    """One learning step of the net on its batch, by the gradient of its loss or by its own rule."""
    net, x = made(case), batch(case)
    if case in RULES:
        return _by_rule(case, net, x)
    return show(net, x, target(case, x), loss_of(case, net), optimiser(net.parameters(), lr=0.01))


def _by_rule(case: Case, net: Any, x: Tensor) -> Solution:
    """The rule after two steps, so that it remembers something."""
    y = target(case, x)
    rules: dict[str, Callable[[], Any]] = {
        "perceptron": lambda: PerceptronRule(net, 0.5),
        "rbm": lambda: ContrastiveRule(net, lambda step: 0.1, momentum=0.5, weight_decay=0.01),
        "gan": lambda: AdversarialRule(net, make_optimiser("adam", beta1=0.5), lambda step: 0.01),
        "dbn": lambda: _top(net),
    }
    rule = rules[case.net]()
    rule.advance(torch.stack([x, x]), torch.stack([y, y]), None, 0)
    real, detail = Real(net, rule, 0, 1, 2, 0.1, None, []), Detail()
    if case.net == "perceptron":
        return perceptron_solution(real, x, y, case.id, [], detail)
    if case.net == "gan":
        return adversarial_solution(real, x, 3, case.id, [], detail)
    v, rule = (rule.up(x).detach(), rule.rule) if case.net == "dbn" else (x.flatten(1), rule)
    return contrastive_solution(rule, v, 0.1, 3, case.id, [], detail)


def _top(net: Any) -> OnTop:
    number = len(net.layers) - 1
    stack = stack_of(net)
    seen = stack.seen(number, net.visible)
    return OnTop(stack, number, net.biases[number], seen, lambda step: 0.1, k=net.k, chains=net.chains, momentum=0.5)
