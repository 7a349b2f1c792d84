"""Schedules: section 17."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.record import Head, Kind, Raw
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold


def tick(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    return Verdict.UNKNOWN_KIND


OTHERS: Final[dict[Kind, Callable[["Fold", Raw, Head], Verdict]]] = {
    Kind.TICK: tick,
}
