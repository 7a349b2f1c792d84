"""Section 14 of the protocol: timers and deadlines."""

from tests.projections.fold.model.memory import Memory, Run
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Timers(Memory):
    """What is due at a time."""

    def run_timer(self, run: Run, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"

    def run_expiry(self, run: Run, record: Stored, head: Head) -> str:
        return self.expiry_of_a_fan_in(run, record, head) if head.causation else "UNKNOWN_KIND"
