"""Batches of random numbers for the architectures of ``bench_foreign.py``: one function a kind of task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

WORDS, LENGTH, BATCH = 59, 7, 2
SIDE = 32  # of pictures


def words(n: int = BATCH, length: int = LENGTH) -> Tensor:
    """Tokens; none of them is padding."""
    return torch.randint(3, WORDS, (n, length))


def language(config: Any) -> dict[str, Any]:
    tokens = words()
    return {"input_ids": tokens, "labels": tokens}


def filled(config: Any) -> dict[str, Any]:
    """Words to be guessed, some of them padding."""
    tokens, mask = words(), torch.ones(BATCH, LENGTH, dtype=torch.long)
    mask[1, -2:] = 0
    return {"input_ids": tokens, "attention_mask": mask, "labels": words()}


def from_to(config: Any) -> dict[str, Any]:
    return {"input_ids": words(), "labels": words(length=5)}


def sentence(config: Any) -> dict[str, Any]:
    return {"input_ids": words(), "labels": torch.tensor([0, 1])}


def encoded(config: Any) -> dict[str, Any]:
    return {"input_ids": words()}


def span(config: Any) -> dict[str, Any]:
    return {"input_ids": words(), "start_positions": torch.tensor([1, 2]), "end_positions": torch.tensor([3, 3])}


def picture(config: Any) -> dict[str, Any]:
    side = getattr(config, "image_size", SIDE)
    return {"pixel_values": torch.randn(BATCH, 3, side, side), "labels": torch.tensor([0, 1])}


def pixels(config: Any) -> dict[str, Any]:
    return {"pixel_values": torch.randn(BATCH, 3, SIDE, SIDE)}


def segments(config: Any) -> dict[str, Any]:
    return {"pixel_values": torch.randn(BATCH, 3, SIDE, SIDE), "labels": torch.randint(0, 2, (BATCH, SIDE, SIDE))}


def film(config: Any) -> dict[str, Any]:
    return {"pixel_values": torch.randn(1, config.num_frames, 3, SIDE, SIDE), "labels": torch.tensor([1])}


def wave(config: Any) -> dict[str, Any]:
    return {"input_values": torch.randn(BATCH, 400), "labels": torch.tensor([0, 1])}


def spoken(config: Any) -> dict[str, Any]:
    """Letters of a recording, by the loss of all alignments."""
    return {"input_values": torch.randn(BATCH, 400), "labels": torch.randint(3, 9, (BATCH, 3))}


def spectrum(config: Any) -> dict[str, Any]:
    return {"input_features": torch.randn(BATCH, config.num_mel_bins, 32), "labels": words(length=4)}


def speech(config: Any) -> dict[str, Any]:
    return {"input_features": torch.randn(BATCH, 32, config.input_feat_per_channel), "labels": words(length=4)}


def spectrogram(config: Any) -> dict[str, Any]:
    return {"input_values": torch.randn(BATCH, config.max_length, config.num_mel_bins), "labels": torch.tensor([0, 1])}


def picture_and_words(config: Any) -> dict[str, Any]:
    side = config.vision_config.image_size
    return {"input_ids": words(), "pixel_values": torch.randn(BATCH, 3, side, side), "return_loss": True}


def question(config: Any) -> dict[str, Any]:
    return {
        "input_ids": words(),
        "pixel_values": torch.randn(BATCH, 3, SIDE, SIDE),
        "pixel_mask": torch.ones(BATCH, SIDE, SIDE, dtype=torch.long),
        "labels": torch.rand(BATCH, config.num_labels),
    }


def boxes(config: Any) -> dict[str, Any]:
    one = {"class_labels": torch.tensor([0, 1]), "boxes": torch.rand(2, 4) / 3 + 0.3}
    return {"pixel_values": torch.randn(1, 3, SIDE, SIDE), "labels": [one]}


def page(config: Any) -> dict[str, Any]:
    corner = torch.randint(0, 30, (BATCH, LENGTH, 2))
    return {
        "input_ids": words(),
        "bbox": torch.cat([corner, corner + torch.randint(1, 20, (BATCH, LENGTH, 2))], -1),
        "labels": torch.randint(0, 2, (BATCH, LENGTH)),
    }


def series(config: Any) -> dict[str, Any]:
    past = config.context_length + max(config.lags_sequence)
    known = config.num_time_features
    return {
        "past_values": torch.randn(BATCH, past) + 5,
        "past_time_features": torch.randn(BATCH, past, known),
        "past_observed_mask": torch.ones(BATCH, past),
        "future_values": torch.randn(BATCH, config.prediction_length) + 5,
        "future_time_features": torch.randn(BATCH, config.prediction_length, known),
    }


def patches(config: Any) -> dict[str, Any]:
    return {
        "past_values": torch.randn(BATCH, config.context_length, config.num_input_channels),
        "future_values": torch.randn(BATCH, config.prediction_length, config.num_input_channels),
    }


def player(config: Any) -> dict[str, Any]:
    return {
        "states": torch.randn(1, 4, config.state_dim),
        "actions": torch.randn(1, 4, config.act_dim),
        "rewards": torch.randn(1, 4, 1),
        "returns_to_go": torch.randn(1, 4, 1),
        "timesteps": torch.arange(4)[None],
        "attention_mask": torch.ones(1, 4),
    }


def anything(config: Any) -> dict[str, Any]:
    return {"inputs": words(), "labels": torch.tensor([0, 1])}
