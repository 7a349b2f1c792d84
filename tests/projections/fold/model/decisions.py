"""Section 15 of the protocol: decisions."""

from tests.projections.fold.model.memory import Memory, Run
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Decisions(Memory):
    """Questions to people."""

    def run_answer(self, run: Run, record: Stored, head: Head) -> str:
        return "UNKNOWN_KIND"
