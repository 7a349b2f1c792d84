"""Pairs come to be owed, and are let go."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import children
from .branches import Branch, hold, leave
from .contracts import Contract
from .pending import StepDeadline
from .run import Fact, Pair, Run

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold


def add(
    run: Run,
    trigger: bytes,
    contract: Contract,
    inputs: tuple[int, ...],
    types: tuple[bytes, ...],
    hops: int,
    branch: Branch | None,
    log_time: int,
    out: "Applied",
) -> None:
    """A pair that is owed already stays as it is: no two events have one id, unless somebody forged one."""
    pair = Pair(
        trigger, contract.reactor, b"", inputs, types, log_time, hops, contract.takes_failures, out.offset, branch
    )
    if run.owed.setdefault(pair.key, pair) is pair:
        out.owed.append((run, pair))
        if branch is not None:
            hold(branch)
        if contract.deadline:
            out.arm(run, StepDeadline(log_time + contract.deadline, pair))


def limit(run: Run, pair: Pair, contract: Contract | None, out: "Applied") -> None:
    """Tell when a pair that is owed already is to be given up, by the contract in force."""
    if contract is not None and contract.deadline and not pair.parked:
        out.arm(run, StepDeadline(pair.since + contract.deadline, pair))


def park_event(fold: "Fold", run: Run, event: Fact, contract: Contract, out: "Applied") -> None:
    """Hold an event for which a join has no room until somebody retries it by its own id; a parent is told."""
    pair = Pair(
        event.id, contract.reactor, b"", (event.offset,), (event.type,), fold.log_time, event.hops, False, out.offset,
        event.branch,
    )  # fmt: skip
    pair.parked = event.id
    if run.owed.setdefault(pair.key, pair) is pair:
        run.parked += 1
        out.settled.append((run, pair))
        if event.branch is not None:
            hold(event.branch)
        children.tell_of_parking(fold, run, event.offset, out)


def take_back(fold: "Fold", run: Run, pair: Pair, out: "Applied") -> Fact:
    """The event of a pair that overflowed, which is then owed no longer."""
    del run.owed[pair.key]
    run.parked -= 1
    if pair.branch is not None:
        leave(fold, run, pair.branch, out)
    return Fact(pair.trigger, pair.types[0], pair.inputs[0], 0, pair.hops, pair.branch)


def let_go(fold: "Fold", run: Run, pairs: Iterable[Pair], out: "Applied") -> None:
    """Let pairs go that nothing will discharge."""
    for pair in tuple(pairs):
        del run.owed[pair.key]
        if pair.parked:
            run.parked -= 1
        out.settled.append((run, pair))
        if pair.branch is not None:
            leave(fold, run, pair.branch, out)


def owed_still(out: "Applied") -> None:
    """Tell nobody of pairs that became owed with this record and are owed no longer."""
    out.owed = [(r, p) for r, p in out.owed if r.owed.get(p.key) is p]
