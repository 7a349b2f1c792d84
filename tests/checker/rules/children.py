"""Messages and children: section 16."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.record import Head, Kind, Raw
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold


def delivered(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    return Verdict.UNKNOWN_KIND


def child_ended(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    return Verdict.UNKNOWN_KIND


def child_failed(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    return Verdict.UNKNOWN_KIND


OTHERS: Final[dict[Kind, Callable[["Fold", Raw, Head], Verdict]]] = {
    Kind.DELIVERED: delivered,
    Kind.CHILD_ENDED: child_ended,
    Kind.CHILD_FAILED: child_failed,
}
