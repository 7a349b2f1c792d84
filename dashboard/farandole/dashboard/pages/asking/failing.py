"""Examples of failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import FailureRow
from farandole.projections.runs.query.answers import row_of

_RUNS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """The newest failure of a cause, and runs that it happened to."""

    failure: FailureRow
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
        joined = t.failures.join(t.runs, and_(t.runs.c.partition == f.partition, t.runs.c.run == f.run))
        ids = select(t.runs.c.run_id, f.at).select_from(joined).where(*this).order_by(f.at.desc()).limit(_RUNS * 4)
        run_ids = list(dict.fromkeys(connection.execute(ids).scalars()))[:_RUNS]
        found[fingerprint, reactor] = Sample(row_of(FailureRow, row), run_ids)
    return found
