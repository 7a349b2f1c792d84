"""Which ways events have lately gone: what the newest records and steps show."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from farandole.projections.runs import tables as t

_LATELY = 20_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Pairs of names."""

    given: frozenset[tuple[str, str]]
    """Reactor and type."""
    taken: frozenset[tuple[str, str]]
    """Type and reactor."""


def seen(connection: Connection) -> Seen:
    """What the newest records of each partition show, so that it costs the same however long the log is."""
    r, s = t.records.c, t.steps.c
    given: set[tuple[str, str]] = set()
    taken: set[tuple[str, str]] = set()
    positions = list(connection.execute(select(t.positions.c.partition, t.positions.c.position)))
    each = max(_LATELY // max(len(positions), 1), 500)
    for partition, position in positions:
        newest = select(r.reactor, r.type).where(r.partition == partition, r.log_offset >= position - each)
        given |= {
            (row.reactor, row.type)
            for row in connection.execute(newest.where(r.kind == "outcome", r.type != "").distinct())
        }
        steps = select(s.reactor, s.types).where(s.partition == partition).order_by(s.run.desc()).limit(each // 10)
        taken |= {(name, row.reactor) for row in connection.execute(steps) for name in row.types or ()}
    return Seen(frozenset(given), frozenset(taken))
