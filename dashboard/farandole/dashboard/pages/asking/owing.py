"""What runs owe, many at once."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select, tuple_

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import RunRow, StepRow
from farandole.projections.runs.query.answers import row_of

_MOST = 5_000


def open_steps(connection: Connection, runs: Sequence[RunRow]) -> Mapping[tuple[int, int], list[StepRow]]:
    """Owed and parked steps of these runs."""
    wanted = [(run.partition, run.run) for run in runs if run.owed or run.parked]
    if not wanted:
        return {}
    s = t.steps.c
    query = (
        select(t.steps)
        .where(tuple_(s.partition, s.run).in_(wanted), s.state.in_(("owed", "parked")))
        .order_by(s.since)
        .limit(_MOST)
    )
    found: dict[tuple[int, int], list[StepRow]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault((row["partition"], row["run"]), []).append(row_of(StepRow, row))
    return found


def messages(connection: Connection, runs: Sequence[RunRow]) -> Mapping[tuple[int, int], str]:
    """What the newest failure said that parks a step of these runs."""
    wanted = [(run.partition, run.run) for run in runs if run.error]
    if not wanted:
        return {}
    f = t.failures.c
    query = select(f.partition, f.run, f.message).where(tuple_(f.partition, f.run).in_(wanted), f.final)
    rows = connection.execute(query.order_by(f.log_offset).limit(_MOST))
    return {(row.partition, row.run): row.message for row in rows}


def names(connection: Connection) -> tuple[list[str], list[str], list[str]]:
    """What runs can be told apart by: types of starts, reactors, and the fields that are marked with `Search`."""
    types = connection.execute(select(t.runs.c.type).distinct().order_by(t.runs.c.type)).scalars()
    reactors = connection.execute(select(t.reactors.c.reactor).distinct().order_by(t.reactors.c.reactor)).scalars()
    fields = connection.execute(select(t.attributes.c.name).distinct().order_by(t.attributes.c.name)).scalars()
    return list(types), list(reactors), list(fields)
