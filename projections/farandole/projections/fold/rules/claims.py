"""Who works on a step that takes long, how far it has come, and who was lost at it."""

from typing import TYPE_CHECKING, Final

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.owing import fail_for_good
from farandole.projections.fold.pending import Working
from farandole.projections.fold.run import Fact, Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold

HOLDER: Final = 16
"""Bytes of the name of whoever claims a step."""


def claim(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the pair is owed and nobody else's claim stands. It binds what is begun, never what is admitted.

    A claim of no time lets go, so that the step is begun by whoever comes and nobody is lost.
    """
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    if pair is None:
        return Verdict.NOT_OWED
    if pair.parked:
        return Verdict.LATE
    if len(e.extra) != HOLDER:
        return Verdict.UNREADABLE
    work = pair.work
    if work is not None and work.holder and work.holder != e.extra and work.until >= fold.log_time:
        return Verdict.CLAIMED
    lets_go = e.delay <= 0
    if lets_go and (work is None or work.holder != e.extra):
        return Verdict.NOT_PENDING
    if work is None:
        work = pair.work = Working()
    if lets_go:
        work.free()
        out.owed.append((run, pair))
    else:
        work.holder = e.extra
        work.until = fold.log_time + min(e.delay, fold.settings.lease_most)
    run.touched = fold.log_time
    return Verdict.ADMITTED


def lost(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the claim that it names has lapsed; the last one that a step may have is its final failure."""
    pair = run.owed.get((e.causation, e.reactor, e.generation))
    if pair is None:
        return Verdict.NOT_OWED
    if pair.parked:
        return Verdict.LATE
    work = pair.work
    if work is None or not work.holder or work.holder != e.extra:
        return Verdict.NOT_PENDING
    if work.until >= fold.log_time:
        return Verdict.NOT_DUE
    work.free()
    work.lost += 1
    run.touched = fold.log_time
    if work.lost >= fold.settings.lost_most:
        fail_for_good(fold, run, pair, Fact(e.id, fold.intern(e.type), record.offset, e.flags), out)
    else:
        out.owed.append((run, pair))
    return Verdict.ADMITTED


def progress(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the pair is owed; it is told to people, and decides nothing."""
    if (e.causation, e.reactor, e.generation) not in run.owed:
        return Verdict.NOT_OWED
    run.touched = fold.log_time
    return Verdict.ADMITTED
