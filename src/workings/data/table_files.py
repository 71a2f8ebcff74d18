"""Delimited text files: encoding, delimiter, header and width of the rows, found before anything is parsed."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten

BLOCK = 8 * 2**20
SNIFFED_BYTES = 256 * 1024
DELIMITERS = (",", "\t", ";", "|")
NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
# What a file of another kind begins with.
MAGIC = (
    (b"PK\x03\x04", "a ZIP or Excel file", "Save the sheet as CSV or Parquet."),
    (b"\x1f\x8b", "a gzip file", "Unpack it first."),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "Save the sheet as CSV."),
    (b"%PDF", "a PDF", "Give the table as CSV or Parquet."),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8."),
)


@dataclass(frozen=True)
class TextFile:
    """A delimited text file that can be read: ``lines`` is the number of line ends, an upper bound for the rows."""

    path: Path
    delimiter: str
    names: list[str]
    digest: str
    lines: int
    problems: list[Problem]


def examine(path: Path) -> TextFile:
    """Read ``path`` once as bytes, then its beginning as rows.

    Raises:
        UserError: empty, not UTF-8 (with byte and line), of another kind; no header; names twice.
    """
    with path.open("rb") as handle:
        head = handle.read(SNIFFED_BYTES)
    for magic, kind, do in MAGIC:
        if head.startswith(magic):
            raise refuse("not-a-table", f"'{path}' is {kind}, not delimited text.", do=do)
    if not head.strip():
        raise refuse("empty-file", f"'{path}' is empty.", why="There is nothing to learn from.", do="Give another.")
    if b"\r" in head and b"\n" not in head:
        raise refuse("line-ends", f"The lines of '{path}' end with CR alone.", do="Convert them: tr '\\r' '\\n'.")
    digest, lines = _scan(path)
    text = head.decode("utf-8-sig", errors="ignore").replace("\r\n", "\n").replace("\r", "\n")
    delimiter = sniff(text)
    rows = csv.reader(_whole_lines(text, len(head)), delimiter=delimiter)
    names = [name.strip() for name in next(rows, [])]
    first = next((row for row in rows if row), None)
    problems = _header_problems(path, names, first)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise UserError(errors)
    usual = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    if delimiter != usual:
        what = f"The cells of '{path.name}' are separated by a {NAMES[delimiter]}."
        problems.append(Problem("note", "delimiter", what))
    names = [name or f"column {k + 1}" for k, name in enumerate(names)]
    return TextFile(path, delimiter, names, digest, lines, problems)


def _scan(path: Path) -> tuple[str, int]:
    """(sha256, line ends) of a file in UTF-8.

    Raises:
        UserError: bytes that are no UTF-8, or zero bytes.
    """
    digest, lines, at = hashlib.sha256(), 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            digest.update(block)
            kept = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                _refuse_bytes(path, at - kept + error.start)
            zero = block.find(b"\0")
            if zero >= 0:
                _refuse_bytes(path, at + zero)
            lines += block.count(b"\n")
            at += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _refuse_bytes(path, at - 1)
    return digest.hexdigest(), lines


def _refuse_bytes(path: Path, at: int) -> None:
    with path.open("rb") as handle:
        before = handle.read(at)
        bad = handle.read(1)
    line = before.count(b"\n") + 1
    raise refuse(
        "bad-encoding",
        f"'{path}' is not UTF-8 text: byte {at:,} is 0x{bad.hex()}.",
        where=f"line {line:,}, after {before[-20:].rpartition(chr(10).encode())[2].decode('utf-8', 'replace')!r}",
        why="The characters that follow cannot be known, so names and categories would be wrong.",
        do=f"Convert it: iconv -f latin1 -t utf-8 {path.name} > converted.csv (latin1 being what it often is).",
    )


def sniff(text: str) -> str:
    """The delimiter that cuts the first lines into the most columns, the same number in (almost) every line."""
    lines = [line for line in text.split("\n")[:200] if line.strip()][:100]
    best, score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        agreement = count / sum(widths.values())
        if width > 1 and (round(agreement, 1), width) > score:
            best, score = delimiter, (round(agreement, 1), width)
    return best


def _whole_lines(text: str, read: int) -> Iterator[str]:
    """Lines with their ends; the last one only where the text is not cut."""
    lines = text.split("\n")
    yield from (line + "\n" for line in (lines[:-1] if read == SNIFFED_BYTES else lines))


def _header_problems(path: Path, names: list[str], first: list[str] | None) -> list[Problem]:
    found: list[Problem] = []
    twice = [name for name, count in Counter(name for name in names if name).items() if count > 1]
    numeric = [name for name in names if _is_number(name)]
    counted = [[str(k + start) for k in range(len(names))] for start in (0, 1)]  # names that programs give
    if numeric and len(numeric) == len(names) and names not in counted:
        found.append(
            Problem(
                "error",
                "no-header",
                f"The first line of '{path}' holds numbers where the names of the columns should be.",
                shorten(names, 8),
                len(names),
                "The first row of data would be lost, and the columns would be called by its numbers.",
                "Write a first line of names, such as x1,x2,…,y.",
            )
        )
    elif twice:
        found.append(duplicated_names(twice, f"'{path}'"))
    unnamed = [k + 1 for k, name in enumerate(names) if not name]
    if unnamed:
        what = (
            f"{len(unnamed)} column(s) of '{path.name}' have no name; they are called 'column {unnamed[0]}' and so on."
        )
        found.append(Problem("note", "unnamed-column", what, "the first line", len(unnamed)))
    if first is None:
        found.append(
            Problem(
                "error",
                "header-only",
                f"'{path}' has a header and no rows.",
                shorten(names, 8),
                why="There is nothing to learn from.",
                do="Give a file with rows.",
            )
        )
    return found


def duplicated_names(names: list[str], source: str) -> Problem:
    """The problem of two columns with one name."""
    return Problem(
        "error",
        "duplicated-column",
        f"{len(names)} name(s) stand for more than one column of {source}.",
        shorten(names, 10),
        len(names),
        "It cannot be known which one is meant.",
        "Rename or remove the repeated columns.",
    )


def ragged_rows(file: TextFile, most: int = 2_000_000) -> tuple[list[int], list[int]]:
    """Row numbers (from 1) that have (too many, too few) cells, among the first ``most`` rows."""
    long, short, width = [], [], len(file.names)
    with file.path.open(encoding="utf-8-sig", newline="") as handle:
        rows = csv.reader(handle, delimiter=file.delimiter)
        next(rows)
        for number, row in enumerate(rows, 1):
            if len(row) > width:
                long.append(number)
            elif row and len(row) < width:
                short.append(number)
            if number >= most:
                break
    return long, short


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
