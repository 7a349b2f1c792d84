"""Claims, sub-steps, progress: section 19."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.record import Head, Kind, Raw
from checker.state import Run
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold


def claim(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    return Verdict.UNKNOWN_KIND


def lost(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    return Verdict.UNKNOWN_KIND


def progress(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    return Verdict.UNKNOWN_KIND


def substep(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    return Verdict.UNKNOWN_KIND


ON_RUNS: Final[dict[Kind, Callable[["Fold", Raw, Head, Run], Verdict]]] = {
    Kind.CLAIM: claim,
    Kind.LOST: lost,
    Kind.PROGRESS: progress,
    Kind.SUBSTEP: substep,
}
