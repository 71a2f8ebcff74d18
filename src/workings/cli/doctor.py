"""``workings doctor``: what is wrong with a run, and by what evidence."""

from __future__ import annotations

from workings.cli import arguments as given
from workings.cli.use import Json, RunFolder


def doctor(run: RunFolder, as_json: Json = False) -> None:
    """Tell what went wrong in a run's training, with the evidence, or that it is healthy and what was checked."""
    given.stop_if_any([*given.is_run(run)])

    from workings import api
    from workings.cli import console

    findings, checked = api.examine(run)
    if as_json:
        console.write_json({"run": run, "findings": [each.to_dict() for each in findings], "checked": checked})
        return
    screen = console.results()
    if not findings:
        screen.print(f"Healthy: none of {len(checked)} symptoms was found ({', '.join(checked)}).")
    for each in findings:
        screen.print(each.text(), markup=False, highlight=False)
