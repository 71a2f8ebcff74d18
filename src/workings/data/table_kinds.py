"""The kind of each column, with the reason.

The rules, in their order; the first that holds decides, and ``kinds={"column": "numeric"}`` overrules all of them:

1. no value, or one value in every row: constant.
2. dates, booleans and categories that the file declares as such are taken at their word.
3. text of which nine cells in ten are numbers is a column of numbers; the rest is told and counts as missing.
4. whole numbers written with leading zeros, or of which the name says that they are codes: categorical.
5. two different whole numbers: boolean.
6. whole numbers that are all different and count the rows, or of which the name says so: id.
7. every other column of numbers is numeric, few different ones too: order is information, and a network can
   bend it.
8. text that one date format reads in nine cells of ten: date.
9. yes and no in one of their ways of writing: boolean.
10. text of which more than half the cells are different: text where it has many words, id where not.
11. other text: categorical.
"""

from __future__ import annotations

import re

from workings.data.schema import Field, Kind
from workings.data.split import FEW_ROWS
from workings.data.table_profile import ColumnProfile, boolean_words

NUMBER_SHARE = 0.9  # of cells that are numbers, from which on a column of text is a column of numbers
DIFFERENT_SHARE = 0.5  # of cells that are different, from which on text is no category
MOST_CODES = 50  # different whole numbers that may be codes where the name hints at it
KEPT_CATEGORIES = 10_000
SHOWN_VALUES = 10

_ID_NAME = re.compile(
    r"(^|[_\s.-])(id|idx|index|uuid|guid|key|nr|no|number|rowid|row)$|^(id|index|uuid|unnamed)\b", re.I
)
_CAMEL_ID = re.compile(r"[a-z]I[dD]$")
_CODE_NAME = re.compile(r"(^|[_\s.-])(code|cd|type|kind|cat|category|class|group|region|cluster|zone)$", re.I)
_POST_NAME = re.compile(r"(^|[_\s.-])(zip|zipcode|postcode|postal|plz)([_\s.-]?code)?$", re.I)
_UUID = re.compile(r"^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$", re.I)

USED: frozenset[Kind] = frozenset({"numeric", "categorical", "boolean", "date"})


def find_field(profile: ColumnProfile, forced: Kind | None = None, positional: bool = False) -> Field:
    """The field that the column of ``profile`` is.

    forced: the kind that the user asked for. positional: the column has no name of its own; a column of an array that
    counts its rows is meant to be there, and no id.
    """
    kind, reason = _find(profile)
    if kind == "id" and positional and profile.number == profile.present:
        kind, reason = "numeric", f"numbers, {profile.distinct:,} different"
    if forced is not None and forced != kind:
        kind, reason = forced, f"as asked for; it was taken for {kind}: {reason}"
    field = Field(
        name=profile.name,
        kind=kind,
        reason=reason,
        used=kind in USED,
        dtype="text" if profile.is_text else profile.dtype.lower(),
        missing=profile.missing,
        markers=profile.markers,
        distinct=profile.distinct,
        distinct_is_estimate=profile.distinct_is_estimate,
    )
    if kind == "numeric" and profile.finite:
        field = field.model_copy(update=_figures(profile))
    values = profile.values()
    if kind in ("categorical", "boolean", "constant") or (kind in ("text", "id") and values):
        field = field.model_copy(update={"top": values[:SHOWN_VALUES]})
    if kind == "categorical":
        field = field.model_copy(update={"categories": [value for value, _ in values[:KEPT_CATEGORIES]]})
    if kind == "boolean":
        field = field.model_copy(update={"categories": _no_and_yes(profile)})
    if kind == "date":
        date_format = best_date_format(profile) or ("%Y%m%d" if profile.is_text else None)
        field = field.model_copy(update={"date_format": date_format, "date_has_time": _has_time(profile)})
    return field


def best_date_format(profile: ColumnProfile) -> str | None:
    """The format that reads the most cells; the earlier in the list where several do."""
    formats = profile.date_formats or {}
    return max(formats, key=lambda form: formats[form]) if formats else None


def ambiguous_dates(profile: ColumnProfile) -> bool:
    """Whether day-first and month-first read all cells equally well."""
    formats = profile.date_formats or {}
    best = max(formats.values(), default=0)
    winners = {form for form, count in formats.items() if count == best}
    return any(form.startswith("%d") for form in winners) and any(form.startswith("%m") for form in winners)


def _find(p: ColumnProfile) -> tuple[Kind, str]:
    distinct, share = p.distinct, p.distinct / max(p.present, 1)
    if p.present == 0:
        return "constant", "it has no value at all"
    if p.dtype in ("List", "Array", "Struct", "Object", "Binary"):
        return "other", f"cells of type {p.dtype.lower()} are no numbers, categories or dates"
    if distinct == 1 and p.missing == 0:
        return "constant", f"every row has the value '{_only(p)}'"
    if p.dtype == "Boolean":
        return "boolean", "the cells are true or false"
    if p.dtype in ("Date", "Datetime"):
        return "date", "the cells are dates"
    if p.dtype in ("Categorical", "Enum"):
        return "categorical", f"declared as such, {distinct:,} different"
    if p.dtype in ("Time", "Duration"):
        return "other", f"cells of type {p.dtype.lower()}: give them as numbers"
    if p.number >= NUMBER_SHARE * p.present:
        return _of_numbers(p, distinct)
    if p.date_formats and max(p.date_formats.values()) >= NUMBER_SHARE * p.present:
        return "date", f"read as {best_date_format(p)}"
    values = [value for value, _ in p.values()]
    if words := boolean_words(values):
        return "boolean", f"'{words[0]}' and '{words[1]}' say no and yes"
    if p.present >= FEW_ROWS and values and all(_UUID.match(value) for value in values[:20]):
        return "id", "the cells are identifiers (UUID)"
    if not p.counting and p.counts is None:
        return ("text" if _words(p) >= 3 else "id"), f"{distinct:,} different values are too many to learn one by one"
    if p.present >= FEW_ROWS and share > DIFFERENT_SHARE:
        said = f"{share:.0%} of the values are different"
        return ("text" if _words(p) >= 3 else "id"), f"{said}: too few rows share one"
    return "categorical", f"text, {distinct:,} different"


def _of_numbers(p: ColumnProfile, distinct: int) -> tuple[Kind, str]:
    whole = p.whole == p.finite > 0
    if not whole:
        return "numeric", f"numbers, {distinct:,} different"
    span = f"{int(p.min):,} to {int(p.max):,}"
    if p.leading_zeros and p.is_text and p.leading_zeros > 0.01 * p.looked_at:
        kind: Kind = "id" if distinct == p.present >= FEW_ROWS else "categorical"
        return kind, "numbers written with leading zeros are codes"
    if _POST_NAME.search(p.name):
        return "categorical", "the name says that the numbers are codes of places"
    if distinct == 2:
        return "boolean", f"two whole numbers, {int(p.min)} and {int(p.max)}"
    if (distinct == p.present >= FEW_ROWS and not p.distinct_is_estimate) or distinct > 0.98 * p.present >= 10_000:
        if p.max - p.min + 1 == p.present:
            return "id", f"whole numbers that count the rows, {span}"
        if _ID_NAME.search(p.name) or _CAMEL_ID.search(p.name):
            return "id", f"whole numbers, all different, and called '{p.name}'"
    if distinct <= MOST_CODES and _CODE_NAME.search(p.name):
        return "categorical", f"{distinct} different whole numbers, which the name '{p.name}' says are codes"
    if distinct <= 10:
        return "numeric", f"whole numbers, {span}, {distinct} different; taken to be ordered, not codes"
    return "numeric", f"whole numbers, {span}, {distinct:,} different"


def _figures(p: ColumnProfile) -> dict[str, object]:
    # float32 keeps 24 bits: too few where the values lie far from 0 and close together, such as years in seconds.
    spacing = max(abs(p.min), abs(p.max)) * 2.0**-24
    return {
        "min": p.min,
        "max": p.max,
        "mean": p.mean,
        "std": p.std,
        "zeros": p.zeros,
        "decimal_comma": bool(p.decimal_comma),
        "whole": p.whole == p.finite,
        "wide": bool(p.std > 0 and spacing > 1e-4 * p.std),
    }


def _no_and_yes(p: ColumnProfile) -> list[str]:
    """The two values of a boolean column as labels, no first."""
    if p.dtype == "Boolean":
        return ["false", "true"]
    values = [value for value, _ in p.values()]
    if p.number >= NUMBER_SHARE * p.present and p.finite:
        return [_said(p.min), _said(p.max)]
    return list(boolean_words(values) or sorted(values)[:2])


def _said(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _has_time(p: ColumnProfile) -> bool:
    return p.times > 0


def _words(p: ColumnProfile) -> float:
    """Words a cell, on average."""
    return p.words / max(p.looked_at, 1)


def _only(p: ColumnProfile) -> str:
    values = p.values()
    return values[0][0] if values else f"{p.mean:g}"
