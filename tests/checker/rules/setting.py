"""What outcomes set besides events: section 14."""

from typing import TYPE_CHECKING

from checker.contracts import MOST_NAME
from checker.record import Flag, Head
from checker.state import Debt, Run, Timer

if TYPE_CHECKING:
    from checker.fold import Fold

EVENT = Flag.END | Flag.DROPS | Flag.COMPENSATES | Flag.WANTS_NO_REACTOR


def set_timer(fold: "Fold", run: Run, debt: Debt, its: Head) -> None:
    """Set a timer, unless what drops it came after the trigger."""
    if not 0 < len(its.extra) <= MOST_NAME or its.id in run.timers:
        return
    contract = fold.contracts.by_reactor.get(debt.pair[1])
    unless = contract.unless if contract is not None else frozenset[bytes]()
    trigger = max(offset for offset, _ in debt.inputs)
    if any(type in unless and (at > debt.place or offset > trigger) for type, at, offset in run.passed):
        return
    run.timers[its.id] = Timer(its.id, its.extra, due_of(fold, its), its.flags & EVENT, unless)


def due_of(fold: "Fold", its: Head) -> int:
    """When it is due."""
    return its.not_after or fold.log_time + max(its.delay, 0)
