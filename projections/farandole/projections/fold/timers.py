"""Timers that an outcome sets, and what drops them before they fire."""

from typing import TYPE_CHECKING, Final

from farandole.schemas.envelope import Flag

from .branches import Branch, hold, leave
from .contracts import MOST_NAME
from .pending import Timer
from .run import RunState

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Fact, Item, Pair, Run

EVENT: Final = int(Flag.END | Flag.FINAL_END | Flag.COMPENSATE | Flag.NO_REACTOR)
"""Flags of a timer that are those of its event."""


def arm(fold: "Fold", run: "Run", pair: "Pair", item: "Item", out: "Applied") -> None:
    """Set a timer of an open run, unless what drops it came after the trigger already.

    Args:
        pair: the one whose outcome sets it.
    """
    timers = run.pending.timers if run.pending is not None else None
    if not 0 < len(item.extra) <= MOST_NAME or (timers and item.id in timers):
        # No record that fires could name the one, and only a forged outcome sets the other.
        return
    contract = fold.contracts.get(pair.reactor)
    unless = frozenset[bytes]() if contract is None else contract.unless
    if unless and _passed(run, unless, pair, item.branch):
        return
    timer = Timer(
        item.id, fold.intern(item.extra), item.offset, due_of(fold, item), item.flags & EVENT, item.hops, item.branch,
        unless,
    )  # fmt: skip
    keep(run, timer)
    if item.branch is not None:
        hold(item.branch)
    out.arm(run, timer)


def due_of(fold: "Fold", item: "Item") -> int:
    """Log time at which something that an outcome sets is due."""
    return item.not_after or fold.log_time + max(item.delay, 0)


def keep(run: "Run", timer: Timer) -> None:
    """Let the run wait for a timer."""
    pending = run.pend()
    if pending.timers is None:
        pending.timers = {}
    pending.timers[timer.id] = timer


def let_go(run: "Run", timer: Timer) -> None:
    """Let the run wait for a timer no longer."""
    pending = run.pend()
    if pending.timers is not None:
        del pending.timers[timer.id]
        pending.timers = pending.timers or None


def pass_by(fold: "Fold", run: "Run", fact: "Fact", out: "Applied") -> None:
    """An event was admitted of a type that drops timers: those of its branch and of the branches below go."""
    if run.state is not RunState.OPEN:
        return
    note(run, fact, out.offset)
    timers = run.pending.timers if run.pending is not None else None
    for timer in tuple(timers.values()) if timers else ():
        if fact.type in timer.unless and _within(timer.branch, fact.branch):
            let_go(run, timer)
            if timer.branch is not None:
                leave(fold, run, timer.branch, out)


def note(run: "Run", fact: "Fact", at: int) -> None:
    """Remember where an event came last that drops timers which are yet to be set.

    Args:
        at: offset of the record with which it was admitted.
    """
    place = run.pend() if fact.branch is None else fact.branch
    if place.last is None:
        place.last = {}
    before = place.last.get(fact.type, (at, fact.offset))
    place.last[fact.type] = (max(at, before[0]), max(fact.offset, before[1]))


def _passed(run: "Run", unless: frozenset[bytes], pair: "Pair", branch: Branch | None) -> bool:
    """Whether such an event came after the trigger: it was admitted after the pair was owed, or stands behind it.

    A pair may be owed long after its trigger was admitted, to a reactor that is new or by hand.
    """
    trigger = max(pair.inputs, default=-1)
    places = []
    while branch is not None:
        places.append(branch.last)
        branch = branch.fanout.branch
    places.append(run.pending.last if run.pending is not None else None)
    return any(
        at > pair.at or offset > trigger
        for last in places
        if last
        for type in unless
        for at, offset in (last.get(type, (-1, -1)),)
    )


def _within(branch: Branch | None, enclosing: Branch | None) -> bool:
    """Whether one branch is another, or lies below it."""
    while branch is not enclosing and branch is not None:
        branch = branch.fanout.branch
    return branch is enclosing
