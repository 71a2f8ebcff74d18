"""Keras: compile and fit on arrays, on the backend that $KERAS_BACKEND names.

JAX settles its threads when it starts, so it is started once with all and once with one ($NPROC=1 and an XLA flag).
"""

from __future__ import annotations

import os
import time
from typing import Any

import keras
import numpy as np
from attention_settings import AttentionSetting
from keras_attention import attention_model
from keras_recurrent import recurrent_model
from recurrent_settings import RecurrentSetting
from settings import LEARNING_RATE, AnySetting
from worker import Worker


class Clock(keras.callbacks.Callback):
    """When the first epoch began: before it, fit only prepares."""

    began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.began = self.began or time.perf_counter()


class Keras(Worker):
    """A variant is a number of threads, and a layout of images (torch) or how many steps one call holds (JAX)."""

    def prepare(self, setting: AnySetting, threads: list[int]) -> dict[str, Any]:  # type: ignore[override]
        self.x, self.y = setting.data()
        self.models: dict[str, tuple[keras.Model, list[np.ndarray]]] = {}
        if keras.backend.backend() == "jax":
            count = "one thread" if os.environ.get("NPROC") == "1" else "all cores"
            names = [count, f"{count}, 16 steps a call"]
        else:
            names = [f"{count} thread{'s' if count > 1 else ''}" for count in threads]
            if setting.channels:
                names += [f"{name}, channels first" for name in names]
        return {"parameters": self._model(names[0])[0].count_params(), "variants": names}

    def train(self, variant: str, rows: int, epochs: int) -> float:
        if keras.backend.backend() == "torch":
            import torch

            torch.set_num_threads(int(variant.split()[0]))
        model, first = self._model(variant)
        for variable, value in zip([*model.variables, *model.optimizer.variables], first, strict=True):
            variable.assign(value)
        x = self.x if "channels first" in variant or self.x.ndim < 4 else self.x.transpose(0, 2, 3, 1)
        clock = Clock()
        model.fit(
            np.ascontiguousarray(x[:rows]), self.y[:rows], batch_size=self.setting.batch, epochs=epochs, verbose=0,
            callbacks=[clock],
        )  # fmt: skip
        return time.perf_counter() - clock.began

    def _model(self, variant: str) -> tuple[keras.Model, list[np.ndarray]]:
        """The compiled model of a variant, made once, and its first weights and optimiser state."""
        if variant not in self.models:
            keras.utils.set_random_seed(0)
            model = self._layers("channels_first" if "channels first" in variant else "channels_last")
            model.compile(
                optimizer=keras.optimizers.Adam(LEARNING_RATE),
                loss="mse" if self.setting.regression else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                steps_per_execution=16 if "16 steps" in variant else 1,
            )
            model.optimizer.build(model.trainable_variables)
            variables = [*model.variables, *model.optimizer.variables]
            self.models[variant] = model, [keras.ops.convert_to_numpy(v).copy() for v in variables]
        return self.models[variant]

    def _layers(self, layout: str) -> keras.Model:
        setting = self.setting
        if isinstance(setting, AttentionSetting):
            return attention_model(setting)
        if isinstance(setting, RecurrentSetting):
            return recurrent_model(setting)
        shape = setting.shape if layout == "channels_first" else (*setting.shape[1:], setting.shape[0])
        layers: list[keras.layers.Layer] = [keras.Input(shape)]
        for filters in setting.channels:
            layers += [
                keras.layers.Conv2D(filters, 3, padding="same", activation="relu", data_format=layout),
                keras.layers.MaxPooling2D(2, data_format=layout),
            ]
        if setting.channels:
            layers.append(keras.layers.Flatten())
        layers += [keras.layers.Dense(units, activation="relu") for units in setting.hidden]
        return keras.Sequential([*layers, keras.layers.Dense(setting.outputs)])


if __name__ == "__main__":
    Keras().serve()
