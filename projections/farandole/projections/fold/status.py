"""What state a run is in, computed from what it owes; never stored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .fold import Fold
from .owing import unserved
from .run import Pair, Result, Run, RunState
from .waits import ParentRun, PendingChild, PendingDecision, PendingMessage, PendingTimer, waits_of

Status = Literal[
    "absent", "running", "retrying", "waiting", "failed", "paused", "idle", "unserved",
    "ending", "completed", "cancelled", "expired",
]  # fmt: skip
"""absent: never started, or forgotten. running: a step is owed now. retrying: every step owed waits for its next
attempt. waiting: owes nothing; a signal or the rest of a join could move it. failed: a step is parked. unserved: owes
nothing, and has events that no reactor has ever named. idle: nothing can move it. ending: has its result; the rest is
still being done. completed, cancelled, expired: closed."""


@dataclass(frozen=True, slots=True)
class OwedStep:
    """A step that a run owes."""

    reactor: str
    service: str
    """Who serves the reactor by its contract in force; empty if nobody does."""
    trigger: str
    """Id of the event that made it owed."""
    trigger_types: tuple[str, ...]
    since: int
    """Log time since which it is owed, in milliseconds since 1970 UTC."""
    attempts: int
    due: int
    """Log time of the next attempt, in milliseconds since 1970 UTC."""
    parked: str
    """Id of the failure that parked it; empty if it is not parked."""
    generation: str = ""
    branch: str = ""
    """Where it stands: the id of the fan-out and the number of the branch, as ``<id>/<number>``; empty: at the root."""
    claimed_until: int = 0
    """Log time until which a worker claims it, in milliseconds since 1970 UTC; 0: nobody does."""
    lost: int = 0
    """How many workers were lost at it since it was last retried."""
    inputs: tuple[int, ...] = ()
    """Offsets of what its handler takes; for a failure, that of the failure before those of what the failed step took."""
    stopped: bool = False
    """Whether a policy holds its reactor back."""

    @property
    def spent(self) -> str:
        """What was spent on it so far, in words."""
        attempts = f"{self.attempts} attempt{'s'[: self.attempts != 1]}"
        return attempts if not self.lost else f"{attempts} and {self.lost} lost worker{'s'[: self.lost != 1]}"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run at one position of its partition's log."""

    run_id: str
    status: Status
    partition: int
    position: int
    """The offset up to which the log was read."""
    end: str = ""
    """Wire name of the `End` that is the run's result."""
    touched: int = 0
    """Log time of the last record that was admitted for it or dropped what it owed, in milliseconds since 1970 UTC."""
    owed: tuple[OwedStep, ...] = ()
    unserved: int = 0
    """How many events no reactor has ever named."""
    paused: bool = False
    without_worker: tuple[str, ...] = ()
    """Services that owe it a step and have no process at work, as far as whoever asked could learn: the log's groups
    know, and the fold does not."""
    timers: tuple[PendingTimer, ...] = ()
    decisions: tuple[PendingDecision, ...] = ()
    children: tuple[PendingChild, ...] = ()
    messages: tuple[PendingMessage, ...] = ()
    deadline: int = 0
    """When it is out of time, in milliseconds since 1970 UTC; 0: never."""
    parent: ParentRun | None = None
    """Who bore it, if anybody did."""


def status_of(fold: Fold, run: Run) -> RunStatus:
    """What state an open or closed run is in."""
    waits = waits_of(run)
    return RunStatus(
        run_id=_text(run.id),
        status=_status(fold, run, lambda pair: pair.due > fold.log_time),
        partition=fold.partition,
        position=fold.position,
        end=_text(run.end),
        touched=run.touched,
        owed=tuple(_owed(fold, pair) for pair in run.owed.values()),
        unserved=unserved_events(fold, run),
        paused=run.paused,
        timers=waits.timers,
        decisions=waits.decisions,
        children=waits.children,
        messages=waits.messages,
        deadline=waits.deadline,
        parent=waits.parent,
    )


def standing_of(fold: Fold, run: Run) -> Status:
    """What state a run is in, as far as no clock is asked: one is retrying while all that it owes has failed before, due
    or not, so that a state holds until a record changes it.
    """
    return _status(fold, run, lambda pair: pair.attempts > pair.forgiven)


def _status(fold: Fold, run: Run, held_back: Callable[[Pair], bool]) -> Status:
    if run.state is RunState.CLOSED:
        return (
            "cancelled"
            if run.result is Result.CANCELLED
            else "expired"
            if run.result is Result.EXPIRED
            else "completed"
        )
    if run.parked:
        return "failed"
    if run.paused:
        return "paused"
    if run.state is RunState.ENDING:
        return "ending"
    if run.owed:
        return "retrying" if all(map(held_back, run.owed.values())) else "running"
    if run.pending is not None and run.pending.waits():
        return "waiting"
    if run.pending is not None and run.pending.messages:
        return "running"
    if unserved_events(fold, run):
        return "unserved"
    if run.half_full or fold.contracts.signals:
        return "waiting"
    return "idle"


def unserved_events(fold: Fold, run: Run) -> int:
    """Events that nobody takes, those that drop timers left out: they have done what they are for."""
    return run.unserved + sum(
        unserved(fold, event) and event.type not in fold.contracts.watched for event in run.kept or ()
    )


def _owed(fold: Fold, pair: Pair) -> OwedStep:
    contract = fold.contracts.get(pair.reactor)
    return OwedStep(
        reactor=_text(pair.reactor),
        service=contract.service if contract is not None and contract.active else "",
        trigger=_text(pair.trigger),
        trigger_types=tuple(_text(t) for t in pair.types),
        since=pair.since,
        attempts=pair.attempts,
        due=pair.due,
        parked=_text(pair.parked),
        generation=_text(pair.generation),
        branch=f"{_text(pair.branch.fanout.id)}/{pair.branch.index}" if pair.branch is not None else "",
        claimed_until=pair.work.until if pair.work is not None else 0,
        lost=pair.work.lost if pair.work is not None else 0,
        inputs=pair.inputs,
        stopped=fold.stops(pair.reactor),
    )


def _text(name: bytes) -> str:
    """Names and ids are UTF-8 by rule, but nobody checks those that come from outside."""
    return name.decode(errors="replace")
