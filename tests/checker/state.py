"""What the fold keeps: runs, and the pairs that they owe. Sections 5 and 6."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .record import Head, Kind, Raw

if TYPE_CHECKING:
    from .rules.branches import Branch, FanOut, Gathering

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
    branch: "Branch | None" = None


@dataclass(slots=True)
class Timer:
    """An event that is to come."""

    id: bytes
    type: bytes
    due: int
    flags: int
    unless: frozenset[bytes]
    branch: "Branch | None" = None
    decision: bytes = b""
    """The decision that is over with it; empty if it is a timer of its own."""


@dataclass(slots=True)
class Decision:
    """A question to people."""

    id: bytes
    answers: frozenset[bytes]
    quorum: int
    hash: bytes
    branch: "Branch | None" = None
    votes: dict[bytes, bytes] = field(default_factory=dict)
    """By who gave it; answers without a name by a zero byte and their own id."""
    otherwise: Timer | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """A child run of which nothing was told yet."""

    id: bytes
    type: bytes
    """Of its start."""
    offset: int
    choreography: bytes
    key: bytes
    branch: "Branch | None" = None


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
    branch: "Branch | None" = None
    gathered: bool = False
    """Of a fan-in, whose trigger is a fan-out."""
    overflowed: bool = False
    """Parked by its own id, because a join had no room."""
    claim: tuple[bytes, int] | None = None
    """Who claims it, and the log time until which the claim holds."""
    lost: int = 0
    """How many were lost at it since its last retry."""
    substeps: dict[bytes, int] = field(default_factory=dict)
    """Offsets of results by name."""
    settled: str | None = None
    """How it was discharged: ``outcome``, ``handled`` (its failure was owed to others), ``retired`` (with its reactor),
    ``dropped``, ``moved``, ``edited`` (owed anew with another input)."""
    settled_at: int = -1
    first: int = -1
    """The offset of the record with which it became owed, under whatever name of the reactor; by default ``since``."""

    @property
    def place(self) -> int:
        return self.since if self.first < 0 else self.first

    @property
    def by_failure(self) -> bool:
        """Whether it is owed for a failure, which stands before what the failed step took."""
        return bool(self.inputs) and not self.gathered and self.inputs[0][1] == b"farandole.Failure"


@dataclass(frozen=True, slots=True)
class Undo:
    """An outcome that an end may undo."""

    outcome: bytes
    """The id of its first record."""
    reactor: bytes
    inputs: tuple[tuple[int, bytes], ...]
    """Of what the step took, and then of what it emitted."""
    hops: int


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
    """Of joins at the root: by reactor, for each parameter, what it waits with."""
    branch_queues: dict["Branch", dict[bytes, list[deque[Event]]]] = field(default_factory=dict)
    latest: "dict[tuple[Branch | None, bytes], Event]" = field(default_factory=dict)
    """By branch and type, what joins in branches inside it look at."""
    fan_outs: "list[FanOut]" = field(default_factory=list)
    gatherings: "list[Gathering]" = field(default_factory=list)
    kept: list[Event] = field(default_factory=list)
    history: list[Event] = field(default_factory=list)
    undoing: bool = False
    """Whether its result undoes what it did."""
    stack: list[Undo] = field(default_factory=list)
    """What it would undo, oldest first."""
    failures: int = 0
    timers: dict[bytes, Timer] = field(default_factory=dict)
    decisions: dict[bytes, Decision] = field(default_factory=dict)
    deadline: int = 0
    """Log time; 0: none."""
    passed: "list[tuple[bytes, int, int, Branch | None]]" = field(default_factory=list)
    """Events that drop timers: type, offset of the record with which it entered the history, own offset, branch."""
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

    def lapse(self) -> None:
        """It has its result, and waits for nothing any more."""
        self.timers.clear()
        self.decisions.clear()
        self.deadline = 0

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
        self.fan_outs, self.gatherings = [], []
