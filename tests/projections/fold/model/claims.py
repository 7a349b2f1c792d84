"""Section 19 of the protocol: claims, sub-steps, progress."""

from typing import TYPE_CHECKING

from tests.projections.fold.model.memory import Debt, Memory, Run
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Claims(Memory):
    """Steps that take long."""

    if TYPE_CHECKING:

        def find(self, run: Run, head: Head) -> Debt | None: ...
        def fail_for_good(self, run: Run, debt: Debt, id: bytes, offset: int) -> None: ...

    def stands(self, debt: Debt) -> bool:
        """Whether somebody's claim holds at this log time."""
        return debt.holder != b"" and self.log_time <= debt.claimed_until

    def run_claim(self, run: Run, record: Stored, head: Head) -> str:
        debt = self.find(run, head)
        if debt is None or debt.parked:
            return "NOT_OWED" if debt is None else "LATE"
        if len(head.extra) != 16:
            return "UNREADABLE"
        if self.stands(debt) and debt.holder != head.extra:
            return "CLAIMED"
        if head.delay <= 0 and debt.holder != head.extra:
            return "NOT_PENDING"
        if head.delay <= 0:
            debt.holder = b""
        else:
            debt.holder = head.extra
            debt.claimed_until = min(head.delay, self.settings["lease_most"]) + self.log_time
        return "ADMITTED"

    def run_lost(self, run: Run, record: Stored, head: Head) -> str:
        debt = self.find(run, head)
        if debt is None or debt.parked:
            return "NOT_OWED" if debt is None else "LATE"
        if not debt.holder or debt.holder != head.extra:
            return "NOT_PENDING"
        if self.stands(debt):
            return "NOT_DUE"
        debt.holder = b""
        debt.lost += 1
        if debt.lost >= self.settings["lost_most"]:
            self.fail_for_good(run, debt, head.id, record.offset)
        return "ADMITTED"

    def run_progress(self, run: Run, record: Stored, head: Head) -> str:
        return "ADMITTED" if self.find(run, head) else "NOT_OWED"

    def run_substep(self, run: Run, record: Stored, head: Head) -> str:
        debt, name = self.find(run, head), head.extra
        if debt is None:
            return "NOT_OWED"
        if name == b"" or len(name) > 255:
            return "UNREADABLE"
        if name in dict(debt.substeps):
            return "REPEATED"
        if len(debt.substeps) >= self.settings["once_most"]:
            return "FULL"
        debt.substeps.append((name, record.offset))
        return "ADMITTED"

    def debt_claims(self, debt: Debt) -> tuple[object, ...]:
        return (debt.holder, debt.claimed_until if debt.holder else 0, debt.lost, dict(debt.substeps))
