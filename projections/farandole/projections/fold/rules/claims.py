"""Who works on a step that takes long, how far it has come, and who was lost at it."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.run import Run
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def claim(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the pair is owed and nobody else's claim stands. It binds what is begun, never what is admitted."""
    return Verdict.UNKNOWN_KIND


def lost(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the claim that it names has lapsed; the last one that a step may have is its final failure."""
    return Verdict.UNKNOWN_KIND


def progress(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the pair is owed; it changes nothing."""
    return Verdict.UNKNOWN_KIND
