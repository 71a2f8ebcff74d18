"""What a cure is: a change to the recipe that a person can read, with the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workings.runs.recipe import Recipe

# Values that are derived from others: what is changed with the key takes these along.
DERIVED: dict[str, tuple[tuple[str, str], ...]] = {
    "weight_decay": (("optimiser_settings", "weight_decay"),),
    "momentum": (("optimiser_settings", "momentum"), ("optimiser_settings", "nesterov")),
    "label_smoothing": (("loss_settings", "label_smoothing"),),
    "imbalance": (("loss_settings", "class_weights"),),
}


@dataclass(frozen=True)
class Case:
    """What a cure may ask of a run. net_settings: all of them, defaults too. n: training rows."""

    recipe: Recipe
    task: str
    net: str
    net_settings: Mapping[str, Any]
    n: int
    image: bool
    table: bool
    gradient: bool  # whether it learns by gradient descent on one loss

    def given(self, name: str) -> bool:
        """Whether a value was set by a person, rather than derived."""
        recipe = self.recipe
        if name in recipe.net_settings:
            told = recipe.reasons.get("net_settings", "")  # of all of them: "width: why; word_dropout: why"
            return re.search(rf"(?<!\w){re.escape(name)}:", told) is None
        if name not in Recipe.model_fields or name in recipe.reasons:
            return False
        return getattr(recipe, name) != Recipe.model_fields[name].get_default(call_default_factory=True)

    @property
    def measured(self) -> tuple[str, ...]:
        """The learning rate, where a range test found it: it has to be measured anew with what it depends on."""
        return ("learning_rate",) if "range test" in self.recipe.reasons.get("learning_rate", "") else ()


@dataclass(frozen=True)
class Cure:
    """A change. name: in a few words. shows: the code of the cause that its success shows. reason: why it may help.

    values: fields of the recipe; net: settings of the net; unset: fields to be derived from the data anew.
    """

    name: str
    shows: str
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    net: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()

    def apply(self, recipe: Recipe) -> Recipe:
        """The changed recipe.

        Raises:
            ValueError: the recipe's own check of its values.
        """
        content = recipe.model_dump()
        reasons = dict(content["reasons"])
        for name in (*self.unset, *self.values):
            reasons.pop(name, None)
            for field_, key in DERIVED.get(name, ()):
                content[field_] = {k: v for k, v in content[field_].items() if k != key}
        for name in self.unset:
            if name in Recipe.model_fields:
                content[name] = Recipe.model_fields[name].get_default(call_default_factory=True)
            else:
                content["net_settings"] = {k: v for k, v in content["net_settings"].items() if k != name}
        content |= self.values
        reasons |= dict.fromkeys(self.values, self.reason)
        if self.net:
            content["net_settings"] = {**content["net_settings"], **self.net}
            told = "; ".join(f"{name}: {self.reason}" for name in self.net)
            reasons["net_settings"] = "; ".join(filter(None, [reasons.get("net_settings"), told]))
        return Recipe.model_validate({**content, "reasons": reasons})

    def told(self) -> list[str]:
        """The change as settings of the recipe, ``name=value`` each."""
        changed = [f"{name}={_value(value)}" for name, value in {**self.values, **self.net}.items()]
        return changed + [f"{name} from the data" for name in self.unset]


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
