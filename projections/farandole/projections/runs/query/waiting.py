"""What open runs wait for in the first place, and which of them stand longest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Connection, case, func, select, true

from farandole.projections.runs import tables as t

from .answers import RunRow, row_of

WaitsFor = Literal["people", "retry", "resume", "reactor", "again", "events", "children", "timers", "work", "nothing"]
_r: Final = t.runs.c
_FITS: Final[Mapping[WaitsFor, ColumnElement[bool]]] = {
    "people": _r.decisions > 0,
    "retry": _r.parked > 0,
    "resume": _r.paused,
    "reactor": (_r.unserved > 0) & (_r.owed == 0),
    "again": _r.status == "retrying",
    "events": _r.waits.is_not(None),
    "children": _r.children > 0,
    "timers": _r.timers > 0,
    "work": _r.owed > 0,
    "nothing": true(),
}
"""Of several that fit, the first counts: it is the one that somebody must do something about."""
WAITS_FOR: Final[tuple[WaitsFor, ...]] = get_args(WaitsFor)


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Open runs that wait for the same."""

    waits_for: WaitsFor
    """``people``: somebody is asked; ``retry``: a step failed for good; ``resume``: it is paused; ``reactor``: nobody takes
    what came; ``again``: a step failed and is tried again; ``events``: from outside, or the rest of a join; ``children``;
    ``timers``; ``work``: a step is owed; ``nothing``.
    """
    runs: int
    since: int
    """Log time at which the one that stands longest moved last."""
    longest: tuple[RunRow, ...]
    """Those that stand longest, the longest first."""


def waiting_for(wanted: str) -> ColumnElement[bool]:
    """Whether an open run waits for this in the first place."""
    return (_r.closed.is_(None)) & (_group() == wanted)


def waiting(connection: Connection, each: int) -> tuple[WaitingGroup, ...]:
    """Groups of open runs, within a transaction that sees one state.

    Args:
        each: so many runs of each are told.
    """
    group = _group().label("waits_for")
    counted = select(group, func.count().label("runs"), func.min(_r.touched).label("since")).where(_r.closed.is_(None))
    found = {row.waits_for: row for row in connection.execute(counted.group_by(group))}
    return tuple(
        WaitingGroup(name, found[name].runs, found[name].since, _longest(connection, name, each))
        for name in WAITS_FOR
        if name in found
    )


def _longest(connection: Connection, name: str, limit: int) -> tuple[RunRow, ...]:
    if not limit:
        return ()
    query = select(t.runs).where(waiting_for(name)).order_by(_r.touched, _r.partition, _r.run).limit(limit)
    return tuple(row_of(RunRow, row) for row in connection.execute(query).mappings())


def _group() -> ColumnElement[Any]:
    *first, _ = _FITS.items()
    return case(*((fits, name) for name, fits in first), else_="nothing")
