"""Restricted Boltzmann machines, and deep belief networks that are pre-trained by them."""

from __future__ import annotations

import json
import random
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from generative_rows import Row, interval, row
from measured import unpacked, workings

SEEDS = 10
T_9 = 2.262  # 97.5 % of Student's t with 9 degrees of freedom


def dbn(folder: Path) -> list[Row]:
    """10 labels a digit: a deep belief network that also sees 8,000 pictures without labels; and the same net alone.

    Each seed draws its labels anew; 10 of the 100 choose the weights that are kept. The 2,000 test pictures are the
    last of each digit and always the same.
    """
    labels, test, pool = folder / "labels", folder / "test", folder / "pool"
    pictures = {k: sorted((unpacked("mnist10k") / k).glob("*.png")) for k in "0123456789"}
    for k, paths in pictures.items():
        _copied(paths[-200:], test / k)
        _copied(paths[:-200], pool, f"{k}-")
    accuracy: dict[str, list[float]] = {"with": [], "without": [], "plain": [], "logistic": []}
    for seed in range(SEEDS):
        drawn = random.Random(seed)
        for k, paths in pictures.items():
            _copied(drawn.sample(paths[:-200], 10), labels / str(seed) / k)
        run = folder / f"run-{seed}"
        command = ("train", labels / str(seed), "--test", test, "--net", "dbn", "--seed", seed, "--set", "report=false")
        found = workings(*command, "--set", f"unlabelled={pool}", "--out", run)
        alone = ("--set", "pretraining=none", "--set", "augmentation=none", "--set", "baselines=false")
        plain = workings(*command, *alone, "--out", folder / f"plain-{seed}")
        others = {
            each["name"]: each["metrics"] for each in json.loads((run / "baselines.json").read_text())["baselines"]
        }
        accuracy["with"].append(found["metrics"]["accuracy"])
        accuracy["without"].append(others["the same network without pre-training"]["accuracy"])
        accuracy["plain"].append(plain["metrics"]["accuracy"])
        accuracy["logistic"].append(others["logistic regression"]["accuracy"])
        print(seed, {name: values[-1] for name, values in accuracy.items()}, flush=True)
    gains = [a - b for a, b in zip(accuracy["with"], accuracy["without"], strict=True)]
    half = T_9 * statistics.stdev(gains) / SEEDS**0.5
    low, high = statistics.mean(gains) - half, statistics.mean(gains) + half

    def of(what: str, values: list[float], bar: str = "reported", met: bool | None = None, **more: Any) -> Row:
        spread = more.pop("spread", f"{min(values):.4f} to {max(values):.4f}")
        what = f"mnist10k, 10 labels a class, {what}"
        return row(what, statistics.mean(values), bar, met, n=SEEDS, spread=spread, **more)

    interval = f"95 % interval {low:.4f} to {high:.4f}"
    return [
        of("dbn 784-500-500: accuracy", accuracy["with"]),
        of("the same net without pre-training: accuracy", accuracy["without"]),
        of("dbn: gain in accuracy by pre-training, paired", gains, "> 0", low > 0, spread=interval, headline=True),
        of("without pre-training and augmentation: accuracy", accuracy["plain"]),
        of("logistic regression: accuracy", accuracy["logistic"]),
    ]


def _copied(paths: list[Path], folder: Path, prefix: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        shutil.copy(path, folder / f"{prefix}{path.name}")


def rbm(folder: Path) -> list[Row]:
    """Restricted Boltzmann machines: ln Z by annealed importance sampling against enumeration, on 8×8 digits; on MNIST
    784-256 by the default recipe, and stopped when scikit-learn's ``BernoulliRBM`` was done, on the same rows."""
    return [*log_z(folder), *boltzmann(folder)]


def log_z(folder: Path) -> list[Row]:
    """A net of 20 hidden units, so that 2^20 terms are the whole of Z; ten seeds of annealed importance sampling."""
    import numpy as np
    import torch
    from sklearn.datasets import load_digits

    import workings as library
    from workings.learning.rbm_likelihood import ais_log_z, exact_log_z
    from workings.runs.folder import read_versioned

    X, y = load_digits(return_X_y=True)
    digits = ((X.reshape(-1, 8, 8) / 16).astype(np.float32), y)
    run = library.train(digits, net="rbm", out=folder / "small", settings={"units": 20, "report": False})
    mean = torch.tensor(read_versioned(run.path / "scores.json")["mean"])
    exact = exact_log_z(run.net).value
    found = [ais_log_z(run.net, mean, generator=torch.Generator().manual_seed(seed)) for seed in range(10)]
    errors = [abs(each.value - exact) for each in found]
    within = sum(each.low <= exact <= each.high for each in found)
    what = "digits of 8×8 binarised, rbm 64-20"
    spread = f"{min(errors):.3f} to {max(errors):.3f}"
    return [
        row(
            f"{what}: ln Z by AIS, off the exact one at most, nats",
            max(errors),
            "≤ 1",
            max(errors) <= 1,
            n=10,
            spread=spread,
        ),
        row(f"{what}: exact ln Z in the 95 % interval of AIS, of 10 seeds", within, "reported", None, n=10),
        row(
            f"{what}: ln p of a test sample, exact Z",
            run.metrics["log_likelihood"],
            "reported",
            None,
            n=run.result["rows"],
            spread=interval(run.result, "log_likelihood"),
        ),
    ]


def training_seconds(run: Path) -> float:
    """How long the steps of a run took, looks at the validation rows included."""
    return float(json.loads((run / "environment.json").read_text())["seconds"]["training"])


def boltzmann(folder: Path) -> list[Row]:
    """On the same training rows and threads, one after the other; judged alike: every pixel of every test digit."""
    import torch
    import yaml
    from sklearn.neural_network import BernoulliRBM

    from workings.base.form import Form
    from workings.data import open_dataset
    from workings.learning.rbm_likelihood import ais_log_z, pseudo_log_likelihood
    from workings.nets.rbm import RBM

    found = workings("train", unpacked("mnist10k"), "--net", "rbm", "--out", folder / "whole")
    dataset = open_dataset(unpacked("mnist10k"), task="unsupervised", binarise=0.5)
    split = dataset.split(0, 0.2, 0.15)
    prep = dataset.fit(split.train)
    x, x_test = (dataset.source(prep, rows).x(torch.arange(len(rows))).flatten(1) for rows in (split.train, split.test))
    theirs = BernoulliRBM(n_components=256, n_iter=10, random_state=0)
    began = time.perf_counter()
    theirs.fit(x.numpy())
    seconds = time.perf_counter() - began
    V = x.shape[1]
    same = RBM((V,), V, form=Form(), units=256, visible="binary")
    for own, fitted in (
        (same.weight, theirs.components_),
        (same.visible_bias, theirs.intercept_visible_),
        (same.hidden_bias, theirs.intercept_hidden_),
    ):
        own.data.copy_(torch.from_numpy(fitted))
    their_value = float(pseudo_log_likelihood(same, x_test).mean())
    their_z = ais_log_z(same, x.mean(0), generator=torch.Generator().manual_seed(0)).value
    with torch.no_grad():
        their_log_p = float(-same.free_energy(x_test).double().mean()) - their_z
    whole = folder / "whole"
    epochs = float(yaml.safe_load((whole / "recipe.yaml").read_text())["epochs"])
    epochs *= 0.85 * seconds / training_seconds(whole)
    quick = workings(
        "train", unpacked("mnist10k"), "--net", "rbm", "--epochs", f"{epochs:.3g}", "--out", folder / "quick",
        "--set", "report=false", "--set", "baselines=false",
    )  # fmt: skip
    ours = training_seconds(folder / "quick")
    name, value = "pseudo_log_likelihood", quick["metrics"]["pseudo_log_likelihood"]
    what, n = "mnist10k binarised, rbm 784-256", found["rows"]

    def of(run: dict[str, Any], said: str, metric: str, **more: Any) -> Row:
        return row(
            f"{what}: {said}", run["metrics"][metric], "reported", None, n=n, spread=interval(run, metric), **more
        )

    return [
        row(
            f"{what}: pseudo-ln p, as long as scikit-learn's",
            value,
            "≥ scikit-learn's",
            value >= their_value and ours <= seconds,
            n=n,
            spread=interval(quick, name),
            headline=True,
        ),
        row(f"{what}: pseudo-ln p, scikit-learn's, 10 passes", their_value, "reported", None, n=n),
        row(
            f"{what}: seconds of training, as long as scikit-learn's",
            ours,
            f"≤ {seconds:.1f}, scikit-learn's",
            ours <= seconds,
        ),
        of(quick, "ln p by AIS, as long as scikit-learn's", "log_likelihood"),
        row(f"{what}: ln p by AIS, scikit-learn's", their_log_p, "reported", None, n=n),
        of(found, "ln p by AIS, default recipe", "log_likelihood"),
        of(found, "pseudo-ln p, default recipe", name),
        of(found, "variance kept by the reconstruction, default recipe", "explained"),
    ]
