"""What a report shows of a variational autoencoder: units that are active, in order, and pictures of their size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
from PIL import Image

import workings
from workings.report.reading import read_run
from workings.report.vae import active_units, sections


def test_active_units_come_by_variance() -> None:
    """From the codes that were told of the test samples; at most eight, none that hardly varies."""
    rng = np.random.default_rng(0)
    spread = [0.5, 0.01, 1.0, *[0.8] * 9]
    frame = polars.DataFrame(
        {"row": range(500), **{f"z{i + 1}": s * rng.normal(size=500) for i, s in enumerate(spread)}}
    )
    found = active_units(frame)
    assert found[0][0] == 2
    assert len(found) == 8
    assert active_units(frame.select("row", "z1", "z2", "z3"))[1][0] == 0
    assert active_units(frame.select("row", "z2")) == []
    assert active_units(frame.head(1)) == []


def test_the_report_shows_draws_and_units(tmp_path: Path) -> None:
    """48 draws; a row of 11 pictures for each active unit, which the text names."""
    rng = np.random.default_rng(1)
    x = np.zeros((200, 1, 8, 8), np.uint8)
    for picture in x:
        picture[0, rng.integers(8)] = 255
    settings = {"lane": "eager@1", "learning_rate": 0.02, "batch_size": 16, "binarise": 0.5, "code": 3, "hidden": [16]}
    net = {name: settings.pop(name) for name in ("code", "hidden")} | {"activation": "relu"}
    workings.train(
        (x, np.arange(200) % 2), out=tmp_path, net="vae", epochs=60, settings={**settings, "net_settings": net}
    )
    run = read_run(tmp_path)
    assert run.told is not None
    units = active_units(run.told)
    assert units
    with Image.open(tmp_path / "pictures" / "drawn.png") as drawn:
        assert drawn.size == (12 * 52 - 4, 4 * 52 - 4)  # 8 pixels are shown as 48, 4 apart
    with Image.open(tmp_path / "pictures" / "traversal.png") as traversal:
        assert traversal.size == (11 * 52 - 4, len(units) * 52 - 4)
    assert units
    (section,) = sections(run)
    assert section.id == "traversal"
    assert section.lead.endswith(f"{', '.join(f'z{j + 1}' for j, _ in units)}.")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "New samples" in page
    assert "What the units change" in page
