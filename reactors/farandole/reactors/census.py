"""What the partitions owned here owe now, counted when somebody asks.

Counting walks all open runs, so that nothing need be kept up while steps run. It is done in the asker's thread, and not
over and over, however often somebody asks: a count is given again until twenty times as long has passed as it took.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

from .shown import text

if TYPE_CHECKING:
    from .partition import Serving

_LEAST: Final = 1.0
_SHARE: Final = 20


@dataclass(slots=True)
class Owes:
    """What is owed to one reactor."""

    owed: int = 0
    parked: int = 0
    oldest: float = 0.0
    """Seconds for which the one that is owed the longest is owed; steps that are parked or held left out."""
    held: int = 0
    """Of those that are owed, those of paused runs, and all of them while a kill switch stops the reactor."""


@dataclass(slots=True)
class Counted:
    """What was found."""

    runs: int = 0
    """Open runs."""
    timers: int = 0
    """Timers, and answers still waited for, that have their time to come."""
    overdue: int = 0
    """Timers whose time has come."""
    reactors: dict[str, Owes] = field(default_factory=dict)


class Census:
    """Counts.

    Args:
        partitions: those held here.
        now: this process's clock, in microseconds since 1970 UTC.
        reactors: those that are told of, whether they owe anything or not.
    """

    def __init__(
        self, partitions: Mapping[int, "Serving"], now: Callable[[], int], reactors: Mapping[bytes, str]
    ) -> None:
        self._partitions = partitions
        self._now = now
        self._reactors = reactors
        self._lock = Lock()
        self._last = Counted()
        self._again_at = 0.0

    def take(self) -> Counted:
        """Count, or give again what was counted a moment ago. May be called from any thread."""
        with self._lock:
            began = monotonic()
            if began >= self._again_at:
                self._last = self._count()
                ended = monotonic()
                self._again_at = ended + max(_LEAST, _SHARE * (ended - began))
            return self._last

    def _count(self) -> Counted:
        found = Counted(reactors={name: Owes() for name in self._reactors.values()})
        for serving in list(self._partitions.values()):
            if serving.active and serving.stopped is None:
                self._count_in(serving, found)
        return found

    def _count_in(self, serving: "Serving", found: Counted) -> None:
        fold, now = serving.fold, max(self._now() // 1000, serving.fold.log_time)
        # Each list is made at once, whatever the loop's thread does meanwhile.
        for run in list(fold.runs.values()):
            found.runs += 1
            for pair in list(run.owed.values()):
                name = self._reactors.get(pair.reactor)
                if name is None:
                    continue
                owes = found.reactors[name]
                if pair.parked:
                    owes.parked += 1
                    continue
                owes.owed += 1
                if run.paused or fold.stops(pair.reactor):
                    owes.held += 1
                else:
                    owes.oldest = max(owes.oldest, (now - pair.since) / 1000)
            if run.pending is not None and run.pending.timers:
                for timer in list(run.pending.timers.values()):
                    found.timers += 1
                    found.overdue += timer.due <= now


def names_of(reactors: Mapping[bytes, object]) -> dict[bytes, str]:
    """Reactors by the name that pairs have, as text."""
    return {name: text(name) for name in reactors}
