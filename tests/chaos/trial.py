"""One execution of a cell: what it is given, and what came of it."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

from farandole.testing.broker import KafkaBroker

from .broker import TheBroker


@dataclass
class Trial:
    """A cell's seed, its place, and its findings.

    Attributes:
        recoveries: seconds, by what recovered.
        anomalies: broken promises, one line each; there should be none.
        figures: counts for the report.
        notes: what else is worth telling.
    """

    cell: str
    seed: int
    folder: Path
    place: TheBroker
    amounts: dict[str, Any] = field(default_factory=dict)
    schedule: list[dict[str, Any]] = field(default_factory=list)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    anomalies: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    notes: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.cell} {self.seed}")

    @property
    def broker(self) -> KafkaBroker:
        return self.place.running()

    def did(self, what: str, **more: Any) -> None:
        """Record a fault, or its end, in the schedule."""
        self.schedule.append({"at": round(time.monotonic() - self.began, 3), "what": what, **more})

    def fault(self, what: str, **more: Any) -> None:
        self.figures["faults"] += 1
        self.did(what, **more)

    def recovered(self, what: str, seconds: float) -> None:
        self.recoveries.setdefault(what, []).append(round(seconds, 3))

    def within(self, what: str, took: float, starved: float, promised: float) -> None:
        """Hold a recovery against the seconds that are promised, which do not count what processes waited for a core."""
        spent = max(took - starved, 0.0)
        told = f"{what}: the most seconds that count, of {promised:g} promised"
        self.notes[told] = max(round(spent, 3), self.notes.get(told, 0.0))
        if spent > promised:
            self.wrong(
                f"{what}: it took {took:.2f} s, {starved:.2f} s of which processes waited for a core;"
                f" {promised:g} s are promised"
            )

    def wrong(self, *problems: str) -> None:
        self.anomalies += problems

    def as_dict(self) -> dict[str, Any]:
        return {
            "cell": self.cell,
            "seed": self.seed,
            "amounts": self.amounts,
            "seconds": round(time.monotonic() - self.began, 1),
            "figures": dict(sorted(self.figures.items())),
            "recoveries": {
                what: {"count": len(took), "p50": middle(took), "p99": near_worst(took), "all": took}
                for what, took in self.recoveries.items()
            },
            "anomalies": self.anomalies,
            "notes": self.notes,
            "schedule": self.schedule,
        }


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def near_worst(values: list[float]) -> float:
    """The 99th percentile; of fewer than a hundred values the largest."""
    return max(values) if len(values) < 100 else round(quantiles(values, n=100)[98], 3)
