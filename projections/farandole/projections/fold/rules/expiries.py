"""The time of something is over: of a run, of a decision, of a fan-in."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.run import Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

from . import decisions, gathering, timers

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def expiry(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """What it names, pending, decides; without a name it is of the run.

    A fan-out may begin with a decision, whose id is its own then: only what names a reactor is of a fan-in.
    """
    if not e.causation:
        return timers.overdue(fold, run, record, e, out)
    if run.pending is None:
        return Verdict.NOT_PENDING
    if e.reactor:
        fanout = (run.pending.fanouts or {}).get(e.causation)
        if fanout is not None:
            return gathering.expired(fold, run, fanout, record, e, out)
    else:
        decision = (run.pending.decisions or {}).get(e.causation)
        if decision is not None:
            return decisions.expired(fold, run, decision, record, e, out)
    return Verdict.NOT_PENDING
