"""Opening recordings: from whatever the user gave to a :class:`SoundDataset`, with every problem told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workings.base.errors import UserError, refuse
from workings.base.events import Decided, Emit, Phase
from workings.base.problems import Problem
from workings.data.bad_files import BadFile, bad_files
from workings.data.folders import Listing
from workings.data.labelled import class_problems, duplicate_problems, known_labels, numbered, of_kept, wrong_choices
from workings.data.path_tables import list_paths
from workings.data.schema import Schema, Task
from workings.data.sound.arrays import Arrays, read_waves, unpack
from workings.data.sound.checks import far_lengths, held_out_problems, label_is_rate
from workings.data.sound.dataset import SoundDataset
from workings.data.sound.decode import Head
from workings.data.sound.describing import describe
from workings.data.sound.features import usual_mel
from workings.data.sound.listing import LISTED, list_folder
from workings.data.sound.plan import Hearing, check_memory, choose_length, choose_rate
from workings.data.sound.prepare import SoundPreparation
from workings.data.sound.reading import Recordings, hear, read_files, read_heads
from workings.data.targets import infer_task, labels_of

TASKS = ("binary", "multiclass", "classification", "regression")


def open_recordings(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, options: Mapping[str, Any]
) -> SoundDataset:
    """Read, decode and check recordings with labels.

    data: a folder with a folder per class, or with names that say the class; a CSV, TSV or Parquet file with a column
        of paths; or ``(waves, labels, rate)``.
    options: ``pattern``, ``group``, ``hold_out``, ``sample_rate``, ``seconds``.

    Raises:
        UserError: everything that is wrong with the recordings and labels, together.
    """
    _check(task, on_bad_file, options)
    if options.get("hold_out") is not None:
        options = {**options, "hold_out": str(options["hold_out"])}  # on the command line 1 is a number
    if isinstance(data, (str, Path)):
        listing = _list(Path(data), target, options, labelled=True)
        recordings = _from_files(listing, on_bad_file, emit, options)
        labels, groups = of_kept(listing.labels, recordings.kept), of_kept(listing.groups, recordings.kept)
        target, by_folder = target or listing.target or "class", listing.by_folder
    else:
        arrays = unpack(data)
        if arrays.labels is None:
            raise refuse("no-target", "The recordings come without labels.", do="Give (waves, labels, rate).")
        recordings = _from_arrays(arrays, on_bad_file, emit, options)
        labels = of_kept(labels_of(arrays.labels, len(arrays.waves), "recording"), recordings.kept)
        groups, target, by_folder = None, target or "y", False
    assert labels is not None
    found = infer_task(labels, target, task, by_folder)
    if found.classes is not None:
        recordings.problems += class_problems(labels, by_folder, "recording")
    recordings.problems += label_is_rate(recordings.rates, labels if found.classes is not None else None)
    recordings.groups = groups
    recordings.problems += held_out_problems(groups, labels, options)
    _finish(recordings, labels, found)
    return SoundDataset(recordings, found, describe(recordings, labels, found), dict(options))


def read_recordings_for(
    prep: SoundPreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    options: Mapping[str, Any],
) -> SoundDataset:
    """New recordings, heard as ``prep`` heard those that were trained on.

    Without ``require_target`` a flat folder, one recording, or ``(waves, rate)`` will do, and labels that are not the
    network's classes are dropped, which is told.

    Raises:
        UserError: what :func:`open_recordings` refuses; classes that the network does not know, with the nearest name.
    """
    task = prep.task()
    hearing = Hearing(prep.mel, prep.length)
    options = {"pattern": prep.pattern, "group": prep.group, **options}
    if isinstance(data, (str, Path)):
        listing = _list_for(Path(data), prep, options, require_target)
        recordings = _from_files(listing, on_bad_file, emit, options, hearing)
        labels, recordings.groups = of_kept(listing.labels, recordings.kept), of_kept(listing.groups, recordings.kept)
    else:
        arrays = unpack(data)
        recordings = _from_arrays(arrays, on_bad_file, emit, options, hearing)
        labels = None
        if arrays.labels is not None:
            labels = of_kept(labels_of(arrays.labels, len(arrays.waves), "recording"), recordings.kept)
    if labels is None and require_target:
        raise refuse("no-target", "The recordings come without labels, so there is nothing to compare with.")
    labels = known_labels(labels, task, recordings.problems, require_target, "recording")
    recordings.problems += far_lengths(recordings.names, recordings.seconds, prep.shortest, prep.longest)
    _finish(recordings, labels, task)
    return SoundDataset(recordings, task, schema, dict(options))


def _check(task: str | None, on_bad_file: str, options: Mapping[str, Any]) -> None:
    problems = wrong_choices(task, TASKS, on_bad_file)
    for name, least, unit in (("sample_rate", 1_000, "hertz"), ("seconds", 0.025, "seconds")):
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < least):
            what = f"{name} is {value!r}; it must be a number of {unit}, {least:,} at least."
            problems.append(Problem("error", "bad-value", what, do=f"Change {name}, or leave it out."))
    if problems:
        raise UserError(problems)


def _list(path: Path, target: str | None, options: Mapping[str, Any], *, labelled: bool) -> Listing:
    pattern, group = options.get("pattern"), options.get("group")
    if not path.exists():
        raise refuse("no-such-file", f"There is no file or folder '{path}'.")
    if path.is_dir():
        if group is not None and labelled:
            what = f"The group '{group}' would be a column of a table; '{path}' is a folder."
            do = "Let the names say it: --set pattern={group}_{take}, or {label}_{group}_{take}."
            raise refuse("group-of-a-folder", what, do=do)
        return list_folder(path, labelled=labelled, pattern=pattern)
    if path.suffix.lower() in {".csv", ".tsv", ".parquet"}:
        if pattern is not None and labelled:
            what = f"The pattern '{pattern}' is for names in a folder; '{path}' is a table."
            raise refuse("pattern-of-a-table", what, do="Leave it out; --set group=COLUMN names a column of groups.")
        return list_paths(path, target, LISTED, "recording", labelled=labelled, group=group, groups=True)
    if labelled:
        raise refuse("one-recording", f"'{path}' is one recording; learning needs a folder of them.")
    return Listing(path.parent, [path], [path.name])


def _list_for(path: Path, prep: SoundPreparation, options: Mapping[str, Any], require_target: bool) -> Listing:
    """New recordings; names that the training's pattern does not fit are no fault where no labels are needed."""
    try:
        return _list(path, prep.target, options, labelled=require_target)
    except UserError as error:
        if require_target or error.problems[0].code != "name-without-pattern":
            raise
        return _list(path, prep.target, {**options, "pattern": None}, labelled=False)


def _from_files(
    listing: Listing, on_bad_file: str, emit: Emit, options: Mapping[str, Any], hearing: Hearing | None = None
) -> Recordings:
    total = len(listing.files)
    emit(Phase("reading", f"{total:,} recording{'s' if total > 1 else ''}"))
    heads, bad = read_heads(listing.files, listing.names)
    good = [head for head in heads if head is not None]
    if not good:
        bad_files(bad, total, True, "recording")
    hearing = hearing or _choose(good, emit, options)
    most = hearing.mel.samples(hearing.most_frames) / hearing.mel.rate
    check_memory(sum(min(head.seconds, most) for head in good), hearing.mel)
    recordings = read_files(listing.files, listing.names, heads, bad, hearing, emit)
    recordings.problems = [
        *listing.problems,
        *bad_files(recordings.skipped, total, on_bad_file == "skip", "recording"),
        *recordings.problems,
    ]
    return recordings


def _from_arrays(
    arrays: Arrays, on_bad_file: str, emit: Emit, options: Mapping[str, Any], hearing: Hearing | None = None
) -> Recordings:
    total = len(arrays.waves)
    heads = [Head(arrays.rate, 1, len(wave) if hasattr(wave, "__len__") else 1) for wave in arrays.waves]
    hearing = hearing or _choose([head for head in heads if head.samples] or heads, emit, options)
    digest = hashlib.sha256()
    failed: list[BadFile] = []
    recordings = hear(
        read_waves(arrays, failed),
        total,
        arrays.names,
        hearing,
        emit,
        failed,
        lambda k, wave: digest.update(wave.sound_hash),
    )
    recordings.digest, recordings.skipped = digest.hexdigest(), failed
    recordings.problems = [*bad_files(failed, total, on_bad_file == "skip", "recording"), *recordings.problems]
    return recordings


def _choose(heads: list[Head], emit: Emit, options: Mapping[str, Any]) -> Hearing:
    """One rate and one limit for all, told with the reasons."""
    asked = options.get("sample_rate")
    rate, why = choose_rate(heads, None if asked is None else int(asked))
    emit(Decided("sample_rate", rate, why))
    mel = usual_mel(rate)
    most, reason = choose_length(heads, mel, options.get("seconds"))
    emit(Decided("longest_seconds", round(mel.samples(most) / rate, 3), reason))
    return Hearing(mel, most)


def _finish(recordings: Recordings, labels: list[str] | None, task: Task) -> None:
    """Number the labels, look for duplicates, and raise everything that is wrong together."""
    if labels is not None:
        recordings.y = numbered(labels, task, recordings.names, recordings.problems)
        labelled = "\n".join([recordings.digest, *labels, *(recordings.groups or [])])
        recordings.digest = hashlib.sha256(labelled.encode()).hexdigest()
    recordings.labels = labels
    recordings.problems += duplicate_problems(recordings.hashes, recordings.names, labels, "recording", "samples")
    errors = [problem for problem in recordings.problems if problem.level == "error"]
    if errors:
        raise UserError(errors)
