"""Who owes what: admitted events and final failures make pairs; contracts that come into force owe what was kept."""

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING

from farandole.schemas.envelope import Flag

from . import children, compensation, gathering, joins, timers
from .applied import Applied
from .branches import end, forget, leave, release, sweep_fan_outs
from .contracts import Contract
from .joins import enter
from .pairs import add, let_go, limit, owed_still
from .run import Fact, Pair, Run, RunState, Turn

if TYPE_CHECKING:
    from .fold import Fold

_NO_REACTOR = int(Flag.NO_REACTOR)
_ENDING, _DONE = RunState.ENDING, Turn.DONE


def owe(fold: "Fold", run: Run, fact: Fact, out: Applied) -> None:
    """Make the event owed to every reactor whose contract names its type, and keep it for those yet to come."""
    if fact.hops > fold.settings.drain:
        return
    contracts = fold.contracts.by_type.get(fact.type)
    if contracts is not None:
        for contract in contracts:
            enter(fold, run, fact, contract, out)
    if fold.settling or (contracts is None and fact.type not in fold.contracts.named and not fact.flags & _NO_REACTOR):
        _keep(fold, run, fact)


def fail_for_good(fold: "Fold", run: Run, pair: Pair, failure: Fact, out: Applied) -> None:
    """A step has failed and is not tried again: its failure is owed to those who take it, or parks it."""
    out.settled.append((run, pair))
    failure.hops = 0 if run.state is RunState.OPEN else pair.hops + 1
    failure.branch = pair.branch
    out.admitted.append(failure)
    if owe_failure(fold, run, pair, failure, out):
        del run.owed[pair.key]
        if pair.branch is not None:
            leave(fold, run, pair.branch, out)
        return
    pair.parked = failure.id
    run.parked += 1
    children.tell_of_parking(fold, run, failure.offset, out)


def owe_failure(fold: "Fold", run: Run, failed: Pair, failure: Fact, out: Applied) -> bool:
    """Make a final failure owed to the reactors that take it; False if there are none."""
    if failed.of_failure or failed.undoes or failure.hops > fold.settings.drain:
        return False
    caught = failed.branch is not None and gathering.catch(fold, run, failed, failure, out)
    for contract in fold.contracts.failed:
        if contract.of and failed.reactor not in contract.of:
            continue
        if contract.failures and contract.failures.isdisjoint(failed.types):
            continue
        inputs = (failure.offset, *failed.inputs)
        add(run, failure.id, contract, inputs, failed.types, failure.hops, failed.branch, fold.log_time, out)
        caught = True
    return caught


def drop(fold: "Fold", run: Run, out: Applied) -> None:
    """Let all go that the run owes, and the branches with it."""
    let_go(fold, run, run.owed.values(), out)
    if run.pending is not None:
        forget(run)
    owed_still(out)


def close_if_done(fold: "Fold", run: Run, out: Applied) -> None:
    """An ending run that owes nothing leaves the fold; only a hash of its id stays for a while."""
    if run.state is not _ENDING or run.owed:
        return
    if run.pending is not None and (compensation.unwind(fold, run, out) or run.pending.holds()):
        return
    if run.turn(_DONE):
        del fold.runs[run.id]
        fold.keeping.pop(run.id, None)
        fold.closed.add(run.id, fold.log_time, fold.settings.dedup_window, fold.settings.dedup_most)
        out.closed.append(run)


def enforce(fold: "Fold", contracts: tuple[Contract, ...], out: Applied) -> None:
    """Put contracts in force, and settle what becomes of what is already owed, joined or kept."""
    if fold.saver is not None:
        fold.saver.finish()
    former = {c.reactor: fold.contracts.get(c.renames or c.reactor) for c in contracts}
    first = {c.reactor for c in contracts if former[c.reactor] is None and c.reactor not in fold.contracts.ever}
    active = [c for c in contracts if c.active]
    unnamed = frozenset[bytes]().union(*(c.elements for c in active)) - fold.contracts.named
    watched, fanned = fold.contracts.watched, fold.contracts.fans
    fold.contracts.replace(contracts)
    out.contracts = contracts
    _look_back(fold, fold.contracts.watched - watched)
    if fold.contracts.fans and not fanned:
        _note_kept(fold)
    may_close = False
    for contract in contracts:
        before = former[contract.reactor]
        if contract.state == "retired_drop":
            _retire(fold, contract, out)
            may_close = True
        elif before is not None:
            if contract.renames:
                _rename(fold, contract, out)
            if before.shape != contract.shape:
                _reshape(fold, contract, out)
                may_close = True
            if before.deadline != contract.deadline:
                _limit(fold, contract, out)
    begin = [(c, c.names if fold.settling and c.reactor in first else c.names & unnamed) for c in active]
    if fold.keeping and (unnamed or any(types for _, types in begin)):
        # In the order of their starts: which of them came to keep something first is no part of the state.
        for run in sorted(fold.keeping.values(), key=lambda run: run.offset):
            _owe_kept(fold, run, begin, out)
    if lists := [c for c in active if c.form == "list" and c.reactor in first]:
        gathering.begin(fold, lists, out)
    if unnamed and not fold.settling:
        _keep_no_longer(fold, unnamed)
    if out.more is not None and out.more.emptied:
        may_close = True
        end(fold, out)
    for run in [run for run in fold.runs.values() if run.pending is not None and run.pending.held]:
        release(fold, run, out, anew=True)
        may_close = True
    if may_close:
        for run in sorted(fold.runs.values(), key=lambda run: run.offset):
            close_if_done(fold, run, out)


def sweep(fold: "Fold") -> None:
    """Once the settling time is over, keep only events of types that no contract has ever named."""
    if fold.saver is not None:
        fold.saver.finish()
    sweep_fan_outs(fold)
    for run in tuple(fold.keeping.values()):
        kept = [k for k in run.kept or () if unserved(fold, k)]
        run.unserved += max(len(kept) - fold.settings.kept, 0)
        run.kept = kept[: fold.settings.kept] or None
        if run.kept is None:
            del fold.keeping[run.id]


def unserved(fold: "Fold", event: Fact) -> bool:
    """Whether the event wants a reactor, and none was ever there that takes its type."""
    return event.type not in fold.contracts.named and not event.flags & _NO_REACTOR


def _keep(fold: "Fold", run: Run, event: Fact) -> None:
    if not fold.settling and len(run.kept or ()) >= fold.settings.kept:
        run.unserved += 1
        return
    if run.kept is None:
        run.kept = []
        fold.keeping[run.id] = run
    run.kept.append(event)


def _owe_kept(fold: "Fold", run: Run, begin: Sequence[tuple[Contract, frozenset[bytes]]], out: Applied) -> None:
    """Owe kept events to contracts, each those of the types that it begins with."""
    for event in run.kept or ():
        for contract, types in begin:
            if event.type in types:
                enter(fold, run, event, contract, out)


def _note_kept(fold: "Fold") -> None:
    """Let joins in branches to come find the latest of what is kept."""
    for run in fold.keeping.values():
        for event in run.kept or ():
            if event.type in fold.contracts.joined and event.hops <= fold.settings.drain:
                joins.note(run, event)


def _keep_no_longer(fold: "Fold", types: frozenset[bytes]) -> None:
    for run in tuple(fold.keeping.values()):
        run.kept = [k for k in run.kept or () if k.type not in types] or None
        if run.kept is None:
            del fold.keeping[run.id]


def _look_back(fold: "Fold", watched: frozenset[bytes]) -> None:
    """Types of events drop timers from now on: those that are kept count, for what they follow is owed only now."""
    for run in fold.keeping.values() if watched else ():
        for event in run.kept or ():
            if event.type in watched and run.state is RunState.OPEN:
                timers.note(run, event, event.offset)


def _limit(fold: "Fold", contract: Contract, out: Applied) -> None:
    """Tell until when steps may take that are owed already."""
    for run in fold.runs.values():
        for pair in run.owed.values():
            if pair.reactor == contract.reactor:
                limit(run, pair, contract, out)


def _retire(fold: "Fold", contract: Contract, out: Applied) -> None:
    for run in fold.runs.values():
        joins.retire(run, contract.reactor)
        if run.pending is not None:
            gathering.retire(run, contract.reactor)
            compensation.retire(run, contract.reactor)
        if pairs := [p for p in run.owed.values() if p.reactor == contract.reactor]:
            let_go(fold, run, pairs, out)
            run.touched = fold.log_time
    owed_still(out)


def _rename(fold: "Fold", contract: Contract, out: Applied) -> None:
    if contract.renames in fold.stopped:
        fold.stopped[contract.reactor] = fold.stopped.pop(contract.renames)
    for run in fold.runs.values():
        joins.rename(run, contract.renames, contract.reactor)
        if run.pending is not None:
            gathering.rename(run, contract.renames, contract.reactor)
            compensation.rename(run, contract.renames, contract.reactor)
        for pair in [p for p in run.owed.values() if p.reactor == contract.renames]:
            # A pair of its own: whoever works on the former one must see that it is owed no longer.
            moved = copy(run.owed.pop(pair.key))
            moved.rename(contract.reactor)
            moved.unfinished = None
            if moved.work is not None:
                # Whoever claims it works for the former one.
                moved.work.free()
            run.owed[moved.key] = moved
            if not pair.parked:
                out.settled.append((run, pair))
                out.owed.append((run, moved))


def _reshape(fold: "Fold", contract: Contract, out: Applied) -> None:
    for run in fold.runs.values():
        joins.reshape(fold, run, contract, out)
        if run.pending is not None:
            gathering.reshape(run, contract)
