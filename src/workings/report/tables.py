"""What was asked, the data and the net as plain rows of words, ready for the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workings.report.reading import RunFiles
from workings.report.words import count, number, percent
from workings.runs.recipe import Recipe


@dataclass(frozen=True)
class Setting:
    """One line of the recipe. origin: ``given`` by the user, ``derived`` with a reason, or a standing ``default``."""

    name: str
    value: str
    origin: str
    reason: str


def settings(recipe: dict[str, Any]) -> list[Setting]:
    """Every setting of the recipe: first what was given, then what was derived, then the standing defaults."""
    reasons = recipe.get("reasons") or {}
    defaults = Recipe().model_dump(mode="json")
    found = []
    for name, value in recipe.items():
        if name in ("reasons", "schema_version"):
            continue
        if name in reasons:
            origin = "derived"
        elif name in defaults and value == defaults[name]:
            origin = "default"
        else:
            origin = "given"
        found.append(Setting(name, _value(value), origin, str(reasons.get(name, ""))))
    return sorted(found, key=lambda each: ("given", "derived", "default").index(each.origin))


def _value(value: Any) -> str:
    if value is None or value == {} or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value)
    return str(value)


def fields(run: RunFiles) -> list[dict[str, Any]]:
    """A line for each column: name, kind, missing cells, figures, role and the reason for its kind."""
    rows = run.schema.get("rows") or run.card.get("rows") or 0
    found = []
    for each in run.schema.get("fields") or []:
        missing = int(each.get("missing") or 0)
        if each["name"] == run.target:
            role = "target"
        else:
            role = "used" if each.get("used", True) else "not used"
        found.append(
            {
                "name": each["name"],
                "kind": each.get("kind", ""),
                "role": role,
                "missing": f"{missing:,} ({percent(missing / rows)})" if missing and rows else f"{missing:,}",
                "figures": _figures(each),
                "reason": each.get("reason", ""),
            }
        )
    return found


def _figures(each: dict[str, Any]) -> str:
    if each.get("kind") == "numeric" and each.get("mean") is not None:
        spread = f" ± {number(each['std'], 3)}" if each.get("std") is not None else ""
        return f"{number(each['min'], 3)} to {number(each['max'], 3)}, mean {number(each['mean'], 3)}{spread}"
    distinct = f"{'about ' if each.get('distinct_is_estimate') else ''}{count(each.get('distinct', 0), 'value')}"
    top = [f"{value} {n:,}" for value, n in (each.get("top") or [])[:3]]
    return distinct + (f": {', '.join(top)}{' …' if each.get('distinct', 0) > len(top) else ''}" if top else "")


def layers(run: RunFiles) -> list[dict[str, str]]:
    """A line for each layer, as `workings.nets.arithmetic` wrote them to net.json."""
    found = []
    for each in run.net.get("layers") or []:
        multiply_adds = each.get("multiply_adds")
        field = each.get("receptive_field") or []
        found.append(
            {
                "name": str(each.get("name", "")),
                "kind": str(each.get("kind", "")),
                "settings": str(each.get("settings", "")),
                "equation": str(each.get("equation", "")),
                "parameter_equation": str(each.get("parameter_equation", "")),
                "output": "×".join(f"{size}" for size in each.get("output") or []),
                "parameters": f"{each.get('parameters', 0):,}",
                "multiply_adds": "not known" if multiply_adds is None else f"{multiply_adds:,}",
                "receptive_field": "×".join(str(size) for size in field) or "–",
            }
        )
    return found


def layer_totals(run: RunFiles) -> dict[str, str]:
    """The sums below the layers."""
    rows = run.net.get("layers") or []
    return {
        "parameters": f"{run.net.get('parameters', sum(each.get('parameters', 0) for each in rows)):,}",
        "multiply_adds": f"{sum(each.get('multiply_adds') or 0 for each in rows):,}",
    }


def balance(run: RunFiles) -> list[dict[str, Any]]:
    """Rows of each class in all the data, with bars as shares of the largest."""
    counts = run.class_counts
    whole, most = sum(counts), max(counts, default=0)
    return [
        {"name": name, "count": f"{n:,}", "share": percent(n / whole), "bar": round(100 * n / most, 1)}
        for name, n in zip(run.classes, counts, strict=False)
        if most
    ]
