"""A net that names the classes of samples, trained here on the training rows, to tell what another net draws.

It is the default net of the kind of samples, by the default recipe but for its epochs, and kept in the run's folder:
``judge.json`` says what it is and how good it was on the validation rows, ``judge.safetensors`` holds its weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from workings.base.events import Emit, Phase, silent
from workings.data.source import Source
from workings.nets import build, registry
from workings.runs.fit import Fit, start_net
from workings.runs.folder import load_weights, read_versioned, save_weights, write_versioned
from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, settle

if TYPE_CHECKING:
    from workings.runs.run import Run

EPOCHS = 6.0
BATCH = 512


class Labelled(Source):
    """Samples whose labels are their targets."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.shape, self.y, self.w, self.rows = source.shape, source.y, source.w, source.rows
        self.counted = source.counted

    def x(self, index: Tensor) -> Tensor:
        return self._source.x(index)

    def where(self, i: int) -> str:
        return self._source.where(i)


def train_judge(run: Run, train: Source, val: Source | None, emit: Emit) -> None:
    """Train the judge of a run and keep it; nothing where the training samples are of fewer than two classes."""
    classes = run.task.classes or []
    counts = np.bincount(train.y.numpy(), minlength=len(classes))
    if (counts > 0).sum() < 2:
        return
    K = len(classes)
    name = "vgg" if len(train.shape) == 3 and min(train.shape[1:]) >= 8 else "mlp"
    emit(Phase("judging", f"a net ({name}) learns to name the {K} classes, to tell what is drawn"))
    seed, lane = run.recipe.seed, f"eager@{torch.get_num_threads()}"
    epochs = EPOCHS if len(train) >= 4000 else None
    facts = Facts(len(train), 0 if val is None else len(val), train.shape, "multiclass", K, [int(c) for c in counts])
    recipe = settle(Recipe(net=name, seed=seed, lane=lane, epochs=epochs, augmentation="none"), facts, silent)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = registry.settle(name, recipe.net_settings)
        net = build(name, train.shape, K, **settings)
        held = None if val is None else Labelled(val)
        fit = Fit(net, "multiclass", recipe, Labelled(train), held, silent)
        start_net(net, recipe, fit.train)
        fit.settle()
        fit.run()
        accuracy = None if fit.val is None else fit.evaluate().get("accuracy")
    net.eval()
    save_weights(run.path / "judge.safetensors", net)
    known = {"name": name, "settings": settings, "shape": list(train.shape), "outputs": K}
    shares = [float(c) for c in counts / counts.sum()]
    write_versioned(run.path / "judge.json", {**known, "accuracy_on_validation": accuracy, "shares": shares})


class Judge:
    """The judge of a run. shares: (K,) of the training samples."""

    def __init__(self, net: nn.Module, content: dict[str, Any]) -> None:
        self.net = net
        self.shares = np.array(content["shares"])

    @torch.no_grad()
    def look(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, *shape) → the class of each sample (B,), and its features (B, F): what the last layer reads."""
        output = self.net.output
        assert isinstance(output, nn.Module)
        read: list[Tensor] = []
        hook = output.register_forward_pre_hook(lambda module, inputs: read.append(inputs[0].flatten(1)))
        try:
            named = torch.cat([self.net(part).argmax(1) for part in x.split(BATCH)])
        finally:
            hook.remove()
        return named, torch.cat(read)


def open_judge(run: Run) -> Judge | None:
    """The judge of a run, where it has one.

    Raises:
        UserError: its files are damaged.
    """
    path = run.path / "judge.json"
    if not path.is_file():
        return None
    content = read_versioned(path)
    with torch.random.fork_rng(devices=[]):
        net = build(content["name"], content["shape"], content["outputs"], **content["settings"])
    load_weights(run.path / "judge.safetensors", net)
    net.eval()
    return Judge(net, content)
