"""Python code that a user brought: importing a file, finding a class in it, and saying where it fails."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from workings.base.errors import refuse
from workings.base.problems import nearest, shorten

# What code may raise by a mistake in it. A script without a main guard may also try to exit.
USER_CODE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    SystemExit,
)


def split_source(source: str) -> tuple[str, str] | None:
    """``model.py:Net`` as (``model.py``, ``Net``), ``model.py`` as (``model.py``, ``""``); None for other text."""
    if source.endswith(".py"):
        return source, ""
    file, colon, name = source.rpartition(":")
    return (file, name) if colon and file.endswith(".py") else None


def find_in_file(source: str) -> tuple[Path, Any]:
    """The file, and the class, function or net that ``file.py:Name`` names.

    Without a name the file must hold exactly one net class.

    Raises:
        UserError: no such file, it cannot be imported, or it holds no such class.
    """
    parts = split_source(source)
    if parts is None:
        raise refuse("bad-source", f"'{source}' names no net in a file.", do="Write it as model.py:ClassName.")
    path, name = Path(parts[0]), parts[1]
    if not path.is_file():
        near = nearest(path.name, [each.name for each in path.parent.glob("*.py")]) if path.parent.is_dir() else None
        hint = f"Did you mean '{path.parent / near}'? " if near else ""
        raise refuse("missing-file", f"There is no file '{path}'.", do=f"{hint}Give the path of a Python file.")
    module = import_file(path)
    classes = [
        key
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module.__name__
    ]
    if not name:
        if len(classes) != 1:
            what = f"'{path}' holds {len(classes) or 'no'} net classes" + (f": {shorten(classes)}." if classes else ".")
            raise refuse("which-class", what, do=f"Name one: {path}:{classes[0] if classes else 'ClassName'}.")
        name = classes[0]
    if not hasattr(module, name):
        near = nearest(name, classes)
        hint = f"Did you mean '{near}'? " if near else ""
        listed = f"Its net classes are: {shorten(classes)}." if classes else "It holds no subclass of torch.nn.Module."
        raise refuse("missing-class", f"'{path}' holds no '{name}'.", do=f"{hint}{listed}")
    found = getattr(module, name)
    if isinstance(found, nn.Module) or (callable(found) and _makes_nets(found)):
        return path, found
    kind = f"the class {name}" if isinstance(found, type) else f"a {type(found).__name__}"
    raise refuse(
        "not-a-net",
        f"'{source}' is {kind}, not a torch.nn.Module.",
        where=str(path),
        do="Derive the class from torch.nn.Module, and write forward(self, x).",
    )


def _makes_nets(found: Any) -> bool:
    return not isinstance(found, type) or issubclass(found, nn.Module)


def import_file(path: Path) -> ModuleType:
    """Import a Python file by its path; files beside it can be imported by it. Leaves no compiled file behind.

    Raises:
        UserError: the file fails while it is imported; the message holds the line.
    """
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"workings_user_{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and typing look their module up by name
    try:
        with _importing_from(path.resolve().parent):
            spec.loader.exec_module(module)
    except USER_CODE_ERRORS as error:
        del sys.modules[name]
        what = "it exits" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
        raise refuse(
            "import-fails",
            f"'{path}' cannot be imported: {what}",
            where=line_of(error, path),
            do="Correct the file; code that runs a training belongs under if __name__ == '__main__'.",
        ) from error
    return module


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = written


def line_of(error: BaseException, path: Path) -> str:
    """``model.py, line 12``: the innermost line of that file on the way to the error."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{error.filename}, line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).name == path.name:
            return f"{path}, line {frame.lineno}"
    return str(path)
