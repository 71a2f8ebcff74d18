"""Every layer of a net in numbers: output shape, parameters, multiply–adds, receptive field.

The net runs once on a sample of zeros and each layer is read as it runs, so any ``nn.Module`` can be described and
nothing is said that did not happen. The net, its buffers and torch's random state stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from workings.base.errors import UserError, refuse
from workings.base.form import Form
from workings.nets.geometry import conv_equation, conv_out, padding_kind, padding_size, same_padding
from workings.nets.layer_facts import by, facts_of, holds_parameters_inside, is_whole
from workings.nets.receptive import Fields

__all__ = [
    "LayerRow",
    "Totals",
    "conv_equation",
    "conv_out",
    "describe",
    "padding_kind",
    "padding_size",
    "same_padding",
    "totals",
]


@dataclass(frozen=True)
class LayerRow:
    """One layer, as it worked on one sample.

    name: within the net. kind: in words, or the class name of a layer not known here. settings: in words.
    equation: of the output size, numbers put in, for convolution and pooling.
    parameter_equation: of the number of parameters, numbers put in.
    output: shape without the batch axis. weights, biases: numbers of parameters that this row counts.
    multiply_adds: None where not known. receptive_field: height and width, in pixels of the input, that one output
    number depends on; () for tables and where not known. padding: ``valid``, ``same``, ``other`` or ``""``.
    """

    name: str
    kind: str
    settings: str
    equation: str
    parameter_equation: str
    output: tuple[int, ...]
    weights: int
    biases: int
    multiply_adds: int | None
    receptive_field: tuple[int, ...]
    padding: str

    @property
    def parameters(self) -> int:
        """Weights and biases together."""
        return self.weights + self.biases

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, for ``net.json``."""
        return {**asdict(self), "parameters": self.parameters}


@dataclass(frozen=True)
class Totals:
    """The sums over all rows. ``unknown`` names the layers whose multiply–adds are not counted."""

    weights: int
    biases: int
    multiply_adds: int
    unknown: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Weights and biases together."""
        return self.weights + self.biases


def totals(rows: Sequence[LayerRow]) -> Totals:
    """The sums over all rows."""
    return Totals(
        sum(row.weights for row in rows),
        sum(row.biases for row in rows),
        sum(row.multiply_adds or 0 for row in rows),
        tuple(row.name for row in rows if row.multiply_adds is None),
    )


def is_bias(name: str) -> bool:
    """Whether a parameter is a bias, by its name: ``output.bias``, ``lstm.bias_ih_l0``."""
    return "bias" in name.split(".")[-1]


@contextmanager
def untouched(net: nn.Module) -> Iterator[None]:
    """Run the net in evaluation mode, without gradients; afterwards modes, buffers and random state are as before."""
    modes = {module: module.training for module in net.modules()}
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers() if not is_lazy(buffer)}
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            net.eval()
            yield
    finally:
        for module, training in modes.items():
            module.training = training
        with torch.no_grad():
            for name, buffer in net.named_buffers():
                if name in buffers:
                    buffer.copy_(buffers[name])


def zeros_for(net: nn.Module, shape: Sequence[int], batch: int = 1, form: Form | None = None) -> Tensor:
    """A batch of zeros (batch, *shape), of the type and on the device of the net's parameters; ones for tokens.

    form: of the samples, where the net does not say it itself.
    """
    form = form or getattr(net, "form", None)
    if form is not None and form.vocabulary is not None:
        return torch.ones(batch, *shape, dtype=torch.int64)  # tokens; 0 would be padding
    first = next((p for p in net.parameters() if p.is_floating_point()), None)
    if first is None:
        return torch.zeros(batch, *shape)
    return torch.zeros(batch, *shape, dtype=first.dtype, device=first.device)


# What layers raise on a shape that they cannot work on.
SHAPE_ERRORS = (RuntimeError, ValueError, TypeError, IndexError)


class _Reader:
    """Collects a row from each layer that runs."""

    def __init__(self, net: nn.Module, sample: Tensor) -> None:
        self.names = {module: name for name, module in net.named_modules()}
        self.rows: list[LayerRow] = []
        self.counted: set[int] = set()
        self.fields = Fields(sample, image=not hasattr(net, "form"))

    def read(self, layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        out = _first_tensor(output)
        x = _first_tensor(inputs)
        if out is None or x is None:
            return
        before, after = tuple(x.shape[1:]), tuple(out.shape[1:])
        facts = facts_of(layer, before, after)
        inside = holds_parameters_inside(layer)
        own = list(layer.named_parameters(recurse=inside))
        new = [(name, p) for name, p in own if id(p) not in self.counted]
        self.counted.update(id(p) for _, p in own)
        biases = sum(p.numel() for name, p in new if is_bias(name))
        field = self.fields.after(facts, [t for t in inputs if isinstance(t, Tensor)], out)
        again = "" if len(new) == len(own) else "parameters counted above"
        self.rows.append(
            LayerRow(
                self.names[layer] or "(net)",
                facts.kind,
                ", ".join(part for part in (facts.settings, again) if part),
                facts.equation,
                facts.parameter_equation if not again else "",
                after,
                sum(p.numel() for _, p in new) - biases,
                biases,
                facts.multiply_adds,
                field,
                facts.padding,
            )
        )


def _first_tensor(value: Any) -> Tensor | None:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return next((found for found in map(_first_tensor, value) if found is not None), None)
    return None


def describe(net: nn.Module, shape: Sequence[int], form: Form | None = None) -> list[LayerRow]:
    """Every layer of ``net``, in the order in which they run, on a sample of ``shape`` and ``form``.

    A layer that runs twice has two rows; its parameters are counted in the first. Parameters that no layer of its
    own holds or that did not run come in a last row, so that the rows always sum to all parameters of the net.

    Raises:
        UserError: the net cannot work on such samples.
    """
    sample = zeros_for(net, shape, form=form)
    reader = _Reader(net, sample)
    handles = [module.register_forward_hook(reader.read) for module in net.modules() if is_whole(module)]
    try:
        with untouched(net), reader.fields:
            net(sample)
    except UserError:
        raise
    except SHAPE_ERRORS as error:
        last = f"after the layer '{reader.rows[-1].name}'" if reader.rows else "in the first layer"
        raise refuse(
            "net-refuses-shape",
            f"The net {type(net).__name__} cannot work on samples of shape {by(shape)}: {error}",
            where=last,
            do="Give the shape of one sample, without the batch, as the net expects it.",
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    rest = [(name, p) for name, p in net.named_parameters() if id(p) not in reader.counted]
    if rest:
        biases = sum(p.numel() for name, p in rest if is_bias(name))
        weights = sum(p.numel() for _, p in rest) - biases
        where = ", ".join(name for name, _ in rest)
        reader.rows.append(LayerRow("(rest)", "other parameters", where, "", "", (), weights, biases, None, (), ""))
    return reader.rows
