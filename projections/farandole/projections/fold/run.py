"""An open run as the fold keeps it: only what is open, never what is past."""

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from farandole.schemas.envelope import Flag, Kind

from .framing import Frames
from .pending import UNDO, Pending, Working

if TYPE_CHECKING:
    from .branches import Branch


_TO_COME: Final = int(Flag.AFTER | Flag.ASK | Flag.CHILD)


class RunState(IntEnum):
    """Where a run is in its life. An absent or closed run has no `Run`."""

    ABSENT = 0
    OPEN = 1
    ENDING = 2
    """It has its result; what is owed is still done."""
    CLOSED = 3


class Result(IntEnum):
    """How a run came to its end."""

    NONE = 0
    ENDED = 1
    """By an `End` of its own."""
    CANCELLED = 2
    EXPIRED = 3


class Turn(IntEnum):
    """What moves a run from one state to the next."""

    START = 1
    END = 2
    CANCEL = 3
    EXPIRE = 4
    DONE = 5
    """Nothing is owed any more."""


# An enumeration looks a member up anew each time, at the price of a function call.
_OPEN, _NO_RESULT = RunState.OPEN, Result.NONE

LIFE: Final = {
    (RunState.ABSENT, Turn.START): RunState.OPEN,
    (RunState.OPEN, Turn.END): RunState.ENDING,
    (RunState.OPEN, Turn.CANCEL): RunState.ENDING,
    (RunState.OPEN, Turn.EXPIRE): RunState.ENDING,
    (RunState.ENDING, Turn.END): RunState.ENDING,
    (RunState.ENDING, Turn.CANCEL): RunState.ENDING,
    (RunState.ENDING, Turn.EXPIRE): RunState.ENDING,
    (RunState.ENDING, Turn.DONE): RunState.CLOSED,
}
"""The run's life, whole. An open run that owes nothing stays open: a pair that is not here changes nothing."""

TAKES: Final = {
    RunState.OPEN: frozenset(
        (
            Kind.OUTCOME,
            Kind.FAILURE,
            Kind.SIGNAL,
            Kind.CANCEL,
            Kind.PAUSE,
            Kind.RESUME,
            Kind.RETRY,
            Kind.OWE,
            Kind.EXPIRE,
            Kind.ANSWER,
            Kind.CLAIM,
            Kind.LOST,
            Kind.PROGRESS,
            Kind.SUBSTEP,
            Kind.TIMER,
            Kind.EXPIRY,
            Kind.DELIVERED,
            Kind.CHILD_ENDED,
            Kind.CHILD_FAILED,
        )
    ),
    RunState.ENDING: frozenset(
        (
            Kind.OUTCOME,
            Kind.FAILURE,
            Kind.CANCEL,
            Kind.PAUSE,
            Kind.RESUME,
            Kind.RETRY,
            Kind.EXPIRE,
            Kind.CLAIM,
            Kind.LOST,
            Kind.PROGRESS,
            Kind.SUBSTEP,
            Kind.DELIVERED,
        )
    ),
}
"""Which kinds of record each state takes at all; the rest is refused as `Verdict.RUN_ENDING`."""


class Fact:
    """An admitted event, or one that will be when its append is whole: what the fold knows without its value."""

    __slots__ = ("branch", "flags", "hops", "id", "offset", "type")

    def __init__(
        self, id: bytes, type: bytes, offset: int, flags: int, hops: int = 0, branch: "Branch | None" = None
    ) -> None:
        self.id = id
        self.type = type
        self.offset = offset
        self.flags = flags
        self.hops = hops
        """How many outcomes lie between the run's End and the event; 0 before the End, and until it is admitted."""
        self.branch = branch
        """The branch that it stands in; None: the root, and until it is admitted."""


class Item(Fact):
    """A part of an outcome that is no plain event: a timer, a decision, a child, or what begins a branch."""

    __slots__ = ("delay", "extra", "not_after", "types")

    def __init__(
        self, id: bytes, type: bytes, offset: int, flags: int, delay: int, not_after: int, extra: bytes, types: bytes
    ) -> None:
        super().__init__(id, type, offset, flags)
        self.delay = delay
        self.not_after = not_after
        self.extra = extra
        self.types = types
        """Of the first record of a fan-out, the types that its branches may begin with, joined by zero bytes."""

    @property
    def is_event(self) -> bool:
        """Whether it is admitted with the outcome, and nothing that is to come."""
        return not self.flags & _TO_COME


PairKey = tuple[bytes, bytes, bytes]
"""Trigger id, reactor, generation."""


class Pair:
    """Something owed: a trigger and a reactor that has no outcome for it yet."""

    __slots__ = (
        "at", "attempts", "branch", "due", "forgiven", "generation", "hops", "inputs", "key", "of_failure", "parked",
        "reactor", "since", "trigger", "types", "unfinished", "work",
    )  # fmt: skip

    def __init__(
        self,
        trigger: bytes,
        reactor: bytes,
        generation: bytes,
        inputs: tuple[int, ...],
        types: tuple[bytes, ...],
        since: int,
        hops: int = 0,
        of_failure: bool = False,
        at: int = -1,
        branch: "Branch | None" = None,
    ) -> None:
        self.key: PairKey = (trigger, reactor, generation)
        self.trigger = trigger
        """Id of the event that made the pair owed; in a join, of the one that completed it."""
        self.reactor = reactor
        self.generation = generation
        """Which time the pair is owed: empty, or the id of the command that owed it again."""
        self.inputs = inputs
        """Offsets of what the handler takes, in the order of its parameters. For a reactor of failures: the failure
        first, then what the failed step took."""
        self.types = types
        """Wire names of what the handler takes, in that order; for a failure, of what the failed step took."""
        self.since = since
        """Log time since which it is owed, or owed again after a `retry`, in milliseconds."""
        self.attempts = 0
        """Failed attempts so far."""
        self.forgiven = 0
        """How many of them came before the last `retry` of a person, so that a policy begins anew."""
        self.due = since
        """Log time before which the next attempt should not start, in milliseconds."""
        self.parked = b""
        """Id of the failure that parked the step; empty if it is not parked. A join that holds too much parks the event
        that found no room by that event's own id."""
        self.hops = hops
        """How many outcomes lie between the run's End and the trigger; 0 before the End."""
        self.of_failure = of_failure
        """Whether its reactor takes failures, so that no reactor of failures catches this pair's."""
        self.unfinished: Frames[Fact] | None = None
        """Appends of outcomes that are not whole yet, oldest first."""
        self.at = at
        """Offset of the record with which it became owed."""
        self.branch = branch
        """The branch that it stands in; None: the root."""
        self.work: Working | None = None
        """Its claim, its sub-steps, and the workers that were lost at it, if there are any."""

    def rename(self, reactor: bytes) -> None:
        """Be owed by another reactor."""
        self.reactor = reactor
        self.key = (self.trigger, reactor, self.generation)

    def failed(self, attempt: int) -> None:
        """One more attempt has failed, so that nobody is at work."""
        self.attempts = attempt
        if self.work is not None:
            self.work.free()

    def unpark(self, log_time: int) -> None:
        """A person wants it done after all: it is due now, and policies begin to count anew."""
        self.parked = b""
        self.forgiven = self.attempts
        self.since = self.due = log_time
        if self.work is not None:
            self.work.lost = 0

    @property
    def by_failure(self) -> bool:
        """Whether it is owed for a failure, whose offset then stands before those of what the failed step took."""
        return len(self.inputs) > len(self.types)

    @property
    def undoes(self) -> bool:
        """Whether it compensates an outcome, whose id is its trigger."""
        return self.generation == UNDO

    @property
    def overflowed(self) -> bool:
        """Whether it is parked because its join held too much, and not by a failure of its own."""
        return bool(self.parked) and not self.attempts and (self.work is None or not self.work.lost)

    def __repr__(self) -> str:
        trigger, reactor = (part.decode(errors="replace") for part in (self.trigger, self.reactor))
        return f"Pair({trigger} → {reactor}, attempts={self.attempts})"


Join = list[list[Fact]]
"""What a join of one run holds unmatched: a queue for each of its parameters. Lists, for an empty deque takes as much
memory as all the rest of a run that waits."""


class Run:
    """An open run. Slots and empty placeholders, for there may be a million."""

    __slots__ = (
        "end", "id", "joins", "kept", "offset", "owed", "parked", "paused", "pending", "result", "result_offset",
        "start", "state", "touched", "unserved",
    )  # fmt: skip

    def __init__(self, id: bytes, start: bytes, offset: int, log_time: int) -> None:
        self.id = id
        self.start = start
        """Id of its start event."""
        self.offset = offset
        """Offset of its start event."""
        self.state = _OPEN
        self.result = _NO_RESULT
        self.end = b""
        """Wire name of the `End` that fixed the result."""
        self.result_offset = -1
        """Offset of the record that fixed the result."""
        self.touched = log_time
        """Log time of the last record that was admitted for it or dropped what it owed, in milliseconds."""
        self.owed: dict[PairKey, Pair] = {}
        self.joins: dict[bytes, Join] | None = None
        """Half-full joins by reactor, of events at the root."""
        self.kept: list[Fact] | None = None
        """Events that a reactor yet to come may still be owed."""
        self.unserved = 0
        """How many more events no reactor has ever named, beyond those kept."""
        self.parked = 0
        """How many of the owed pairs are parked."""
        self.paused = False
        self.pending: Pending | None = None
        """What it waits for besides what it owes."""

    def pend(self) -> Pending:
        """What it waits for, to add to."""
        if self.pending is None:
            self.pending = Pending()
        return self.pending

    @property
    def half_full(self) -> bool:
        """Whether a join of it waits for the rest, at the root or in a branch."""
        return bool(self.joins) or (self.pending is not None and any((self.pending.lacking or {}).values()))

    def turn(self, turn: Turn) -> bool:
        """Move along `LIFE`; False if this turn leads nowhere from here."""
        state = LIFE.get((self.state, turn))
        if state is None:
            return False
        self.state = state
        return True
