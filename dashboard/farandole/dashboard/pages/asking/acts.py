"""What people and programs did from outside: the records that say so are the audit; nothing else is kept."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, or_, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import RecordRow
from farandole.projections.runs.query.answers import row_of
from farandole.projections.runs.who import origin_of

KINDS: Final = (
    "start",
    "signal",
    "answer",
    "cancel",
    "pause",
    "resume",
    "retry",
    "owe",
    "policy",
    "setting",
    "schedule",
    "tick",
)
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Act:
    """An act, and who says that they did it."""

    record: RecordRow
    by: str
    via: str
    ip: str
    why: str


def acts(
    connection: Connection, *, by: str = "", kind: str = "", before: int | None = None, programs: bool = False
) -> list[Act]:
    """Acts, the newest first.

    Args:
        before: log time before which they are.
        programs: those of programs that named nobody, too.
    """
    r = t.records.c
    query = select(t.records).where(r.kind.in_([kind] if kind in KINDS else KINDS))
    query = query.where(or_(r.kind != "start", r.trigger == ""), or_(r.kind != "tick", r.by.is_not(None)))
    if by:
        query = query.where(r.by == by)
    elif not programs:
        query = query.where(r.by.is_not(None))
    if before is not None:
        query = query.where(r.at < before)
    rows = connection.execute(query.order_by(r.at.desc(), r.partition, r.log_offset.desc()).limit(_MOST)).mappings()
    return [act_of(row_of(RecordRow, row)) for row in rows]


def act_of(record: RecordRow) -> Act:
    """Who did it, how they were known, from where, and why, as far as the record says."""
    said = origin_of(record.source)
    return Act(record, record.by or "", said.get("via", ""), said.get("ip", ""), record.why or "")
