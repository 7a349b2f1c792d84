"""Examples of failures, and the steps that they park."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, and_, func, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import FailureRow
from farandole.projections.runs.query.answers import row_of

_RUNS = 5


@dataclass(frozen=True, slots=True)
class Parked:
    """A step that failed for good, and waits for somebody to retry it."""

    run_id: str
    reactor: str
    failure: FailureRow
    """That which parks it."""
    alone: bool
    """Whether the run has no other parked step of this reactor."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The newest failure of a cause, steps that it parks, and other runs that it happened to."""

    failure: FailureRow
    parked: Sequence[Parked]
    run_ids: Sequence[str]


def newest_failures(connection: Connection, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Sample]:
    """For each fingerprint and reactor."""
    f, found = t.failures.c, {}
    for fingerprint, reactor in keys:
        this = (f.fingerprint == fingerprint, f.reactor == reactor)
        newest = select(t.failures).where(*this).order_by(f.at.desc(), f.log_offset.desc()).limit(1)
        row = connection.execute(newest).mappings().first()
        if row is None:
            continue
        by_cause = _parked().where(t.steps.c.reactor == reactor, *this)
        parked = _read(connection, by_cause.order_by(t.steps.c.since.desc(), f.log_offset.desc()).limit(_RUNS))
        joined = t.failures.join(t.runs, and_(t.runs.c.partition == f.partition, t.runs.c.run == f.run))
        ids = select(t.runs.c.run_id, f.at).select_from(joined).where(*this).order_by(f.at.desc()).limit(_RUNS * 4)
        others = dict.fromkeys(connection.execute(ids).scalars())
        for each in parked:
            others.pop(each.run_id, None)
        found[fingerprint, reactor] = Sample(
            row_of(FailureRow, row), parked, list(others)[: max(_RUNS - len(parked), 0)]
        )
    return found


def parked_in(connection: Connection, partition: int, run: int, most: int = 100) -> list[Parked]:
    """The parked steps of a run, the oldest first."""
    s = t.steps.c
    query = _parked().where(s.partition == partition, s.run == run)
    return _read(connection, query.order_by(s.since, t.failures.c.log_offset).limit(most))


def _parked() -> Select[tuple[object, ...]]:
    s, f, r = t.steps.c, t.failures.c, t.runs.c
    by_failure = and_(f.partition == s.partition, f.run == s.run, f.id == s.parked_by)
    joined = t.steps.join(t.failures, by_failure).join(t.runs, and_(r.partition == s.partition, r.run == s.run))
    o = t.steps.alias("others").c
    same = (o.partition == s.partition, o.run == s.run, o.reactor == s.reactor, o.state == "parked")
    count = select(func.count()).where(*same).scalar_subquery().label("of_reactor")
    return select(r.run_id, count, t.failures).select_from(joined).where(s.state == "parked")


def _read(connection: Connection, query: Select[tuple[object, ...]]) -> list[Parked]:
    rows = connection.execute(query).mappings().all()
    return [Parked(row["run_id"], row["reactor"], row_of(FailureRow, row), row["of_reactor"] == 1) for row in rows]
