"""Settling a recipe: every value that was not given is derived from the data, with the reason.

One rule for all data sets; the constants were found on validation rows, never on test rows
(docs/decisions/ says how).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workings.base.errors import refuse
from workings.base.events import Decided, Emit
from workings.base.form import Form
from workings.data.schema import TaskKind
from workings.learning import losses
from workings.learning.init import suited
from workings.learning.lr_range import RangeTest
from workings.learning.metrics import headline
from workings.nets import registry
from workings.nets.registry import Samples, kind_of_samples
from workings.runs.recipe import Recipe

TRUTH_TABLE = 20  # rows below which a table is learnt whole, as the data room splits none so small


@dataclass(frozen=True)
class Facts:
    """What settling needs to know of the prepared data.

    n: training rows. shape: of one sample. task: binary, multiclass or regression. outputs: of the net.
    class_counts: training rows of each class, or empty. form: see ``base.form``. unlabelled: samples beside them.
    """

    n: int
    n_val: int
    shape: tuple[int, ...]
    task: TaskKind
    outputs: int
    class_counts: Sequence[int] = ()
    form: Form = field(default_factory=Form)
    unlabelled: int = 0

    @property
    def samples(self) -> Samples:
        return kind_of_samples(self.shape, self.form)

    @property
    def is_image(self) -> bool:
        return self.samples == "image"


class Settling:
    """Fills one value after another, telling each."""

    def __init__(self, recipe: Recipe, emit: Emit) -> None:
        self.recipe = recipe
        self.emit = emit

    def put(self, name: str, value: Any, reason: str) -> None:
        self.recipe = self.recipe.settled(name, value, reason)
        self.emit(Decided(name, value, reason))

    def fill(self, name: str, value: Any, reason: str, unset: tuple[Any, ...] = (None, "auto")) -> None:
        """Put the value where the user gave none; None leaves it to be measured."""
        if value is not None and getattr(self.recipe, name) in unset:
            self.put(name, value, reason)


def settle(recipe: Recipe, facts: Facts, emit: Emit) -> Recipe:
    """The recipe with everything settled that can be settled without measuring."""
    from workings.runs.settle_pretraining import check_pretraining, settle_pretraining

    s = Settling(recipe, emit)
    check_pretraining(recipe, facts)
    if facts.task == "unsupervised":
        from workings.runs.settle_unsupervised import settle_unsupervised

        return settle_unsupervised(s, facts)
    if facts.samples not in ("table", "image"):
        from workings.runs.settle_sequences import settle_sequences

        return settle_sequences(s, facts)
    _net(s, facts)
    settle_pretraining(s, facts)
    loss(s, facts)
    if s.recipe.net == "perceptron":
        return _perceptron(s, facts)
    _images(s, facts) if facts.is_image else _table(s, facts)
    if not facts.is_image:
        s.fill("augmentation", "none", "the samples are not images")
    monitor(s, facts)
    return s.recipe


def _net(s: Settling, facts: Facts) -> None:
    if s.recipe.unlabelled is not None or s.recipe.pretraining not in (None, "none"):
        s.fill("net", "mlp", "its layers can be trained one by one", ("auto",))
    elif facts.is_image:
        s.fill("net", "vgg" if min(facts.shape[1:]) >= 8 else "mlp", "the samples are images", ("auto",))
    else:
        s.fill("net", "mlp", "the samples are rows of a table", ("auto",))


def loss(s: Settling, facts: Facts) -> None:
    """The usual loss of the task; refuses one that does not fit it."""
    s.fill("loss", losses.choose(facts.task), f"the usual loss of a {facts.task} task")
    kind = losses.LOSSES[s.recipe.loss or ""]
    if facts.task not in kind.tasks:
        usual = losses.choose(facts.task)
        raise refuse(
            "loss-does-not-fit",
            f"The loss '{s.recipe.loss}' is for {' and '.join(kind.tasks)} tasks; this task is {facts.task}.",
            why="The loss fixes what the net's outputs mean.",
            do=f"Choose loss={usual}, or leave it out.",
        )


def _perceptron(s: Settling, facts: Facts) -> Recipe:
    if facts.task == "regression":
        raise refuse(
            "perceptron-regression",
            "The perceptron tells classes apart; this task is regression.",
            do="Choose net=linear or net=mlp.",
        )
    s.fill("learning_rate", 1.0, "from zero weights η scales w and b only; no prediction depends on it")
    s.fill("batch_size", facts.n, "samples are taken one by one; a batch is only how they are fetched")
    s.fill("epochs", 1000, "at most; the rule stops by itself after an epoch without a mistake")
    for name, value in (("optimiser", "sgd"), ("schedule", "constant"), ("initialisation", "zeros")):
        s.fill(name, value, "part of the perceptron's own rule")
    s.fill("lane", "eager@1", "the perceptron's rule has one way to be executed", ("auto",))
    s.fill("augmentation", "none", "the perceptron's rule is run on the samples as they are", ("auto",))
    s.fill("keep_best", False, "the rule ends with the weights it converged to")
    s.fill("imbalance", "none", "the perceptron's rule knows no weights", ("auto",))
    s.fill("monitor", "accuracy", "the perceptron has no loss")
    return s.recipe


def setting(s: Settling, name: str, value: Any, reason: str) -> None:
    """A net setting, where the net has it and the user did not give it."""
    known = registry.info(s.recipe.net).settings if s.recipe.net in registry.names() else {}
    if name not in known or name in s.recipe.net_settings:
        return
    reasons = [*filter(None, [s.recipe.reasons.get("net_settings")]), f"{name}: {reason}"]
    s.recipe = s.recipe.settled("net_settings", {**s.recipe.net_settings, name: value}, "; ".join(reasons))
    s.emit(Decided(name, value, reason))


def _table(s: Settling, facts: Facts) -> None:
    n, recipe = facts.n, s.recipe
    root = math.sqrt(n)
    width = {"small": 32, "medium": 128, "large": 512}.get(recipe.size, 128 if n < 100_000 else 256)
    said = f"two layers of {width} units"
    setting(s, "hidden", [width, width], f"{said}: wide enough for what dropout leaves, small enough to be quick")
    if n < TRUTH_TABLE:
        s.fill("regularisation", "none", f"{n} rows are a truth table: they are to be learnt exactly", ("auto",))
        recipe = s.recipe
    drop = {"none": 0.0, "light": 0.1, "strong": 0.4}.get(recipe.regularisation, 0.2)
    setting(s, "dropout", drop, "keeps units from relying on each other" if drop else "no regularisation")
    batch = clamp(power_of_two(1.6 * root), 16, 1024)
    s.fill("batch_size", min(n, batch), f"about 1.6 √n for {n:,} rows: quick, with many steps an epoch")
    per_epoch = max(1, n // (n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or batch)))
    most = 1000 if n < TRUTH_TABLE else 100
    epochs = float(clamp(math.ceil((400 + 5 * root) / per_epoch), 8, most))
    s.fill("epochs", epochs, f"about 400 + 5 √n steps for {n:,} rows; the best weights on the way are kept")
    s.fill("optimiser", "adamw", "it scales each weight's step by how large its gradients were")
    decay = round(min(3.0, max(0.5, 60 / root)), 3) * {"none": 0.0, "light": 0.1, "strong": 3.0}.get(
        recipe.regularisation, 1.0
    )
    decay = decay if s.recipe.optimiser == "adamw" else decay / 1000
    why = f"60/√n within 0.5 to 3 for {n:,} rows: the fewer rows, the stronger the pull to 0"
    s.fill("weight_decay", decay, why if decay else "no regularisation")
    finish(s, facts)
    schedule(s, "cosine", "η falls to 0 along half a cosine: large steps first, small ones to settle", 0.1)


def power_of_two(x: float) -> int:
    """The power of two nearest to x."""
    return 2 ** round(math.log2(max(x, 1.0)))


def clamp(x: int, low: int, high: int) -> int:
    """x, brought between low and high."""
    return max(low, min(high, x))


def schedule(s: Settling, name: str, reason: str, warmup: float) -> None:
    """A schedule and its warmup, where the user gave none."""
    s.fill("schedule", name, reason)
    if s.recipe.schedule == "one_cycle":
        s.fill("warmup", 0.0, "one_cycle has its own climb")
    else:
        s.fill("warmup", warmup, "the first gradients are rough, so η climbs over the first steps")


def _images(s: Settling, facts: Facts) -> None:
    n, recipe = facts.n, s.recipe
    many = n >= 20_000
    if recipe.net == "vgg":
        widths = {"small": [16, 64, 64], "medium": [32, 128, 128], "large": [64, 256, 256]}.get(
            recipe.size, [32, 128, 128] if many else [16, 64, 64]
        )
        stages = 3
        while stages > 1 and (min(facts.shape[1:]) - 1) >> stages < 1:
            stages -= 1
        setting(s, "widths", widths[:stages], f"for {n:,} images of {facts.shape[1]}×{facts.shape[2]} pixels")
    batch = 256 if many else 128 if n >= 2000 else 32
    s.fill("batch_size", min(n, batch), f"for {n:,} images: large enough to be quick, small enough for many steps")
    epochs = float(min(40, max(8, round(400_000 / n), 12 if n < 20_000 else 0))) if n else 8.0
    s.fill("epochs", min(epochs, 12.0) if n >= 4000 else epochs, f"for {n:,} images; fewer images need more passes")
    normed = recipe.net in ("vgg", "resnet")
    s.fill(
        "optimiser",
        "sgd" if normed else "adamw",
        "with momentum it does best behind batch norm" if normed else "it scales each weight's step",
    )
    decay = {"none": 0.0, "light": 5e-4, "strong": 5e-3}.get(recipe.regularisation, 1e-3)
    s.fill("weight_decay", decay if s.recipe.optimiser == "sgd" else 10 * decay, "a mild pull of weights towards 0")
    smoothing = {"none": 0.0}.get(recipe.regularisation, 0.1)
    if facts.task == "multiclass":
        s.fill("label_smoothing", smoothing, "a class's probability aims at less than 1, so logits stay moderate")
    finish(s, facts, rest_rate=8.0 if normed else 1.0)
    schedule(s, "linear", "η climbs over the first steps and then falls to 0 in a straight line", 0.2)
    if s.recipe.optimiser == "sgd" and normed:
        eta = float(f"{0.2 * int(s.recipe.batch_size or batch) / 256:.3g}") if s.recipe.batch_size != "all" else None
        s.fill("learning_rate", eta, "0.2 for a batch of 256, in proportion to the batch")


def finish(s: Settling, facts: Facts, rest_rate: float = 1.0) -> None:
    """What tables and images share."""
    recipe = s.recipe
    activation = str(recipe.net_settings.get("activation", "relu"))
    if recipe.net == "vgg":
        s.fill("initialisation", "torch_default", "the identity is then written over most filters")
    elif recipe.net in registry.names() and registry.info(recipe.net).takes not in registry.SEQUENCES:
        s.fill("initialisation", *suited(activation))
    imbalance(s, facts)
    if recipe.loss in ("bce", "cross_entropy"):
        s.fill("label_smoothing", 0.0, "targets are taken as they are")
    settings = dict(s.recipe.loss_settings)
    if s.recipe.label_smoothing:
        settings.setdefault("label_smoothing", s.recipe.label_smoothing)
    if s.recipe.imbalance == "class weights":
        counts = facts.class_counts
        settings.setdefault("class_weights", [sum(counts) / (len(counts) * max(1, c)) for c in counts])
    if settings != s.recipe.loss_settings:
        s.put("loss_settings", settings, "from label_smoothing and imbalance")
    optimiser = dict(s.recipe.optimiser_settings)
    optimiser.setdefault("weight_decay", s.recipe.weight_decay or 0.0)
    if s.recipe.optimiser == "sgd":
        s.fill("momentum", 0.9, "carries the descent over small bumps")
        optimiser.setdefault("momentum", s.recipe.momentum)
        optimiser.setdefault("nesterov", bool(s.recipe.momentum))
        if rest_rate != 1:
            optimiser.setdefault("rest_rate", rest_rate)
    if optimiser != s.recipe.optimiser_settings:
        s.put("optimiser_settings", optimiser, _optimiser_reason(optimiser))
    s.fill("average", 0.0, "the weights themselves are kept")


def _optimiser_reason(settings: dict[str, Any]) -> str:
    if "rest_rate" in settings:
        return "from weight_decay and momentum; biases and norm shifts learn 8 times as fast (Jordan 2024)"
    return "from weight_decay and momentum" if "momentum" in settings else "from weight_decay"


def imbalance(s: Settling, facts: Facts) -> None:
    """What is done about rare classes."""
    counts = [c for c in facts.class_counts if c]
    if not counts or facts.task == "unsupervised":
        known = {"regression": "the target is a number", "unsupervised": "labels are not learnt"}
        why = known.get(facts.task, "the answer is no class but a sequence")
        s.fill("imbalance", "none", why, ("auto",))
        return
    share = min(counts) / sum(counts)
    s.fill("imbalance", "none", f"the rarest class has {share:.1%} of the rows", ("auto",))


def monitor(s: Settling, facts: Facts) -> None:
    """Which validation metric chooses the weights."""
    if facts.n_val == 0:
        s.fill("keep_best", False, "there are no validation rows to judge by")
        s.fill("monitor", "loss", "there are no validation rows")
        return
    if headline(facts.task, list(facts.class_counts) or None) == "average_precision":
        s.fill("monitor", "average_precision", "the rarer class is what is looked for")
    s.fill("monitor", "loss", "smoother than any metric, and what is minimised")
    s.fill("keep_best", True, "the weights with the best validation value are kept")


USUAL = {"adamw": 2e-3, "adam": 1e-3, "sgd": 0.1}


def learning_rate_from_range(test: RangeTest, recipe: Recipe) -> tuple[float, str]:
    """η from a range test: the usual rate of the optimiser, unless this net on this data bears less.

    What it bears is taken as a third of the rate at the lowest loss, and a tenth of where the loss blew up.
    """
    usual = USUAL.get(recipe.optimiser or "", 1e-3)
    bears = min(test.lowest / 3 if test.fell else math.inf, test.diverged / 10)
    eta = float(f"{min(usual, max(bears, usual / 100)):.2g}")
    lowest = f"was lowest at {test.lowest:.2g}" if test.fell else "hardly fell"
    found = f"in the range test the loss {lowest} and blew up at {test.diverged:.2g}"
    if eta < usual:
        return eta, f"{found}: less than the usual {usual:g} of {recipe.optimiser}"
    return eta, f"the usual rate of {recipe.optimiser}; {found}, so it is safe"
