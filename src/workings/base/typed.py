"""A setting as it is typed on the command line, for messages; from Python the same name takes the same value."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence

_PLAIN = re.compile(r"[^\W\d]\w*( \w+)*")
_OTHER_IN_YAML = frozenset("yes no on off true false null none y n nan inf".split())

Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]


def as_typed(name: str, value: Value) -> str:
    """``--set 'kinds={zip: categorical}'``: what a shell and YAML make of it is ``value`` again."""
    return f"--set {shlex.quote(f'{name}={_yaml(value)}')}"


def _yaml(value: Value) -> str:
    match value:
        case str():
            plain = _PLAIN.fullmatch(value) and value.lower() not in _OTHER_IN_YAML
            return value if plain else json.dumps(value, ensure_ascii=False)
        case Mapping():
            return f"{{{', '.join(f'{_yaml(name)}: {_yaml(each)}' for name, each in value.items())}}}"
        case Sequence():
            return f"[{', '.join(_yaml(each) for each in value)}]"
        case _:
            return json.dumps(value)
