"""One execution of a cell: what it is given, and what came of it."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

from farandole.testing.broker import KafkaBroker

from .bounds import Bound, verdict
from .broker import TheBroker


@dataclass
class Trial:
    """A cell's seed, its place, and its findings.

    Attributes:
        recoveries: seconds, by what recovered.
        anomalies: broken promises, one line each; there should be none.
        not_shown: promises of so many seconds of which it was not shown that they are kept, and why: by what was to be done
            within them. The machine had no core for somebody for too long.
        spans: from when to when harm was applied, each in milliseconds since 1970 UTC: from a fault until all of it is over,
            and what it was done to has recovered.
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
    not_shown: dict[str, str] = field(default_factory=dict)
    spans: list[tuple[float, float]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    notes: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.cell} {self.seed}")
        self.on_fault: list[Callable[[], None]] = []
        """Called whenever harm is about to be done."""
        self._harmed: float | None = None
        """Since when there is harm that is not over."""

    @property
    def broker(self) -> KafkaBroker:
        return self.place.running()

    def did(self, what: str, **more: Any) -> None:
        """Record a fault, or its end, in the schedule."""
        self.schedule.append({"at": round(time.monotonic() - self.began, 3), "what": what, **more})

    def fault(self, what: str, **more: Any) -> None:
        """Record that harm is about to be done."""
        self.figures["faults"] += 1
        if self._harmed is None:
            self._harmed = _now()
        self.did(what, **more)
        for each in self.on_fault:
            each()

    def over(self) -> None:
        """All harm that was done so far is over."""
        if self._harmed is not None:
            self.spans.append((self._harmed, _now()))
            self._harmed = None

    def recovered(self, what: str, seconds: float) -> None:
        """Record what recovered, and that the harm it recovered from is over."""
        self.recoveries.setdefault(what, []).append(round(seconds, 3))
        self.over()

    def under_fault(self, at: float) -> bool:
        """Whether there was harm at a time, in milliseconds since 1970 UTC."""
        return any(begun <= at <= over for begun, over in self.spans)

    def within(self, what: str, took: float, starved: float, promised: float) -> None:
        """Hold a time against the seconds that are promised, which do not count what a process waited for a core. A promise
        that only much of that keeps is not shown to be kept: once is enough, however often it was kept besides.
        """
        told = f"{what}: the most seconds that count, of {promised:g} promised"
        self.notes[told] = max(round(max(took - starved, 0.0), 3), self.notes.get(told, 0.0))
        why = f"it took {took:.2f} s, {starved:.2f} s of which a process waited for a core; {promised:g} s are promised"
        match verdict(took, starved, promised):
            case Bound.BROKEN:
                self.wrong(f"{what}: {why}")
            case Bound.NOT_SHOWN:
                self.not_shown[what] = why

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
            "not_shown": self.not_shown,
            "notes": self.notes,
            "schedule": self.schedule,
        }


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def near_worst(values: list[float]) -> float:
    """The 99th percentile; of fewer than a hundred values the largest."""
    return max(values) if len(values) < 100 else round(quantiles(values, n=100)[98], 3)


def _now() -> float:
    return time.time() * 1000
