"""Every net by name: what there is, what each takes, and building one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from torch import nn

from workings.base.errors import UserError
from workings.base.problems import Problem, unknown_name
from workings.nets.settings import SettingInfo, check_settings, read_settings

Takes = Literal["table", "image", "any"]


@dataclass(frozen=True)
class NetInfo:
    """What users are told of a net.

    takes: ``table`` for samples of shape (features,), ``image`` for (channels, height, width), ``any`` for both.
    sizes: settings of a small, medium and large net of this kind; medium is what the defaults build.
    """

    name: str
    summary: str
    family: str
    settings: dict[str, SettingInfo]
    takes: Takes
    sizes: dict[str, dict[str, Any]] = field(default_factory=dict)


class NetClass(Protocol):
    """How a net is made: from the shape of one sample, the number of outputs, and its settings."""

    def __call__(self, shape: tuple[int, ...], outputs: int, **settings: Any) -> nn.Module: ...


_NETS: dict[str, tuple[NetInfo, NetClass]] = {}

C = TypeVar("C", bound=type[nn.Module])


def register(
    name: str, summary: str, *, shapes: Takes, family: str, sizes: Mapping[str, dict[str, Any]] | None = None
) -> Callable[[C], C]:
    """Give a net class a name. Its settings are the keyword-only arguments of its constructor."""

    def keep(net_class: C) -> C:
        assert name not in _NETS, f"two nets are called {name}"
        info = NetInfo(name, summary, family, read_settings(net_class.__init__), shapes, dict(sizes or {}))
        _NETS[name] = (info, net_class)
        return net_class

    return keep


def names() -> list[str]:
    """The names of all nets, simplest first."""
    return list(_NETS)


def infos() -> list[NetInfo]:
    """What there is, simplest first."""
    return [info for info, _ in _NETS.values()]


def info(name: str) -> NetInfo:
    """What is known of one net.

    Raises:
        UserError: no net has that name; the nearest one is suggested.
    """
    if name not in _NETS:
        raise UserError(unknown_name("net", name, list(_NETS)))
    return _NETS[name][0]


def settle(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a net, the defaults filled in, in canonical form.

    Raises:
        UserError: unknown net, unknown settings, or values that they do not take; all at once.
    """
    values, problems = check_settings(name, info(name).settings, settings)
    if problems:
        raise UserError(problems)
    return values


def check_shape(name: str, shape: Sequence[int], outputs: int) -> list[Problem]:
    """Whether a net takes samples of ``shape`` and can give ``outputs``; empty where all is well."""
    known = info(name)
    problems: list[Problem] = []
    said = " × ".join(str(size) for size in shape) or "nothing"
    if not shape or min(shape) < 1:
        what = f"A sample of shape {said} holds no numbers."
        problems.append(Problem("error", "bad-shape", what, do="Give the size of one sample, for example 3 × 32 × 32."))
    elif known.takes == "table" and len(shape) != 1:
        problems.append(
            Problem(
                "error",
                "wrong-shape",
                f"The net '{name}' takes rows of a table; the samples have the shape {said}.",
                do=f"Use one of: {', '.join(_for('image'))}.",
            )
        )
    elif known.takes == "image" and len(shape) != 3:
        features = f"rows of {said} numbers" if len(shape) == 1 else f"of shape {said}"
        problems.append(
            Problem(
                "error",
                "wrong-shape",
                f"The net '{name}' takes images, channels × height × width; the samples are {features}.",
                do=f"Use one of: {', '.join(_for('table'))}.",
            )
        )
    if outputs < 1:
        problems.append(
            Problem("error", "bad-outputs", f"A net needs at least one output, not {outputs}.", do="Give 1 or more.")
        )
    return problems


def _for(takes: Takes) -> list[str]:
    return [each.name for each in infos() if each.takes in (takes, "any")]


def build(name: str, shape: Sequence[int], outputs: int, **settings: Any) -> nn.Module:
    """A new net: x (B, *shape) → (B, outputs), logits of classes or values of a regression.

    Raises:
        UserError: unknown net or settings, values or a shape that do not fit; all that is found, at once.
    """
    values, problems = check_settings(name, info(name).settings, settings)
    problems += check_shape(name, shape, outputs)
    if problems:
        raise UserError(problems)
    return _NETS[name][1](tuple(shape), outputs, **values)
