"""Single questions, each within a transaction that sees one state."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, Connection, and_, case, cast, exists, func, or_, select, tuple_

from farandole.projections.runs import tables as t

from .answers import (
    ChildRow,
    DecisionRow,
    FailureGroup,
    RecordRow,
    RunRow,
    RunThen,
    StepRow,
    TimerRow,
    row_of,
)
from .pages import MOST

R = TypeVar("R")
_MINUTE: Final = 60_000
_MOST_OPEN: Final = 1_000
"""Of each kind of what was open, so many are told."""


def run_of(connection: Connection, run_id: str) -> RunRow | None:
    """The run of an id, the last one that had it."""
    query = (
        select(t.runs).where(t.runs.c.run_id == run_id).order_by(t.runs.c.started.desc(), t.runs.c.run.desc()).limit(1)
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else row_of(RunRow, row)


def of_run(
    connection: Connection, cls: type[R], table: Any, run_id: str, by: Any, limit: int | None, before: int
) -> tuple[R, ...]:
    """Rows of one run in one table.

    Args:
        before: so many are passed over.
    """
    run = run_of(connection, run_id)
    return () if run is None else _rows(connection, cls, table, run, by, limit=limit, before=before)


def _rows(
    connection: Connection, cls: type[R], table: Any, run: RunRow, by: Any, *where: Any, limit: int | None = None,
    before: int = 0,
) -> tuple[R, ...]:  # fmt: skip
    query = select(table).where(table.c.partition == run.partition, table.c.run == run.run, *where)
    query = query.order_by(by, *table.primary_key.columns)
    query = query if limit is None else query.limit(limit).offset(before)
    return tuple(row_of(cls, row) for row in connection.execute(query).mappings())


def history(
    connection: Connection, run_id: str, everything: bool, personal: bool, limit: int, after: Sequence[int] | None
) -> tuple[RecordRow, ...]:
    """Records of a run."""
    run = run_of(connection, run_id)
    return () if run is None else _history(connection, run, everything, personal, limit, after)


def _history(
    connection: Connection, run: RunRow, everything: bool, personal: bool, limit: int, after: Sequence[int] | None
) -> tuple[RecordRow, ...]:
    r = t.records.c
    query = select(t.records).where(r.partition == run.partition, r.run == run.run)
    if everything:
        query = query.order_by(r.log_offset)
        query = query if after is None else query.where(r.log_offset > after[0])
    else:
        query = query.where(r.place.is_not(None)).order_by(r.admitted, r.place)
        query = query if after is None else query.where(tuple_(r.admitted, r.place) > tuple_(*after))
    rows = connection.execute(query.limit(limit)).mappings()
    return tuple(record_of(row, personal) for row in rows)


def record_of(row: Mapping[Any, Any], personal: bool) -> RecordRow:
    """A row of the table ``records``, with what is personal if that is wanted."""
    found = dict(row)
    if personal and found["personal"] is not None:
        found["payload"] = found["personal"]
    return row_of(RecordRow, found)


def state_at(connection: Connection, run_id: str, offset: int | None, at: int | None, personal: bool) -> RunThen | None:
    """A run as it was."""
    run = run_of(connection, run_id)
    if run is None:
        return None
    r = t.records.c
    last = select(r.log_offset, r.at).where(r.partition == run.partition, r.run == run.run)
    last = last if at is None else last.where(r.at <= at)
    last = last if offset is None else last.where(r.log_offset <= offset)
    found = connection.execute(last.order_by(r.log_offset.desc()).limit(1)).first()
    if found is None:
        return None
    upto = found.log_offset if offset is None else offset
    s, d, timers, children = t.steps.c, t.decisions.c, t.timers.c, t.children.c

    def open_then(c: Any, began: Any) -> Any:
        return and_(began <= upto, or_(c.ended_at.is_(None), c.ended_at > upto))

    parts = (
        _last(connection, run, personal, upto),
        _rows(connection, StepRow, t.steps, run, s.owed_at, open_then(s, s.owed_at), limit=_MOST_OPEN + 1),
        _rows(connection, TimerRow, t.timers, run, timers.due, open_then(timers, timers.log_offset), limit=_MOST_OPEN + 1),
        _decisions(connection, (), run, (), _MOST_OPEN + 1, open_then(d, d.log_offset), d.since.is_not(None)),
        _rows(connection, ChildRow, t.children, run, children.log_offset, open_then(children, children.log_offset), children.state != "detached", limit=_MOST_OPEN + 1),
    )  # fmt: skip
    events, *open_ = parts
    whole = len(events) <= MOST and all(len(each) <= _MOST_OPEN for each in open_)
    steps, timers_, decisions_, children_ = (each[:_MOST_OPEN] for each in open_)
    return RunThen(run, upto, found.at, events[-MOST:], steps, timers_, decisions_, children_, whole)  # type: ignore[arg-type]


def _last(connection: Connection, run: RunRow, personal: bool, upto: int) -> tuple[RecordRow, ...]:
    """The last events of a history, and one more than are told."""
    r = t.records.c
    query = select(t.records).where(r.partition == run.partition, r.run == run.run, r.place.is_not(None))
    query = query.where(r.admitted <= upto).order_by(r.admitted.desc(), r.place.desc()).limit(MOST + 1)
    return tuple(record_of(row, personal) for row in connection.execute(query).mappings())[::-1]


def decisions(
    connection: Connection,
    state: Collection[str],
    run_id: str | None,
    to: Collection[str],
    limit: int,
    after: Sequence[int] | None,
    id: str | None,
) -> tuple[DecisionRow, ...]:
    """Questions to people."""
    run = None if run_id is None else run_of(connection, run_id)
    if run_id is not None and run is None:
        return ()
    d = t.decisions.c
    where = [] if after is None else [tuple_(_since(state), d.partition, d.log_offset) > tuple_(*after)]
    where += [] if id is None else [d.id == id]
    return _decisions(connection, state, run, to, limit, *where)


def _decisions(
    connection: Connection, state: Collection[str], run: RunRow | None, to: Collection[str], limit: int, *where: Any
) -> tuple[DecisionRow, ...]:
    d = t.decisions.c
    query = select(t.decisions, t.runs.c.run_id).join(
        t.runs, and_(t.runs.c.partition == d.partition, t.runs.c.run == d.run)
    )
    query = query.where(*where)
    if state:
        query = query.where(d.state.in_(sorted(state)))
    if run is not None:
        query = query.where(d.partition == run.partition, d.run == run.run)
    if to:
        query = query.where(_asks(connection, sorted(to)))
    query = query.order_by(_since(state), d.partition, d.log_offset).limit(limit)
    return tuple(row_of(DecisionRow, row) for row in connection.execute(query).mappings())


def _since(state: Collection[str]) -> Any:
    """When questions in these states were asked; an index has it where all of them were."""
    since = t.decisions.c.since
    return since if state and "unasked" not in state else func.coalesce(since, 0)


def _asks(connection: Connection, to: Sequence[str]) -> Any:
    """Questions to one of these, or to everybody."""
    asked = t.decisions.c.asked_of
    sqlite = connection.dialect.name == "sqlite"
    items = (func.json_each(asked) if sqlite else func.jsonb_array_elements_text(asked)).table_valued("value")
    length = func.json_array_length(asked) if sqlite else func.jsonb_array_length(asked)
    return or_(length == 0, exists(select(1).select_from(items).where(items.c.value.in_(to))))


def causes(
    connection: Connection, limit: int, after: Sequence[int | str] | None, fingerprint: str | None
) -> tuple[FailureGroup, ...]:
    """Failures by cause.

    Args:
        after: of the last cause of the page before: steps that it parks, when it was seen last, fingerprint and reactor.
    """
    f, s = t.failures.c, t.steps.c
    parked = case((s.state == "parked", 1), else_=0)
    key = (f.fingerprint, f.reactor)
    joined = t.failures.outerjoin(
        t.steps, and_(s.partition == f.partition, s.run == f.run, s.parked_by == f.id, s.state == "parked")
    )
    grouped = (
        select(
            *key,
            func.count().label("attempts"),
            func.count(func.distinct(cast(f.partition, BigInteger) * (1 << 40) + f.run)).label("runs"),
            func.sum(parked).label("parked"),
            func.min(f.at).label("first"),
            func.max(f.at).label("last"),
        )
        .select_from(joined)
        .group_by(*key)
        .order_by(func.sum(parked).desc(), func.max(f.at).desc(), *key)
        .limit(limit)
    )
    if after is not None:
        parks, seen = func.sum(parked), func.max(f.at)
        grouped = grouped.having(
            or_(
                tuple_(parks, seen) < tuple_(*after[:2]),
                and_(parks == after[0], seen == after[1], tuple_(*key) > tuple_(*after[2:])),
            )
        )
    grouped = grouped if fingerprint is None else grouped.where(f.fingerprint == fingerprint)
    found = []
    for row in connection.execute(grouped).mappings():
        newest = (
            select(f.error, f.message)
            .where(f.fingerprint == row["fingerprint"], f.reactor == row["reactor"])
            .order_by(f.at.desc(), f.log_offset.desc())
            .limit(1)
        )
        said = connection.execute(newest).mappings().one()
        found.append(FailureGroup(**{**row, "parked": int(row["parked"]), **said}))
    return tuple(found)
