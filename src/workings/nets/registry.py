"""Every net by name: what there is, what each takes, and building one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from torch import nn

from workings.base.errors import UserError
from workings.base.form import Form
from workings.base.problems import Problem, unknown_name
from workings.nets.settings import SettingInfo, check_settings, read_settings

Takes = Literal["table", "image", "any", "sequence", "language", "frames", "series", "pairs"]
Samples = Literal["table", "image", "text", "language", "frames", "series", "pairs"]
# What a net that says it takes one thing accepts.
ACCEPTS: dict[Takes, tuple[Samples, ...]] = {
    "table": ("table",),
    "image": ("image",),
    "any": ("table", "image", "series"),
    "sequence": ("text", "language", "frames", "series"),
    "language": ("language",),
    "frames": ("frames",),
    "series": ("series",),
    "pairs": ("pairs",),
}
SEQUENCES: tuple[Takes, ...] = ("sequence", "language", "frames", "series", "pairs")
TAKES: dict[Takes, str] = {
    "table": "rows of a table",
    "image": "images, channels × height × width",
    "any": "rows of a table, images or series",
    "sequence": "texts, sound or series",
    "language": "texts to go on with",
    "frames": "sound, steps × bands",
    "series": "series to forecast",
    "pairs": "pairs of texts",
}
SAMPLES: dict[Samples, str] = {
    "table": "rows of a table, of so many numbers",
    "image": "images, channels × height × width",
    "text": "texts, of so many tokens",
    "language": "texts to go on with, of so many tokens",
    "frames": "sequences, steps × numbers",
    "series": "series, steps × variables",
    "pairs": "pairs of texts, 2 × tokens",
}


# What a net can learn from.
Learns = Literal["labels", "samples", "both"]


@dataclass(frozen=True)
class NetInfo:
    """What users are told of a net.

    takes: what samples it is for, in the words of ``TAKES``.
    sizes: settings of a small, medium and large net of this kind; medium is what the defaults build.
    learns: from ``labels`` (or whatever the target is), or from the ``samples`` alone, the task unsupervised.
    """

    name: str
    summary: str
    family: str
    settings: dict[str, SettingInfo]
    takes: Takes
    sizes: dict[str, dict[str, Any]] = field(default_factory=dict)
    learns: Learns = "labels"


@runtime_checkable
class NetClass(Protocol):
    """How a net is made: from the shape of one sample, the number of outputs, and its settings."""

    def __call__(self, shape: tuple[int, ...], outputs: int, **settings: Any) -> nn.Module: ...


_NETS: dict[str, tuple[NetInfo, NetClass]] = {}

C = TypeVar("C", bound=type[nn.Module])


def register(
    name: str,
    summary: str,
    *,
    shapes: Takes,
    family: str,
    sizes: Mapping[str, dict[str, Any]] | None = None,
    learns: Learns = "labels",
) -> Callable[[C], C]:
    """Give a net class a name. Its settings are the keyword-only arguments of its constructor."""

    def keep(net_class: C) -> C:
        assert name not in _NETS, f"two nets are called {name}"
        info = NetInfo(name, summary, family, read_settings(net_class), shapes, dict(sizes or {}), learns)
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


def can(name: str, method: str) -> bool:
    """Whether a net that learns from samples has a method of ``nets.unsupervised``, such as ``draw``."""
    return name in _NETS and info(name).learns != "labels" and hasattr(_NETS[name][1], method)


def settle(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a net, the defaults filled in, in canonical form.

    Raises:
        UserError: unknown net, unknown settings, or values that they do not take; all at once.
    """
    values, problems = check_settings(name, info(name).settings, settings)
    if problems:
        raise UserError(problems)
    return values


def check_shape(name: str, shape: Sequence[int], outputs: int, form: Form | None = None) -> list[Problem]:
    """Whether a net takes samples of ``shape`` and ``form`` and can give ``outputs``; empty where all is well."""
    takes = info(name).takes
    problems: list[Problem] = []
    said = " × ".join(str(size) for size in shape) or "nothing"
    found = kind_of_samples(shape, form or Form())
    if not shape or min(shape) < 1:
        what = f"A sample of shape {said} holds no numbers."
        problems.append(Problem("error", "bad-shape", what, do="Give the size of one sample, for example 3 × 32 × 32."))
    elif found not in ACCEPTS[takes]:
        problems.append(
            Problem(
                "error",
                "wrong-shape",
                f"The net '{name}' takes {TAKES[takes]}; the samples are {SAMPLES[found]}, {said}.",
                do=f"Use one of: {', '.join(nets_for(found))}.",
            )
        )
    if outputs < 1:
        problems.append(
            Problem("error", "bad-outputs", f"A net needs at least one output, not {outputs}.", do="Give 1 or more.")
        )
    return problems


def kind_of_samples(shape: Sequence[int], form: Form) -> Samples:
    """What samples of this shape and form are."""
    if isinstance(form.vocabulary, tuple):
        return "pairs"
    if form.vocabulary is not None:
        return "language" if form.each_step else "text"
    if form.horizon is not None:
        return "series"
    return {1: "table", 2: "frames"}.get(len(shape), "image")  # type: ignore[return-value]


def nets_for(samples: Samples) -> list[str]:
    """Names of the nets that take such samples."""
    return [each.name for each in infos() if samples in ACCEPTS[each.takes]]


def check_task(name: str, task: str, samples: Samples) -> list[Problem]:
    """Whether a net can learn a kind of task; empty where it can."""
    learns = info(name).learns
    wanted: Learns = "samples" if task == "unsupervised" else "labels"
    if learns in (wanted, "both"):
        return []
    others = [each for each in nets_for(samples) if info(each).learns in (wanted, "both")]
    said = {"samples": "the samples alone", "labels": "a target"}
    what = f"The net '{name}' learns from {said[learns]}; the task, {task}, is to learn from {said[wanted]}."
    do = f"Use one of: {', '.join(others)}." if others else "There is no net yet for this task on such samples."
    return [Problem("error", "net-of-another-task", what, do=do)]


def build(name: str, shape: Sequence[int], outputs: int, form: Form | None = None, **settings: Any) -> nn.Module:
    """A new net: x (B, *shape) → (B, outputs), logits of classes or values of a regression.

    form: what a net for sequences must know besides; its answers may then be (B, T, outputs).

    Raises:
        UserError: unknown net or settings, values or a shape that do not fit; all that is found, at once.
    """
    form = form or Form()
    values, problems = check_settings(name, info(name).settings, settings)
    problems += check_shape(name, shape, outputs, form)
    if problems:
        raise UserError(problems)
    net_class = _NETS[name][1]
    if info(name).takes in SEQUENCES or info(name).learns != "labels":
        return net_class(tuple(shape), outputs, form=form, **values)
    return net_class(tuple(shape), outputs, **values)
