"""Claims, sub-steps, progress: section 19."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.contracts import MOST_NAME
from checker.record import Head, Kind, Raw
from checker.rules.runs import debt_of
from checker.state import Run
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold

_HOLDER: Final = 16


def claim(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    debt = debt_of(fold, head, run)
    if isinstance(debt, Verdict):
        return debt
    if len(head.extra) != _HOLDER:
        return Verdict.UNREADABLE
    mine = debt.claim is not None and debt.claim[0] == head.extra
    if debt.claim is not None and not mine and fold.log_time <= debt.claim[1]:
        return Verdict.CLAIMED
    if head.delay > 0:
        debt.claim = (head.extra, fold.log_time + min(head.delay, fold.settings["lease_most"]))
        return Verdict.ADMITTED
    if not mine:
        return Verdict.NOT_PENDING
    debt.claim = None
    return Verdict.ADMITTED


def lost(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    debt = debt_of(fold, head, run)
    if isinstance(debt, Verdict):
        return debt
    if debt.claim is None or debt.claim[0] != head.extra:
        return Verdict.NOT_PENDING
    if fold.log_time <= debt.claim[1]:
        return Verdict.NOT_DUE
    debt.claim = None
    debt.lost += 1
    if debt.lost >= fold.settings["lost_most"]:
        hops = 0 if run.state == "open" else debt.hops + 1
        fold.effects.fail_for_good(run, debt, head.id, raw, hops)
    return Verdict.ADMITTED


def progress(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    owed = (head.causation, head.reactor, head.generation) in run.owed
    return Verdict.ADMITTED if owed else Verdict.NOT_OWED


def substep(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    debt = run.owed.get((head.causation, head.reactor, head.generation))
    if debt is None:
        return Verdict.NOT_OWED
    if not head.extra or len(head.extra) > MOST_NAME:
        return Verdict.UNREADABLE
    if head.extra in debt.substeps:
        return Verdict.REPEATED
    if len(debt.substeps) >= fold.settings["once_most"]:
        return Verdict.FULL
    debt.substeps[head.extra] = raw.offset
    return Verdict.ADMITTED


ON_RUNS: Final[dict[Kind, Callable[["Fold", Raw, Head, Run], Verdict]]] = {
    Kind.CLAIM: claim,
    Kind.LOST: lost,
    Kind.PROGRESS: progress,
    Kind.SUBSTEP: substep,
}
