"""A text file as its lines, exactly: line n of one file belongs to line n of another, so none may be lost or made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from workings.base.errors import refuse
from workings.base.problems import nearest

MAGIC = (
    (b"PK\x03\x04", "a ZIP or Office file", "Unpack it, or save it as plain text."),
    (b"\x1f\x8b", "a gzip file", "Unpack it first: gunzip."),
    (b"%PDF", "a PDF", "Save its text as a plain text file."),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8."),
    (b"PAR1", "a Parquet file", "Give it alone, with --task translation and the names of its columns."),
)


@dataclass(frozen=True)
class Lines:
    """The lines of a file without their ends, and the sha256 of its bytes."""

    texts: list[str]
    digest: str


def read_lines(path: Path) -> Lines:
    """The lines of a UTF-8 file; they end with LF or CR LF, and with nothing else.

    ``str.splitlines`` would also cut at form feeds, U+2028 and others, which occur inside sentences.

    Raises:
        UserError: no such file, a folder, empty, of another kind, or not UTF-8 (with line and byte).
    """
    if not path.exists():
        beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        guess = nearest(path.name, beside)
        hint = f"Did you mean '{path.parent / guess}'?" if guess else "Check the path."
        raise refuse("no-such-file", f"There is no file '{path}'.", do=hint)
    if path.is_dir():
        what = f"'{path}' is a folder."
        raise refuse("not-a-text", what, do="Give a text file, one text a line.")
    content = path.read_bytes()
    for magic, kind, do in MAGIC:
        if content.startswith(magic):
            raise refuse("not-a-text", f"'{path}' is {kind}, not plain text.", do=do)
    if not content.strip():
        raise refuse("empty-file", f"'{path}' is empty.", why="There is nothing to learn from.", do="Give another.")
    digest = hashlib.sha256(content).hexdigest()
    text = _decoded(path, content).removeprefix("\ufeff")
    if "\n" not in text and "\r" in text:
        raise refuse("line-ends", f"The lines of '{path}' end with CR alone.", do="Convert them: tr '\\r' '\\n'.")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":  # behind the last line's end there is no line
        lines.pop()
    return Lines(lines, digest)


def _decoded(path: Path, content: bytes) -> str:
    at = content.find(b"\0")
    if at < 0:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            at = error.start
    before = content[:at]
    start = before.rpartition(b"\n")[2][-20:].decode("utf-8", "replace")
    raise refuse(
        "bad-encoding",
        f"'{path}' is not UTF-8 text: byte {at:,} is 0x{content[at]:02x}.",
        where=f"line {before.count(10) + 1:,}, after {start!r}",
        why="The characters that follow cannot be known, so words would be wrong.",
        do=f"Convert it: iconv -f latin1 -t utf-8 {path.name} > converted (latin1 being what it often is).",
    )
