"""Who owes what: admitted events and final failures make pairs; contracts that come into force owe what was kept."""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TYPE_CHECKING

from farandole.schemas.envelope import Flag

from .applied import Applied
from .contracts import Contract
from .run import Fact, Pair, Run, RunState, Turn

if TYPE_CHECKING:
    from .fold import Fold

_NO_REACTOR = int(Flag.NO_REACTOR)


def owe(fold: "Fold", run: Run, fact: Fact, out: Applied) -> None:
    """Make the event owed to every reactor whose contract names its type, and keep it for those yet to come."""
    if fact.hops > fold.settings.drain:
        return
    contracts = fold.contracts.by_type.get(fact.type)
    if contracts is not None:
        for contract in contracts:
            _enter(fold, run, fact, contract, out)
    if fold.settling or (contracts is None and fact.type not in fold.contracts.named and not fact.flags & _NO_REACTOR):
        _keep(fold, run, fact)


def owe_failure(fold: "Fold", run: Run, failed: Pair, failure: bytes, offset: int, hops: int, out: Applied) -> bool:
    """Make a final failure owed to the reactors that take it; False if there are none."""
    if failed.of_failure or hops > fold.settings.drain:
        return False
    caught = False
    for contract in fold.contracts.failed:
        if contract.of and failed.reactor not in contract.of:
            continue
        wanted = contract.takes[0] if contract.takes else frozenset()
        if wanted and wanted.isdisjoint(failed.types):
            continue
        pair = _add(run, failure, contract, (offset, *failed.inputs), failed.types, hops, fold.log_time, out)
        pair.of_failure = True
        caught = True
    return caught


def drop(run: Run, pairs: Iterable[Pair], out: Applied) -> None:
    """Let pairs go that nothing will discharge."""
    _let_go(run, pairs, out)
    out.owed = [(r, p) for r, p in out.owed if r.owed.get(p.key) is p]


def enter_again(fold: "Fold", run: Run, pair: Pair, out: Applied) -> bool:
    """Let an event that found no room in a join queue anew; False if its reactor is retired."""
    contract = fold.contracts.get(pair.reactor)
    if contract is None or not contract.active or pair.types[0] not in contract.names:
        return False
    _enter(fold, run, _take_back(run, pair), contract, out)
    return True


def close_if_done(fold: "Fold", run: Run, out: Applied) -> None:
    """An ending run that owes nothing leaves the fold; only a hash of its id stays for a while."""
    if run.state is RunState.ENDING and not run.owed and run.turn(Turn.DONE):
        del fold.runs[run.id]
        fold.keeping.pop(run.id, None)
        fold.closed.add(run.id, fold.log_time, fold.settings.dedup_window, fold.settings.dedup_most)
        out.closed.append(run)


def enforce(fold: "Fold", contracts: tuple[Contract, ...], out: Applied) -> None:
    """Put contracts in force, and settle what becomes of what is already owed, joined or kept."""
    former = {c.reactor: fold.contracts.get(c.renames or c.reactor) for c in contracts}
    first = {c.reactor for c in contracts if former[c.reactor] is None and c.reactor not in fold.contracts.ever}
    active = [c for c in contracts if c.active]
    unnamed = frozenset[bytes]().union(*(c.names for c in active)) - fold.contracts.named
    fold.contracts.replace(contracts)
    out.contracts = contracts
    let_go = False
    for contract in contracts:
        before = former[contract.reactor]
        if contract.state == "retired_drop":
            _retire(fold, contract, out)
            let_go = True
        elif before is not None:
            if contract.renames:
                _rename(fold, contract, out)
            if before.shape != contract.shape:
                _reshape(fold, contract, out)
                let_go = True
    begin = [(c, c.names if fold.settling and c.reactor in first else c.names & unnamed) for c in active]
    if fold.keeping and any(types for _, types in begin):
        for run in tuple(fold.keeping.values()):
            _owe_kept(fold, run, begin, unnamed, out)
    if let_go:
        for run in sorted(fold.runs.values(), key=lambda run: run.offset):
            close_if_done(fold, run, out)


def sweep(fold: "Fold") -> None:
    """Once the settling time is over, keep only events of types that no contract has ever named."""
    for run in tuple(fold.keeping.values()):
        kept = [k for k in run.kept or () if unserved(fold, k)]
        run.unserved += max(len(kept) - fold.settings.kept, 0)
        run.kept = kept[: fold.settings.kept] or None
        if run.kept is None:
            del fold.keeping[run.id]


def unserved(fold: "Fold", event: Fact) -> bool:
    """Whether the event wants a reactor, and none was ever there that takes its type."""
    return event.type not in fold.contracts.named and not event.flags & _NO_REACTOR


def _let_go(run: Run, pairs: Iterable[Pair], out: Applied) -> None:
    for pair in tuple(pairs):
        del run.owed[pair.key]
        if pair.parked:
            run.parked -= 1
        out.settled.append((run, pair))


def _add(
    run: Run,
    trigger: bytes,
    contract: Contract,
    inputs: tuple[int, ...],
    types: tuple[bytes, ...],
    hops: int,
    log_time: int,
    out: Applied,
) -> Pair:
    """A pair that is owed already stays as it is: no two events have one id, unless somebody forged one."""
    pair = Pair(trigger, contract.reactor, b"", inputs, types, log_time, hops)
    if run.owed.setdefault(pair.key, pair) is pair:
        out.owed.append((run, pair))
    return pair


def _enter(fold: "Fold", run: Run, event: Fact, contract: Contract, out: Applied) -> None:
    """Owe an event to a contract that names its type, or let it join."""
    if len(contract.takes) > 1:
        _join(fold, run, event, contract, out)
    else:
        _add(run, event.id, contract, (event.offset,), (event.type,), event.hops, fold.log_time, out)


def _join(fold: "Fold", run: Run, event: Fact, contract: Contract, out: Applied) -> None:
    """The nth of each with the nth of the others; the event that completes the set is the trigger."""
    if run.joins is None:
        run.joins = {}
    queues = run.joins.get(contract.reactor)
    if queues is None:
        queues = run.joins[contract.reactor] = [[] for _ in contract.takes]
    for queue, types in zip(queues, contract.takes, strict=True):
        if event.type in types:
            if len(queue) >= fold.settings.join_most:
                _park(run, event, contract, fold.log_time, out)
                return
            queue.append(event)
    if all(queues):
        parts = [queue.pop(0) for queue in queues]
        if not any(queues):
            del run.joins[contract.reactor]
        _add(
            run,
            event.id,
            contract,
            tuple(p.offset for p in parts),
            tuple(p.type for p in parts),
            max(p.hops for p in parts),
            fold.log_time,
            out,
        )


def _park(run: Run, event: Fact, contract: Contract, log_time: int, out: Applied) -> None:
    """Hold an event for which a join has no room until somebody retries it by its own id."""
    pair = Pair(event.id, contract.reactor, b"", (event.offset,), (event.type,), log_time, event.hops)
    pair.parked = event.id
    if run.owed.setdefault(pair.key, pair) is pair:
        run.parked += 1
        out.settled.append((run, pair))


def _take_back(run: Run, pair: Pair) -> Fact:
    """The event of a pair that overflowed, which is then owed no longer."""
    del run.owed[pair.key]
    run.parked -= 1
    return Fact(pair.trigger, pair.types[0], pair.inputs[0], 0, pair.hops)


def _keep(fold: "Fold", run: Run, event: Fact) -> None:
    if not fold.settling and len(run.kept or ()) >= fold.settings.kept:
        run.unserved += 1
        return
    if run.kept is None:
        run.kept = []
        fold.keeping[run.id] = run
    run.kept.append(event)


def _owe_kept(
    fold: "Fold",
    run: Run,
    begin: Sequence[tuple[Contract, frozenset[bytes]]],
    unnamed: frozenset[bytes],
    out: Applied,
) -> None:
    """Owe kept events to contracts, each those of the types that it begins with."""
    for event in run.kept or ():
        for contract, types in begin:
            if event.type in types:
                _enter(fold, run, event, contract, out)
    if not fold.settling:
        run.kept = [k for k in run.kept or () if k.type not in unnamed] or None
        if run.kept is None:
            del fold.keeping[run.id]


def _retire(fold: "Fold", contract: Contract, out: Applied) -> None:
    for run in fold.runs.values():
        if run.joins is not None:
            run.joins.pop(contract.reactor, None)
        if pairs := [p for p in run.owed.values() if p.reactor == contract.reactor]:
            _let_go(run, pairs, out)
            run.touched = fold.log_time
    out.owed = [(r, p) for r, p in out.owed if r.owed.get(p.key) is p]


def _rename(fold: "Fold", contract: Contract, out: Applied) -> None:
    for run in fold.runs.values():
        if run.joins is not None and contract.renames in run.joins:
            run.joins[contract.reactor] = run.joins.pop(contract.renames)
        for pair in [p for p in run.owed.values() if p.reactor == contract.renames]:
            # A pair of its own: whoever works on the former one must see that it is owed no longer.
            moved = copy(run.owed.pop(pair.key))
            moved.rename(contract.reactor)
            moved.unfinished = None
            run.owed[moved.key] = moved
            if not pair.parked:
                out.settled.append((run, pair))
                out.owed.append((run, moved))


def _reshape(fold: "Fold", contract: Contract, out: Applied) -> None:
    """What a join held unmatched goes on under the new parameters, in the order in which it came."""
    for run in fold.runs.values():
        queues = run.joins.pop(contract.reactor, ()) if run.joins is not None else ()
        held = [event for queue in queues for event in queue]
        overflowed = [p for p in run.owed.values() if p.overflowed and p.reactor == contract.reactor]
        held.extend(_take_back(run, pair) for pair in overflowed)
        for event in sorted(held, key=lambda event: event.offset):
            if event.type in contract.names:
                _enter(fold, run, event, contract, out)
