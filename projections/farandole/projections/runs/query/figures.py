"""The few numbers that say how a log stands, within a transaction that sees one state."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, select

from farandole.projections.runs import tables as t


@dataclass(frozen=True, slots=True)
class ReactorFigures:
    """What is owed to one reactor."""

    service: str
    """Who serves it, by the contract that came into force last; empty if none is there."""
    owed: int
    parked: int
    oldest: int | None
    """Log time since which the one that is owed the longest is owed, steps of paused runs left out."""


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
    s, r, runs = t.steps.c, t.reactors.c, t.runs.c
    waits = and_(s.state == "owed", runs.paused.is_(False))
    owing = connection.execute(
        select(
            s.reactor,
            func.sum(case((s.state == "owed", 1), else_=0)).label("owed"),
            func.sum(case((s.state == "parked", 1), else_=0)).label("parked"),
            func.min(case((waits, s.since), else_=None)).label("oldest"),
        )
        .join_from(t.steps, t.runs, and_(runs.partition == s.partition, runs.run == s.run))
        .where(s.state.in_(("owed", "parked")))
        .group_by(s.reactor)
    )
    owed = {row.reactor: row for row in owing}
    services = {row.reactor: row.service for row in connection.execute(select(r.reactor, r.service).order_by(r.since))}
    reactors = {}
    for name in sorted(services.keys() | owed.keys()):
        row = owed.get(name)
        has = (int(row.owed), int(row.parked), row.oldest) if row is not None else (0, 0, None)
        reactors[name] = ReactorFigures(services.get(name, ""), *has)
    by_status = select(runs.status, func.count()).where(runs.closed.is_(None)).group_by(runs.status)
    return Figures(
        {row[0]: row[1] for row in connection.execute(by_status)},
        reactors,
        connection.execute(select(func.count()).where(t.decisions.c.state == "open")).scalar_one(),
        connection.execute(select(func.count()).where(t.timers.c.state == "open")).scalar_one(),
    )
