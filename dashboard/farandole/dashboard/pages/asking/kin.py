"""The runs below a run, as many as a page shows: the nearest ones first."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from farandole.projections.runs.query import RunRow
from farandole.projections.runs.query.kin import children_of, is_of, last_runs

_MOST: Final = 500
"""Runs that are looked up for one page, whatever their depth."""
_DEPTH: Final = 5


@dataclass(frozen=True, slots=True)
class Below:
    """A child run: as its parent knows it, and, where it is in the same tables, as it is."""

    id: str
    choreography: str
    type: str
    state: str
    since: int
    run: RunRow | None
    children: "list[Below]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Descendants:
    """Children, and theirs."""

    children: list[Below]
    whole: bool
    """False: there are more than are shown."""


def descendants(connection: Connection, choreography: str, run: RunRow, most: int = _MOST) -> Descendants:
    """Children, and theirs, down to the fifth generation; at most so many of all together."""
    top: list[Below] = []
    level = {(run.partition, run.run): top}
    left = most
    for _ in range(_DEPTH):
        rows = children_of(connection, level, left + 1)
        whole, rows = len(rows) <= left, rows[:left]
        known = last_runs(connection, [row["child"] for row in rows if is_of(row, choreography)])
        below: dict[tuple[int, int], list[Below]] = {}
        for row in rows:
            child = known.get(row["child"]) if is_of(row, choreography) else None
            each = Below(row["child"], row["choreography"], row["type"], row["state"], row["since"], child)
            level[row["partition"], row["run"]].append(each)
            if child is not None:
                below[child.partition, child.run] = each.children
        if not whole:
            return Descendants(top, whole=False)
        level, left = below, left - len(rows)
    return Descendants(top, whole=not children_of(connection, level, 1))
