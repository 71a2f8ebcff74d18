"""The recurrent nets of Keras' own layers."""

from __future__ import annotations

import keras
from keras import layers
from recurrent_settings import RecurrentSetting


def recurrent_model(setting: RecurrentSetting) -> keras.Model:
    layer = layers.LSTM if setting.kind == "lstm" else layers.GRU
    return keras.Sequential(
        [keras.Input((setting.length, setting.inputs)), layer(setting.width), layers.Dense(setting.outputs)]
    )
