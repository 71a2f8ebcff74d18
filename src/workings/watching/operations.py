"""Which of torch's operations are looked at, by name, and what is known of each."""

from __future__ import annotations

from torch import nn

# The bounds of what an activation gives, where it has some.
ACTIVATIONS: dict[str, tuple[float, float] | None] = {
    "relu": None,
    "relu6": (0.0, 6.0),
    "leaky_relu": None,
    "elu": None,
    "selu": None,
    "gelu": None,
    "silu": None,
    "mish": None,
    "softplus": None,
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "hardtanh": (-1.0, 1.0),
    "celu": None,
    "prelu": None,
    "hardswish": None,
    "logsigmoid": None,
    "softsign": (-1.0, 1.0),
}
AFFINE = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "bilinear")
PRODUCTS = ("addmm", "mm", "matmul", "bmm", "baddbmm", "einsum", "__matmul__")  # counted as affine, not looked into
NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm")
SELDOM = ("embedding", "softmax")
ATTENTIONS = ("scaled_dot_product_attention", "multi_head_attention_forward")
DROPOUTS = ("dropout", "alpha_dropout", "feature_dropout", "dropout1d", "dropout2d", "dropout3d")
# Not linear, and counted for nothing else: pooling, recurrence, products of what was computed, sines …
NOT_LINEAR = (
    *ATTENTIONS,
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "adaptive_max_pool2d",
    "maximum",
    "lstm",
    "gru",
    "rnn_tanh",
    "rnn_relu",
    "sin",
    "cos",
    "exp",
    "abs",
    "pow",
    "square",
    "clamp",
    "clip",
    "clamp_min",
    "glu",
    "log_softmax",
    "where",
)
# What ``multi_head_attention_forward`` is given, in its order.
MANY_HEADED = (
    "query",
    "key",
    "value",
    "embed_dim_to_check",
    "num_heads",
    "in_proj_weight",
    "in_proj_bias",
    "bias_k",
    "bias_v",
    "add_zero_attn",
    "dropout_p",
    "out_proj_weight",
    "out_proj_bias",
    "training",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
    "use_separate_proj_weight",
    "q_proj_weight",
    "k_proj_weight",
)
RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)
CELLS = (nn.RNNCell, nn.LSTMCell, nn.GRUCell)
FAST_PATHS = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder)
NORM_LAYERS = (nn.modules.batchnorm._BatchNorm,)


def depends_on_mode(module: nn.Module) -> bool:
    """Whether it gives something else in training than in evaluation."""
    if isinstance(module, NORM_LAYERS):
        return True
    if isinstance(module, (*RECURRENT, nn.MultiheadAttention)):
        return bool(module.dropout)
    return drops(module) > 0


def drops(module: nn.Module) -> float:
    """The probability of a dropout layer, of torch or of anybody; 0 of other modules."""
    p = getattr(module, "p", 0.0) if "Dropout" in type(module).__name__ else 0.0
    return float(p) if isinstance(p, (int, float)) else 0.0


def plain(name: str) -> str:
    """``relu_`` → ``relu``; ``__matmul__`` stays."""
    return name if name.endswith("__") else name.rstrip("_")
