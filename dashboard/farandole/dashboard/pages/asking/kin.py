"""The runs below a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import RunRow
from farandole.projections.runs.query.answers import row_of

_MOST = 500


@dataclass(frozen=True, slots=True)
class Below:
    """A child run: as its parent knows it, and, where it is in the same tables, as it is."""

    id: str
    choreography: str
    type: str
    state: str
    since: int
    run: RunRow | None
    children: "Sequence[Below]"


def descendants(connection: Connection, run: RunRow, depth: int = 5) -> list[Below]:
    """Children, and theirs, as deep as asked; at most some hundreds of one run."""
    c = t.children.c
    query = select(t.children).where(c.partition == run.partition, c.run == run.run).order_by(c.log_offset).limit(_MOST)
    rows = list(connection.execute(query).mappings())
    ids = [row["child"] for row in rows]
    newest: dict[str, RunRow] = {}
    for row in connection.execute(select(t.runs).where(t.runs.c.run_id.in_(ids)).order_by(t.runs.c.started)).mappings():
        newest[row["run_id"]] = row_of(RunRow, row)
    found = []
    for row in rows:
        child = newest.get(row["child"])
        below = descendants(connection, child, depth - 1) if child is not None and depth > 1 else []
        found.append(Below(row["child"], row["choreography"], row["type"], row["state"], row["since"], child, below))
    return found
