"""A person's own net: an ``nn.Module``, or ``file.py:ClassName``, taken as it is and tried before it is trained.

Its parameters keep their own names. What it must do: take x (B, *shape), return logits or values (B, outputs), or
(B,) where there is one output.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from workings.base.errors import UserError, refuse
from workings.base.form import Form
from workings.base.problems import Problem
from workings.nets.arithmetic import untouched, zeros_for
from workings.nets.endings import Ending, ending, misfit
from workings.nets.layer_facts import by
from workings.nets.user_code import USER_CODE_ERRORS, find_in_file, line_of, split_source

# What a person may bring from memory: a net, its class, or a function that makes it.
Own = nn.Module | type[nn.Module] | Callable[..., nn.Module]


@dataclass(frozen=True)
class CustomNet:
    """A net that passed its trial.

    name: of its class. source: the file it came from, as given, or None for an instance.
    ending: what bounds its outputs. problems: warnings and notes, to be told.
    """

    net: nn.Module
    name: str
    source: str | None
    ending: Ending
    problems: list[Problem] = field(default_factory=list)


def is_custom(name: str) -> bool:
    """Whether a net's name means a file, as ``model.py:Net`` does."""
    return split_source(name) is not None


def refuse_no_net(given: object) -> None:
    """Refuse what can be no net, before anything is read.

    Raises:
        UserError: it is neither an ``nn.Module``, nor a class of one or a function that makes one, nor a name.
    """
    if isinstance(given, nn.Module | str | Path) or inspect.isfunction(given) or inspect.ismethod(given):
        return
    if isinstance(given, type) and issubclass(given, nn.Module):
        return
    if isinstance(given, type):
        what = f"The class {given.__name__} cannot be the net: it is no torch.nn.Module."
    else:
        what = f"{given!r:.60} cannot be the net: it is of type {type(given).__name__}."
    do = "Give a name of `workings nets`, 'file.py:ClassName', a torch.nn.Module, or its class."
    raise refuse("not-a-net", what, do=do)


def made(given: Own, shape: Sequence[int], outputs: int, form: Form | None = None) -> nn.Module:
    """The net itself, or one of that class, made for samples of ``shape`` and so many ``outputs``.

    Raises:
        UserError: it is no net, or its constructor asks for more than the data can say.
    """
    refuse_no_net(given)
    return given if isinstance(given, nn.Module) else _construct(given, None, tuple(shape), outputs, form or Form())


def load(
    given: Own | str | Path, shape: Sequence[int], outputs: int, task: str | None = None, form: Form | None = None
) -> CustomNet:
    """Take a net, or make it from its class or ``file.py:ClassName``, and try it on a small batch.

    The constructor is called with what its parameter names ask for (``shape``, ``in_features``, ``in_channels``,
    ``outputs``, ``num_classes`` and the like); it needs none.

    Args:
        given: the net, its class, or where that is.
        shape: of one sample.
        outputs: how many numbers it must give for a sample.
        task: what is learnt, where known.
        form: of samples and answers; that of tables and images where None.

    Raises:
        UserError: file or class missing, no net, a constructor that asks for more, outputs of a wrong shape, or an
            ending that does not fit the loss.
    """
    form = form or Form()
    if isinstance(given, str | Path):
        source = str(given)
        path, found = find_in_file(source)
        net = found if isinstance(found, nn.Module) else _construct(found, path, tuple(shape), outputs, form)
    else:
        net, source, path = made(given, shape, outputs, form), None, None
    name = type(net).__name__
    problems = _try(net, name, path, shape, outputs, form)
    ends: Ending = ending(net, shape) if form == Form() else "unknown"
    problem = misfit(ends, name, outputs, task)
    if problem is not None:
        problems.append(problem)
    if any(each.level == "error" for each in problems):
        raise UserError([each for each in problems if each.level == "error"])
    return CustomNet(net, name, source, ends, problems)


# Names of constructor parameters, and what they mean.
_SHAPE = ("shape", "input_shape", "in_shape", "sample_shape")
_OUTPUTS = (
    "outputs num_classes n_classes classes out_features output_dim out_dim output_size out_size n_outputs "
    "num_outputs d_out num_labels"
).split()
_FEATURES = (
    "in_features input_dim in_dim input_size in_size n_features num_features features inputs n_inputs num_inputs d_in"
).split()
_VOCABULARY = ("vocabulary", "vocab_size", "n_vocab", "num_embeddings", "n_tokens", "num_tokens", "ntoken")
_CHANNELS = ("in_channels", "input_channels", "channels", "num_channels", "n_channels", "in_chans")


def _construct(make: Any, path: Path | None, shape: tuple[int, ...], outputs: int, form: Form) -> nn.Module:
    place = str(path) if path else f"{make.__module__}.{make.__qualname__}"
    meanings: dict[str, object] = dict.fromkeys(_SHAPE, shape)
    meanings.update(dict.fromkeys(_OUTPUTS, outputs))
    meanings.update({name: int(torch.Size(shape).numel()) for name in _FEATURES})
    if len(shape) > 1:
        meanings.update(dict.fromkeys(_CHANNELS, shape[0]))
    if len(shape) == 2:  # a sequence: its steps are many, its features those of one step
        meanings.update(dict.fromkeys(_FEATURES, shape[1]))
    if form.vocabulary is not None:
        meanings.update(dict.fromkeys(_VOCABULARY, form.vocabulary))
    meanings.update(horizon=form.horizon, form=form)
    arguments: list[object] = []
    named: dict[str, object] = {}
    missing: list[str] = []
    for name, parameter in inspect.signature(make).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name not in meanings:
            if parameter.default is parameter.empty:
                missing.append(name)
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            arguments.append(meanings[name])
        else:
            named[name] = meanings[name]
    if missing:
        raise refuse(
            "constructor-arguments",
            f"{make.__name__} cannot be made: its constructor asks for {', '.join(missing)}.",
            where=place,
            count=len(missing),
            why="From the data come only the shape of a sample and the number of outputs.",
            do="Give these parameters defaults, or call them shape, in_features, in_channels, outputs, num_classes.",
        )
    try:
        net = make(*arguments, **named)
    except USER_CODE_ERRORS as error:
        said = ", ".join(f"{name}={value!r}" for name, value in named.items())
        raise refuse(
            "constructor-fails",
            f"{make.__name__}({said}) cannot be made: {type(error).__name__}: {error}",
            where=line_of(error, path) if path else place,
            do="Correct the constructor.",
        ) from error
    if not isinstance(net, nn.Module):
        raise refuse(
            "not-a-net",
            f"{make.__name__} gives a {type(net).__name__}, not a torch.nn.Module.",
            where=place,
            do="Let it return a torch.nn.Module.",
        )
    return net


def _try(net: nn.Module, name: str, path: Path | None, shape: Sequence[int], outputs: int, form: Form) -> list[Problem]:
    """Run one small batch; raise what is wrong, return what is worth telling."""
    where = str(path) if path else name
    B = 3 if outputs != 3 else 5  # unlike the outputs, so that one axis is not taken for the other
    try:
        if any(is_lazy(each) for each in [*net.parameters(), *net.buffers()]):
            with torch.no_grad():
                net(zeros_for(net, shape, B, form))  # lazy layers take their sizes from the first batch
        zeros = zeros_for(net, shape, B, form)
        generator = torch.Generator().manual_seed(0)
        x = zeros if not zeros.is_floating_point() else torch.randn(B, *shape, generator=generator).to(zeros)
        with untouched(net):
            out = net(x)
    except USER_CODE_ERRORS as error:
        raise refuse(
            "net-fails",
            f"The net {name} fails on samples of shape {by(shape)}: {type(error).__name__}: {error}",
            where=line_of(error, path) if path else name,
            why="It was tried on a batch of the data's shape before training.",
            do=f"Let forward take a batch of shape (B, {', '.join(map(str, shape))}).",
        ) from error
    steps = shape[-1:] if form.each_step or isinstance(form.vocabulary, tuple) else ()
    full = (B, *steps, outputs)
    wanted = f"(B, {', '.join(map(str, full[1:]))})"
    if not isinstance(out, Tensor):
        raise refuse(
            "net-output",
            f"The forward of {name} returns a {type(out).__name__}, not one tensor.",
            where=where,
            do=f"Return the tensor {wanted} alone.",
        )
    problems: list[Problem] = []
    if outputs == 1 and out.shape == (B,):
        net.register_forward_hook(_as_column)
        problems.append(Problem("note", "net-output", f"The net {name} gives (B,); it is read as (B, 1).", where))
    elif out.shape != full:
        got = by(out.shape[1:]) or "no"
        alone = out.ndim > 0 and out.shape[0] == B
        what = f"gives {got} outputs for a sample" if alone else f"gives {tuple(out.shape)} for a batch of {B}"
        two = " Two classes need one output: the logit of the second." if outputs == 1 and out.shape[1:] == (2,) else ""
        raise refuse(
            "net-output",
            f"The net {name} {what}; the data need {wanted}.",
            where=where,
            why="Each class, or the one value, needs its own output." + two,
            do=f"Let the last layer give {outputs}" + (", and keep the batch as the first axis." if not alone else "."),
        )
    if not out.is_floating_point() or not bool(torch.isfinite(out).all()):
        what = "numbers that are not finite" if out.is_floating_point() else f"numbers of type {out.dtype}"
        raise refuse("net-output", f"The net {name} gives {what} before any training.", where=where, do="Correct it.")
    return problems


def _as_column(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> Any:
    return output[:, None] if isinstance(output, Tensor) and output.ndim == 1 else output
