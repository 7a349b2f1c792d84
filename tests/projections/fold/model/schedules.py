"""Section 17 of the protocol: schedules."""

from tests.projections.fold.model.memory import Memory
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Schedules(Memory):
    """Ticks."""

    def admit_tick(self, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"
