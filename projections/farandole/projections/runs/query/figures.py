"""The few numbers that say how a log stands, within a transaction that sees one state."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from farandole.projections.runs import tables as t

from .held import Owed, owed_by_reactor


@dataclass(frozen=True, slots=True)
class ReactorFigures:
    """What is owed to one reactor."""

    service: str
    """Who serves it, by the contract that came into force last; empty if none is there."""
    owed: int
    parked: int
    held: int
    """Of those that are owed, those of paused runs, and all of them while a kill switch stops the reactor."""
    oldest: int | None
    """Log time since which the one that is owed the longest is owed, held ones left out."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How the log stands."""

    open: Mapping[str, int]
    """Open runs by status."""
    reactors: Mapping[str, ReactorFigures]
    decisions: int
    """Questions to people that are not answered."""
    timers: int
    """Timers that have not fired."""


def figures(connection: Connection) -> Figures:
    """Look at what is open only, so that it costs the same however many runs are closed."""
    r, runs = t.reactors.c, t.runs.c
    now = connection.execute(select(func.max(t.positions.c.log_time))).scalar() or 0
    owed = owed_by_reactor(connection, now)
    services = {row.reactor: row.service for row in connection.execute(select(r.reactor, r.service).order_by(r.since))}
    reactors = {}
    for name in sorted(services.keys() | owed.keys()):
        has = owed.get(name, Owed())
        reactors[name] = ReactorFigures(services.get(name, ""), has.owed, has.parked, has.held, has.free)
    by_status = select(runs.status, func.count()).where(runs.closed.is_(None)).group_by(runs.status)
    return Figures(
        {row[0]: row[1] for row in connection.execute(by_status)},
        reactors,
        connection.execute(select(func.count()).where(t.decisions.c.state == "open")).scalar_one(),
        connection.execute(select(func.count()).where(t.timers.c.state == "open")).scalar_one(),
    )
