"""The settings of a net: read from its constructor, checked before it is built.

A net declares a setting once, where it uses it::

    def __init__(self, shape, outputs, *, hidden: Annotated[Sequence[int], Setting("units a layer", low=1)] = (64, 64))

A constructor that takes any others (``**shared``) and passes them on has the settings of its base class, too. From that
come the list that users see, the check of what they give, and the suggestion for a typo.
"""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from workings.base.problems import Problem, nearest, shorten


@dataclass(frozen=True)
class Setting:
    """What a setting means and which values it takes; stands in ``Annotated`` beside its type.

    low, high: the range of a number, or of every number of a list, ends included.
    choices: the texts allowed.
    """

    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class SettingInfo:
    """A setting as told to users: its default, meaning and choices, and the kind of value in words."""

    default: Any
    doc: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    kind: str = ""
    types: tuple[Any, ...] = field(default=(), repr=False)

    def value(self, given: Any) -> Any:
        """``given`` in canonical form: a list as a tuple, a whole number where a float is meant as a float.

        Raises:
            ValueError: the value is none that this setting takes.
        """
        for kind in self.types:
            try:
                return self._as(kind, given)
            except ValueError:
                continue
        raise ValueError(self.expected())

    def expected(self) -> str:
        """In words, what the setting takes: ``a whole number from 1``."""
        parts: list[str] = []
        if self.kind:
            number = self.low is not None and f" from {self.low:g}" + (
                f" to {self.high:g}" if self.high is not None else ""
            )
            parts.append(f"{self.kind}{number or ''}")
        if self.choices:
            parts.append(f"one of {shorten(self.choices, 30)}")
        return ", or ".join(parts)

    def _as(self, kind: Any, given: Any) -> Any:
        if kind is type(None):
            if given is not None:
                raise ValueError
            return None
        if kind is bool:
            if not isinstance(given, bool):
                raise ValueError
            return given
        if kind is str:
            if not isinstance(given, str) or (self.choices and given not in self.choices):
                raise ValueError
            return given
        if kind in (int, float):
            return self._number(kind, given)
        if isinstance(given, str):  # 128,64 as typed on a command line
            given = [int(each) for each in given.strip("[]() ").split(",") if each.strip()]
        if isinstance(given, int) and not isinstance(given, bool):
            given = [given]
        if not isinstance(given, list | tuple):
            raise ValueError
        return tuple(self._number(int, each) for each in given)

    def _number(self, kind: type[int] | type[float], given: Any) -> int | float:
        whole = isinstance(given, int) and not isinstance(given, bool)
        if not whole and not (kind is float and isinstance(given, float) and math.isfinite(given)):
            raise ValueError
        if (self.low is not None and given < self.low) or (self.high is not None and given > self.high):
            raise ValueError
        return kind(given)


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "nothing"}


def read_settings(net_class: type) -> dict[str, SettingInfo]:
    """The settings that a net's constructor declares: its keyword-only ones; before them, if passed on, its base's."""
    if net_class is object:
        return {}
    constructor: Callable[..., object] = net_class.__init__
    parameters = inspect.signature(constructor).parameters
    passes_on = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    found = read_settings(net_class.__mro__[1]) if passes_on else {}
    hints = typing.get_type_hints(constructor, include_extras=True)
    for name, parameter in parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        hint, *notes = typing.get_args(hints[name]) or (hints[name],)
        setting = next((note for note in notes if isinstance(note, Setting)), None)
        if setting is None:  # said by the data, not by the user
            continue
        union = typing.get_origin(hint) in (Union, types.UnionType)
        kinds = typing.get_args(hint) if union else (hint,)
        plain = [kind for kind in kinds if not (kind is str and setting.choices)]  # the choices say it better
        words = " or ".join(_WORDS.get(kind, "a list of whole numbers") for kind in plain)
        found[name] = SettingInfo(
            parameter.default, setting.doc, setting.choices, setting.low, setting.high, words, tuple(kinds)
        )
    return found


def check_settings(
    net: str, known: Mapping[str, SettingInfo], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    """Every setting of a net, the defaults filled in; and what is wrong with those given."""
    values = {name: info.default for name, info in known.items()}
    problems: list[Problem] = []
    for name, value in given.items():
        if name not in known:
            problems.append(_unknown(net, name, list(known)))
            continue
        try:
            values[name] = known[name].value(value)
        except ValueError:
            choices = known[name].choices
            guess = nearest(value, choices) if isinstance(value, str) and choices else None
            hint = f"Did you mean '{guess}'? " if guess else ""
            problems.append(
                Problem(
                    "error",
                    "bad-setting",
                    f"The net '{net}' cannot be built with {name} = {value!r}.",
                    where=f"setting '{name}'",
                    why=known[name].doc,
                    do=f"{hint}Give {known[name].expected()}.",
                )
            )
    return values, problems


def _unknown(net: str, name: str, known: Sequence[str]) -> Problem:
    guess = nearest(name, known)
    hint = f"Did you mean '{guess}'? " if guess else ""
    takes = f"It takes: {shorten(known, 30)}." if known else "It takes no settings."
    return Problem("error", "unknown-setting", f"The net '{net}' has no setting called '{name}'.", do=f"{hint}{takes}")
