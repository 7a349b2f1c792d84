"""Steps that are owed and may not begin, for somebody holds them: their run is paused, or their reactor is stopped."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, select

from farandole.projections.runs import tables as t

_ALL = ""
"""In the place of a reactor: all of them."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed to one reactor."""

    owed: int = 0
    parked: int = 0
    held: int = 0
    """Of those that are owed, those that may not begin."""
    oldest: int | None = None
    """Log time since which the one is owed that is owed the longest, held ones too."""
    free: int | None = None
    """The same, held ones left out."""
    could: int | None = None
    """Log time since when the oldest could have begun of those that could begin now."""

    def __add__(self, other: "Owed") -> "Owed":
        return Owed(
            self.owed + other.owed, self.parked + other.parked, self.held + other.held,
            _first(self.oldest, other.oldest), _first(self.free, other.free), _first(self.could, other.could),
        )  # fmt: skip


def owed_by_reactor(connection: Connection, now: int) -> Mapping[str, Owed]:
    """What is owed to each reactor, over all partitions.

    Args:
        now: log time in milliseconds, of which a next attempt is yet to come or not.
    """
    s, paused = t.steps.c, t.runs.c.paused
    owed, free = s.state == "owed", and_(s.state == "owed", paused.is_(False))
    due = case((s.due > s.since, s.due), else_=s.since)
    could = case((t.runs.c.resumed > due, t.runs.c.resumed), else_=due)
    query = (
        select(
            s.partition,
            s.reactor,
            func.sum(case((owed, 1), else_=0)).label("owed"),
            func.sum(case((s.state == "parked", 1), else_=0)).label("parked"),
            func.sum(case((and_(owed, paused), 1), else_=0)).label("held"),
            func.min(case((owed, s.since), else_=None)).label("oldest"),
            func.min(case((free, s.since), else_=None)).label("free"),
            func.min(case((and_(free, s.due <= now), could), else_=None)).label("could"),
        )
        .join_from(t.steps, t.runs, and_(t.runs.c.partition == s.partition, t.runs.c.run == s.run))
        .where(s.state.in_(("owed", "parked")))
        .group_by(s.partition, s.reactor)
    )
    switches = _switches(connection)
    found: dict[str, Owed] = {}
    for row in connection.execute(query):
        said = [switches[key] for key in ((row.partition, _ALL), (row.partition, row.reactor)) if key in switches]
        here = int(row.owed), int(row.parked)
        if any(stopped for stopped, _ in said):
            one = Owed(*here, here[0], row.oldest)
        else:
            # Until they were let go on, none of them could.
            first = None if row.could is None else max((row.could, *(since for _, since in said)))
            one = Owed(*here, int(row.held), row.oldest, row.free, first)
        found[row.reactor] = found.get(row.reactor, Owed()) + one
    return found


def _switches(connection: Connection) -> Mapping[tuple[int, str], tuple[bool, int]]:
    """By partition and reactor, whether it is stopped, and the log time since which that is so."""
    p = t.policies.c
    query = select(p.partition, p.reactor, p.stopped, p.since)
    return {(row.partition, row.reactor): (bool(row.stopped), row.since) for row in connection.execute(query)}


def _first(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
