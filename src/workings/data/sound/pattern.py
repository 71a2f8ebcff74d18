"""File names that say what is heard: ``{label}_{group}_{take}``, and guessing such a pattern from the names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten

_FIELD = re.compile(r"\{(\w*)\}")
SEPARATORS = "_-."
MOST_PARTS = 8


@dataclass(frozen=True)
class Said:
    """What a name says; None where the pattern has no such field."""

    label: str | None
    group: str | None


@dataclass(frozen=True)
class NamePattern:
    """A pattern, ready to be matched. on_path: it has a slash, so folders count too."""

    text: str
    regex: re.Pattern[str]
    fields: tuple[str, ...]

    @property
    def on_path(self) -> bool:
        """Whether it is matched against the path below the folder, not against the file's own name."""
        return "/" in self.text

    def match(self, name: str) -> Said | None:
        """What ``name``, a path below the folder, says; None where it does not match. Its suffix does not count."""
        stem = re.sub(r"\.[^./]*$", "", name if self.on_path else name.rsplit("/", 1)[-1])
        found = self.regex.fullmatch(stem)
        if found is None:
            return None
        said = found.groupdict()
        return Said(said.get("label"), said.get("group"))


def read_pattern(text: object) -> NamePattern:
    """The pattern that ``text`` is. Each field takes letters up to the next separator; only the label (without one,
    the group) may hold separators itself, so that there is one way to read a name.

    Raises:
        UserError: it has no {label} and no {group}, a field twice, or fields with nothing between them.
    """
    do = "Write it like {label}_{group}_{take}: {label} and {group} are read, other fields are passed over."
    if not isinstance(text, str) or not text.strip():
        raise refuse("bad-pattern", f"The pattern {text!r} is not a text.", do=do)
    fields = _FIELD.findall(text)
    wrong = []
    if "label" not in fields and "group" not in fields:
        wrong.append("has neither {label} nor {group}")
    twice = sorted({name for name in fields if fields.count(name) > 1 and name in ("label", "group")})
    if twice:
        wrong.append(f"has {' and '.join('{' + name + '}' for name in twice)} more than once")
    if "}{" in text:
        wrong.append("has two fields with nothing between them")
    if "{" in _FIELD.sub("", text) or "}" in _FIELD.sub("", text):
        wrong.append("has a brace that closes no field")
    if wrong:
        raise refuse("bad-pattern", f"The pattern '{text}' {', and '.join(wrong)}.", do=do)
    free = "label" if "label" in fields else "group"
    parts: list[str] = []
    at = 0
    for found in _FIELD.finditer(text):
        parts.append(re.escape(text[at : found.start()]))
        after = text[found.end() : found.end() + 1]
        barred = re.escape("/" + (after or text[found.start() - 1 : found.start()]))
        letters = r"[^/]+" if found[1] == free else f"[^{barred}]+"
        parts.append(f"(?P<{found[1]}>{letters})" if found[1] in ("label", "group") else letters)
        at = found.end()
    parts.append(re.escape(text[at:]))
    return NamePattern(text, re.compile("".join(parts)), tuple(fields))


def match_all(pattern: NamePattern, names: Sequence[str]) -> list[Said]:
    """What every name says.

    Raises:
        UserError: names that do not match, all counted.
    """
    said = [pattern.match(name) for name in names]
    unmatched = [name for name, each in zip(names, said, strict=True) if each is None]
    if unmatched:
        raise UserError(
            Problem(
                "error",
                "name-without-pattern",
                f"{len(unmatched):,} of {len(names):,} file names do not fit the pattern '{pattern.text}'.",
                shorten(unmatched),
                len(unmatched),
                why="What is heard in them would have to be guessed.",
                do="Rename them, take them out, or give a CSV with a column of paths and a column of labels.",
            )
        )
    return [each for each in said if each is not None]


def guess_pattern(names: Sequence[str]) -> str | None:
    """A pattern that the names look made by, such as ``{label}_{group}_{take}``; None where they do not.

    Names of as many parts each, with one separator. A part that counts (its values are numbers, most of them rare) is a
    take; of the others the first is the label, and a second one the group.
    """
    stems = [re.sub(r"\.[^./]*$", "", name.rsplit("/", 1)[-1]) for name in names]
    for separator in SEPARATORS:
        split = [stem.split(separator) for stem in stems]
        counts = {len(parts) for parts in split}
        if len(counts) != 1 or not 2 <= (k := counts.pop()) <= MOST_PARTS:
            continue
        different = [len({parts[i] for parts in split}) for i in range(k)]
        # What tells classes apart comes up again and again; a take does not.
        shared = [i for i in range(k) if 2 <= different[i] <= len(stems) / 3]
        words = [i for i in shared if not all(parts[i].isdecimal() for parts in split)]
        numbers = [i for i in shared if i not in words]
        if not shared:
            continue
        label = shared[0] if shared[0] in words or numbers[:1] == [0] else (words or shared)[0]
        rest = [i for i in words if i != label]
        fields = ["take" if i == k - 1 else f"part{i + 1}" for i in range(k)]
        fields[label] = "label"
        if rest:
            fields[rest[0]] = "group"
        return separator.join("{" + field + "}" for field in fields)
    return None
