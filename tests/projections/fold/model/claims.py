"""Section 19 of the protocol: claims, sub-steps, progress."""

from tests.projections.fold.model.memory import Memory, Run
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Claims(Memory):
    """Steps that take long."""

    def run_claim(self, run: Run, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"

    def run_lost(self, run: Run, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"

    def run_progress(self, run: Run, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"

    def run_substep(self, run: Run, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"
