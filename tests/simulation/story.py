"""What the judge knows of each run, from what was admitted of it."""

from dataclasses import dataclass, field

from farandole.projections.fold import Fact, PairKey


@dataclass(slots=True)
class Debt:
    """A pair that became owed."""

    since: int
    """The number of the line with which it did."""
    inputs: tuple[int, ...]
    types: tuple[bytes, ...]
    hops: int = 0
    """How many outcomes lie between the run's End and its trigger."""
    failures: int = 0
    """Since it was last made owed by a person."""
    parked: bytes = b""
    """The failure that parked it."""
    done: int | None = None
    dropped: bool = False

    @property
    def open(self) -> bool:
        return self.done is None and not self.dropped


@dataclass(slots=True)
class RunStory:
    """One run, from its start to its end."""

    key: bytes
    start: bytes
    began: int
    touched: int
    """Log time of what last moved it."""
    events: list[tuple[int, Fact, int]] = field(default_factory=list)
    """Line, event, and its tag."""
    at: dict[bytes, int] = field(default_factory=dict)
    """Where each event and final failure stands."""
    hops: dict[int, int] = field(default_factory=dict)
    """How many outcomes lie between the End and what stands at an offset."""
    failures: set[bytes] = field(default_factory=set)
    debts: dict[PairKey, Debt] = field(default_factory=dict)
    ended: int | None = None
    """The line that fixed its result."""
    dropped: int | None = None
    """The line that dropped what was owed."""
    spoilt: bool = False
    """Whether an event of it cannot be read."""
    closed: int | None = None

    def drop(self, number: int) -> None:
        """All that is owed is dropped."""
        self.dropped = number
        for debt in self.debts.values():
            if debt.done is None:
                debt.dropped = True
