"""Section 16 of the protocol: messages and children."""

from tests.projections.fold.model.memory import Memory
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Children(Memory):
    """What runs tell each other."""

    def admit_delivered(self, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"

    def admit_child_ended(self, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"

    def admit_child_failed(self, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"
