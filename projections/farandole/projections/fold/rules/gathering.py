"""A fan-in has waited for long enough."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.branches import FanOut
from farandole.projections.fold.run import Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def expired(fold: "Fold", run: Run, fanout: FanOut, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the reactor still gathers of this fan-out, and its time has come."""
    return Verdict.UNKNOWN_KIND
