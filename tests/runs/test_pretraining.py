"""Layer-wise pre-training and deep belief networks as runs: recipes, samples without labels, resuming, what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import workings
from workings.base.errors import UserError
from workings.base.events import EpochEnded, Event, Noticed, Phase

SMALL: dict[str, Any] = {"hidden": [6, 5], "batch_size": 8, "lane": "eager@1", "report": False, "baselines": False}
SMALL |= {"checkpoint_seconds": 0.0, "augmentation": "none"}


def pictures(folder: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """Images of 6×6 pixels: a bright half, above or below, and noise."""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            grey = rng.uniform(0, 100, (6, 6))
            grey[slice(0, 3) if name == "above" else slice(3, 6)] += 150
            Image.fromarray(grey.astype(np.uint8)).save(folder / name / f"{i:03}.png")
    return folder


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return pictures(tmp_path / "labelled", {"above": 30, "below": 30})


@pytest.fixture
def unlabelled(tmp_path: Path) -> Path:
    both = pictures(tmp_path / "both", {"above": 40, "below": 40}, seed=1)
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in both.rglob("*.png"):
        path.rename(flat / f"{path.parent.name}-{path.name}")
    return flat


def table(folder: Path) -> Path:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(90, 3)).round(3)
    kind = np.where(x[:, 0] + x[:, 1] > 0, "yes", "no")
    path = folder / "rows.csv"
    polars.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "kind": kind}).write_csv(path)
    return path


class Stopping:
    """Interrupts at the first look after so many steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochEnded) and event.step >= self.step:
            raise KeyboardInterrupt


def same(one: Any, two: Any) -> None:
    ours, theirs = (load_file(Path(run.path) / "weights.safetensors") for run in (one, two))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert one.metrics == two.metrics


@pytest.mark.parametrize("kind", ["rbm", "denoising", "supervised"])
def test_runs_resume_bit_equal_in_every_stage(labelled: Path, unlabelled: Path, tmp_path: Path, kind: str) -> None:
    """Interrupted in the first layer, in the second and in fine-tuning; the same bits as one that never stopped."""
    more = {} if kind == "supervised" else {"unlabelled": str(unlabelled)}
    settings = SMALL | more | {"pretraining": kind, "pretraining_epochs": 12 if more else 2}  # 15 steps a layer, or 11
    given: dict[str, Any] = {"net": "mlp", "epochs": 6, "settings": settings}
    whole = workings.train(labelled, out=tmp_path / "whole", **given)
    with pytest.raises(KeyboardInterrupt):
        workings.train(labelled, out=tmp_path / "stopped", **given, emit=Stopping(1))
    for step in (16, 32):
        with pytest.raises(KeyboardInterrupt):
            workings.train(resume=tmp_path / "stopped", emit=Stopping(step))
    same(whole, workings.train(resume=tmp_path / "stopped"))


@pytest.mark.parametrize("brought", ["images", "table"])
def test_belief_networks_without_labels_resume_bit_equal(labelled: Path, tmp_path: Path, brought: str) -> None:
    """Interrupted in the first layer and in the second; and a seed makes the run."""
    data = labelled if brought == "images" else table(tmp_path)
    given: dict[str, Any] = {"net": "dbn", "task": "unsupervised", "epochs": 4, "settings": SMALL | {"draw_steps": 5}}
    whole = workings.train(data, out=tmp_path / "whole", **given)
    same(whole, workings.train(data, out=tmp_path / "again", **given))
    with pytest.raises(KeyboardInterrupt):
        workings.train(data, out=tmp_path / "stopped", **given, emit=Stopping(1))
    with pytest.raises(KeyboardInterrupt):
        workings.train(resume=tmp_path / "stopped", emit=Stopping(32))
    same(whole, workings.train(resume=tmp_path / "stopped"))


def test_only_the_last_stage_is_judged(labelled: Path, tmp_path: Path) -> None:
    """Every look at the validation rows, the best step among them, is of fine-tuning; each layer is told."""
    told: list[Event] = []
    settings = SMALL | {"pretraining": "autoencoder", "pretraining_epochs": 3}
    run = workings.train(labelled, net="mlp", epochs=4, out=tmp_path / "run", settings=settings, emit=told.append)
    record = polars.read_parquet(tmp_path / "run" / "record.parquet")
    before = max(record.filter(polars.col("name") == "pretraining")["step"].to_list())
    assert before == 2 * -(-3 * len_of(run, "train") // 8)
    assert min(record.filter(polars.col("split") == "val")["step"].to_list()) > before
    assert run.result["best_step"] > before
    phases = [each.text for each in told if isinstance(each, Phase) and each.name == "training"][1:]
    assert [text.split(",")[0] for text in phases] == ["layer 1 of 2", "layer 2 of 2", "the whole net"]


def len_of(run: Any, part: str) -> int:
    return json.loads((Path(run.path) / "data_card.json").read_text())["split"][part]


def test_boltzmann_machines_see_pixels_as_they_are(labelled: Path, tmp_path: Path) -> None:
    """Images for a belief network are not standardised; for an autoencoder's layers they are; a table always is."""
    settings = SMALL | {"pretraining_epochs": 1}
    for net, kind, plain in (("dbn", "rbm", True), ("mlp", "rbm", True), ("mlp", "autoencoder", False)):
        out = tmp_path / f"{net}-{kind}"
        workings.train(labelled, net=net, epochs=1, out=out, settings=settings | {"pretraining": kind})
        prepared = json.loads((out / "prepare.json").read_text())
        assert (prepared["mean"] == [0.0] and prepared["std"] == [1.0]) == plain
    run = workings.train(table(tmp_path), target="kind", net="dbn", epochs=2, out=tmp_path / "t", settings=settings)
    assert run.metrics["accuracy"] > 0


def test_unlabelled_samples_are_told(labelled: Path, unlabelled: Path, tmp_path: Path) -> None:
    """How many there are, in the card too; and those that are also test or validation samples."""
    told: list[Event] = []
    for path in (labelled / "above").glob("*.png"):
        (unlabelled / f"again-{path.name}").write_bytes(path.read_bytes())
    settings = SMALL | {"unlabelled": str(unlabelled), "pretraining_epochs": 1}
    run = workings.train(labelled, net="dbn", epochs=1, out=tmp_path / "run", settings=settings, emit=told.append)
    card = json.loads((Path(run.path) / "data_card.json").read_text())
    assert card["unlabelled"]["rows"] == 110
    again = [each.problem for each in told if isinstance(each, Noticed) and each.problem.code == "unlabelled-again"]
    assert [(problem.level, problem.count) for problem in again] == [("warning", 6), ("note", 4)]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"net": "cnn", "pretraining": "rbm"}, ["pretraining=rbm", "mlp"]),
        ({"net": "mlp", "pretraining": "none", "unlabelled": "."}, ["nothing would see them"]),
        ({"net": "mlp", "pretraining": "supervised", "unlabelled": "."}, ["learns from labels"]),
        ({"net": "mlp", "pretraining": "rbm", "activation": "relu", "corruption": 0.1}, ["sigmoids", "denoising"]),
        ({"net": "mlp", "pretraining": "autoencoder", "batch_norm": True}, ["batch_norm"]),
        ({"net": "dbn", "task": "unsupervised", "pretraining": "rbm"}, ["unsupervised"]),
        ({"net": "mlp", "pretraining": "rmb"}, ["pretraining"]),
        ({"net": "dbn", "task": "unsupervised", "optimiser": "adam", "l1": 0.1}, ["optimiser=adam", "l1=0.1"]),
    ],
)
def test_what_does_not_go_together_is_refused(
    labelled: Path, tmp_path: Path, settings: dict[str, Any], says: list[str]
) -> None:
    """One message with all of it, before anything is written."""
    if settings.get("unlabelled"):
        settings = settings | {"unlabelled": str(labelled)}
    with pytest.raises(UserError) as refused:
        workings.train(labelled, out=tmp_path / "new", settings={"report": False, "lane": "eager@1"}, **settings)
    assert all(word in str(refused.value) for word in says)
    assert not (tmp_path / "new").exists()


def test_what_pretraining_gained_is_told(labelled: Path, tmp_path: Path) -> None:
    """The same net without it stands among the baselines, with how much better the run is on the same rows."""
    told: list[Event] = []
    settings = SMALL | {"pretraining_epochs": 5, "baselines": True}
    run = workings.train(labelled, net="dbn", epochs=8, out=tmp_path / "run", settings=settings, emit=told.append)
    baselines = json.loads((Path(run.path) / "baselines.json").read_text())["baselines"]
    without = baselines[-1]
    assert without["name"] == "the same network without pre-training"
    said = [each.problem.what for each in told if isinstance(each, Noticed) and each.problem.code == "pretraining-gain"]
    assert len(said) == 1
    assert f"{run.metrics['accuracy']:.4f}" in said[0]
    assert f"{without['metrics']['accuracy']:.4f}" in said[0]
    # It is that net: trained alone, with the recipe that the run settled on, it says the same.
    alone = SMALL | {"pretraining": "none", "initialisation": "xavier_uniform"}
    alone |= {"learning_rate": run.recipe.learning_rate}
    other = workings.train(labelled, net="dbn", epochs=8, out=tmp_path / "other", settings=alone)
    assert other.metrics == pytest.approx(without["metrics"])


@pytest.mark.parametrize("task", ["unsupervised", None])
def test_layers_are_shortened_to_the_minutes_given(labelled: Path, tmp_path: Path, task: str | None) -> None:
    """Epochs of layers that were derived shrink, which is told; fine-tuning keeps half of the time."""
    given: dict[str, Any] = {"net": "dbn", "task": task, "minutes": 0.001, "settings": SMALL | {"draw_steps": 2}}
    told: list[Event] = []
    run = workings.train(labelled, out=tmp_path / "run", **given, emit=told.append)
    name = "pretraining_epochs" if task is None else "epochs"
    assert "minutes given" in run.recipe.reasons[name]
    other = workings.train(labelled, out=tmp_path / "long", **(given | {"minutes": 5.0, "epochs": 1}))
    assert task == "unsupervised" or getattr(run.recipe, name) < getattr(other.recipe, name)


def test_a_run_that_ends_in_pretraining_is_told(labelled: Path, tmp_path: Path) -> None:
    """The clock stopped it before the labels were looked at."""
    told: list[Event] = []
    settings = SMALL | {"pretraining_epochs": 1000}
    run = workings.train(labelled, net="dbn", minutes=0.001, out=tmp_path / "r", settings=settings, emit=told.append)
    assert "stopped-in-pretraining" in {each.problem.code for each in told if isinstance(each, Noticed)}
    assert "clock" in run.result["stopped"]
