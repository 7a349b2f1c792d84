"""Decisions: section 15."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.record import Head, Kind, Raw
from checker.state import Run
from checker.verdict import Verdict

from .runs import refused_as_command

if TYPE_CHECKING:
    from checker.fold import Fold


def answer(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    return refused_as_command(fold, head) or Verdict.UNKNOWN_KIND


ON_RUNS: Final[dict[Kind, Callable[["Fold", Raw, Head, Run], Verdict]]] = {
    Kind.ANSWER: answer,
}
