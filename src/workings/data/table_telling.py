"""What the profiles and fields of a table say that the user should know: one problem a matter, all columns in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workings.base.problems import Problem, shorten
from workings.base.typed import as_typed
from workings.data.schema import Field
from workings.data.table_kinds import KEPT_CATEGORIES, ambiguous_dates
from workings.data.table_profile import ColumnProfile

NAMED = 12  # columns that a message names


def column_problems(
    fields: Sequence[Field], profiles: dict[str, ColumnProfile], rows: int, time_column: str | None
) -> list[Problem]:
    """Warnings and notes about the columns that may become features (the target is not among ``fields``)."""
    found = [*_bad_cells(fields, profiles), *_left_out(fields), *_missing(fields, rows)]
    found += _trimmed(fields, profiles)
    comma = [field.name for field in fields if field.decimal_comma]
    if comma:
        what = f"Numbers of {len(comma)} column(s) are written with a decimal comma and were read so."
        found.append(Problem("note", "decimal-comma", what, shorten(comma, NAMED), len(comma)))
    many = [field for field in fields if field.kind == "categorical" and field.distinct > KEPT_CATEGORIES]
    cut = [f"{field.name} ({field.distinct:,})" for field in many]
    if cut:
        what = f"{len(cut)} column(s) have more than {KEPT_CATEGORIES:,} categories; the rarest share one code."
        found.append(Problem("note", "many-categories", what, shorten(cut, NAMED), len(cut)))
    return found + _dates(fields, profiles, time_column)


def _bad_cells(fields: Iterable[Field], profiles: dict[str, ColumnProfile]) -> list[Problem]:
    found: list[Problem] = []
    for field in fields:
        p = profiles[field.name]
        if field.kind == "numeric" and p.not_numbers.count:
            what = f"'{field.name}' holds numbers, but {p.not_numbers.count:,} of its {p.present:,} values are text."
            why = "They count as missing."
            categories = as_typed("kinds", {field.name: "categorical"})
            do = f"Correct these cells, or take the column for categories: {categories}"
            found.append(Problem("warning", "mixed-types", what, p.not_numbers.where(), p.not_numbers.count, why, do))
        if field.kind in ("categorical", "id", "text") and p.is_text and 0.5 * p.present < p.number < p.present:
            what = f"'{field.name}' holds numbers and text: {p.number:,} of {p.present:,} values are numbers."
            numeric = as_typed("kinds", {field.name: "numeric"})
            do = f"If it is meant to be a number: {numeric}; text then counts as missing."
            why = "It is not taken for a number, so the order of the numbers is lost."
            found.append(Problem("warning", "mixed-types", what, p.not_numbers.where(), p.not_numbers.count, why, do))
        if field.kind == "date":
            read = max((p.date_formats or {}).values(), default=p.present)
            if read < p.present:
                count = p.present - read
                what = f"{count:,} value(s) of '{field.name}' are not dates written as {field.date_format}."
                found.append(Problem("warning", "mixed-types", what, "", count, "They count as missing."))
        if field.used and p.infinite.count:
            what = f"'{field.name}' has {p.infinite.count:,} infinite value(s)."
            why = "They count as missing; as numbers they would make every mean infinite."
            do = "Replace them, if they mean something."
            found.append(Problem("warning", "infinite-values", what, p.infinite.where(), p.infinite.count, why, do))
    return found


def _left_out(fields: Sequence[Field]) -> list[Problem]:
    found: list[Problem] = []
    as_category = as_typed("kinds", {"COLUMN": "categorical"})
    for kind, code, what, do in (
        ("constant", "constant-column", "have one value only", ""),
        (
            "id",
            "id-column",
            "look like identifiers",
            f"To use one all the same: {as_category}",
        ),
        ("text", "text-column", "hold free text", "To train on a text and nothing else: --set text=COLUMN."),
        ("other", "unusable-column", "hold cells that are no numbers, categories or dates", "Turn them into columns."),
    ):
        named = [field for field in fields if field.kind == kind]
        if named:
            where = shorten((f"{field.name} ({field.reason})" for field in named), NAMED)
            level = "warning" if kind == "other" else "note"
            text = f"{len(named)} column(s) {what} and are left out."
            found.append(Problem(level, code, text, where, len(named), do=do))
    return found


def _missing(fields: Sequence[Field], rows: int) -> list[Problem]:
    gaps = [field for field in fields if field.used and field.missing]
    if not gaps:
        return []
    cells = sum(field.missing for field in gaps)
    kinds = {field.kind for field in gaps}
    plan: list[str] = []
    if kinds & {"numeric", "date"}:
        plan.append("numbers get the median of the training rows and a column that says so")
    if "categorical" in kinds:
        plan.append("categories get a column for missing")
    if "boolean" in kinds:
        plan.append("yes or no gets the more frequent one and a column that says so")
    where = shorten((_gap(field, rows) for field in gaps), NAMED)
    what = f"{cells:,} value(s) are missing in {len(gaps)} column(s). The plan: {'; '.join(plan)}."
    return [Problem("note", "missing-values", what, where, cells)]


def _gap(field: Field, rows: int) -> str:
    written = [f"'{marker}'" for marker in field.markers if marker not in ("", "empty")]
    as_ = f", written {' '.join(written)}" if written else ""
    return f"{field.name} {field.missing:,} ({field.missing / rows:.1%}{as_})"


def _trimmed(fields: Sequence[Field], profiles: dict[str, ColumnProfile]) -> list[Problem]:
    padded = [(field.name, profiles[field.name].padded) for field in fields if profiles[field.name].padded]
    if not padded:
        return []
    cells = sum(count for _, count in padded)
    what = f"Spaces round {cells:,} value(s) in {len(padded)} column(s) were taken away."
    where = shorten((f"{name} {count:,}" for name, count in padded), NAMED)
    return [Problem("note", "trimmed", what, where, cells)]


def _dates(fields: Sequence[Field], profiles: dict[str, ColumnProfile], time_column: str | None) -> list[Problem]:
    dated = [field for field in fields if field.kind == "date"]
    if not dated:
        return []
    found: list[Problem] = []
    names = [field.name for field in dated]
    parts = "year, month, day of the week and the day as a number"
    do = "" if time_column else f"If rows come in the order of time, split by it: {as_typed('time_column', names[0])}"
    found.append(Problem("note", "date-parts", f"Dates become {parts}.", shorten(names, NAMED), len(names), do=do))
    for field in dated:
        if ambiguous_dates(profiles[field.name]):
            what = (
                f"The dates of '{field.name}' can be read day first or month first; they are read {field.date_format}."
            )
            do = "If that is wrong, write them as 2024-01-31."
            found.append(Problem("warning", "ambiguous-dates", what, "", 1, "Months and days would be swapped.", do))
    return found
