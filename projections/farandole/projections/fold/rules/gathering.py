"""A fan-in has waited for long enough."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.branches import FAILURE, FanOut, Gathering, Gift, gathered, hold, settle
from farandole.projections.fold.owing import fail_for_good
from farandole.projections.fold.run import Fact, Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def expired(fold: "Fold", run: Run, fanout: FanOut, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the reactor still gathers of this fan-out, and its time has come."""
    gathering = next((g for g in fanout.gatherings or () if g.reactor == e.reactor), None)
    if gathering is None:
        return Verdict.NOT_PENDING
    if not gathering.due or fold.log_time < gathering.due:
        return Verdict.NOT_DUE
    run.touched = fold.log_time
    if gathering.failures is not None:
        for branch in fanout.branches:
            if branch.index not in gathering.got:
                gathering.got[branch.index] = Gift((record.offset, branch.offset), (FAILURE, branch.type), 0)
        gathering.settled = fanout.width
        settle(fold, run, gathering, out)
    else:
        _fail(fold, run, gathering, Fact(e.id, fold.intern(e.type), record.offset, e.flags), out)
    return Verdict.ADMITTED


def _fail(fold: "Fold", run: Run, gathering: Gathering, failure: Fact, out: Applied) -> None:
    """The step is owed with what is there, and has failed for good; a retry makes do with it."""
    pair = gathered(fold, gathering, out)
    if run.owed.setdefault(pair.key, pair) is not pair:
        return
    if pair.branch is not None:
        hold(pair.branch)
    pair.attempts = 1
    fail_for_good(fold, run, pair, failure, out)
