"""Arrays of images: every layout and number type, brought to one form, and held to it at prediction."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workings.base.errors import UserError
from workings.data.images import ImageDataset, looks_like_images, open_images, read_images_for


def bytes_of(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


Y = np.arange(12) % 3


def everything(dataset: ImageDataset) -> torch.Tensor:
    """All samples as the net sees them, prepared on themselves."""
    rows = np.arange(dataset.n)
    return dataset.source(dataset.fit(rows), rows).x(torch.arange(dataset.n))


LAYOUTS = [
    ((12, 8, 9), (1, 8, 9)),
    ((12, 8, 9, 1), (1, 8, 9)),
    ((12, 8, 9, 3), (3, 8, 9)),
    ((12, 3, 8, 9), (3, 8, 9)),
    ((12, 1, 8, 9), (1, 8, 9)),
    ((12, 8, 9, 4), (4, 8, 9)),
]


@pytest.mark.parametrize(("given_shape", "wanted"), LAYOUTS)
def test_every_layout_becomes_channels_first(given_shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """(N, H, W), (N, H, W, C) and (N, C, H, W) are told apart; the pixels are the same."""
    X = bytes_of(*given_shape)
    assert looks_like_images((X, Y))
    dataset = open_images((X, Y))
    rows = np.arange(12)
    source = dataset.source(dataset.fit(rows), rows)
    assert source.shape == wanted
    first = X.transpose(0, 3, 1, 2) if X.ndim == 4 and X.shape[1] == 8 else X.reshape(12, *wanted)
    assert np.array_equal(source.to_pixels(source.x(torch.arange(12))), first)
    assert source.where(4) == "row 5"


@given(X=arrays(np.uint8, (6, 2, 3)), y=st.permutations([0, 0, 0, 1, 1, 1]))
def test_scale_and_number_type_do_not_matter(X: np.ndarray, y: list[int]) -> None:
    """Bytes, the same as floats of 0…1, and as integers: the net sees the same up to rounding."""
    X[0, 0, 0], X[-1, -1, -1] = 0, 255
    samples = [
        everything(open_images((Z, np.array(y)))) for Z in (X, X / 255, X.astype(np.int64), X.astype(np.float32))
    ]
    for other in samples[1:]:
        torch.testing.assert_close(other, samples[0], atol=1e-4, rtol=1e-4)


def test_floats_of_any_range_keep_their_precision() -> None:
    """Values that are no bytes stay floats: two that differ by a ten-thousandth still differ."""
    X = np.linspace(-3, 5, 12 * 16).reshape(12, 4, 4)
    X[0, 0, 1] = X[0, 0, 0] + 1e-4
    dataset = open_images((X, Y))
    prep = dataset.fit(np.arange(12))
    assert (prep.pixels, prep.low, prep.high) == ("floats", -3.0, 5.0)
    x = everything(dataset)
    assert x[0, 0, 0, 0] != x[0, 0, 0, 1]
    torch.testing.assert_close(x.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std(correction=0), torch.tensor(1.0), atol=1e-5, rtol=0)


LABELS = [
    (np.array([0, 1, 2] * 4), "multiclass", ["0", "1", "2"]),
    (np.array([0.0, 1.0, 2.0] * 4), "multiclass", ["0", "1", "2"]),
    (np.array(["b", "a"] * 6), "binary", ["a", "b"]),
    (np.array([True, False] * 6), "binary", ["False", "True"]),
    (np.array([[10], [9], [2]] * 4), "multiclass", ["2", "9", "10"]),
    (np.linspace(0, 1, 12), "regression", None),
]


@pytest.mark.parametrize(("y", "kind", "classes"), LABELS)
def test_labels_of_any_type_are_classes_or_numbers(y: np.ndarray, kind: str, classes: list[str] | None) -> None:
    """Integers, whole floats, text and booleans are classes; fractions are numbers."""
    dataset = open_images((bytes_of(12, 5, 5), y))
    assert (dataset.task.kind, dataset.task.classes) == (kind, classes)
    source = dataset.source(dataset.fit(np.arange(12)), np.arange(12))
    if classes:
        assert [classes[k] for k in source.y.tolist()] == [str(v).removesuffix(".0") for v in y.ravel().tolist()]
    else:
        torch.testing.assert_close(source.y.std(correction=0), torch.tensor(1.0))


WRONG = [
    (bytes_of(12, 5, 5), np.arange(11), "target-length"),
    (bytes_of(12, 5, 5), np.eye(12), "target-length"),
    (bytes_of(12, 5, 5), np.full(12, np.nan), "missing-target"),
    (bytes_of(12, 5, 5), np.zeros(12), "one-class"),
    (bytes_of(12, 5, 5), None, "no-target"),
    (np.full((12, 5, 5), np.nan), Y, "non-finite-images"),
    (bytes_of(12, 5), Y, "array-shape"),
    (bytes_of(12, 5, 6, 7), Y, "array-shape"),
    (bytes_of(12, 3, 6, 3), Y, "array-shape"),
    (np.full((12, 5, 5), "a"), Y, "array-type"),
    (bytes_of(0, 5, 5), np.arange(0), "no-images"),
]


@pytest.mark.parametrize(("X", "y", "code"), WRONG, ids=[code + str(k) for k, (*_, code) in enumerate(WRONG)])
def test_wrong_arrays_get_a_message(X: np.ndarray, y: np.ndarray | None, code: str) -> None:
    """Lengths, missing labels, NaN pixels, unclear channels: one message each, with what to do."""
    with pytest.raises(UserError) as caught:
        open_images(X if y is None else (X, y))
    assert [problem.code for problem in caught.value.problems] == [code]


def test_arrays_are_resized_on_request_only() -> None:
    """``size=`` resizes and tells; the mean brightness stays."""
    X = bytes_of(12, 20, 30, 3)
    dataset = open_images((X, Y), size=(10, 15))
    assert any(problem.code == "image-resized" for problem in dataset.problems)
    assert everything(dataset).shape == (12, 3, 10, 15)
    assert abs(dataset.fit(np.arange(12)).mean[0] - X[..., 0].mean() / 255) < 0.01


def test_new_arrays_must_fit_the_training_arrays() -> None:
    """Another size, number of channels or scale is refused, for nothing can be resized or scaled unasked."""
    X = bytes_of(12, 8, 8, 3)
    dataset = open_images((X, Y))
    prep = dataset.fit(np.arange(12))
    again = read_images_for(prep, dataset.schema, X, False)
    assert not again.labelled
    rows = np.arange(12)
    assert torch.equal(again.source(prep, rows).x(torch.arange(12)), everything(dataset))
    assert again.source(prep, rows).y.tolist() == [0] * 12
    scaled = read_images_for(prep, dataset.schema, (X / 255, Y), True)
    torch.testing.assert_close(scaled.source(prep, rows).x(torch.arange(12)), everything(dataset))
    for wrong, message in (
        (X[:, :7], "7×8 pixels instead of 8×8"),
        (X[..., :1], "1 channel.* instead of 3"),
        (X / 127.5 - 1, "from -1 to 1"),
    ):
        with pytest.raises(UserError, match=message):
            read_images_for(prep, dataset.schema, wrong, False)
    with pytest.raises(UserError, match="'5'"):
        read_images_for(prep, dataset.schema, (X, np.full(12, 5)), True)


def test_new_floats_are_scaled_as_in_training() -> None:
    """The range of the training images holds for new ones, whatever theirs is; far outside it is refused."""
    X = np.linspace(-2, 2, 12 * 16).reshape(12, 4, 4)
    dataset = open_images((X, Y))
    prep = dataset.fit(np.arange(12))
    rows = np.arange(3)
    part = read_images_for(prep, dataset.schema, X[3:6], False)
    assert torch.equal(part.source(prep, rows).x(torch.arange(3)), everything(dataset)[3:6])
    outside = read_images_for(prep, dataset.schema, X * 1.3, False)
    assert any(problem.code == "image-range" for problem in outside.problems)
    with pytest.raises(UserError, match="training images ran from -2 to 2"):
        read_images_for(prep, dataset.schema, X * 100, False)
