"""Families of runs: from a run up to the one that nobody of ours started, and down to all that follow from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, and_, select

from farandole.projections.runs import tables as t

from .answers import RunRow, row_of
from .details import run_of

_MOST: Final = 1_000
_HIGHEST: Final = 100
_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class RelativeRow:
    """A run of a family."""

    run_id: str
    choreography: str
    type: str
    parent: str | None
    depth: int
    state: str | None
    """What its parent knows of it."""
    status: str | None
    """None: it is of another choreography, or not there yet."""
    started: int | None
    closed: int | None


@dataclass(frozen=True, slots=True)
class Family:
    """A run with all that it belongs with."""

    run_id: str
    root: str
    parent: str | None
    """Of the root: a run of another choreography, or a schedule."""
    parent_choreography: str | None
    of_schedule: bool
    members: tuple[RelativeRow, ...]
    whole: bool
    """False: there are more."""


def family(connection: Connection, choreography: str, run_id: str, most: int = _MOST) -> Family | None:
    """The runs that a run belongs with, parents before their children; None if it is not there."""
    run = run_of(connection, run_id)
    if run is None:
        return None
    above = _above(connection, choreography, run)
    root = above[-1] if above else run
    found, seen = [_relative(root)], {root.run_id}
    level, depth, whole = [root], 0, True
    while level and whole:
        depth += 1
        parents = {(each.partition, each.run): each.run_id for each in level}
        # Of those that were seen before, some more may be among them; what is beyond is only known to be there.
        some = children_of(connection, parents, most - len(found) + len(seen) + 1)
        rows = [row for row in some if not (is_of(row, choreography) and row["child"] in seen)]
        whole, rows = len(found) + len(rows) <= most, rows[: most - len(found)]
        known = last_runs(connection, [row["child"] for row in rows if is_of(row, choreography)])
        for row in rows:
            run_ = known.get(row["child"]) if is_of(row, choreography) else None
            stands = (None, row["since"], None) if run_ is None else (run_.status, run_.started, run_.closed)
            of, parent = row["choreography"] or choreography, parents[row["partition"], row["run"]]
            found.append(RelativeRow(row["child"], of, row["type"], parent, depth, row["state"], *stands))
        seen.update(known)
        level = list(known.values())
    return Family(run_id, root.run_id, root.parent, root.parent_choreography, root.of_schedule, tuple(found), whole)


def below(connection: Connection, choreography: str, run: RunRow, most: int = 10_000) -> list[tuple[int, int]]:
    """The runs of this choreography that a run, or one of these, started: partition and first offset of each; no more
    than so many.
    """
    found: list[tuple[int, int]] = []
    seen, level = {run.run_id}, [(run.partition, run.run)]
    while level and len(found) < most:
        rows = children_of(connection, level, most - len(found) + len(seen))
        new = [row["child"] for row in rows if is_of(row, choreography) and row["child"] not in seen]
        known = _last_keys(connection, list(dict.fromkeys(new)))
        seen.update(known)
        level = list(known.values())
        found += level
    return found[:most]


def _above(connection: Connection, choreography: str, run: RunRow) -> list[RunRow]:
    found: list[RunRow] = []
    seen = {run.run_id}
    at = run
    while at.parent is not None and not at.of_schedule and len(found) < _HIGHEST:
        if at.parent_choreography not in (None, "", choreography) or at.parent in seen:
            break
        parent = run_of(connection, at.parent)
        if parent is None:
            break
        found.append(parent)
        seen.add(parent.run_id)
        at = parent
    return found


def children_of(connection: Connection, parents: Iterable[tuple[int, int]], limit: int) -> list[Mapping[Any, Any]]:
    """What these runs, each by its partition and its first offset, started: at most so many, in the order of the log."""
    c = t.children.c
    by_partition: dict[int, list[int]] = {}
    for partition, run in parents:
        by_partition.setdefault(partition, []).append(run)
    found: list[Mapping[Any, Any]] = []
    for partition, runs in by_partition.items():
        for begin in range(0, len(runs), _AT_ONCE):
            some = c.run.in_(runs[begin : begin + _AT_ONCE])
            query = select(t.children).where(and_(c.partition == partition, some)).order_by(c.log_offset)
            found += connection.execute(query.limit(limit - len(found))).mappings().all()
            if len(found) >= limit:
                return found
    return found


def is_of(row: Mapping[Any, Any], choreography: str) -> bool:
    """Whether a child is a run of this choreography."""
    return row["choreography"] in ("", choreography)


def last_runs(connection: Connection, ids: list[str]) -> dict[str, RunRow]:
    """The last run of each id."""
    return {id: row_of(RunRow, row) for id, row in _last(connection, ids, *t.runs.c).items()}


def _last_keys(connection: Connection, ids: list[str]) -> dict[str, tuple[int, int]]:
    """Where the last run of each id begins."""
    r = t.runs.c
    return {
        id: (row["partition"], row["run"]) for id, row in _last(connection, ids, r.run_id, r.partition, r.run).items()
    }


def _last(connection: Connection, ids: list[str], *columns: Column[Any]) -> dict[str, RowMapping]:
    """These columns of the last run of each id."""
    r, found = t.runs.c, dict[str, RowMapping]()
    for begin in range(0, len(ids), _AT_ONCE):
        query = select(*columns).where(r.run_id.in_(ids[begin : begin + _AT_ONCE])).order_by(r.started, r.run)
        found |= {row["run_id"]: row for row in connection.execute(query).mappings()}
    return found


def _relative(run: RunRow) -> RelativeRow:
    """The one that nobody of ours started."""
    choreography = run.type.partition(".")[0]
    return RelativeRow(run.run_id, choreography, run.type, None, 0, None, run.status, run.started, run.closed)
