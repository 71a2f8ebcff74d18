"""The sample ``stories``: short made stories, one after the other, for a net to go on with."""

from __future__ import annotations

from pathlib import Path

from workings.cli import arguments as given
from workings.cli.words import quoted

STORIES = 400
PEOPLE = {"Anna": "she", "Boris": "he", "Clara": "she", "David": "he", "Elsa": "she", "Felix": "he"}
TRADES = ["baker", "miller", "sailor", "teacher", "tailor", "gardener"]
THINGS = ["a hat", "a key", "a boat", "an apple", "a letter", "a red coat", "an old clock"]
PLACES = ["under the bridge", "behind the mill", "in the garden", "by the sea", "on the roof"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def write(out: str | None) -> tuple[str, str]:
    """Write the file; what was written, and the command to try on it."""
    path = Path(out) if out is not None else Path("stories.txt")
    path = path if path.suffix == ".txt" else path / "stories.txt"
    given.stop_if_any(given.free(str(path)))

    from workings.base.files import write_text

    text = _stories()
    write_text(path, text)
    return f"{STORIES} short stories, {len(text):,} characters, in {path}. To train:", f"workings train {quoted(path)}"


def _stories() -> str:
    """What was lost is what is found, and who lost it is he or she to the end: so there is something to remember."""
    import random

    rng = random.Random(7)
    told = []
    for _ in range(STORIES):
        (one, her), (other, him) = rng.sample(sorted(PEOPLE.items()), 2)
        thing, place, day = rng.choice(THINGS), rng.choice(PLACES), rng.choice(DAYS)
        trade = rng.choice(TRADES)
        it = f"the {thing.split(' ', 1)[1]}"
        lines = [
            f"On {day} {one} the {trade} lost {thing}.",
            f"“Have you seen {it}?” {her} asked {other}.",
        ]
        for wrong in rng.sample(PLACES, rng.randint(0, 2)):
            if wrong != place:
                lines.append(f"They looked {wrong}, but {it} was not there.")
        lines.append(f"“I know!” said {other}, and {him} ran. There was {it}, {place}.")
        told.append("\n".join(lines) + "\n")
    return "\n".join(told)
