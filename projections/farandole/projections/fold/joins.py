"""Joins: the nth event of one type with the nth of the others."""

from typing import TYPE_CHECKING

from .applied import Applied
from .contracts import Contract
from .pairs import add, park_event, take_back
from .run import Fact, Pair, Run

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
    """The nth of each with the nth of the others; the event that completes the set is the trigger."""
    if run.joins is None:
        run.joins = {}
    queues = run.joins.get(contract.reactor)
    if queues is None:
        queues = run.joins[contract.reactor] = [[] for _ in contract.takes]
    for queue, types in zip(queues, contract.takes, strict=True):
        if event.type in types:
            if len(queue) >= fold.settings.join_most:
                park_event(run, event, contract, fold.log_time, out)
                return
            queue.append(event)
    if all(queues):
        parts = [queue.pop(0) for queue in queues]
        if not any(queues):
            del run.joins[contract.reactor]
        add(
            run,
            event.id,
            contract,
            tuple(p.offset for p in parts),
            tuple(p.type for p in parts),
            max(p.hops for p in parts),
            event.branch,
            fold.log_time,
            out,
        )


def retire(run: Run, reactor: bytes) -> None:
    """What a join holds unmatched goes with its reactor."""
    if run.joins is not None:
        run.joins.pop(reactor, None)


def rename(run: Run, former: bytes, reactor: bytes) -> None:
    """What a join holds unmatched goes on under another name."""
    if run.joins is not None and former in run.joins:
        run.joins[reactor] = run.joins.pop(former)


def reshape(fold: "Fold", run: Run, contract: Contract, out: Applied) -> None:
    """What a join held unmatched goes on under the new parameters, in the order in which it came."""
    queues = run.joins.pop(contract.reactor, ()) if run.joins is not None else ()
    held = [event for queue in queues for event in queue]
    overflowed = [p for p in run.owed.values() if p.overflowed and p.reactor == contract.reactor]
    held.extend(take_back(fold, run, pair, out) for pair in overflowed)
    for event in sorted(held, key=lambda event: event.offset):
        if event.type in contract.names:
            enter(fold, run, event, contract, out)
