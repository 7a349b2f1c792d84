"""What may be begun in the partition."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def policy(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Compare and set: it counts on from the one in force."""
    return Verdict.UNKNOWN_KIND
