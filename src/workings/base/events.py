"""The one stream of typed events that leaves a run.

The progress bar, the plain log lines, the JSON lines and the web page are readers of this stream;
no other channel tells the user what happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from workings.base.finding import Finding
from workings.base.problems import Problem


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; ``kind`` is the class name in JSON."""

    def to_dict(self) -> dict[str, object]:
        return {"kind": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Phase(Event):
    """A stretch of work begins: reading, checking, preparing, measuring, training, evaluating, reporting.

    text: what is worked on, in a few words.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """A value was derived for the user, with the reason. Kept in the recipe."""

    name: str
    value: object
    reason: str


@dataclass(frozen=True, slots=True)
class Noticed(Event):
    """A problem was noticed that does not stop the work."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Found(Event):
    """A symptom of training gone wrong was found."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Stepped(Event):
    """Steps were done; sent a few times a second at most. counted: what the samples are called."""

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    learning_rate: float
    rows_per_second: float
    seconds_left: float
    counted: str = "rows"


@dataclass(frozen=True, slots=True)
class EpochEnded(Event):
    """An epoch ended; ``metrics`` holds ``train_loss``, ``val_loss`` and the validation metrics."""

    epoch: int
    epochs: int
    step: int
    metrics: dict[str, float] = field(default_factory=dict)
    best: bool = False


@dataclass(frozen=True, slots=True)
class Checkpointed(Event):
    """The state at ``step`` is on disk, whole."""

    step: int


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """Training stopped, with the reason: all epochs done, early stopping, the clock, converged."""

    reason: str
    step: int


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The run is complete: its folder and its metrics."""

    run: str
    metrics: dict[str, object] = field(default_factory=dict)


Emit = Callable[[Event], None]


def silent(event: Event) -> None:
    """A reader that ignores everything."""
