"""What outcomes set besides events: sections 14 and 15."""

from typing import TYPE_CHECKING

from checker.contracts import MOST_NAME
from checker.record import Flag, Head
from checker.state import Debt, Decision, Run, Timer

from .branches import Branch, within

if TYPE_CHECKING:
    from checker.fold import Fold

EVENT = Flag.END | Flag.DROPS | Flag.COMPENSATES | Flag.WANTS_NO_REACTOR


def set_timer(fold: "Fold", run: Run, debt: Debt, its: Head, branch: Branch | None) -> None:
    """Set a timer, unless what drops it came after the trigger."""
    if not 0 < len(its.extra) <= MOST_NAME or its.id in run.timers:
        return
    contract = fold.contracts.by_reactor.get(debt.pair[1])
    unless = contract.unless if contract is not None else frozenset[bytes]()
    trigger = max(offset for offset, _ in debt.inputs)
    for type, at, offset, place in run.passed:
        if type in unless and within(branch, place) and (at > debt.place or offset > trigger):
            return
    run.timers[its.id] = Timer(its.id, its.extra, due_of(fold, its), its.flags & EVENT, unless, branch)


def ask(fold: "Fold", run: Run, asked: Decision | None, its: Head, branch: Branch | None) -> Decision | None:
    """Ask people, or say what the decision that was asked for last becomes without them.

    Returns:
        The decision that was asked for last in this outcome; None if it asks nothing new.
    """
    if its.flags & Flag.AFTER:
        fits = 0 < len(its.extra) <= MOST_NAME and its.id not in run.timers
        if asked is not None and asked.otherwise is None and fits:
            flags = its.flags & EVENT
            asked.otherwise = Timer(its.id, its.extra, due_of(fold, its), flags, frozenset(), branch, asked.id)
            run.timers[its.id] = asked.otherwise
        return asked
    if its.id in run.decisions:
        return None
    said = its.extra if len(its.extra) >= 18 else bytes(18)
    answers = frozenset(name for name in said[18:].split(b"\0") if 0 < len(name) <= MOST_NAME)
    decision = Decision(its.id, answers, max(int.from_bytes(said[:2], "big"), 1), said[2:18], branch)
    run.decisions[its.id] = decision
    return decision


def due_of(fold: "Fold", its: Head) -> int:
    """When it is due."""
    return its.not_after or fold.log_time + max(its.delay, 0)
