"""Compensation, and retries with another input: section 18."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from checker.record import Head, Raw
from checker.state import Debt, Event, Run, Undo
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold

UNDO: Final = b"undo"


def push(fold: "Fold", run: Run, debt: Debt, outcome: bytes, emitted: Sequence[Event]) -> None:
    """Remember an outcome of a reactor whose steps can be undone."""
    _, reactor, generation = debt.pair
    contract = fold.contracts.by_reactor.get(reactor)
    if contract is None or not contract.compensates or generation == UNDO:
        return
    taken = debt.inputs[1:] if debt.by_failure else debt.inputs
    run.stack.append(Undo(outcome, reactor, (*taken, *((e.offset, e.type) for e in emitted)), debt.hops))


def unwind(run: Run, offset: int) -> bool:
    """Owe the compensation of the last outcome that is not undone yet; whether there was one."""
    if not run.undoing or not run.stack:
        return False
    undo = run.stack.pop()
    run.owe(Debt((undo.outcome, undo.reactor, UNDO), undo.inputs, undo.hops, offset))
    return True


def edited(fold: "Fold", run: Run, debt: Debt, raw: Raw, head: Head) -> Verdict | None:
    """Owe a parked pair anew with the record in the place of one of its inputs; None if it is."""
    trigger, reactor, generation = debt.pair
    contract = fold.contracts.by_reactor.get(reactor)
    if debt.overflowed or generation == UNDO or contract is None or set(contract.forms) != {"event"}:
        return Verdict.NO_CONTRACT
    if len(head.extra) < 2 or head.extra[1] > len(head.extra) - 2:
        return Verdict.UNREADABLE
    place = head.extra[0]
    if debt.by_failure or place >= len(debt.inputs) or debt.inputs[place][1] != head.type:
        return Verdict.UNREADABLE
    inputs = tuple((raw.offset, type) if n == place else (at, type) for n, (at, type) in enumerate(debt.inputs))
    new = Debt((trigger, reactor, head.id), inputs, debt.hops, raw.offset, debt.of_failed, branch=debt.branch)
    new.first = debt.place
    if new.pair in run.owed:
        return Verdict.REPEATED
    run.settle(debt, "edited", raw.offset)
    run.owe(new)
    return None
