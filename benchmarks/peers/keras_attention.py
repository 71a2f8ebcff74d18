"""The transformers of Keras' own layers."""

from __future__ import annotations

from typing import Any

import keras
from attention_settings import AttentionSetting
from keras import layers, ops


class TokensAndPlaces(layers.Layer):
    """x (B, T) → vectors (B, T, D); ``logits`` says how well each token's vector fits."""

    def __init__(self, vocabulary: int, length: int, width: int, **more: Any) -> None:
        super().__init__(**more)
        self.tokens = layers.Embedding(
            vocabulary, width, embeddings_initializer=keras.initializers.RandomNormal(0, 0.02)
        )
        self.places = layers.Embedding(length, width, embeddings_initializer=keras.initializers.RandomNormal(0, 0.02))

    def call(self, x: Any) -> Any:
        return self.tokens(x) + self.places(ops.arange(x.shape[1]))

    def logits(self, h: Any) -> Any:
        return ops.matmul(h, ops.transpose(self.tokens.embeddings))


class Tied(layers.Layer):
    """h (B, T, D) → logits (B, T, V) by the tokens' vectors."""

    def __init__(self, vectors: TokensAndPlaces) -> None:
        super().__init__()
        self.vectors = vectors

    def call(self, h: Any) -> Any:
        return self.vectors.logits(h)


class RealMean(layers.Layer):
    """The mean of h (B, T, D) over the places where x (B, T) is no padding."""

    def call(self, h: Any, x: Any) -> Any:
        kept = ops.cast(ops.expand_dims(x != 0, -1), h.dtype)
        return ops.sum(h * kept, 1) / ops.maximum(ops.sum(kept, 1), 1)


class PaddingMask(layers.Layer):
    """x (B, T) → which places may be seen, (B, 1, T)."""

    def call(self, x: Any) -> Any:
        return ops.expand_dims(x != 0, 1)


def attention_model(setting: AttentionSetting) -> keras.Model:
    D, causal = setting.width, setting.kind == "gpt"
    x = keras.Input((setting.length,), dtype="int64")
    vectors = TokensAndPlaces(setting.vocabulary, setting.length, D)
    h = vectors(x)
    mask = None if causal else PaddingMask()(x)
    for _ in range(setting.layers):
        z = layers.LayerNormalization(epsilon=1e-5)(h)
        attention = layers.MultiHeadAttention(setting.heads, D // setting.heads)
        h = h + attention(z, z, attention_mask=mask, use_causal_mask=causal)
        z = layers.LayerNormalization(epsilon=1e-5)(h)
        h = h + layers.Dense(D)(layers.Dense(4 * D, activation="gelu")(z))
    h = layers.LayerNormalization(epsilon=1e-5)(h)
    out = Tied(vectors)(h) if causal else layers.Dense(setting.outputs)(RealMean()(h, x))
    return keras.Model(x, out)
