"""What was used of models and what it cost, summed up by what is asked for, within a transaction that sees one state."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Select, and_, case, desc, func, literal_column, select, tuple_

from farandole.projections.runs import tables as t
from farandole.schemas import FarandoleError
from farandole.schemas.usage import dollars

from .details import run_of
from .kin import below

By = Literal["day", "agent", "model", "run"]
DAY: Final = 86_400_000
_MILLION: Final = 10**6
_SUMS: Final = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_TOGETHER: Final = 400
MOST: Final = 10_000
"""Rows of a page."""


class UnknownGrouping(FarandoleError):
    """Usage is not summed up by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What was used by one agent, say, of one model. What is not summed up by is None.

    Attributes:
        day: log time at which the day began, in UTC.
        run_id: the run.
        input_tokens, output_tokens: in and out, those of caches among them.
        cost: in US dollars, exact; of those calls of which somebody knows the price.
        unpriced: calls of which nobody does.
        first, last: log times.
    """

    day: int | None = None
    agent: str | None = None
    model: str | None = None
    run_id: str | None = None
    calls: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost: Decimal
    unpriced: int
    first: int
    last: int


def usage(
    connection: Connection,
    choreography: str,
    *,
    by: Collection[By],
    since: int | None,
    upto: int | None,
    agent: str | None,
    model: str | None,
    run_id: str | None,
    children: bool,
    limit: int,
    past: int = 0,
) -> tuple[UsageRow, ...]:
    """What was used, those that cost most first; by days, the newest day first.

    Args:
        past: so many of these are left out.

    Raises:
        UnknownGrouping: by something else.
    """
    if unknown := set(by) - set(get_args(By)):
        raise UnknownGrouping(f"usage is summed up by {', '.join(get_args(By))}, and not by {min(unknown)!r}")
    u = t.usage.c
    where: list[Any] = [u.admitted]
    where += [] if since is None else [u.at >= since]
    where += [] if upto is None else [u.at < upto]
    where += [] if agent is None else [u.agent == agent]
    where += [] if model is None else [u.model == model]
    if run_id is None:
        return _sorted(_rows(connection, _query(by, where, limit, past)))
    run = run_of(connection, run_id)
    if run is None:
        return ()
    runs = [(run.partition, run.run), *(below(connection, choreography, run) if children else ())]
    parts = [some for at in range(0, len(runs), _TOGETHER) if (some := runs[at : at + _TOGETHER])]
    found = [row for some in parts for row in _rows(connection, _query(by, [*where, _of(some)]))]
    return _sorted(_merged(found))[past : past + limit]


def _of(runs: Sequence[tuple[int, int]]) -> Any:
    return tuple_(t.usage.c.partition, t.usage.c.run).in_(runs)


def _query(by: Collection[By], where: Sequence[Any], limit: int | None = None, past: int = 0) -> Select[Any]:
    u, runs = t.usage.c, t.runs.c
    groups: dict[str, Any] = {}
    if "day" in by:
        groups["day"] = (u.at - u.at % literal_column(str(DAY))).label("day")
    if "agent" in by:
        groups["agent"] = u.agent
    if "model" in by:
        groups["model"] = u.model
    source: Any = t.usage
    if "run" in by:
        groups["run_id"] = runs.run_id
        source = source.join(t.runs, and_(runs.partition == u.partition, runs.run == u.run))
    # In two parts, each of which is a number that SQLite has, however much was spent.
    whole, rest = func.sum(u.picodollars // _MILLION), func.sum(u.picodollars % _MILLION)
    query = select(
        *groups.values(),
        *(func.sum(u[name]).label(name) for name in _SUMS),
        func.coalesce(whole, 0).label("whole"),
        func.coalesce(rest, 0).label("rest"),
        func.sum(case((u.picodollars.is_(None), u.calls), else_=0)).label("unpriced"),
        func.min(u.at).label("first"),
        func.max(u.at).label("last"),
    ).select_from(source)
    query = query.where(*where).group_by(*groups.values())
    first = [groups["day"].desc()] if "day" in groups else []
    return (
        query.order_by(*first, desc("whole"), desc("rest"), desc("input_tokens"), *groups.values())
        .limit(limit)
        .offset(past)
    )


def _rows(connection: Connection, query: Select[Any]) -> list[UsageRow]:
    # A sum of nothing is a row, too, unless it is of groups.
    return [_row(row) for row in connection.execute(query).mappings() if row["first"] is not None]


def _row(row: Any) -> UsageRow:
    named: dict[str, Any] = {name: row[name] for name in ("day", "agent", "model", "run_id") if name in row}
    sums: dict[str, Any] = {name: int(row[name]) for name in (*_SUMS, "unpriced", "first", "last")}
    return UsageRow(**named, **sums, cost=dollars(int(row["whole"]) * _MILLION + int(row["rest"])))


def _merged(rows: Sequence[UsageRow]) -> list[UsageRow]:
    """Rows that say the same of several groups of runs, as one."""
    found: dict[Any, list[UsageRow]] = {}
    for row in rows:
        found.setdefault((row.day, row.agent, row.model, row.run_id), []).append(row)
    return [_sum(some) for some in found.values()]


def _sum(rows: Sequence[UsageRow]) -> UsageRow:
    one = rows[0]
    return UsageRow(
        day=one.day,
        agent=one.agent,
        model=one.model,
        run_id=one.run_id,
        **{name: sum(getattr(row, name) for row in rows) for name in (*_SUMS, "unpriced")},
        cost=sum((row.cost for row in rows), Decimal(0)),
        first=min(row.first for row in rows),
        last=max(row.last for row in rows),
    )


def _sorted(rows: Sequence[UsageRow]) -> tuple[UsageRow, ...]:
    def key(row: UsageRow) -> Any:
        names = (row.agent or "", row.model or "", row.run_id or "")
        return (-(row.day or 0), -row.cost, -row.input_tokens, names)

    return tuple(sorted(rows, key=key))
