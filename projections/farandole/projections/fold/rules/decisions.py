"""People answer, or nobody does in time."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.pending import Decision
from farandole.projections.fold.run import Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def answer(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted while its decision is pending, also past the deadline."""
    return Verdict.UNKNOWN_KIND


def expired(fold: "Fold", run: Run, decision: Decision, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the decision has a deadline, and log time has passed it."""
    return Verdict.UNKNOWN_KIND
