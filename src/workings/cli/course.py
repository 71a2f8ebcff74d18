"""How far a run is and how well it does: what the bar and the log both say of training."""

from __future__ import annotations

from workings.base.events import Decided, EpochEnded, Event, Stepped
from workings.cli.words import number

# Shown first where there is no word on which metric is watched.
USUAL = ("val_accuracy", "val_r2")


class Course:
    """Gathers steps and epochs; the metric shown is the one that is watched, or the task's usual one."""

    def __init__(self) -> None:
        self.stepped: Stepped | None = None
        self.ended: EpochEnded | None = None
        self.best: EpochEnded | None = None
        self.monitor: str | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case Stepped():
                self.stepped = event
            case EpochEnded():
                self.ended = event
                if event.best:
                    self.best = event
            case Decided(name="monitor"):
                self.monitor = str(event.value)
            case _:
                pass

    def metric(self) -> str | None:
        """The name, in the epochs' metrics, of the one to show beside the losses."""
        found = self.ended.metrics if self.ended else {}
        watched = f"val_{self.monitor}"
        if watched in found and self.monitor != "loss":
            return watched
        others = [name for name in found if name.startswith("val_") and name != "val_loss"]
        return next((name for name in USUAL if name in others), others[0] if others else None)

    def facts(self) -> list[str]:
        """``loss 0.31, val 0.33``, ``accuracy 0.851``, ``best: epoch 9``, as far as known; the most important first."""
        ended, metric = self.ended, self.metric()
        if ended is None:
            return [f"loss {number(self.stepped.loss)}"] if self.stepped is not None else []
        loss = f"loss {number(ended.metrics.get('train_loss', float('nan')))}"
        if "val_loss" in ended.metrics:
            loss += f", val {number(ended.metrics['val_loss'])}"
        facts = [loss]
        if metric is not None:
            facts.append(f"val {metric.removeprefix('val_').replace('_', ' ')} {number(ended.metrics[metric])}")
        if self.best is not None:
            facts.append("best so far" if self.best is ended else f"best: epoch {self.best.epoch}")
        return facts
