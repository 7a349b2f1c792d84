"""A schedule ticks."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def tick(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff it is newer than the schedule's last."""
    return Verdict.UNKNOWN_KIND
