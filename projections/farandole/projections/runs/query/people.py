"""What people did, as the log has it: who, how the door knew them, from where, what, and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, tuple_

from farandole.projections.runs import tables as t
from farandole.projections.runs.who import origin_of


@dataclass(frozen=True, slots=True)
class ActRow:
    """What somebody did."""

    partition: int
    log_offset: int
    run: int | None
    run_id: str | None
    at: int
    kind: str
    verdict: str
    type: str
    trigger: str
    source: str
    by: str
    why: str | None
    via: str | None
    """How the door knew them, if they came by one."""
    ip: str | None


def acts(
    connection: Connection,
    by: str | None,
    kind: Collection[str],
    run_id: str | None,
    since: int | None,
    upto: int | None,
    limit: int,
    after: Sequence[int] | None,
) -> tuple[ActRow, ...]:
    """Records that say who is behind them, the newest first."""
    r = t.records.c
    key = tuple_(r.at, r.partition, r.log_offset)
    columns = (
        r.partition,
        r.log_offset,
        r.run,
        r.run_id,
        r.at,
        r.kind,
        r.verdict,
        r.type,
        r.source,
        r.by,
        r.why,
        r.trigger,
    )
    query = select(*columns).where(r.by.is_not(None))
    query = query if by is None else query.where(r.by == by)
    query = query.where(r.kind.in_(sorted(kind))) if kind else query
    query = query if run_id is None else query.where(r.run_id == run_id)
    query = query if since is None else query.where(r.at >= since)
    query = query if upto is None else query.where(r.at < upto)
    query = query if after is None else query.where(key < tuple_(*after))
    query = query.order_by(r.at.desc(), r.partition.desc(), r.log_offset.desc()).limit(limit)
    found = []
    for row in connection.execute(query).mappings():
        said = origin_of(row["source"])
        found.append(ActRow(**row, via=said.get("via"), ip=said.get("ip")))
    return tuple(found)
