"""What all duties of a keeper have in common."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Stored
from farandole.projections.fold import Applied
from farandole.schemas.envelope import Kind

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving

NEWS: Final = frozenset((Kind.START, Kind.CANCEL, Kind.CHILD_ENDED, Kind.CHILD_FAILED, Kind.DELIVERED))
"""Kinds of records that come from another partition, if they have a causation."""
RANK_WAIT: Final = 2.0
"""Seconds that the k-th service by name waits k times over before it acts."""


class Duty:
    """One duty. Each is told of what it may have to act on, and acts in a task of its own."""

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        """Do what is due until cancelled; trouble with the log is put off, and never raised."""

    def note(self, serving: "Serving", record: Stored, out: Applied) -> None:
        """A record was folded that armed something, owes a message, or may be one.

        While the partition is being restored too: what counts then is what `restored` finds.
        """

    def restored(self, serving: "Serving") -> None:
        """A partition is served from now on: take on all that its state has."""

    def forget(self, partition: int) -> None:
        """A partition's state was dropped."""


def rank(serving: "Serving", service: str) -> int:
    """How many services on this log come before one by name."""
    return len({c.service for c in serving.fold.contracts if c.active and c.service < service})
