"""The recipe: everything that decides a run.

The same model is the keyword arguments in Python, the keys of ``--set`` on the command line and the YAML of
``--recipe``. Eight knobs are for every day: net, size, minutes or epochs, learning_rate, batch_size,
regularisation, augmentation, seed. A knob left at None or "auto" is settled from the data (``settle.py``), and a
settled recipe holds the value and, under ``reasons``, why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workings.base.errors import UserError, refuse
from workings.base.files import write_text
from workings.base.problems import Problem, nearest, shorten
from workings.data.options import OPTIONS
from workings.data.schema import TaskKind

SCHEMA_VERSION = 1
Positive = Field(default=None, gt=0)


class Recipe(BaseModel):
    """Everything that decides a run; see the module's text. Learning rates and penalties have no unit; times do."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
    everyday: ClassVar[tuple[str, ...]] = (
        "net",
        "size",
        "epochs",
        "minutes",
        "learning_rate",
        "batch_size",
        "regularisation",
        "augmentation",
        "seed",
    )

    schema_version: int = SCHEMA_VERSION

    # What was brought.
    data: str | None = None
    target: str | None = None
    test: str | None = None
    task: TaskKind | Literal["classification"] | None = None
    on_bad_file: Literal["refuse", "skip"] = "refuse"
    data_options: dict[str, Any] = Field(default_factory=dict)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    val_fraction: float | None = Field(default=None, ge=0, lt=1)
    prepare: dict[str, Any] = Field(default_factory=dict)

    # The everyday knobs.
    net: str = "auto"
    size: Literal["auto", "small", "medium", "large"] = "auto"
    epochs: float | None = Positive
    minutes: float | None = Positive
    learning_rate: float | None = Positive
    batch_size: int | Literal["all"] | None = Field(default=None)
    regularisation: Literal["auto", "none", "light", "strong"] = "auto"
    augmentation: str = "auto"
    seed: int = Field(default=0, ge=0)

    # The finer ones.
    net_settings: dict[str, Any] = Field(default_factory=dict)
    loss: str | None = None
    loss_settings: dict[str, Any] = Field(default_factory=dict)
    initialisation: str | None = None
    optimiser: str | None = None
    optimiser_settings: dict[str, Any] = Field(default_factory=dict)
    weight_decay: float | None = Field(default=None, ge=0)
    momentum: float | None = Field(default=None, ge=0, lt=1)
    l1: float = Field(default=0.0, ge=0)
    l2: float = Field(default=0.0, ge=0)
    clip_norm: float | None = Positive
    clip_value: float | None = Positive
    label_smoothing: float | None = Field(default=None, ge=0, lt=1)
    schedule: str | None = None
    warmup: float | None = Field(default=None, ge=0, lt=1)
    average: float | None = Field(default=None, ge=0, lt=1)
    pretraining: Literal["none", "rbm", "autoencoder", "denoising", "supervised"] | None = None
    pretraining_epochs: float | None = Positive
    pretraining_rate: float | None = Positive
    corruption: float | None = Field(default=None, gt=0, lt=1)
    unlabelled: str | None = None
    imbalance: Literal["auto", "none", "class weights", "weighted sampling"] = "auto"
    shuffle: bool = True
    monitor: str | None = None
    patience: int | None = Field(default=None, ge=1)
    keep_best: bool | None = None
    lane: str = "auto"
    threads: int | None = Field(default=None, ge=1)
    checkpoint_seconds: float = Field(default=20.0, ge=0)
    watch: float = Field(default=0.03, ge=0, lt=1)
    baselines: bool = True
    report: bool = True

    reasons: dict[str, str] = Field(default_factory=dict)

    def settled(self, name: str, value: Any, reason: str) -> Recipe:
        """This recipe with one value derived, and why."""
        return Recipe.model_validate({**self.model_dump(), name: value, "reasons": {**self.reasons, name: reason}})

    def save(self, path: Path) -> None:
        """Write as YAML, atomically."""
        write_text(path, yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        UserError: no such file, not YAML, of a newer version, or with keys or values that no recipe has.
    """
    path = Path(path)
    if not path.is_file():
        raise refuse("no-recipe", f"There is no recipe at '{path}'.", do="Give the path of a recipe.yaml.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise refuse(
            "broken-recipe",
            f"The recipe '{path}' is not readable YAML.",
            where=" ".join(str(error).split()),
            do="Mend the file, or start from the recipe.yaml of a run.",
        ) from error
    if not isinstance(content, dict):
        raise refuse("broken-recipe", f"The recipe '{path}' is not a list of 'key: value' lines.")
    version = content.get("schema_version", SCHEMA_VERSION)
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise refuse(
            "newer-recipe",
            f"The recipe '{path}' has schema version {version}; this Workings reads up to {SCHEMA_VERSION}.",
            do="Install a newer Workings.",
        )
    return make_recipe(content, str(path))


def make_recipe(given: Mapping[str, Any], origin: str = "the settings") -> Recipe:
    """A recipe from keys and values; a key of the net's or the preparation's own goes where it belongs.

    Raises:
        UserError: with every key and value that is wrong, each with what is expected and the nearest name.
    """
    own, net_settings, prepare, reading, unknown = {}, {}, {}, {}, []
    net_names, prepare_names = _net_settings(given.get("net", "auto")), _prepare_settings()
    for key, value in given.items():
        if key in Recipe.model_fields:
            own[key] = value
        elif key in net_names:
            net_settings[key] = value
        elif key in prepare_names:
            prepare[key] = value
        elif key in OPTIONS:
            reading[key] = value
        else:
            unknown.append(key)
    problems = [_unknown(key, [*Recipe.model_fields, *net_names, *prepare_names, *OPTIONS]) for key in unknown]
    if net_settings:
        own["net_settings"] = {**own.get("net_settings", {}), **net_settings}
    if prepare:
        own["prepare"] = {**own.get("prepare", {}), **prepare}
    if reading:
        own["data_options"] = {**own.get("data_options", {}), **reading}
    recipe = None
    try:
        recipe = Recipe.model_validate(own)
    except ValidationError as error:
        for one in error.errors():
            name = ".".join(str(part) for part in one["loc"][:1])
            problems.append(
                Problem(
                    "error",
                    "bad-value",
                    f"The value {one['input']!r} does not fit '{name}': {one['msg']}.",
                    where=origin,
                    do=f"Change '{name}', or leave it out to have it settled from the data.",
                )
            )
    if recipe is not None:
        problems += _name_problems(recipe)
    if problems:
        seen: dict[str, Problem] = {problem.what: problem for problem in problems}
        raise UserError(list(seen.values()))
    assert recipe is not None
    return recipe


def _name_problems(recipe: Recipe) -> list[Problem]:
    """Names that choose something are checked at once, so that a typo is not found after an hour."""
    from workings.data.augment import POLICIES
    from workings.learning import init, losses, schedules
    from workings.learning.optimisers import OPTIMISERS
    from workings.nets import registry

    problems = []
    for field, kind, value, choices in (
        ("net", "net", recipe.net, ["auto", *registry.names()]),
        ("loss", "loss", recipe.loss, [*losses.NAMES, "own"]),
        ("initialisation", "initialisation", recipe.initialisation, init.NAMES),
        ("optimiser", "optimiser", recipe.optimiser, list(OPTIMISERS)),
        ("schedule", "schedule", recipe.schedule, schedules.NAMES),
        ("augmentation", "augmentation", recipe.augmentation, list(POLICIES)),
    ):
        is_file = field == "net" and value is not None and (".py" in value or value == "custom")
        if value is not None and value not in choices and not is_file:
            guess = nearest(value, list(choices))
            problems.append(
                Problem(
                    "error",
                    f"unknown-{field}",
                    f"There is no {kind} called '{value}'.",
                    do=(f"Did you mean '{guess}'? " if guess else "") + f"The choices are: {shorten(choices, 30)}.",
                )
            )
    if isinstance(recipe.batch_size, int) and recipe.batch_size < 1:
        problems.append(
            Problem(
                "error", "bad-value", f"A batch of {recipe.batch_size} rows cannot be.", do="Give 1 or more, or all."
            )
        )
    if recipe.lane != "auto":
        from workings.learning.lanes import parse_lane

        try:
            parse_lane(recipe.lane)
        except UserError as error:
            problems += error.problems
    return problems


def _net_settings(net: Any) -> list[str]:
    """Names of the settings that the net has; of every net where it is not chosen yet."""
    from workings.nets import registry

    infos = [info for info in registry.infos() if net in ("auto", info.name)]
    return sorted({name for info in infos for name in info.settings})


def _prepare_settings() -> list[str]:
    from workings.data.prepare import PrepareSettings

    return list(PrepareSettings.model_fields)


def _unknown(key: str, known: list[str]) -> Problem:
    guess = nearest(key, known)
    return Problem(
        "error",
        "unknown-setting",
        f"There is no setting called '{key}'.",
        do=(f"Did you mean '{guess}'? " if guess else "") + "`workings nets` lists the settings of every net.",
    )
