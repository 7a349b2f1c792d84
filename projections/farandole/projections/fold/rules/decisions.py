"""People answer, or nobody does in time."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.branches import leave
from farandole.projections.fold.decisions import HASH, decided
from farandole.projections.fold.pending import Decision
from farandole.projections.fold.run import Fact, Run
from farandole.projections.fold.taking import take
from farandole.projections.fold.timers import EVENT
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

from .timers import happen, too_early

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold

NOBODY = b"\0"
"""What stands before the id of an answer in place of who gave it, where it does not say."""


def answer(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted while its decision is pending, also past the deadline. It is a vote until there are enough of its kind."""
    decisions = run.pending.decisions if run.pending is not None else None
    decision = decisions.get(e.causation) if decisions else None
    if decision is None:
        return Verdict.NOT_PENDING
    said = e.extra
    if len(said) <= HASH or len(said) <= HASH + said[HASH]:
        return Verdict.UNREADABLE
    if said[:HASH] != decision.hash:
        return Verdict.OTHER_SUBJECT
    if e.type not in decision.answers:
        return Verdict.NOT_OFFERED
    by = said[HASH + 1 : HASH + 1 + said[HASH]] or NOBODY + e.id
    votes = decision.votes or {}
    if by in votes:
        return Verdict.REPEATED
    votes[by] = fold.intern(e.type)
    decision.votes = votes
    if sum(type == e.type for type in votes.values()) >= decision.quorum:
        decided(run, decision)
        flags, branch = e.flags & EVENT, decision.branch
        take(fold, run, Fact(e.id, fold.intern(e.type), record.offset, flags, decision.hops, branch), out)
        if branch is not None:
            leave(fold, run, branch, out)
    return Verdict.ADMITTED


def expired(fold: "Fold", run: Run, decision: Decision, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the decision has a deadline, and log time has passed it."""
    otherwise = decision.otherwise
    if otherwise is None:
        return Verdict.NOT_PENDING
    refused = too_early(fold, otherwise, e)
    if refused is not None:
        return refused
    decided(run, decision)
    happen(fold, run, otherwise, record, e, out)
    return Verdict.ADMITTED
