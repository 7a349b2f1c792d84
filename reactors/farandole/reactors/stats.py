"""What a worker counts: plain numbers on the hot path, turned into metrics only when somebody asks."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from farandole.projections.families import Histogram
from farandole.schemas import Usage
from farandole.schemas.usage import picodollars

TOKENS: Final = ("input", "output", "cache_read", "cache_write")
"""Kinds of tokens; those of caches are among the first two."""
MOST_USED: Final = 200
OTHER: Final = "other"
"""Agent and model of what is beyond these."""


class ReactorStats:
    """What one reactor did in this process."""

    __slots__ = ("done", "failed", "handler", "queued", "retried", "superseded")

    def __init__(self) -> None:
        self.done = 0
        """Outcomes handed to the log."""
        self.retried = 0
        """Attempts that failed and will be tried again."""
        self.failed = 0
        """Attempts that failed for good."""
        self.superseded = 0
        """Steps that were settled by somebody else before they began here, or while they were at work."""
        self.handler = Histogram()
        """Seconds in the handler."""
        self.queued = Histogram()
        """Seconds from dispatch to the handler's start."""


class UsageStats:
    """What one process used of models, by agent and model: of so many pairs at most, for events may name any."""

    __slots__ = ("by",)

    def __init__(self) -> None:
        self.by: dict[tuple[str, str], Counter[str]] = {}

    def add(self, found: Iterable[Usage], reactor: str) -> None:
        """Count what was used.

        Args:
            reactor: who used it, where that is not said.
        """
        for used in found:
            key = (used.agent or reactor, used.model)
            if key not in self.by and len(self.by) >= MOST_USED:
                key = (OTHER, OTHER)
            counts = self.by.setdefault(key, Counter())
            counts["calls"] += used.calls
            for kind in TOKENS:
                counts[kind] += getattr(used, f"{kind}_tokens")
            if used.cost is None:
                counts["unpriced"] += used.calls
            else:
                counts["picodollars"] += picodollars(used.cost) or 0


@dataclass(slots=True)
class WorkerStats:
    """What one worker did."""

    records: int = 0
    """Records folded."""
    admitted: int = 0
    """Those that were admitted, or wait for the rest of their append; what was read while restoring left out."""
    refused: Counter[str] = field(default_factory=Counter)
    """Those that were refused, by verdict; what was read while restoring left out, or each restart would be an alarm."""
    rebalances: int = 0
    restores: int = 0
    restore_seconds: float = 0.0
    """Of the last restore of a partition."""
    checkpoints: int = 0
    """Checkpoints written."""
    alarms: int = 0
    """How often a checkpoint of others was of another state than this process knew."""
    rejected: int = 0
    """Unreadable records copied to ``<choreography>.rejected``."""
    claims: int = 0
    """Claims written, renewals included."""
    lost: int = 0
    """Workers of whom this one said, first of all, that they were lost at a step."""
    late: Histogram = field(default_factory=Histogram)
    """Seconds after their time at which timers, deadlines and answers that nobody gave were written."""
    loop_lag: float = 0.0
    """The longest time, in seconds, that the event loop was blocked of late."""
    usage: UsageStats = field(default_factory=UsageStats)
    """Of models, in steps that were done and sub-steps that were recorded."""
    reactors: dict[str, ReactorStats] = field(default_factory=dict)
