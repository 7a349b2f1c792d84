"""Where the records of a run stand."""

from sqlalchemy import Connection, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import RecordRow, RunRow
from farandole.projections.runs.query.answers import row_of

_MOST = 5_000


def offsets_of(connection: Connection, run: RunRow) -> list[int]:
    """Offsets of a run's records, in order; of very many the first."""
    r = t.records.c
    query = select(r.log_offset).where(r.partition == run.partition, r.run == run.run).order_by(r.log_offset)
    return list(connection.execute(query.limit(_MOST)).scalars())


def record_at(connection: Connection, run: RunRow, offset: int) -> RecordRow:
    """The record at an offset that `offsets_of` gave."""
    r = t.records.c
    row = connection.execute(select(t.records).where(r.partition == run.partition, r.log_offset == offset)).mappings()
    return row_of(RecordRow, row.one())
