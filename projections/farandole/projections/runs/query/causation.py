"""What came of what in one run: its events, what failed, what is owed, and which led to which."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, or_, select

from farandole.projections.runs import tables as t

from .answers import RunRow, StepRow, row_of
from .details import run_of

MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class CauseNode:
    """An event, a failure, or a step that is owed or parked."""

    id: str
    offset: int | None
    kind: str
    type: str
    reactor: str
    at: int
    attempt: int
    final: bool


@dataclass(frozen=True, slots=True)
class CauseEdge:
    """One node led to another."""

    source: str
    target: str
    reactor: str


@dataclass(frozen=True, slots=True)
class CauseGraph:
    """What came of what in a run."""

    run: RunRow
    nodes: tuple[CauseNode, ...]
    edges: tuple[CauseEdge, ...]
    whole: bool
    """False: there are more."""


def causation(connection: Connection, run_id: str, most: int = MOST) -> CauseGraph | None:
    """The graph of a run, at most so many nodes of it, the first ones; None if it is not there."""
    run = run_of(connection, run_id)
    if run is None:
        return None
    r, s = t.records.c, t.steps.c
    query = (
        select(
            r.log_offset, r.id, r.kind, r.type, r.reactor, r.trigger, r.generation, r.at, r.attempt, r.final, r.admitted
        )
        .where(r.partition == run.partition, r.run == run.run)
        .where(or_(r.place.is_not(None), r.kind.in_(("failure", "lost")) & (r.verdict == "admitted")))
        .order_by(r.log_offset)
        .limit(most + 1)
    )
    records = connection.execute(query).mappings().all()
    steps = [
        row_of(StepRow, row)
        for row in connection.execute(select(t.steps).where(s.partition == run.partition, s.run == run.run)).mappings()
    ]
    inputs = {(step.trigger, step.reactor, step.generation): step.inputs for step in steps}
    whole = len(records) <= most
    nodes = [
        CauseNode(
            row["id"],
            row["log_offset"],
            row["kind"],
            row["type"],
            row["reactor"],
            row["at"],
            row["attempt"],
            row["final"],
        )
        for row in records[:most]
    ]
    by_offset = {node.offset: node.id for node in nodes}
    known = {node.id for node in nodes}
    edges: dict[CauseEdge, None] = {}
    for row in records[:most]:
        sources = [
            by_offset[at]
            for at in inputs.get((row["trigger"], row["reactor"], row["generation"]), ())
            if at in by_offset
        ]
        for source in sources or [row["trigger"]]:
            if source in known and source != row["id"]:
                edges[CauseEdge(source, row["id"], row["reactor"])] = None
    for step in steps:
        if step.state in ("owed", "parked"):
            id_ = f"{step.trigger}/{step.reactor}/{step.generation}"
            nodes.append(CauseNode(id_, None, step.state, "", step.reactor, step.since, step.attempts, False))
            sources = [by_offset[at] for at in step.inputs if at in by_offset] or [step.trigger]
            edges |= {CauseEdge(source, id_, step.reactor): None for source in sources if source in known}
    return CauseGraph(run, tuple(nodes), tuple(edges), whole)
