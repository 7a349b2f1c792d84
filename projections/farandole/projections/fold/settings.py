"""Settings that decide what is admitted. They are records of the log, so that every reader has the same."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Settings:
    """Admission settings in force. All times are milliseconds of log time; no value is negative."""

    dedup_window: int = 24 * 3_600_000
    """How long the id of a closed run is remembered, so that starting it again makes no second run."""
    dedup_most: int = 1_000_000
    """How many ids of closed runs a partition remembers at most."""
    settle: int = 600_000
    """How long after genesis a reactor's first contract is owed the events that came before it."""
    drain: int = 100
    """How many hops after a run's End its events still owe work."""
    expire_after: int = 0
    """How long a run may be idle or failed before a keeper closes it; 0: for ever."""
    kept: int = 64
    """How many events that no contract has named a run keeps for the first one that does."""
    join_most: int = 10_000
    """How many events one join of one run holds unmatched."""
    ahead: int = 7 * 24 * 3_600_000
    """How far ahead a command's ``not_after`` may lie, so that its id is not remembered for ever."""
    depth: int = 16
    """How many runs may lie above a child."""
    lost_most: int = 10
    """How often workers may be lost at a step before it is parked."""
    lease_most: int = 600_000
    """How long a claim holds at most unless it is renewed."""
    once_most: int = 1_000
    """How many sub-steps a step may have."""
    schedules_most: int = 10_000
    """How many schedules a partition has room for."""

    @classmethod
    def of(cls, values: Mapping[str, int]) -> "Settings":
        """The defaults with these values in their place; names that this fold version does not know are ignored."""
        return replace(cls(), **{k: v for k, v in values.items() if k in NAMES})

    def with_(self, name: str, value: int) -> "Settings":
        return replace(self, **{name: value}) if name in NAMES else self


NAMES = frozenset(f.name for f in fields(Settings))
