"""What questions about runs are answered with. Times are log time in milliseconds since 1970 UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Freshness:
    """Up to where an answer is true: all of it is of one state of the tables."""

    positions: Mapping[int, int]
    """By partition, the offset that comes next."""
    log_times: Mapping[int, int]
    """By partition, the log time there."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was found."""

    found: T
    fresh: Freshness
    next: str | None = None
    """Of a page, what gives the page behind it; None: it is the last one."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run. The words are those of the table ``runs``."""

    partition: int
    run: int
    run_id: str
    type: str
    started: int
    parent: str | None
    parent_choreography: str | None
    of_schedule: bool
    status: str
    paused: bool
    result: str
    result_type: str | None
    result_at: int | None
    ended: int | None
    closed: int | None
    touched: int
    last_at: int
    last_type: str
    events: int
    failures: int
    owed: int
    parked: int
    since: int | None
    due: int | None
    timers: int
    next_timer: int | None
    decisions: int
    children: int
    messages: int
    deadline: int | None
    waits: Any
    unserved: int
    error: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record of a run, and what became of it."""

    partition: int
    log_offset: int
    run_id: str | None
    at: int
    kind: str
    verdict: str
    id: str
    type: str
    reactor: str
    trigger: str
    generation: str
    attempt: int
    final: bool
    source: str
    sent: int
    by: str | None
    why: str | None
    admitted: int | None
    place: int | None
    payload: Any
    """With what is personal, if that was asked for."""
    problem: str | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A trigger and a reactor."""

    trigger: str
    reactor: str
    generation: str
    state: str
    owed_at: int
    since: int
    due: int
    attempts: int
    lost: int
    inputs: Any
    types: Any
    branch: str
    claimed_by: str | None
    claimed_until: int | None
    substeps: int
    parked_by: str | None
    ended_at: int | None
    ended: int | None


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A timer of a run."""

    partition: int
    log_offset: int
    run: int
    id: str
    type: str
    since: int
    due: int
    state: str
    ended_at: int | None
    ended: int | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A question to people."""

    partition: int
    log_offset: int
    run: int
    run_id: str
    id: str
    question: str | None
    about: str | None
    about_type: str | None
    asked_of: Any
    answers: Any
    quorum: int
    hash: str
    state: str
    since: int | None
    expires: int | None
    otherwise: str | None
    votes: Any
    answer: str | None
    ended: int | None


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A child run, as its parent knows it."""

    partition: int
    log_offset: int
    run: int
    id: str
    child: str
    choreography: str
    type: str
    since: int
    state: str
    ended_at: int | None
    ended: int | None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One attempt that failed."""

    partition: int
    log_offset: int
    run: int
    id: str
    reactor: str
    trigger: str
    attempt: int
    final: bool
    at: int
    retry: int | None
    error: str
    message: str
    traceback: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one cause at one reactor."""

    fingerprint: str
    reactor: str
    error: str
    message: str
    """Of the newest."""
    attempts: int
    runs: int
    parked: int
    """Steps that it parks now."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ReactorRow:
    """A reactor, over all partitions."""

    reactor: str
    service: str
    version: str
    state: str
    contract: Any
    stopped: bool
    owed: int
    oldest: int | None
    """Since when the oldest step is owed."""
    lag: int
    """Milliseconds of log time by which it is behind: from when the oldest step could have begun that still is owed, to the
    newest record. Held steps, and those whose next attempt is yet to come, do not count; 0: it is up to date.
    """
    parked: int
    held: int
    """Steps that are owed and may not begin: of paused runs, and all of them while a kill switch stops the reactor."""
    done: int
    """In the minutes that were asked for, as are the others below."""
    failed: int
    took: int
    """Milliseconds from owed to done, in sum."""
    most: int


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """What a reactor did in one minute of log time, over all partitions."""

    reactor: str
    minute: int
    done: int
    failed: int
    parked: int
    took: int
    """Milliseconds from owed to done, in sum."""
    most: int


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule that has ticked."""

    partition: int
    name: str
    last: int
    """Its newest tick."""
    waiting: int | None
    """The tick that starts once no run of it is open."""
    open_runs: Any
    touched: int


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """What was said last of whether a reactor may begin anything; the empty name: all of them."""

    reactor: str
    stopped: bool
    partitions: int
    """In how many partitions."""
    by: str
    why: str
    since: int


@dataclass(frozen=True, slots=True)
class RunThen:
    """A run as it was at an offset."""

    run: RunRow
    """As it is now."""
    offset: int
    at: int
    events: tuple[RecordRow, ...]
    """Its history until then, in the order of admission: the last ones of it."""
    steps: tuple[StepRow, ...]
    """What was owed then, as it is now."""
    timers: tuple[TimerRow, ...]
    decisions: tuple[DecisionRow, ...]
    children: tuple[ChildRow, ...]
    whole: bool
    """False: of one of these there was more; `Runs.history`, `Runs.steps` and the others give all of it, page by page."""


@dataclass(frozen=True, slots=True)
class DueRow:
    """A timer of whichever run."""

    partition: int
    log_offset: int
    run: int
    run_id: str
    id: str
    type: str
    since: int
    due: int


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service, by the contracts in force."""

    service: str
    reactors: tuple[str, ...]
    versions: tuple[str, ...]
    owner: str
    owed: int
    oldest: int | None
    lag: int
    """That of the reactor which is behind most."""
    parked: int
    held: int
    stopped: int
    """How many of its reactors are stopped."""
    done: int
    """By all of its reactors in the minutes that were asked for, as are the others below."""
    failed: int
    took: int
    """Milliseconds from owed to done, in sum."""


@cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def row_of(cls: type[R], row: Mapping[Any, Any]) -> R:
    """An answer's row from a table's."""
    known: Any = cls
    return cls(**{name: row[name] for name in _names(known)})
