"""What a run waits for besides what it owes: timers, decisions, children, messages, and what an end will undo.

Most runs wait for nothing of the kind, so that all of it hangs on one pointer of the run.
"""

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from .branches import Branch, FanOut, Waiting
    from .run import Fact, Pair


class Timer:
    """An event that is admitted once its time has come."""

    __slots__ = ("branch", "decision", "due", "flags", "hops", "id", "offset", "type", "unless")

    def __init__(
        self,
        id: bytes,
        type: bytes,
        offset: int,
        due: int,
        flags: int,
        hops: int,
        branch: "Branch | None" = None,
        unless: frozenset[bytes] = frozenset(),
        decision: bytes = b"",
    ) -> None:
        self.id = id
        self.type = type
        """Wire name of the event."""
        self.offset = offset
        """Offset of the record that set it, which holds the event's value."""
        self.due = due
        """Log time at which it may fire, in milliseconds."""
        self.flags = flags
        """Those of the event."""
        self.hops = hops
        self.branch = branch
        self.unless = unless
        """Types of events that drop it; shared with the contract."""
        self.decision = decision
        """Id of the decision that it closes; empty if it is a timer of its own."""


class Decision:
    """A question to people that is not decided yet."""

    __slots__ = ("answers", "branch", "hash", "hops", "id", "offset", "otherwise", "quorum", "votes")

    def __init__(
        self,
        id: bytes,
        offset: int,
        answers: tuple[bytes, ...],
        quorum: int,
        hash: bytes,
        hops: int,
        branch: "Branch | None" = None,
    ) -> None:
        self.id = id
        self.offset = offset
        self.answers = answers
        """Wire names of the answers to choose from."""
        self.quorum = quorum
        """How many people must give the same kind of answer."""
        self.hash = hash
        """Of what is decided on."""
        self.hops = hops
        self.branch = branch
        self.votes: dict[bytes, bytes] | None = None
        """The type of the answer that each person gave."""
        self.otherwise: Timer | None = None
        """What it becomes if nobody answers."""


class Child:
    """A child run of which no end was told yet."""

    __slots__ = ("branch", "detach", "hops", "id", "key", "offset", "to", "type")

    def __init__(
        self,
        id: bytes,
        type: bytes,
        offset: int,
        to: bytes,
        key: bytes,
        hops: int,
        branch: "Branch | None" = None,
        detach: bool = False,
    ) -> None:
        self.id = id
        self.type = type
        """Wire name of its start."""
        self.offset = offset
        """Offset of the record that bore it."""
        self.to = to
        """Its choreography; empty: this one."""
        self.key = key
        """Its run id."""
        self.hops = hops
        self.branch = branch
        self.detach = detach
        """Whether it is not cancelled with its parent, and sends no news."""


MessageKey: TypeAlias = tuple[bytes, int]
"""The id that the messages of one child share, and the number of the message."""


class Message:
    """Something owed to another partition: it goes once the log there is known to have judged it."""

    __slots__ = ("flags", "id", "key", "kind", "n", "name", "offset", "since", "to")

    def __init__(
        self,
        id: bytes,
        n: int,
        kind: int,
        to: bytes,
        key: bytes,
        offset: int,
        since: int,
        flags: int = 0,
        name: bytes = b"",
    ) -> None:
        self.id = id
        """Id of the child that it is about; of news, of this run's own start."""
        self.n = n
        """0: the child's start, 1: its cancel, from 2 on: its news."""
        self.kind = kind
        """The kind of record that is sent."""
        self.to = to
        """The choreography that it goes to; empty: this one."""
        self.key = key
        """The run, or the schedule, that it goes to."""
        self.offset = offset
        """Offset of the record whose value it carries; -1: none."""
        self.since = since
        """Log time since which it is owed, in milliseconds."""
        self.flags = flags
        self.name = name
        """Wire name of what it tells of."""


class Parent(NamedTuple):
    """Who bore this run, and where to send what becomes of it."""

    choreography: bytes
    key: bytes
    child: bytes
    """Id of this child in its parent."""
    offset: int
    """Offset of the record that bore it, in the parent's partition."""
    depth: int
    of_schedule: bool
    detached: bool


class Undo(NamedTuple):
    """An admitted outcome that may be compensated."""

    outcome: bytes
    """Id of its first event."""
    reactor: bytes
    inputs: tuple[int, ...]
    """Offsets of what the step took, then of what it emitted."""
    types: tuple[bytes, ...]
    hops: int


class Deadline(NamedTuple):
    """When an open run is to be brought to its end."""

    due: int


class StepDeadline(NamedTuple):
    """When a step is to be given up that is not done by then. The fold only tells of it: what gives it up is a failure
    like any other.
    """

    due: int
    pair: "Pair"


class Working:
    """What is known of a pair whose step takes long."""

    __slots__ = ("holder", "lost", "once", "until")

    def __init__(self) -> None:
        self.holder = b""
        """Who claims it; empty: nobody."""
        self.until = 0
        """Log time until which the claim holds."""
        self.lost = 0
        """How many workers were lost at it since it was last retried."""
        self.once: dict[bytes, int] | None = None
        """Offsets of the results of its sub-steps, by name."""

    def free(self) -> None:
        """Nobody claims it any more."""
        self.holder, self.until = b"", 0


class Pending:
    """All that a run waits for besides what it owes, and what it will have to tell or undo."""

    __slots__ = (
        "children", "deadline", "decisions", "fanouts", "held", "lacking", "last", "latest", "messages", "parent", "stack",
        "timers", "told", "undo",
    )  # fmt: skip

    def __init__(self) -> None:
        self.timers: dict[bytes, Timer] | None = None
        """By id; those that close a decision included."""
        self.decisions: dict[bytes, Decision] | None = None
        self.children: dict[bytes, Child] | None = None
        self.messages: dict[MessageKey, Message] | None = None
        """Owed to other partitions, oldest first."""
        self.fanouts: dict[bytes, FanOut] | None = None
        """By the id of the first record of their outcome."""
        self.lacking: dict[bytes, dict[Branch, None]] | None = None
        """By reactor, the branches in which its join is half-full, in the order in which they began to wait."""
        self.held: dict[FanOut, Waiting] | None = None
        """Branches in which nothing stands but joins, by their fan-out."""
        self.latest: dict[bytes, Fact] | None = None
        """The latest event at the root of each type that joins in branches look for: that with the highest offset."""
        self.last: dict[bytes, tuple[int, int]] | None = None
        """Where an event at the root of each type that drops timers last came: offset of the record with which it was
        admitted, and its own."""
        self.stack: list[Undo] | None = None
        """What an end would undo, oldest first."""
        self.parent: Parent | None = None
        self.deadline = 0
        """Log time at which the run is out of time; 0: never."""
        self.undo = False
        """Whether the end that came undoes what is on the stack."""
        self.told = 0
        """How many pieces of news the parent was sent."""

    def holds(self) -> bool:
        """Whether the run cannot be closed yet, though it owes nothing."""
        return bool(self.messages) or (self.undo and bool(self.stack))

    def waits(self) -> bool:
        """Whether something that is pending could still move the run."""
        return bool(self.timers or self.decisions or self.children) or any(
            gathering.due for fanout in (self.fanouts or {}).values() for gathering in fanout.gatherings or ()
        )


UNDO: Final = b"undo"
"""The generation of a pair that compensates an outcome."""
