"""Joins: the nth event of one type with the nth of the others, within one branch; of an enclosing one, the latest."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import leading
from .applied import Applied
from .branches import Branch
from .contracts import Contract
from .pairs import add, park_event, take_back
from .run import Fact, Join, Pair, Run

if TYPE_CHECKING:
    from .fold import Fold


def enter(fold: "Fold", run: Run, event: Fact, contract: Contract, out: Applied) -> None:
    """Owe an event to a contract that names its type, or let it join."""
    if contract.direct:
        add(run, event.id, contract, (event.offset,), (event.type,), event.hops, event.branch, fold.log_time, out)
    else:
        join(fold, run, event, contract, out)


def enter_again(fold: "Fold", run: Run, pair: Pair, out: Applied) -> bool:
    """Let an event that found no room in a join queue anew; False if its reactor is retired."""
    contract = fold.contracts.get(pair.reactor)
    if contract is None or not contract.active or pair.types[0] not in contract.names:
        return False
    enter(fold, run, take_back(fold, run, pair, out), contract, out)
    return True


def join(fold: "Fold", run: Run, event: Fact, contract: Contract, out: Applied) -> None:
    """Queue an event in its branch, and let branches below look at it; the set that it completes is owed."""
    branch = event.branch
    if branch is not None and branch.open <= 0:
        # It is looked at again at the end of the record.
        out.empty(run, branch)
    queues = _queues(run, branch, contract)
    for queue, types in zip(queues, contract.takes, strict=True):
        if event.type in types:
            if len(queue) >= fold.settings.join_most:
                if not any(queues):
                    _forget(run, branch, contract.reactor)
                park_event(fold, run, event, contract, out)
                return
            queue.append(event)
    _complete(fold, run, branch, contract, queues, out, event)
    if fold.contracts.fans:
        note(run, event)
        for below in _waiting_below(run, branch, contract.reactor):
            while below.joins is not None and contract.reactor in below.joins:
                if not _complete(fold, run, below, contract, below.joins[contract.reactor], out):
                    break
            if below.open <= 0:
                out.empty(run, below)


def note(run: Run, event: Fact) -> None:
    """Keep an event if it is the latest of its type in its branch, for joins in branches below."""
    holder = event.branch or run.pend()
    if holder.latest is None:
        holder.latest = {}
    known = holder.latest.get(event.type)
    if known is None or known.offset < event.offset:
        holder.latest[event.type] = event


def retire(run: Run, reactor: bytes) -> None:
    """What a join holds unmatched goes with its reactor."""
    for _, joins in _places(run, reactor):
        del joins[reactor]
    if run.pending is not None and run.pending.lacking is not None:
        run.pending.lacking.pop(reactor, None)


def rename(run: Run, former: bytes, reactor: bytes) -> None:
    """What a join holds unmatched goes on under another name."""
    for _, joins in _places(run, former):
        joins[reactor] = joins.pop(former)
    if run.pending is not None and run.pending.lacking is not None and former in run.pending.lacking:
        run.pending.lacking[reactor] = run.pending.lacking.pop(former)


def reshape(fold: "Fold", run: Run, contract: Contract, out: Applied) -> None:
    """What a join held unmatched goes on under the new parameters, in the order in which it came."""
    held = [
        event for _, joins in _places(run, contract.reactor) for queue in joins[contract.reactor] for event in queue
    ]
    retire(run, contract.reactor)
    overflowed = [p for p in run.owed.values() if p.overflowed and p.reactor == contract.reactor]
    held.extend(take_back(fold, run, pair, out) for pair in overflowed)
    for event in sorted(held, key=lambda event: event.offset):
        if event.type in contract.names:
            enter(fold, run, event, contract, out)


def _queues(run: Run, branch: Branch | None, contract: Contract) -> Join:
    """A queue for each parameter, in one branch or at the root."""
    reactor = contract.reactor
    place: Run | Branch = run if branch is None else branch
    if place.joins is None:
        place.joins = {}
    queues = place.joins.get(reactor)
    if queues is None:
        queues = place.joins[reactor] = [[] for _ in contract.takes]
        if branch is not None:
            pending = run.pend()
            if pending.lacking is None:
                pending.lacking = {}
            pending.lacking.setdefault(reactor, {})[branch] = None
    return queues


def _complete(
    fold: "Fold",
    run: Run,
    branch: Branch | None,
    contract: Contract,
    queues: Join,
    out: Applied,
    event: Fact | None = None,
) -> bool:
    """Owe the first of each queue, if each input is there, or in an enclosing branch.

    Args:
        event: the one of this branch that may complete the set and be the trigger. None: one of an enclosing branch has
            come, and the trigger is the newest input of this branch.
    """
    looked_up: list[Fact | None] = []
    for queue, types in zip(queues, contract.takes, strict=True):
        latest = None if queue or branch is None else leading.latest(run, branch, types)
        if latest is None and not queue:
            return False
        looked_up.append(latest)
    own: list[Fact] = []
    parts: list[Fact] = []
    for queue, latest in zip(queues, looked_up, strict=True):
        if latest is None:
            own.append(queue.pop(0))
        parts.append(latest or own[-1])
    if not any(queues):
        _forget(run, branch, contract.reactor)
    add(
        run,
        (event or max(own, key=lambda part: part.offset)).id,
        contract,
        tuple(p.offset for p in parts),
        tuple(p.type for p in parts),
        max(p.hops for p in parts),
        branch,
        fold.log_time,
        out,
    )
    return True


def _forget(run: Run, branch: Branch | None, reactor: bytes) -> None:
    place: Run | Branch = run if branch is None else branch
    if place.joins is not None:
        del place.joins[reactor]
    if branch is not None and run.pending is not None and run.pending.lacking is not None:
        del run.pending.lacking[reactor][branch]


def _waiting_below(run: Run, branch: Branch | None, reactor: bytes) -> Iterable[Branch]:
    """The branches inside one, or inside the root, whose join waits, in the order in which they began to."""
    lacking = run.pending.lacking if run.pending is not None else None
    waiting = lacking.get(reactor) if lacking is not None else None
    if not waiting or (branch is not None and not branch.forks):
        return ()
    return [below for below in waiting if branch is None or _inside(below, branch)]


def _inside(below: Branch, branch: Branch) -> bool:
    at = below.fanout.branch
    while at is not None and at is not branch:
        at = at.fanout.branch
    return at is branch


def _places(run: Run, reactor: bytes) -> Iterator[tuple[Branch | None, dict[bytes, Join]]]:
    """Where a join holds something: at the root, and in branches."""
    if run.joins is not None and reactor in run.joins:
        yield None, run.joins
    lacking = run.pending.lacking if run.pending is not None else None
    for branch in (lacking or {}).get(reactor, ()):
        if branch.joins is not None:
            yield branch, branch.joins
