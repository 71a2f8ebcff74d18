"""Reading texts: a text file a class, one text a line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workings.data.schema import Task
from workings.data.text.dataset import Texts


def read_texts(
    data: object, target: str | None, options: Mapping[str, Any]
) -> tuple[Texts, tuple[Task, np.ndarray | None]]:
    """The texts, the task and the class numbers."""
    folder = Path(str(data))
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".txt")
    texts, places, y = [], [], []
    digest = hashlib.sha256()
    for k, path in enumerate(files):
        content = path.read_bytes()
        digest.update(content)
        for line, text in enumerate(content.decode("utf-8").splitlines(), 1):
            if text.strip():
                texts.append(text)
                places.append(f"{path.name}, line {line}")
                y.append(k)
    classes = [path.stem for path in files]
    kind = "binary" if len(classes) == 2 else "multiclass"
    task = Task(
        kind=kind, target=target or "class", classes=classes, reason=f"a file per class: {len(classes)} classes"
    )
    return Texts(texts, None, places, "text", digest.hexdigest(), dict(options)), (task, np.array(y, dtype=np.int64))
