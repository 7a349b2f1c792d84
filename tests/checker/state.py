"""What the fold keeps: runs, and the pairs that they owe. Sections 5 and 6."""

from collections import deque
from dataclasses import dataclass, field

from .record import Head, Kind, Raw

Pair = tuple[bytes, bytes, bytes]
"""Trigger id, reactor, generation."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event in a run's history."""

    id: bytes
    type: bytes
    offset: int
    hops: int
    flags: int
    pair: Pair | None
    """Whose outcome it is of; None for what came from outside."""
    index: int
    at: int
    """The offset of the record with which it entered the history: the last one of its append."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child run of which nothing was told yet."""

    id: bytes
    type: bytes
    """Of its start."""
    offset: int
    choreography: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is owed to another partition."""

    kind: Kind
    choreography: bytes
    key: bytes
    offset: int
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Parent:
    """Who bore a run."""

    choreography: bytes
    key: bytes
    child: bytes
    offset: int
    depth: int
    flags: int


@dataclass(slots=True)
class Schedule:
    """A schedule that has ticked."""

    last: int = -1
    children: dict[bytes, bytes] = field(default_factory=dict)
    """Keys of the runs that it started and has not heard of."""
    letters: dict[tuple[bytes, int], Letter] = field(default_factory=dict)
    waiting: tuple[int, bytes, int] | None = None
    """The tick that is to come once none of its runs is left: milliseconds, id and offset."""


@dataclass(slots=True)
class Debt:
    """A pair that was owed, and what became of it."""

    pair: Pair
    inputs: tuple[tuple[int, bytes], ...]
    """Offsets and types."""
    hops: int
    since: int
    of_failed: bool = False
    """Owed to a contract that takes failures."""
    attempts: int = 0
    parked: bytes | None = None
    """The id of the failure that parked it."""
    appends: dict[tuple[bytes, int], dict[int, tuple[Raw, Head]]] = field(default_factory=dict)
    overflowed: bool = False
    """Parked by its own id, because a join had no room."""
    settled: str | None = None
    """How it was discharged: ``outcome``, ``handled`` (its failure was owed to others), ``retired`` (with its reactor),
    ``dropped``, ``moved``."""
    settled_at: int = -1


@dataclass(slots=True)
class Run:
    """A run from its start on; a closed one is kept for the report only."""

    key: bytes
    start_id: bytes
    offset: int
    state: str = "open"
    result: str = ""
    paused: bool = False
    touched: int = 0
    """Log time of the last admitted record."""
    owed: dict[Pair, Debt] = field(default_factory=dict)
    debts: list[Debt] = field(default_factory=list)
    queues: dict[bytes, list[deque[Event]]] = field(default_factory=dict)
    """Of joins: by reactor, for each parameter, what it waits with."""
    kept: list[Event] = field(default_factory=list)
    history: list[Event] = field(default_factory=list)
    failures: int = 0
    closed_at: int = -1
    parent: Parent | None = None
    children: dict[bytes, Child] = field(default_factory=dict)
    letters: dict[tuple[bytes, int], Letter] = field(default_factory=dict)
    """By the child that they are about and their number; news of the run itself by its own start."""
    told: int = 0
    """How many pieces of news it has sent."""

    @property
    def parked(self) -> int:
        """How many of the pairs that it owes are parked."""
        return sum(debt.parked is not None for debt in self.owed.values())

    def owe(self, debt: Debt) -> None:
        """A pair that is owed already stays as it is."""
        if self.owed.setdefault(debt.pair, debt) is debt:
            self.debts.append(debt)

    def settle(self, debt: Debt, how: str, offset: int) -> None:
        del self.owed[debt.pair]
        debt.settled, debt.settled_at = how, offset
        debt.appends.clear()

    def drop(self, offset: int) -> None:
        """Drop all that is owed."""
        for debt in tuple(self.owed.values()):
            self.settle(debt, "dropped", offset)
