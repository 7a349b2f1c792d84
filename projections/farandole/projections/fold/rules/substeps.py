"""A part of a step is done."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.contracts import MOST_NAME
from farandole.projections.fold.pending import Working
from farandole.projections.fold.run import Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def substep(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the pair is owed, the name is new to it, and it has room. The first result of a name is its result.

    A parked step is owed too: what a worker did before it parked need not be done again after a retry.
    """
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    if pair is None:
        return Verdict.NOT_OWED
    name = e.extra
    if not 0 < len(name) <= MOST_NAME:
        return Verdict.UNREADABLE
    done = pair.work.once if pair.work is not None and pair.work.once is not None else {}
    if name in done:
        return Verdict.REPEATED
    if len(done) >= fold.settings.once_most:
        return Verdict.FULL
    if pair.work is None:
        pair.work = Working()
    done[name] = record.offset
    pair.work.once = done
    run.touched = fold.log_time
    return Verdict.ADMITTED
