"""Laws of folders with a folder per class, whatever is in the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from workings.base.errors import UserError
from workings.data.folders import FileKind, look_into, natural, parts_in, refuse_a_level_too_high, refuse_parts
from workings.data.images.listing import IMAGES
from workings.data.sound.listing import RECORDINGS
from workings.data.text.folders import TEXTS

KINDS = [IMAGES, RECORDINGS, TEXTS]


def make(root: Path, *names: str) -> None:
    """Empty files; folders where a name ends in a stroke."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_every_file_is_taken_or_told(kind: FileKind, tmp_path: Path):
    """Of what lies in the folder, nothing goes missing without a word, hidden things and empty folders included."""
    own, foreign = min(kind.suffixes), min(kind.foreign)
    make(tmp_path, f"cat/1{own}", f"cat/deep/2{own}", f"dog/3{own.upper()}", f"loose{own}", "empty/", ".git/config")
    make(tmp_path, f"dog/old{foreign}", "dog/numbers.dat", "dog/.DS_Store", "dog/.thumbs/1.png")
    listing = look_into(tmp_path, kind).labelled()
    assert listing.names == [f"cat/1{own}", f"cat/deep/2{own}", f"dog/3{own.upper()}"]
    assert listing.labels == ["cat", "cat", "dog"]
    assert [(each.code, each.where) for each in listing.problems] == [
        (f"{kind.noun}s-beside-classes", f"loose{own}"),
        ("empty-class-folder", "empty"),
        ("hidden-files", ".git, dog/.thumbs, dog/.DS_Store"),
        ("unread-format", f"dog/old{foreign}"),
        (f"not-{kind.noun}s", "dog/numbers.dat"),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_a_folder_without_any_is_refused_with_what_it_holds(kind: FileKind, tmp_path: Path):
    """And with what it should hold."""
    make(tmp_path, "a/numbers.dat", "b/numbers.dat")
    with pytest.raises(UserError, match=f"There are no {kind.noun}s") as error:
        look_into(tmp_path, kind)
    assert "2 .dat" in error.value.problems[0].what
    assert error.value.problems[0].do == kind.wanted


def test_files_come_in_the_order_in_which_people_count(tmp_path: Path):
    """s2 before s10, in folders and in their names; without labels the loose ones come first."""
    make(tmp_path, "c10/a10.png", "c10/a9.png", "c2/b.png", "z.png")
    assert look_into(tmp_path, IMAGES).labelled().names == ["c2/b.png", "c10/a9.png", "c10/a10.png"]
    assert look_into(tmp_path, IMAGES).unlabelled().names == ["z.png", "c2/b.png", "c10/a9.png", "c10/a10.png"]
    assert sorted(["s10", "s2", "s", "10", "9"], key=natural) == ["9", "10", "s", "s2", "s10"]


def test_a_link_that_leads_back_is_not_followed_for_ever(tmp_path: Path):
    """Neither to the folder itself nor to one above it."""
    make(tmp_path, "cat/1.png", "dog/2.png")
    (tmp_path / "cat/again").symlink_to(tmp_path / "cat")
    (tmp_path / "dog/up").symlink_to(tmp_path)
    assert look_into(tmp_path, IMAGES).labelled().names == ["cat/1.png", "dog/2.png"]


@pytest.mark.parametrize(
    ("names", "command"),
    [
        (["train", "test"], "workings train 'ROOT/train' --test 'ROOT/test'."),
        (["Training", "dev"], "workings train 'ROOT/Training' --test 'ROOT/dev'."),
        (["train", "test", "val"], "workings train 'ROOT/train' --test 'ROOT/test' ('val/' is not needed"),
        (["train", "cat"], "workings train 'ROOT/train'."),
    ],
)
def test_parts_of_a_data_set_are_refused_with_the_command_that_is_meant(names: list[str], command: str):
    """Which part is which is the user's to say."""
    root = Path("/data")
    problem = refuse_parts(root, parts_in(names)).problems[0]
    assert command.replace("ROOT", "/data") in problem.do


def test_a_level_too_high_is_refused_with_the_level_that_is_meant(tmp_path: Path):
    """A single folder of several folders; a single class is another matter."""
    make(tmp_path, "set/cat/1.png", "set/dog/2.png")
    with pytest.raises(UserError, match="cat, dog") as error:
        refuse_a_level_too_high(tmp_path, "set")
    assert str(tmp_path / "set") in error.value.problems[0].do
    refuse_a_level_too_high(tmp_path / "set", "cat")
