"""Plain text files: UTF-8 and nothing else, so that no character is guessed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workings.base.errors import UserError
from workings.base.problems import Problem, shorten

_LINE_END = re.compile(r"\r\n|\n|\r")
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a ZIP or Office file", b"%PDF": "a PDF"}


@dataclass(frozen=True)
class Plain:
    """The content of a file, without the mark that some editors write first. digest: sha256 of its bytes."""

    path: Path
    content: str
    digest: str

    def lines(self) -> list[str]:
        """Its lines, without what ends them; only CR and LF end a line, whatever else Unicode calls a separator."""
        lines = _LINE_END.split(self.content)
        return lines[:-1] if lines and not lines[-1] else lines


def read_plain(paths: Iterable[Path]) -> list[Plain]:
    """The content of every file.

    Raises:
        UserError: files that are not UTF-8, each with byte and line; all of them at once.
    """
    found: list[Plain] = []
    bad: list[tuple[Path, str]] = []
    for path in paths:
        raw = path.read_bytes()
        try:
            content = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            bad.append((path, _why(raw, error.start)))
            continue
        if "\0" in content:
            bad.append((path, _why(raw, raw.index(b"\0"))))
            continue
        found.append(Plain(path, content, hashlib.sha256(raw).hexdigest()))
    if bad:
        raise UserError(_not_utf8(bad))
    return found


def _why(raw: bytes, at: int) -> str:
    for mark, kind in _MARKS.items():
        if raw.startswith(mark):
            return f"it is {kind}"
    line = raw.count(b"\n", 0, at) + 1
    return f"line {line:,}: byte {at:,} is 0x{raw[at]:02x}"


def _not_utf8(bad: Sequence[tuple[Path, str]]) -> Problem:
    first = bad[0][0]
    named = f"'{first}' is" if len(bad) == 1 else f"{len(bad):,} files are"
    return Problem(
        "error",
        "bad-encoding",
        f"{named} not UTF-8 text.",
        shorten((why if len(bad) == 1 else f"{path.name}, {why}" for path, why in bad), 8),
        len(bad),
        "The characters that follow cannot be known, so words would be wrong.",
        f"Convert: iconv -f latin1 -t utf-8 {first.name} > converted.txt (latin1 being what it often is).",
    )
