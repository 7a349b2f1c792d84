"""How runs and steps stand, as rows, by the fold."""

import json
from functools import lru_cache
from typing import Any, Final

from farandole.projections.fold import Fold, Pair, Result, Run, RunState, awaited, standing_of, unserved_events
from farandole.schemas.envelope import Envelope

from .payloads import as_json, bounded, text

_RESULTS: Final = {Result.NONE: "", Result.ENDED: "ended", Result.CANCELLED: "cancelled", Result.EXPIRED: "expired"}


@lru_cache(maxsize=4096)
def names(name: bytes) -> str:
    """Names of types, reactors and sources, of which there are few."""
    return text(name)


@lru_cache(maxsize=1024)
def _types(types: tuple[bytes, ...]) -> str:
    return json.dumps([text(name) for name in types])


class Touched:
    """A run that may stand otherwise than its row says, and what was counted for it since."""

    __slots__ = (
        "closed",
        "ended",
        "error",
        "events",
        "failures",
        "fingerprint",
        "last_at",
        "last_type",
        "resumed",
        "run",
    )

    def __init__(self, run: Run) -> None:
        self.run = run
        self.events = self.failures = self.last_at = 0
        self.last_type: str | None = None
        self.ended: int | None = None
        self.closed: int | None = None
        self.resumed: int | None = None
        self.error: str | None = None
        """Of the newest failure that parked a step since, or empty if since then none was parked."""
        self.fingerprint: str | None = None


def new_run(fold: Fold, run: Run, e: Envelope) -> list[Any]:
    """The row of a run that has just begun. How it stands is told at the end of its batch."""
    parent = run.pending.parent if run.pending is not None else None
    return [
        fold.partition, run.offset, text(run.id), names(e.type), fold.log_time,
        None if parent is None else text(parent.key), None if parent is None else text(parent.choreography),
        parent is not None and parent.of_schedule,
        "running", False, "", None, None, None, None, 0, run.offset, names(e.type), 0, 0, 0, 0, None, None, 0, None, 0, 0, 0,
        None, None, 0, "", "", None,
    ]  # fmt: skip


def run_changes(fold: Fold, touched: Touched) -> tuple[Any, ...]:
    """What changes in the row of a run, in the order of `batch.RUNS`."""
    run = touched.run
    owed, since, due = 0, None, None
    for pair in run.owed.values():
        if not pair.parked:
            owed += 1
            if since is None or pair.since < since:
                since = pair.since
            if due is None or pair.due < due:
                due = pair.due
    timers = decisions = children = messages = 0
    next_timer = deadline = None
    pending = run.pending
    if pending is not None:
        timers = sum(not timer.decision for timer in (pending.timers or {}).values())
        next_timer = min((bounded(timer.due) for timer in (pending.timers or {}).values()), default=None)
        decisions, children = len(pending.decisions or ()), len(pending.children or ())
        messages, deadline = len(pending.messages or ()), bounded(pending.deadline) or None
    waits = None
    if run.state is RunState.OPEN and (not run.owed or run.half_full) and (found := awaited(fold, run)):
        waits = as_json([{"reactor": a.reactor, "types": a.types, "signal": a.signal} for a in found])
    return (
        standing_of(fold, run), run.paused, _RESULTS[run.result], names(run.end) if run.end else None,
        run.result_offset if run.result else None, touched.ended, touched.closed, run.touched, touched.last_at,
        touched.last_type, touched.events, touched.failures, owed, run.parked, since, None if due is None else bounded(due), timers, next_timer, decisions,
        children, messages, deadline, waits, 0 if run.state is RunState.CLOSED else unserved_events(fold, run),
        touched.error, touched.fingerprint, touched.resumed,
    )  # fmt: skip


def step_row(partition: int, run: int, pair: Pair, state: str, ended_at: int | None, ended: int | None) -> list[Any]:
    """The row of a step.

    Args:
        ended_at: offset of the record with which it was over.
        ended: when that was, by log time.
    """
    work, branch = pair.work, pair.branch
    claimed = work is not None and bool(work.holder)
    return [
        partition, run, text(pair.trigger), names(pair.reactor), text(pair.generation), state, pair.at, pair.since, bounded(pair.due),
        pair.attempts, 0 if work is None else work.lost, f"[{','.join(map(str, pair.inputs))}]", _types(pair.types),
        "" if branch is None else f"{text(branch.fanout.id)}/{branch.index}",
        work.holder.hex() if work is not None and claimed else None, bounded(work.until) if work is not None and claimed else None,
        0 if work is None else len(work.once or ()), text(pair.parked) or None, ended_at, ended,
    ]  # fmt: skip
