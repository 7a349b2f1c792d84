"""Section 20 of the protocol: policies."""

from tests.projections.fold.model.memory import Memory
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Policies(Memory):
    """What may be begun."""

    def admit_policy(self, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"
