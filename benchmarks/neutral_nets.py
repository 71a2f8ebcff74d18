"""A short training of a net of Workings, in any lane, watched or not, and all that it leaves behind."""

from __future__ import annotations

import random
from typing import Any, cast

import numpy as np
import torch
from tests.solutions.every_net import ALL, ATTENDING, FRAMES, LANGUAGE, PAIRS, RULES, SERIES, Case, batch, target

from workings import nets
from workings.base.events import silent
from workings.data.schema import TaskKind
from workings.data.source import MemorySource
from workings.learning.lanes import has_bf16
from workings.learning.loop import CHUNK
from workings.learning.loop_state import LoopState
from workings.nets.registry import kind_of_samples
from workings.runs.fit import Fit, start_net
from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, settle

N, BATCH = 64, 8
PIECE = 2  # samples of sequences drawn together, of as many lengths
CHUNKS = 6  # of steps; a look takes two of them: what is seen, and how far the weights went since
ALL_THE_TIME = 1e9  # the share for watching: no look is put off

SMALLEST = {"width": 2, "embedding": 2}
WRITING = {"cell": "gru", "attention": "dot", "bidirectional": False}
# A net of each kind that learns by gradients, as small as it can be: compiling takes time by the operation.
COMPILED = [
    Case("linear", (4,), loss="bce"),
    Case("mlp", (4,), {"hidden": (5,), "batch_norm": True, "dropout": 0.3}),
    Case("maxout", (4,), {"hidden": (3,), "dropout": 0.4}),
    Case("cnn", (1, 6, 6), {"channels": (2,), "dense": (), "batch_norm": True, "dropout": 0.2}),
    Case("cnn-64", (3, 10, 10)),
    Case("cnn-32", (3, 10, 10)),
    Case("resnet", (1, 4, 4), {"stem": 2, "widths": (2,), "blocks": (0,), "head": "max", "dropout": 0.3}),
    Case("vgg", (1, 5, 6), {"widths": (2,), "head": "average", "activation": "tanh"}),
    Case("spectral-cnn", (5, 6), {"widths": (2,), "dropout": 0.2}, FRAMES),
    Case("nlinear", (2, 2), {}, SERIES, "mse"),
    *[Case(net, (2, 2), SMALLEST, SERIES, "mse") for net in ("rnn", "gru", "lstm")],
    Case("encoder-decoder", (2, 2), SMALLEST | WRITING, PAIRS, "token_cross_entropy"),
    Case("transformer-encoder", (2, 2), ATTENDING, SERIES, "mse"),
    Case("gpt", (2,), ATTENDING, LANGUAGE, "token_cross_entropy"),
    Case("transformer", (2, 2), ATTENDING, PAIRS, "token_cross_entropy"),
    Case("autoencoder", (6,), {"hidden": (5,), "code": 2}, loss=None),
    Case("vae", (6,), {"hidden": (4,), "code": 2}, loss=None),
    Case("dbn", (6,), {"hidden": (5,), "output": True}),
]
# Forward and backward pass in one graph: what is compiled is a part of the above, so fewer kinds are tried.
HALF_COMPILED = ("linear", "mlp", "cnn", "rnn", "gpt", "vae")


def lanes() -> list[str]:
    """The lanes that this machine can execute, each with one thread."""
    return ["eager@1", "channels-last@1", *["bf16@1"] * has_bf16(), "gradient@1", "compiled@1x1"]


def cases_of(lane: str) -> list[Case]:
    """The nets that are tried in that lane. Rules other than the gradient's have one way to be executed."""
    kind = lane.split("@")[0]
    if kind in ("gradient", "compiled"):
        return [case for case in COMPILED if kind == "compiled" or case.net in HALF_COMPILED]
    by_gradient = [case for case in ALL if case not in RULES]
    return ALL if kind == "eager" else [case for case in by_gradient if kind == "bf16" or _pictures(case)]


def _pictures(case: Case) -> bool:
    return kind_of_samples(case.shape, case.form) == "image"


def task_of(case: Case) -> TaskKind:
    """What such a net is trained for."""
    known = {None: "unsupervised", "cross_entropy": "multiclass", "bce": "binary"}
    by_form = {LANGUAGE: "language", PAIRS: "translation"}
    usual = "forecast" if case.form.horizon is not None else "regression"
    return cast(TaskKind, by_form.get(case.form) or known.get(case.loss, usual))


class Samples(MemorySource):
    """The case's samples, in float32 as runs have them."""

    def __init__(self, case: Case, task: TaskKind, outputs: int, seed: int) -> None:
        x = torch.cat([batch(case, PIECE, seed + 100 * i) for i in range(N // PIECE)])
        y = target(case, x)
        if task == "unsupervised":
            y = torch.zeros(N)
        elif task == "forecast":
            y = torch.randn(N, outputs)
        elif task == "regression" and outputs == 1:
            y = torch.randn(N)
        x = x.float() if x.is_floating_point() else x
        super().__init__(x, y.float() if y.is_floating_point() else y.long())
        self.form, self.reconstructs = case.form, task == "unsupervised"


def fit(case: Case, lane: str, watch: float) -> Fit:
    """The net fitted, every generator at the same place before it."""
    task = task_of(case)
    outputs = 1 if task == "regression" else case.outputs
    for seed in (torch.manual_seed, random.seed, np.random.seed):
        seed(0)
    train = Samples(case, task, outputs, 1)
    # What judges sequences wants the whole of a text or a series, which these samples are not parts of.
    val = None if task in ("forecast", "language", "translation") else Samples(case, task, outputs, 2)
    recipe = Recipe(
        net=case.net,
        net_settings=case.settings,
        lane=lane,
        batch_size=BATCH,
        epochs=CHUNKS * CHUNK * BATCH / N,
        learning_rate=0.01,
        patience=None,
        average=0.9,
        augmentation="none",
        report=False,
        baselines=False,
    )
    counts = [N // 3] * 3 if task == "multiclass" else [N // 2] * 2 if task == "binary" else []
    recipe = settle(recipe, Facts(N, 0 if val is None else N, case.shape, task, outputs, counts, case.form), silent)
    recipe = recipe.model_copy(update={"watch": watch})  # more than may be asked for, so that no look is left out
    net = nets.build(case.net, case.shape, outputs, case.form, **recipe.net_settings)
    start_net(net, recipe, train)
    fitted = Fit(net, task, recipe, train, val, silent, state=LoopState())
    fitted.settle()
    fitted.run()
    return fitted


def left(fit: Fit) -> dict[str, Any]:
    """Weights, buffers, the rule's memory, the record, the weights to be kept, and where the generators stand."""
    state = fit.state
    of_net = {f"net.{name}": tensor for name, tensor in fit.net.state_dict().items()}
    kept = {f"best.{name}": tensor for name, tensor in state.best.items()}
    mean = {f"average.{name}": tensor for name, tensor in state.averaged.items()}
    return {
        **of_net,
        **fit.rule.tensors(),
        **kept,
        **mean,
        "points": [point[:5] for point in state.points],
        "gradients": [p.grad for p in fit.net.parameters()],
        "torch": torch.get_rng_state(),
        "numpy": torch.from_numpy(np.random.get_state()[1].astype(np.int64)),
        "python": random.getstate(),
    }
