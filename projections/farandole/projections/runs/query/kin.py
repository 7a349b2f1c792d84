"""Families of runs: from a run up to the one that nobody of ours started, and down to all that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, select

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
    found = [_relative(root, 0, None)]
    seen = {root.run_id}
    level: list[tuple[RunRow, int]] = [(root, 0)]
    whole = True
    while level and whole:
        rows: dict[int, list[Mapping[Any, Any]]] = {}
        for begin in range(0, len(level), _AT_ONCE):
            for row in _children(connection, [each for each, _ in level[begin : begin + _AT_ONCE]]):
                rows.setdefault(row["run"] << 20 | row["partition"], []).append(row)
        next_: list[tuple[str, int]] = []
        for parent, depth in level:
            for row in rows.get(parent.run << 20 | parent.partition, ()):
                if len(found) >= most:
                    whole = False
                    break
                of = row["choreography"] or choreography
                ours = of == choreography
                if ours and row["child"] in seen:
                    continue
                seen.add(row["child"])
                found.append(
                    RelativeRow(
                        row["child"],
                        of,
                        row["type"],
                        parent.run_id,
                        depth + 1,
                        row["state"],
                        None,
                        row["since"],
                        None,
                    )
                )
                if ours:
                    next_.append((row["child"], depth + 1))
        known = _runs(connection, [name for name, _ in next_])
        found = [_known(each, known) if each.choreography == choreography else each for each in found]
        level = [(known[name], depth) for name, depth in next_ if name in known]
    return Family(run_id, root.run_id, root.parent, root.parent_choreography, root.of_schedule, tuple(found), whole)


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


def _children(connection: Connection, parents: list[RunRow]) -> list[Mapping[Any, Any]]:
    c = t.children.c
    by_partition: dict[int, list[int]] = {}
    for each in parents:
        by_partition.setdefault(each.partition, []).append(each.run)
    found: list[Mapping[Any, Any]] = []
    for partition, runs in by_partition.items():
        query = select(t.children).where(and_(c.partition == partition, c.run.in_(runs))).order_by(c.log_offset)
        found += connection.execute(query).mappings().all()
    return found


def _runs(connection: Connection, ids: list[str]) -> dict[str, RunRow]:
    """The last run of each id."""
    found: dict[str, RunRow] = {}
    for begin in range(0, len(ids), _AT_ONCE):
        query = (
            select(t.runs)
            .where(t.runs.c.run_id.in_(ids[begin : begin + _AT_ONCE]))
            .order_by(t.runs.c.started, t.runs.c.run)
        )
        for row in connection.execute(query).mappings():
            found[row["run_id"]] = row_of(RunRow, row)
    return found


def _known(row: RelativeRow, known: Mapping[str, RunRow]) -> RelativeRow:
    run = known.get(row.run_id)
    if run is None:
        return row
    return RelativeRow(
        row.run_id, row.choreography, row.type, row.parent, row.depth, row.state, run.status, run.started, run.closed
    )


def _relative(run: RunRow, depth: int, parent: str | None) -> RelativeRow:
    choreography = run.type.partition(".")[0]
    return RelativeRow(run.run_id, choreography, run.type, parent, depth, None, run.status, run.started, run.closed)
