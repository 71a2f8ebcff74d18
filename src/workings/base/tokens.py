"""The numbers that are no words: what every vocabulary begins with, in data, nets and decoding alike."""

from __future__ import annotations

PAD = 0  # behind the end of a text that is shorter than the others of its batch
UNK = 1  # a word that the training texts do not have
BOS = 2  # before the first word, for a net that writes
EOS = 3  # after the last word
SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")
