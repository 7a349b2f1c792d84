"""What parent and child tell each other, and whether it was delivered."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def news(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A child's end or failure: admitted iff that child is pending. The key names the run or the schedule."""
    return Verdict.UNKNOWN_KIND


def delivered(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the message is owed. The key names the run or the schedule."""
    return Verdict.UNKNOWN_KIND


def unknown(fold: "Fold", record: Stored, e: Envelope) -> Verdict:
    """A parent's cancel of a child that is not open here."""
    return Verdict.NO_RUN
