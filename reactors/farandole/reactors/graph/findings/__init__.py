"""All that is looked for in a graph. ``docs/checking.md`` has a program for each finding."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from farandole.reactors.graph.graph import Graph

from .ends import find_asks_for_ever, find_no_end, find_nothing_to_undo, find_nothing_undone, find_short_deadline
from .events import (
    find_never_emitted,
    find_no_such_child,
    find_no_such_failure,
    find_unhandled,
    find_unless_never,
)
from .finding import Finding, Severity
from .gathering import find_unclear_fan_in
from .joins import find_join_impossible, find_join_once
from .serving import find_not_provided, find_served_twice
from .turns import find_spinning, find_timers_without_unless

__all__ = ["FINDERS", "Finding", "Severity", "findings_in"]

FINDERS: Final[Mapping[str, Callable[[Graph], Iterator[Finding]]]] = {
    "not-provided": find_not_provided,
    "served-twice": find_served_twice,
    "unclear-fan-in": find_unclear_fan_in,
    "join-impossible": find_join_impossible,
    "unhandled": find_unhandled,
    "never-emitted": find_never_emitted,
    "no-such-failure": find_no_such_failure,
    "no-such-child": find_no_such_child,
    "no-end": find_no_end,
    "join-once": find_join_once,
    "unless-never": find_unless_never,
    "spinning": find_spinning,
    "nothing-undone": find_nothing_undone,
    "nothing-to-undo": find_nothing_to_undo,
    "asks-for-ever": find_asks_for_ever,
    "timer-without-unless": find_timers_without_unless,
    "short-deadline": find_short_deadline,
}
"""By the names of their findings."""

_ORDER: Final[tuple[Severity, ...]] = ("error", "warning", "info")


def findings_in(graph: Graph) -> tuple[Finding, ...]:
    """All that is found, the worst first."""
    found = [finding for find in FINDERS.values() for finding in find(graph)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))
