"""Healthy loops of PyTorch on series, texts and language."""

from __future__ import annotations

from faults import loop, models, samples
from faults.loop import Loop
from faults.program import CALIBRATION, TEST, Programs


def programs() -> Programs:
    """Recurrent nets and transformers."""
    found = Programs()
    add, a, b = found.add, CALIBRATION, TEST
    # ---------------------------------------------------------------------------------- sequences, loops
    s = Loop(
        samples.waves(), models.Recurrent, {"K": 4, "D": 1, "width": 24, "cell": "lstm"}, epochs=12, rate=1e-2, clip=1.0
    )
    add("lstm-waves", a, "lstm", "series", s, "float classes recurrent")
    s = Loop(
        samples.waves(T=20),
        models.Recurrent,
        {"K": 4, "D": 1, "width": 24, "cell": "gru"},
        epochs=12,
        rate=1e-2,
        clip=1.0,
    )
    add("gru-waves", b, "gru", "series", s, "float classes recurrent")
    s = Loop(
        samples.swings(),
        models.Recurrent,
        {"K": 1, "D": 1, "width": 24, "cell": "rnn"},
        loop.squared,
        loop.explained,
        epochs=15,
        clip=1.0,
    )
    add("rnn-swings", a, "rnn", "series", s, "float values recurrent")
    s = Loop(
        samples.swings(T=24),
        models.Recurrent,
        {"K": 1, "D": 1, "width": 20, "cell": "lstm"},
        loop.squared,
        loop.explained,
        epochs=15,
        rate=5e-3,
    )
    add("lstm-swings", b, "lstm", "series", s, "float values recurrent")
    s = Loop(
        samples.first_of(T=12),
        models.Recurrent,
        {"K": 4, "D": 5, "width": 24, "cell": "gru"},
        epochs=12,
        rate=1e-2,
        clip=1.0,
    )
    add("gru-first", a, "gru", "series", s, "float classes recurrent long")
    s = Loop(
        samples.first_of(T=10),
        models.Recurrent,
        {"K": 4, "D": 5, "width": 24, "cell": "lstm"},
        epochs=16,
        rate=1e-2,
        clip=1.0,
    )
    add("lstm-first", b, "lstm", "series", s, "float classes recurrent long")
    s = Loop(samples.words(), models.Bag, {"K": 2, "V": 60, "dropout": 0.2}, epochs=10)
    add("bag-words", a, "mlp", "texts", s, "tokens classes dense dropout")
    s = Loop(
        samples.words(1500),
        models.Recurrent,
        {"K": 2, "V": 60, "width": 24, "cell": "lstm"},
        epochs=10,
        rate=1e-2,
        clip=1.0,
        more={"weight_decay": 1e-4},
    )
    add("lstm-words", b, "lstm", "texts", s, "tokens classes recurrent")
    s = Loop(samples.words(), models.Encoder, {"K": 2, "V": 60, "T": 16, "dropout": 0.2}, epochs=6, rate=1e-3)
    add("encoder-words", a, "transformer", "texts", s, "tokens classes attention dropout")
    s = Loop(
        samples.words(),
        models.Encoder,
        {"K": 2, "V": 60, "T": 16, "width": 24, "layers": 2, "dropout": 0.2},
        epochs=6,
        rate=1e-3,
        schedule="warm-up",
    )
    add("deep-encoder-words", b, "transformer", "texts", s, "tokens classes attention dropout")
    s = Loop(
        samples.brackets(500),
        models.GPT,
        {"V": 10, "T": 24},
        loop.token_cross_entropy,
        loop.nats_of_tokens,
        epochs=10,
        clip=1.0,
    )
    add("gpt-brackets", a, "gpt", "language", s, "tokens language attention")
    s = Loop(
        samples.reversed_(1200, 5),
        models.GPT,
        {"V": 12, "T": 10},
        loop.token_cross_entropy,
        loop.nats_of_tokens,
        epochs=12,
        rate=5e-3,
        clip=1.0,
    )
    add("gpt-reversed", b, "gpt", "pairs", s, "tokens language attention")
    s = Loop(
        samples.brackets(T=20),
        models.Speller,
        {"V": 10, "cell": "gru"},
        loop.token_cross_entropy,
        loop.nats_of_tokens,
        epochs=12,
        rate=1e-2,
        clip=1.0,
    )
    add("gru-brackets", b, "gru", "language", s, "tokens language recurrent")
    return found
