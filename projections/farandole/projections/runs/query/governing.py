"""Questions about reactors, schedules and what governs them, each within a transaction that sees one state."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, and_, func, select, tuple_

from farandole.projections.runs import tables as t
from farandole.schemas import FarandoleError

from .answers import DueRow, MinuteRow, PolicyRow, ReactorRow, ScheduleRow, ServiceRow, row_of
from .held import Owed, owed_by_reactor

_MINUTE: Final = 60_000
DAY: Final = 24 * 60 * _MINUTE
"""Milliseconds whose minutes are told at once, and one of them more, for a day begins within a minute."""


class TooWide(FarandoleError):
    """More was asked for than is told at once; ask for parts of it."""


def reactors(connection: Connection, minutes: int) -> tuple[ReactorRow, ...]:
    """Reactors over all partitions: of several contracts, the one that came into force last."""
    r, m, p = t.reactors.c, t.minutes.c, t.policies.c
    now = connection.execute(select(func.max(t.positions.c.log_time))).scalar() or 0
    newest = {row["reactor"]: row for row in connection.execute(select(t.reactors).order_by(r.since)).mappings()}
    owed = owed_by_reactor(connection, now)
    did = {
        row.reactor: row
        for row in connection.execute(
            select(m.reactor, func.sum(m.done).label("done"), func.sum(m.failed).label("failed"),
                   func.sum(m.took).label("took"), func.max(m.most).label("most"))
            .where(m.minute > now - minutes * _MINUTE)
            .group_by(m.reactor)
        )
    }  # fmt: skip
    stopped = {row.reactor for row in connection.execute(select(p.reactor).where(p.stopped))}
    found = []
    for name, row in sorted(newest.items()):
        owes, does = owed.get(name, Owed()), did.get(name)
        found.append(
            ReactorRow(
                name, row["service"], row["version"], row["state"], row["content"], bool(stopped & {name, ""}),
                owes.owed, owes.oldest, max(now - owes.could, 0) if owes.could is not None else 0, owes.parked, owes.held,
                int(does.done) if does else 0, int(does.failed) if does else 0, int(does.took) if does else 0,
                int(does.most) if does else 0,
            )
        )  # fmt: skip
    return tuple(found)


def minutes(connection: Connection, since: int, upto: int | None, reactor: str | None) -> tuple[MinuteRow, ...]:
    """What reactors did, minute by minute, over all partitions.

    Raises:
        TooWide: it is more than a day, up to the newest record if it is not said up to when.
    """
    m = t.minutes.c
    end = connection.execute(select(func.max(t.positions.c.log_time))).scalar() or 0 if upto is None else upto
    if end - since > DAY + _MINUTE:
        raise TooWide(
            f"minutes are told of a day at most, and these are {(end - since) / DAY:,.1f}; ask for one day after the other, "
            "by since= and upto="
        )
    sums = [func.sum(m[name]).label(name) for name in ("done", "failed", "parked", "took")]
    query = select(m.reactor, m.minute, *sums, func.max(m.most).label("most")).where(m.minute > since - _MINUTE)
    query = query if upto is None else query.where(m.minute < upto)
    query = query if reactor is None else query.where(m.reactor == reactor)
    rows = connection.execute(query.group_by(m.reactor, m.minute).order_by(m.minute, m.reactor)).mappings()
    return tuple(
        MinuteRow(row["reactor"], *(int(row[name]) for name in ("minute", "done", "failed", "parked", "took", "most")))
        for row in rows
    )


def schedules(connection: Connection) -> tuple[ScheduleRow, ...]:
    """Schedules by name."""
    query = select(t.schedules).order_by(t.schedules.c.name, t.schedules.c.partition)
    return tuple(row_of(ScheduleRow, row) for row in connection.execute(query).mappings())


def policies(connection: Connection) -> tuple[PolicyRow, ...]:
    """What was said last of each reactor, and in how many partitions it is in force."""
    found: dict[str, PolicyRow] = {}
    for row in connection.execute(select(t.policies).order_by(t.policies.c.since)).mappings():
        before = found.get(row["reactor"])
        same = before is not None and before.stopped == row["stopped"]
        partitions = 1 + (before.partitions if before is not None and same else 0)
        found[row["reactor"]] = PolicyRow(
            row["reactor"], row["stopped"], partitions, row["by"], row["why"], row["since"]
        )
    return tuple(found[name] for name in sorted(found))


def services(connection: Connection, minutes: int) -> tuple[ServiceRow, ...]:
    """Services by name, from the contracts that are in force, and what they did in the last minutes."""
    return services_of(reactors(connection, minutes))


def services_of(reactors: Iterable[ReactorRow]) -> tuple[ServiceRow, ...]:
    """The services that serve these reactors, by name."""
    by_name: dict[str, list[ReactorRow]] = {}
    for row in reactors:
        if row.state == "active":
            by_name.setdefault(row.service, []).append(row)
    return tuple(
        ServiceRow(
            name,
            tuple(row.reactor for row in rows),
            tuple(sorted({row.version for row in rows if row.version})),
            next((str(row.contract["owner"]) for row in rows if row.contract and row.contract.get("owner")), ""),
            sum(row.owed for row in rows),
            min((row.oldest for row in rows if row.oldest is not None), default=None),
            max(row.lag for row in rows),
            sum(row.parked for row in rows),
            sum(row.held for row in rows),
            sum(row.stopped for row in rows),
            sum(row.done for row in rows),
            sum(row.failed for row in rows),
            sum(row.took for row in rows),
        )
        for name, rows in sorted(by_name.items())
    )


def due(connection: Connection, limit: int, after: Sequence[int] | None) -> tuple[DueRow, ...]:
    """Timers of all runs that are set, that which is due first first."""
    c = t.timers.c
    query = (
        select(t.timers, t.runs.c.run_id)
        .join(t.runs, and_(t.runs.c.partition == c.partition, t.runs.c.run == c.run))
        .where(c.state == "open")
    )
    query = query if after is None else query.where(tuple_(c.due, c.partition, c.log_offset) > tuple_(*after))
    query = query.order_by(c.due, c.partition, c.log_offset).limit(limit)
    return tuple(row_of(DueRow, row) for row in connection.execute(query).mappings())
