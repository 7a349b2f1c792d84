"""What people and programs did from outside: the records that say so are the audit; nothing else is kept."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection, or_, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import RecordRow
from farandole.projections.runs.query.answers import row_of

KINDS: Final = ("start", "signal", "answer", "cancel", "pause", "resume", "retry", "owe", "policy", "setting")
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
    query = query.where(or_(r.kind != "start", r.trigger == ""))
    if by:
        # What stands in a source is quoted as in an address; a name without special characters is as it is.
        query = query.where(or_(r.by == by, r.source.contains(f"by={by}", autoescape=True)))
    if not programs:
        query = query.where(or_(r.by.is_not(None), r.source.contains("?by=", autoescape=True)))
    if before is not None:
        query = query.where(r.at < before)
    rows = connection.execute(query.order_by(r.at.desc(), r.partition, r.log_offset.desc()).limit(_MOST)).mappings()
    return [act_of(row_of(RecordRow, row)) for row in rows]


def act_of(record: RecordRow) -> Act:
    """Who did it, how they were known, from where, and why, as far as the record says."""
    try:
        said = parse_qs(urlsplit(record.source).query)
    except ValueError:
        said = {}

    def first(name: str) -> str:
        return said.get(name, [""])[0]

    return Act(record, record.by or first("by"), first("via"), first("ip"), record.why or first("why"))
