"""Timers and deadlines: section 14."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.record import Head, Kind, Raw
from checker.state import Run
from checker.verdict import Verdict

from . import branches

if TYPE_CHECKING:
    from checker.fold import Fold


def timer(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    return Verdict.UNKNOWN_KIND


def expiry(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    return branches.expiry(fold, raw, head, run) if head.causation else Verdict.UNKNOWN_KIND


ON_RUNS: Final[dict[Kind, Callable[["Fold", Raw, Head, Run], Verdict]]] = {
    Kind.TIMER: timer,
    Kind.EXPIRY: expiry,
}
