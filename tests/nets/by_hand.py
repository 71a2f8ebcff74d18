"""Nets worked by hand in NumPy, float64, from the printed equations alone: loops over pixels, nothing from torch.

``state`` is a net's state dict as arrays. Legend: B batch, C channels in, O channels out, H × W pixels, F filter size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
State = Mapping[str, Array]


def dense(a_BD: Array, W_UD: Array, b_U: Array | float) -> Array:
    """z_u = Σ_d W_ud a_d + b_u."""
    z = np.zeros((len(a_BD), len(W_UD)))
    for i in range(len(a_BD)):
        for u in range(len(W_UD)):
            z[i, u] = sum(W_UD[u, d] * a_BD[i, d] for d in range(W_UD.shape[1]))
    return z + b_U


def convolve(x_BCHW: Array, W_OCFF: Array, b_O: Array | float, stride: int, padding: int) -> Array:
    """z_o(i, j) = Σ_c Σ_u Σ_v w_oc(u, v) x_c(S i + u − P, S j + v − P) + b_o."""
    x = np.pad(x_BCHW, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    F = W_OCFF.shape[2]
    H, W = ((size - F) // stride + 1 for size in x.shape[2:])
    z = np.zeros((len(x), len(W_OCFF), H, W))
    for i in range(H):
        for j in range(W):
            window = x[:, None, :, i * stride : i * stride + F, j * stride : j * stride + F]
            z[:, :, i, j] = (window * W_OCFF).sum(axis=(2, 3, 4))
    return z + np.reshape(b_O, (-1, 1, 1))


def pool(x_BCHW: Array, size: int, kind: str) -> Array:
    """The maximum or mean of each window of size × size, stride size."""
    H, W = (side // size for side in x_BCHW.shape[2:])
    p = np.zeros((*x_BCHW.shape[:2], H, W))
    for i in range(H):
        for j in range(W):
            window = x_BCHW[:, :, i * size : (i + 1) * size, j * size : (j + 1) * size]
            p[:, :, i, j] = window.max(axis=(2, 3)) if kind == "max" else window.mean(axis=(2, 3))
    return p


def normalise(z: Array, state: State, name: str) -> Array:
    """γ (z − μ)/√(σ² + ε) + β with the running statistics, per channel; ε = 1e-5."""
    per = (1, -1) + (1,) * (z.ndim - 2)
    mu, variance = (state[f"{name}.running_{each}"].reshape(per) for each in ("mean", "var"))
    gamma, beta = (state[f"{name}.{each}"].reshape(per) for each in ("weight", "bias"))
    return gamma * (z - mu) / np.sqrt(variance + 1e-5) + beta


def activate(z: Array, name: str, slope: float = 0.01, alpha: float = 1.0) -> Array:
    """σ(z) by its formula, number by number."""
    if name == "softmax":
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True)
    formulas = {
        "step": lambda v: 1.0 if v >= 0 else 0.0,
        "linear": lambda v: v,
        "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
        "tanh": lambda v: 2 / (1 + math.exp(-2 * v)) - 1,
        "relu": lambda v: max(0.0, v),
        "leaky_relu": lambda v: v if v > 0 else slope * v,
        "elu": lambda v: v if v > 0 else alpha * (math.exp(v) - 1),
        "gelu": lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))),
        "silu": lambda v: v / (1 + math.exp(-v)),
    }
    return np.vectorize(formulas[name], otypes=[float])(z)


def _block(a: Array, state: State, name: str, settings: Mapping[str, Any]) -> Array:
    z = dense(a, state[f"{name}.dense.weight"], state.get(f"{name}.dense.bias", 0.0))
    if settings.get("batch_norm"):
        z = normalise(z, state, f"{name}.norm")
    after = activate(z, settings.get("activation", "relu"), settings.get("slope", 0.01), settings.get("alpha", 1.0))
    return a + after if settings.get("residual") and a.shape == after.shape else after


def _output(a: Array, state: State) -> Array:
    return dense(a, state["output.weight"], state["output.bias"])


def linear(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """W x + b."""
    return _output(x.reshape(len(x), -1), state)


def mlp(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """Dense layers, one after another."""
    a = x.reshape(len(x), -1)
    for i in range(len(settings.get("hidden", (64, 64)))):
        a = _block(a, state, f"hidden.{i}", settings)
    return _output(a, state)


def maxout(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """The largest of k pieces a unit."""
    a, k = x.reshape(len(x), -1), settings.get("pieces", 2)
    step = 2 if settings.get("dropout") else 1
    for i in range(len(settings["hidden"])):
        z = dense(a, state[f"hidden.{i * step}.affine.weight"], state[f"hidden.{i * step}.affine.bias"])
        a = np.stack([z[:, u * k : (u + 1) * k].max(axis=1) for u in range(z.shape[1] // k)], axis=1)
    return _output(a, state)


def cnn(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """Convolution, activation, pooling; flatten or average; dense layers."""
    channels, kernel = settings.get("channels", (32, 64)), settings.get("kernel", 3)
    padding = settings.get("padding", "same")
    P = {"same": (kernel - 1) // 2, "valid": 0}.get(padding, padding)
    a = x
    for i in range(len(channels)):
        name = f"maps.{i}"
        bias = state.get(f"{name}.conv.bias", 0.0)
        a = convolve(a, state[f"{name}.conv.weight"], bias, settings.get("stride", 1), P)
        if settings.get("batch_norm"):
            a = normalise(a, state, f"{name}.norm")
        a = activate(a, settings.get("activation", "relu"), settings.get("slope", 0.01), settings.get("alpha", 1.0))
        if settings.get("pool", "max") != "none":
            a = pool(a, settings.get("pool_size", 2), settings.get("pool", "max"))
    a = a.mean(axis=(2, 3)) if settings.get("head") == "average" else a.reshape(len(a), -1)
    for i in range(len(settings.get("dense", (128,)))):
        a = _block(a, state, f"dense.{i}", settings)
    return _output(a, state)


def cnn_64(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """The design for 64×64×3."""
    return cnn(x, state, {"channels": (32, 64), "padding": "valid", "dense": ()})


def cnn_32(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """The design for 32×32×3."""
    return cnn(x, state, {"channels": (16, 32), "padding": "valid", "dense": ()})


def resnet(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """Stem, stages that halve the size, blocks x + f(x), global pooling, dense."""
    activation, norm = settings.get("activation", "relu"), settings.get("batch_norm", True)

    def conv_norm(a: Array, name: str, kernel: int = 3, stride: int = 1, pooling: str = "stride") -> Array:
        z = convolve(a, state[f"{name}.conv.weight"], state.get(f"{name}.conv.bias", 0.0), stride, (kernel - 1) // 2)
        if pooling != "stride":
            z = pool(z, 2, pooling)
        return activate(normalise(z, state, f"{name}.norm") if norm else z, activation)

    a, at = x, 0
    if settings.get("stem", 32):
        a, at = conv_norm(a, "maps.0", settings.get("stem_kernel", 3), settings.get("stem_stride", 1)), 1
    widths, blocks, kind = settings["widths"], settings["blocks"], settings.get("pool", "max")
    for count in list(blocks) * (len(widths) if len(blocks) == 1 else 1):
        a, at = conv_norm(a, f"maps.{at}", stride=2 if kind == "stride" else 1, pooling=kind), at + 1
        for _ in range(count):
            f = conv_norm(conv_norm(a, f"maps.{at}.first"), f"maps.{at}.second")
            a, at = a + f if settings.get("residual", True) else f, at + 1
    features = a.max(axis=(2, 3)) if settings.get("head") == "max" else a.mean(axis=(2, 3))
    return _output(features, state) * settings.get("scale", 1.0)


def vgg(x: Array, state: State, settings: Mapping[str, Any]) -> Array:
    """Whitening stem, stages of two convolutions, global pooling, dense."""
    activation = settings.get("activation", "relu")
    a = activate(convolve(x, state["stem.weight"], state["stem.bias"], 1, 0), activation)
    for i in range(2 * len(settings["widths"])):
        z = convolve(a, state[f"stages.{i}.conv.weight"], 0.0, 1, 1)
        a = activate(normalise(pool(z, 2, "max") if i % 2 == 0 else z, state, f"stages.{i}.norm"), activation)
    return _output(a.mean(axis=(2, 3)) if settings.get("head") == "average" else a.max(axis=(2, 3)), state)


FORWARD = {
    "perceptron": linear,
    "linear": linear,
    "mlp": mlp,
    "dbn": lambda x, state, settings: mlp(x, state, {**settings, "activation": "sigmoid"}),
    "maxout": maxout,
    "cnn": cnn,
    "cnn-64": cnn_64,
    "cnn-32": cnn_32,
    "resnet": resnet,
    "vgg": vgg,
}
