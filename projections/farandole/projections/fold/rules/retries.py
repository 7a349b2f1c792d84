"""A person asks for another attempt at a parked step, as it was or with another input."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.joins import enter_again
from farandole.projections.fold.pairs import limit
from farandole.projections.fold.run import Pair, Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope, Flag

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold

_EDITED = int(Flag.EDITED)


def retry(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Names the failure that parked a step; the step is owed again and its attempts count on.

    An event that found no room in joins is named by its own id, and queues anew in each of them.
    """
    parked = [pair for pair in run.owed.values() if pair.parked and pair.parked == e.causation] if run.parked else []
    if not parked:
        return Verdict.NOT_PARKED
    if e.flags & _EDITED:
        return edited(fold, run, parked[0], record, e, out)
    done = [unpark(fold, run, pair, out) for pair in parked]
    return Verdict.ADMITTED if any(done) else Verdict.NO_CONTRACT


def unpark(fold: "Fold", run: Run, pair: Pair, out: Applied) -> bool:
    """Owe a parked pair again; False if it overflowed from a join of a reactor that takes nothing any more."""
    if pair.overflowed:
        return enter_again(fold, run, pair, out)
    pair.unpark(fold.log_time)
    run.parked -= 1
    out.owed.append((run, pair))
    limit(run, pair, fold.contracts.get(pair.reactor), out)
    return True


def edited(fold: "Fold", run: Run, pair: Pair, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """The record is what the step takes in the place of one input; the history stays as it is.

    The step is owed in a generation of its own, so that no outcome of the former input answers it.
    """
    contract = fold.contracts.get(pair.reactor)
    if contract is None or contract.form not in ("event", "join") or pair.overflowed or pair.undoes:
        return Verdict.NO_CONTRACT
    if len(e.extra) < 2 or len(e.extra) < 2 + e.extra[1]:
        return Verdict.UNREADABLE
    place = e.extra[0]
    if len(pair.inputs) != len(pair.types) or place >= len(pair.types) or pair.types[place] != e.type:
        return Verdict.UNREADABLE
    inputs = (*pair.inputs[:place], record.offset, *pair.inputs[place + 1 :])
    new = Pair(
        pair.trigger, pair.reactor, e.id, inputs, pair.types, fold.log_time, pair.hops, pair.of_failure, pair.at,
        pair.branch,
    )  # fmt: skip
    if run.owed.setdefault(new.key, new) is not new:
        return Verdict.REPEATED
    del run.owed[pair.key]
    run.parked -= 1
    out.settled.append((run, pair))
    out.owed.append((run, new))
    limit(run, new, contract, out)
    return Verdict.ADMITTED
