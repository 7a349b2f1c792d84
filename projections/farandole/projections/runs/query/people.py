"""What people did, as the log has it: who, how the door knew them, from where, what, and why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, true, tuple_

from farandole.projections.runs import tables as t
from farandole.projections.runs.who import KINDS_OF_ACTS, origin_of

__all__ = ["KINDS_OF_ACTS", "ActRow", "acts", "asked_of"]
_ROLE: Final = "role:"
_AT_ONCE: Final = 400


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
    by: str | None
    """None: a program that named nobody."""
    why: str | None
    via: str | None
    """How the door knew them, if they came by one."""
    ip: str | None
    request: str | None
    """Id of the request over HTTP, as its answer had it."""
    admitted: int | None
    """Offset of the record with which it took effect; None: it did not."""
    of: str | None
    """Of kill switches, the reactor; empty: all of them."""


def acts(
    connection: Connection,
    by: str | None,
    kind: Collection[str],
    run_id: str | None,
    since: int | None,
    upto: int | None,
    limit: int,
    after: Sequence[int] | None,
    programs: bool,
) -> tuple[ActRow, ...]:
    """Records that say who is behind them, the newest first.

    Args:
        programs: and those that came from outside, and name nobody.
    """
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
        r.admitted,
        r.payload,
    )
    query = select(*columns).where(_from_outside() if programs else r.by.is_not(None))
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
        told = {name: value for name, value in row.items() if name != "payload"}
        found.append(ActRow(**told, via=said.get("via"), ip=said.get("ip"), request=said.get("request"), of=_of(row)))
    return tuple(found)


def _from_outside() -> ColumnElement[bool]:
    """Acts of programs: starts of child runs, and ticks that came of themselves, are none."""
    r = t.records.c
    unnamed = r.kind.in_([kind for kind in KINDS_OF_ACTS if kind not in ("start", "tick")])
    fired = (r.kind == "tick") & r.source.contains("?")
    return or_(r.by.is_not(None), unnamed, (r.kind == "start") & (r.trigger == ""), fired)


def _of(row: Mapping[Any, Any]) -> str | None:
    payload = row["payload"]
    return str(payload.get("reactor", "")) if row["kind"] == "policy" and isinstance(payload, Mapping) else None


def asked_of(connection: Connection, roles: Collection[str]) -> frozenset[str]:
    """Of these roles, those that some question was ever asked of, as ``role:editor``."""
    asked = t.decisions.c.asked_of
    sqlite = connection.dialect.name == "sqlite"
    items = (func.json_each(asked) if sqlite else func.jsonb_array_elements_text(asked)).table_valued("value")
    names = sorted(f"{_ROLE}{role}" for role in roles)
    found: set[str] = set()
    for begin in range(0, len(names), _AT_ONCE):
        some = items.c.value.in_(names[begin : begin + _AT_ONCE])
        query = select(items.c.value).select_from(t.decisions.join(items, true())).where(some).distinct()
        found.update(connection.execute(query).scalars())
    return frozenset(name.removeprefix(_ROLE) for name in found)
