"""What each kind of layer is, in numbers: its settings in words, its equations, its multiply–adds.

A multiply–add is one product that is added to a sum: n_in of them for each dense unit, channels × filter for each
pixel of a convolution's output, one for each number that a batch norm scales and shifts (in evaluation). Activations,
gates, pooling, dropout, looking up and sums of two branches have none. A layer not known here has None: unknown, not
zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.modules.activation import MultiheadAttention
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.dropout import _DropoutNd

from workings.nets.activations import Activation
from workings.nets.geometry import conv_equation, padding_kind
from workings.nets.layers import Add, Dropout, GaussianNoise, Maxout, Scale
from workings.nets.multihead import DotProduct
from workings.nets.positions import Positions, Rotary
from workings.nets.rbm import RBM
from workings.nets.recurrence import Layer
from workings.nets.sequences import ToVectors
from workings.nets.transformer_blocks import Tied

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Facts:
    """What is known of one layer's work on one sample.

    windows: (F, S) along each axis for what slides over an image, F with its dilation: the receptive field follows.
    reach: how far one output number sees: ``same`` place, sliding ``window``, ``all`` of the input, or ``unknown``.
    """

    kind: str
    settings: str = ""
    equation: str = ""
    parameter_equation: str = ""
    multiply_adds: int | None = 0
    padding: str = ""
    reach: str = "same"
    windows: tuple[tuple[int, int], ...] = field(default=())


def by(sizes: Sequence[int]) -> str:
    """``3×32×32``."""
    return "×".join(str(size) for size in sizes)


def numel(shape: Shape) -> int:
    """How many numbers a shape holds."""
    return int(torch.Size(shape).numel())


def _each(value: Any, axes: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * axes


def _sliding(
    before: Shape, after: Shape, F: Shape, S: Shape, P: Shape | None, dilation: Shape
) -> tuple[str, str, tuple[tuple[int, int], ...]]:
    """Equation, padding in words and windows of a filter that slides over the axes after the channels.

    P is None where torch pads by itself to keep the size, unequally for an even filter.
    """
    I, O = before[1:], after[1:]  # noqa: E741
    reach = tuple(d * (f - 1) + 1 for f, d in zip(F, dilation, strict=True))
    windows = tuple(zip(reach, S, strict=True))
    if P is None:
        return f"{by(I)} kept by padding {by([f - 1 for f in reach])} in all", "same", windows
    lines = [conv_equation(i, f, p, s, dilation=d) for i, f, p, s, d in zip(I, F, P, S, dilation, strict=True)]
    axes = ["height", "width"] if len(I) == 2 else ["depth", "height", "width"][-len(I) :]
    text = lines[0] if len(set(lines)) == 1 else "; ".join(f"{a}: {b}" for a, b in zip(axes, lines, strict=True))
    exact = all((i - r + 2 * p) // s + 1 == o for i, r, p, s, o in zip(I, reach, P, S, O, strict=True))
    if not exact:  # pooling with ceil_mode rounds up
        text = f"{by(O)}, rounded up"
    kinds = {padding_kind(i, o, p, s) for i, o, p, s in zip(I, O, P, S, strict=True)}
    return text, kinds.pop() if len(kinds) == 1 else "other", windows


def _conv(layer: _ConvNd, before: Shape, after: Shape) -> Facts:
    axes = len(layer.kernel_size)
    F, S, dilation = layer.kernel_size, layer.stride, layer.dilation
    same = layer.padding == "same"
    P = None if same else (0,) * axes if isinstance(layer.padding, str) else tuple(layer.padding)
    if same and all(d * (f - 1) % 2 == 0 for f, d in zip(F, dilation, strict=True)):
        P = tuple(d * (f - 1) // 2 for f, d in zip(F, dilation, strict=True))
    equation, padding, windows = _sliding(before, after, F, S, P, dilation)
    words = [f"{layer.out_channels} filters {by(F)}", f"stride {by(sorted(set(S)))}"]
    words.append(f"padding {by(sorted(set(P))) if P is not None else 'uneven'} ({padding})")
    if set(dilation) != {1}:
        words.append(f"dilation {by(sorted(set(dilation)))}")
    if layer.groups != 1:
        words.append(f"{layer.groups} groups")
    if layer.padding_mode != "zeros":
        words.append(f"padded by {layer.padding_mode}")
    inputs = layer.in_channels // layer.groups
    bias = " + 1" if layer.bias is not None else ""
    count = sum(p.numel() for p in layer.parameters(recurse=False))
    return Facts(
        "convolution",
        ", ".join(words),
        equation,
        f"({'·'.join(map(str, [*F, inputs]))}{bias})·{layer.out_channels} = {count:,}",
        layer.weight.numel() * numel(after[1:]),
        padding,
        "window",
        windows,
    )


def _transposed(layer: _ConvTransposeNd, before: Shape, after: Shape) -> Facts:
    F, S = layer.kernel_size, layer.stride
    P, extra, d = _each(layer.padding, len(F)), layer.output_padding, layer.dilation
    lines = [
        f"({i} − 1)·{s} − 2·{p} + {dd * (f - 1)} + {e} + 1 = {o}"
        for i, s, p, f, dd, e, o in zip(before[1:], S, P, F, d, extra, after[1:], strict=True)
    ]
    text = lines[0] if len(set(lines)) == 1 else "; ".join(lines)
    words = f"{layer.out_channels} filters {by(F)}, stride {by(sorted(set(S)))}, padding {by(sorted(set(P)))}"
    work = layer.weight.numel() * numel(before[1:])
    return Facts("transposed convolution", words, text, multiply_adds=work, reach="unknown")


def _dense(layer: nn.Linear, before: Shape, after: Shape) -> Facts:
    n_in, n_out = layer.in_features, layer.out_features
    bias = " + 1" if layer.bias is not None else ""
    count = n_out * (n_in + (layer.bias is not None))
    places = numel(after) // n_out
    return Facts(
        "dense",
        f"{n_in:,} → {n_out:,}",
        parameter_equation=f"({n_in}{bias})·{n_out} = {count:,}",
        multiply_adds=layer.weight.numel() * places,
        reach="all" if places == 1 else "unknown",
    )


def _pool(layer: Any, before: Shape, after: Shape) -> Facts:
    axes = len(before) - 1
    F, P = _each(layer.kernel_size, axes), _each(layer.padding, axes)
    S = _each(layer.stride, axes)
    dilation = _each(getattr(layer, "dilation", 1), axes)
    equation, padding, windows = _sliding(before, after, F, S, P, dilation)
    kind = "max pooling" if "Max" in type(layer).__name__ else "average pooling"
    words = f"windows {by(F)}, stride {by(sorted(set(S)))}, padding {by(sorted(set(P)))} ({padding})"
    return Facts(kind, words, equation, "", 0, padding, "window", windows)


def _adaptive(layer: Any, before: Shape, after: Shape) -> Facts:
    kind = "maximum" if "Max" in type(layer).__name__ else "average"
    if numel(after[1:]) == 1:
        return Facts(f"global {kind}", f"of {by(before[1:])} each", reach="all")
    return Facts(f"adaptive {kind} pooling", f"{by(before[1:])} → {by(after[1:])}", reach="unknown")


def _batch_norm(layer: _BatchNorm, before: Shape, after: Shape) -> Facts:
    equation = f"2·{layer.num_features} = {2 * layer.num_features:,}" if layer.affine else ""
    return Facts("batch norm", f"{layer.num_features} channels", "", equation, numel(after))


def _maxout(layer: Maxout, before: Shape, after: Shape) -> Facts:
    return Facts("maxout", f"the largest of {layer.pieces} pieces, {layer.units} units", reach="all")


def _recurrent(layer: Layer, before: Shape, after: Shape) -> Facts:
    cell = layer.cell
    D, H, G = cell.inputs, cell.units, cell.blocks
    count = sum(p.numel() for p in cell.parameters())
    more = count - G * H * (D + H + 1)  # the bias within the candidate of a GRU
    blocks = f"·{G}" if G > 1 else ""
    words = [f"{D:,} → {H:,}", "fused" if layer.fused else "written"]
    if layer.truncate is not None:
        words.append(f"gradients over {layer.truncate} steps at most")
    equation = f"({D} + {H} + 1)·{H}{blocks}{f' + {more}' if more else ''} = {count:,}"
    return Facts(cell.title, ", ".join(words), "", equation, before[0] * G * H * (D + H), reach="unknown")


def _embedding(layer: nn.Embedding, before: Shape, after: Shape) -> Facts:
    V, D = layer.num_embeddings, layer.embedding_dim
    return Facts("embedding", f"{V:,} tokens → {D:,}", "", f"{V}·{D} = {V * D:,}", 0)


def _layer_norm(layer: nn.LayerNorm, before: Shape, after: Shape) -> Facts:
    D = numel(tuple(layer.normalized_shape))
    count = sum(p.numel() for p in layer.parameters())
    return Facts(
        "layer norm", f"over {D:,} numbers", "", f"{count // D}·{D} = {count:,}" if count else "", numel(after)
    )


def _dot_product(layer: DotProduct, before: Shape, after: Shape) -> Facts:
    """QKᵀ and αV: T_q T_k d each and head. T_k is that of the sample, T_q, and what is masked is multiplied too."""
    h, T, d = after
    words = f"{h} heads, {T}×{T} places" + (", causal" if layer.causal else "")
    mask = " + mask" if layer.causal else ""
    return Facts("attention", words, f"softmax(QKᵀ/√{d}{mask})V", "", 2 * h * T * T * d, reach="unknown")


def _tied(layer: Tied, before: Shape, after: Shape) -> Facts:
    words = f"{before[-1]:,} → {after[-1]:,}, by the tokens' own vectors"
    return Facts("tied dense", words, multiply_adds=numel(after) * before[-1], reach="unknown")


def _positions(layer: Positions, before: Shape, after: Shape) -> Facts:
    count = sum(p.numel() for p in layer.parameters())
    words = f"{layer.kind}, {layer.longest:,}"
    return Facts("positions", words, "", f"{layer.longest}·{after[-1]} = {count:,}" if count else "")


def _rbm(layer: RBM, before: Shape, after: Shape) -> Facts:
    H, V = layer.weight.shape
    said = f"{layer.visible.kind} visible units, {H} hidden"
    count = f"{V}·{H} + {V} + {H} = {V * H + V + H:,}"
    return Facts("Boltzmann machine", said, "", count, 2 * V * H, reach="all")


_RULES: list[tuple[tuple[type, ...], Callable[[Any, Shape, Shape], Facts]]] = [
    ((_ConvTransposeNd,), _transposed),
    ((_ConvNd,), _conv),
    ((nn.Linear,), _dense),
    ((nn.Embedding,), _embedding),
    ((Layer,), _recurrent),
    ((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), _pool),
    ((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d), _adaptive),
    ((_BatchNorm,), _batch_norm),
    ((nn.LayerNorm,), _layer_norm),
    ((DotProduct,), _dot_product),
    ((Positions,), _positions),
    ((Tied,), _tied),
    # Each number of q and k is multiplied by a cosine and by a sine.
    ((Rotary,), lambda layer, before, after: Facts("positions", "rotary", multiply_adds=2 * numel(after))),
    ((Maxout,), _maxout),
    ((RBM,), _rbm),
    ((Activation,), lambda layer, before, after: Facts(layer.extra_repr())),
    ((Dropout, _DropoutNd), lambda layer, before, after: Facts("dropout", f"p = {layer.p:g}")),
    ((GaussianNoise,), lambda layer, before, after: Facts("noise", f"σ = {layer.sigma:g}")),
    ((Add,), lambda layer, before, after: Facts("sum")),
    ((Scale,), lambda layer, before, after: Facts("scale", f"× {layer.c:g}", multiply_adds=numel(after))),
    ((nn.Flatten,), lambda layer, before, after: Facts("flatten", f"{'·'.join(map(str, before))} = {numel(after):,}")),
    ((nn.Identity,), lambda layer, before, after: Facts("identity")),
    (
        (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Softplus, nn.Mish),
        lambda layer, before, after: Facts(type(layer).__name__.lower()),
    ),
]


def facts_of(layer: nn.Module, before: Shape, after: Shape) -> Facts:
    """What is known of a layer that takes ``before`` and gives ``after``, shapes of one sample."""
    for kinds, rule in _RULES:
        if isinstance(layer, kinds):
            return rule(layer, before, after)
    return Facts(type(layer).__name__, multiply_adds=None, reach="unknown")


def holds_parameters_inside(layer: nn.Module) -> bool:
    """Whether a layer works with parameters of parts that are never called themselves."""
    return isinstance(layer, MultiheadAttention | Layer)


def is_whole(layer: nn.Module) -> bool:
    """Whether a layer is listed as one row: it has no layers inside, or owns parameters or work of its own."""
    if isinstance(layer, Maxout) or holds_parameters_inside(layer):
        return True
    if isinstance(layer, nn.Sequential | ToVectors) and not any(True for _ in layer.children()):
        return False  # it hands on what it was given
    return not any(True for _ in layer.children()) or any(True for _ in layer.parameters(recurse=False))
