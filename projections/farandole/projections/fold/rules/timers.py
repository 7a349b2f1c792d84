"""A timer fires; a run is out of time."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.run import Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def fired(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the timer is pending, and due by log time."""
    return Verdict.UNKNOWN_KIND


def overdue(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the run has a deadline, and log time has passed it."""
    return Verdict.UNKNOWN_KIND
