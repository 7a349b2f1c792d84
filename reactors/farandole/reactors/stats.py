"""What a worker counts: plain numbers on the hot path, turned into metrics only when somebody asks."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the histograms, in seconds."""


class Histogram:
    """Counts of durations by `BUCKETS`; the last count is of all that were longer."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


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


@dataclass(slots=True)
class WorkerStats:
    """What one worker did."""

    records: int = 0
    """Records folded."""
    refused: Counter[str] = field(default_factory=Counter)
    """Records refused, by verdict."""
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
    loop_lag: float = 0.0
    """The longest time, in seconds, that the event loop was blocked of late."""
    reactors: dict[str, ReactorStats] = field(default_factory=dict)
