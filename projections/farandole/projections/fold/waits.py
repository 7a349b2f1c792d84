"""What a run waits for besides what it owes, as plain values for whoever looks at it."""

from dataclasses import dataclass

from .pending import Parent
from .run import Run


@dataclass(frozen=True, slots=True)
class PendingTimer:
    """An event that is to come."""

    id: str
    type: str
    due: int
    """Milliseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class PendingDecision:
    """A question to people."""

    id: str
    answers: tuple[str, ...]
    """Types of the answers to choose from."""
    quorum: int
    votes: tuple[tuple[str, str], ...]
    """Who gave which answer so far; an empty name for who did not say."""
    expires: int
    """Milliseconds since 1970 UTC; 0: never."""
    offset: int
    """Where the question stands."""


@dataclass(frozen=True, slots=True)
class PendingChild:
    """A child run of which no end was told yet."""

    id: str
    run_id: str
    choreography: str
    """Empty: this one."""
    type: str
    """Of its start."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """Something that the run still has to tell another partition."""

    to: str
    """The run, or schedule, that it goes to."""
    kind: int
    since: int
    """Milliseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class ParentRun:
    """Who bore a run."""

    run_id: str
    """The run, or the schedule."""
    choreography: str
    """Empty: this one."""
    of_schedule: bool
    detached: bool


@dataclass(frozen=True, slots=True)
class Waits:
    """All of it."""

    timers: tuple[PendingTimer, ...] = ()
    decisions: tuple[PendingDecision, ...] = ()
    children: tuple[PendingChild, ...] = ()
    messages: tuple[PendingMessage, ...] = ()
    deadline: int = 0
    parent: ParentRun | None = None


_NOTHING = Waits()


def waits_of(run: Run) -> Waits:
    """What one run waits for."""
    pending = run.pending
    if pending is None:
        return _NOTHING
    timers, decisions = (pending.timers or {}).values(), (pending.decisions or {}).values()
    children, messages = (pending.children or {}).values(), (pending.messages or {}).values()
    return Waits(
        tuple(PendingTimer(_text(t.id), _text(t.type), t.due) for t in timers if not t.decision),
        tuple(
            PendingDecision(
                _text(d.id),
                tuple(map(_text, d.answers)),
                d.quorum,
                tuple((_text(by) if by[:1] != b"\0" else "", _text(answer)) for by, answer in (d.votes or {}).items()),
                d.otherwise.due if d.otherwise is not None else 0,
                d.offset,
            )
            for d in decisions
        ),
        tuple(PendingChild(_text(c.id), _text(c.key), _text(c.to), _text(c.type)) for c in children),
        tuple(PendingMessage(_text(m.key), m.kind, m.since) for m in messages),
        pending.deadline,
        _parent(pending.parent) if pending.parent is not None else None,
    )


def _parent(parent: Parent) -> ParentRun:
    return ParentRun(_text(parent.key), _text(parent.choreography), parent.of_schedule, parent.detached)


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
