"""Opening images: from whatever the user gave to an :class:`ImageDataset`, with every problem told at once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np

from workings.base.errors import UserError, refuse
from workings.base.events import Decided, Emit, Phase, silent
from workings.base.problems import Problem
from workings.data.bad_files import bad_files
from workings.data.folders import Listing
from workings.data.images.arrays import read_array
from workings.data.images.cache import cache_folder, decode_into_cache
from workings.data.images.dataset import ImageDataset, Images
from workings.data.images.decode import SUFFIXES, Plan
from workings.data.images.listing import list_folder
from workings.data.images.matching import match_arrays, warn_of_other_sizes
from workings.data.images.plan import Choice, choose_plan
from workings.data.images.prepare import ImagePreparation
from workings.data.images.reading import decode_all, read_headers
from workings.data.images.store import HASH_BYTES, MemoryPixels, MemorySink, free_memory, pixel_hash
from workings.data.labelled import class_problems, duplicate_problems, known_labels, numbered, of_kept, wrong_choices
from workings.data.path_tables import has_paths, list_paths
from workings.data.schema import Schema, Task
from workings.data.targets import infer_task, labels_of
from workings.data.unsupervised import anomalies_of_labels, check_binarise, unsupervised_task

TASKS = ("binary", "multiclass", "classification", "regression", "unsupervised")
MEMORY_SHARE = 0.25  # of the free memory that the pixels may take; training needs the rest

Size = int | tuple[int, int]
OnBadFile = Literal["refuse", "skip"]


def looks_like_images(data: object) -> bool:
    """Whether :func:`open_images` is the reader for ``data``: a folder, an image, a table of paths, or 3-4-D arrays."""
    if isinstance(data, (str, Path)):
        path = Path(data)
        return path.is_dir() or path.suffix.lower() in SUFFIXES or (path.is_file() and has_paths(path, SUFFIXES))
    X = data[0] if isinstance(data, tuple) and len(data) == 2 else data
    return getattr(X, "ndim", 0) in (3, 4) and hasattr(X, "dtype")


def open_images(
    data: object,
    *,
    target: str | None = None,
    task: str | None = None,
    on_bad_file: OnBadFile = "refuse",
    in_memory: bool | None = None,
    size: Size | None = None,
    channels: int | None = None,
    cache: str | Path | None = None,
    anomalies: list[object] | None = None,
    binarise: float | None = None,
    emit: Emit = silent,
) -> ImageDataset:
    """Read, decode and check images with labels.

    data: a folder with a folder per class; a CSV, TSV or Parquet file with a column of paths; or ``(X, y)`` with
        X (N, H, W), (N, H, W, C) or (N, C, H, W).
    target: the column to learn, for tables. task: binary, multiclass, classification, regression; None to find; or
        unsupervised, which needs no labels. anomalies: of it, the classes that are anomalies.
    binarise: see :class:`ImagePreparation`.
    on_bad_file: ``refuse`` (one report of all of them) or ``skip`` (left out, counted, listed).
    in_memory: None decides by the free memory; False keeps the pixels in a mapped Arrow file in ``cache``.
    size: a side, or (height, width). channels: 1 or 3.

    Raises:
        UserError: everything that is wrong with the images and labels, together.
    """
    if wrong := wrong_choices(task, TASKS, on_bad_file):
        raise UserError(wrong)
    check_binarise(binarise)
    X, y, path = _unpack(data)
    needed = task != "unsupervised"
    labels: list[str] | None = None
    if path is None:
        if y is None and needed:
            raise refuse("no-target", "The images come without labels.", do="Give a pair (X, y).")
        images = _from_arrays(X, size)
        by_folder, target = False, target or "y"
        labels = None if y is None else labels_of(y, len(images.pixels), "image")
    else:
        listing = _list(path, target, labelled=needed)
        images = _from_files(listing, on_bad_file, in_memory, size, channels, cache, emit)
        by_folder, target = listing.by_folder, listing.target or "class"
        labels = of_kept(listing.labels, images.kept)
    if not needed:
        found = unsupervised_task(labels, target, anomalies)
        return _finish(images, labels, found, Schema(rows=len(images.pixels), task=found), binarise)
    if anomalies is not None:
        raise anomalies_of_labels()
    assert labels is not None
    found = infer_task(labels, target, task, by_folder)
    if found.classes is not None:
        images.problems += class_problems(labels, by_folder, "image")
    return _finish(images, labels, found, Schema(rows=len(images.pixels), task=found), binarise)


def read_images_for(
    prep: ImagePreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    *,
    on_bad_file: OnBadFile = "refuse",
    in_memory: bool | None = None,
    cache: str | Path | None = None,
    emit: Emit = silent,
) -> ImageDataset:
    """New images in the form that ``prep`` gave to the training images.

    Without ``require_target`` a flat folder, one image file or X alone will do, and labels that are there but are
    not the network's classes are dropped, which is told.

    Raises:
        UserError: what :func:`open_images` refuses; classes that the network does not know, with the nearest name.
    """
    task = prep.task()
    require_target = require_target and task.kind != "unsupervised"  # there labels only judge
    X, y, path = _unpack(data)
    labels: list[str] | None = None
    if path is None:
        images = _from_arrays(X, None)
        match_arrays(images, prep)
        if y is not None:
            labels = labels_of(y, len(images.pixels), "image")
    else:
        listing = _list(path, task.target, labelled=require_target)
        choice = Choice(prep.plan(), "as in training", "as in training")
        images = _from_files(listing, on_bad_file, in_memory, None, None, cache, emit, choice)
        warn_of_other_sizes(images, prep)
        labels = of_kept(listing.labels, images.kept)
    if labels is None and require_target:
        raise refuse("no-target", "The images come without labels, so there is nothing to compare with.")
    labels = known_labels(labels, task, images.problems, require_target, "image")
    return _finish(images, labels, task, schema, prep.binarise)


def _unpack(data: object) -> tuple[Any, Any, Path | None]:
    """(X, y, None) or (None, None, path)."""
    if isinstance(data, (str, Path)):
        path = Path(data)
        if not path.exists():
            raise refuse("no-such-file", f"There is no file or folder '{path}'.")
        return None, None, path
    X, y = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    return np.asarray(X), None if y is None else np.asarray(y), None


def _list(path: Path, target: str | None, *, labelled: bool) -> Listing:
    if path.is_dir():
        return list_folder(path, labelled=labelled)
    if path.suffix.lower() in SUFFIXES:
        if labelled:
            raise refuse("one-image", f"'{path}' is one image; learning needs a folder of them.")
        return Listing(path.parent, [path], [path.name])
    return list_paths(path, target, SUFFIXES, "image", labelled=labelled)


def _from_files(
    listing: Listing,
    on_bad_file: OnBadFile,
    in_memory: bool | None,
    size: Size | None,
    channels: int | None,
    cache: str | Path | None,
    emit: Emit,
    choice: Choice | None = None,
) -> Images:
    """Look at every head, plan, decode, and refuse or skip what is bad."""
    total = len(listing.files)
    emit(Phase("reading", f"{total:,} images"))
    headers, bad = read_headers(listing.files, listing.names)
    good = [header for header in headers if header is not None]
    if not good:
        bad_files(bad, total, True, "image")
    new = choice is None
    if choice is None:
        choice = choose_plan(good, size, channels)
        emit(Decided("image_size", [choice.plan.height, choice.plan.width], choice.size_reason))
        emit(Decided("image_channels", choice.plan.channels, choice.channels_reason))
    plan = choice.plan
    shape = (plan.channels, plan.height, plan.width)
    needed = len(good) * int(np.prod(shape))
    if in_memory is None:
        free = free_memory()
        in_memory = needed <= MEMORY_SHARE * free
        if not in_memory:
            why = f"{needed / 2**30:.1f} GiB of pixels are more than a quarter of the {free / 2**30:.1f} GiB free"
            emit(Decided("images_in_memory", False, why))
    problems = list(listing.problems)
    if in_memory:
        reading = decode_all(listing.files, listing.names, headers, bad, plan, MemorySink(len(good), shape))
    else:
        folder = Path(cache) if cache else cache_folder()
        reading, arrow, again = decode_into_cache(folder, listing.files, listing.names, headers, bad, plan)
        how = "were decoded earlier into" if again else "were decoded into"
        what = f"{len(reading.kept):,} images {how} '{arrow}' and are read from there."
        problems.append(Problem("note", "images-on-disk", what, do="The file may be deleted; it is then made again."))
    problems += bad_files(reading.bad, total, on_bad_file == "skip", "image") + reading.problems()
    if new and "resized" in reading.facts:
        problems.append(_size_problem(choice))
    one_size = len({(header.height, header.width) for header in good}) == 1 and "resized" not in reading.facts
    names = [listing.names[k] for k in reading.kept.tolist()]
    hashes, digest = reading.hashes, reading.digest
    return Images(
        reading.pixels, 0.0, 255.0, plan, one_size, names, None, hashes, digest, problems, reading.kept, reading.bad
    )


def _from_arrays(X: np.ndarray, size: Size | None) -> Images:
    read = read_array(X, size)
    pixels = MemoryPixels(read.pixels)
    channels, height, width = pixels.shape
    hashes = np.array([pixel_hash(image) for image in read.pixels], dtype=f"S{HASH_BYTES}")
    names = [f"row {k + 1}" for k in range(len(pixels))]
    plan = Plan(height, width, channels)
    kept = np.arange(len(pixels))
    return Images(pixels, read.low, read.high, plan, True, names, None, hashes, read.digest, read.problems, kept)


def _size_problem(choice: Choice) -> Problem:
    plan = choice.plan
    fitted = {
        "crop": "the centre is kept where the aspect ratio differs a little",
        "pad": "nothing is cropped; what is missing is filled with the colour of the border",
    }
    what = f"Every image is brought to {plan.height}×{plan.width} pixels: {choice.size_reason}."
    why = f"Small things may vanish when an image is made smaller. Fitting: {fitted[plan.aspect]}."
    return Problem("note", "image-size", what, why=why, do="Choose another size if that matters.")


def _finish(
    images: Images, labels: list[str] | None, task: Task, schema: Schema, binarise: float | None = None
) -> ImageDataset:
    """Number the labels, look for duplicates, and raise everything that is wrong together."""
    if labels is not None:
        images.y = numbered(labels, task, images.names, images.problems)
        labelled = "\n".join([images.digest, *labels])
        images.digest = hashlib.sha256(labelled.encode()).hexdigest()
    images.problems += duplicate_problems(images.hashes, images.names, labels, "image", "pixels")
    errors = [problem for problem in images.problems if problem.level == "error"]
    if errors:
        raise UserError(errors)
    return ImageDataset(images, task, schema, binarise)
