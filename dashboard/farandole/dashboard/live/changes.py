"""What changed in the tables between two positions, as events of a stream.

Each has the position behind it, so that whoever was cut off says how far they came and misses nothing. A record is told
first, then how its run stands; the position comes with the latter, so that nobody has one without the other.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, select

from farandole.projections.runs import tables as t

MOST: Final = 1_000
"""Records that are read together, of one partition."""

_r, _runs = t.records.c, t.runs.c
_RECORDS: Final = (
    select(
        _r.log_offset, _r.run, _r.run_id, _r.kind, _r.verdict, _r.type, _r.reactor, _r.at, _r.by,
        _runs.type.label("run_type"), _runs.status, _runs.parked, _runs.owed,
    )
    .select_from(t.records.outerjoin(t.runs, and_(_runs.partition == _r.partition, _runs.run == _r.run)))
    .where(_r.partition == bindparam("partition"), _r.log_offset >= bindparam("since"), _r.log_offset < bindparam("upto"))
    .order_by(_r.log_offset)
    .limit(MOST)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a stream.

    Attributes:
        name: ``record`` or ``run.changed``.
        run_id, status, types: by which it is picked: the run's, and the types of the run's start and of the record.
        place: partition and offset of the record.
        positions: behind it, as text; empty: there is more to tell of this record.
        sent: as it goes over the wire.
    """

    name: str
    run_id: str | None
    status: str | None
    types: tuple[str, ...]
    place: tuple[int, int]
    positions: str
    sent: bytes


def read_positions(connection: Connection) -> dict[int, int]:
    """Where the tables are."""
    p = t.positions.c
    return {row.partition: row.position for row in connection.execute(select(p.partition, p.position))}


def changes(
    connection: Connection, since: Mapping[int, int], upto: Mapping[int, int]
) -> tuple[list[Change], dict[int, int]]:
    """What changed from some positions on, and up to where: at most so many records of each partition.

    Args:
        since: from here on, by partition.
        upto: and no further.
    """
    now = {p: since.get(p, 0) for p in upto}
    found: list[Change] = []
    for partition, end in sorted(upto.items()):
        begin = now[partition]
        if end <= begin:
            continue
        rows = connection.execute(_RECORDS, {"partition": partition, "since": begin, "upto": end}).mappings().all()
        found += _told(partition, rows, now)
        now[partition] = end if len(rows) < MOST else rows[-1]["log_offset"] + 1
    return found, now


def _told(partition: int, rows: Sequence[Mapping[Any, Any]], now: Mapping[int, int]) -> Iterator[Change]:
    before = "".join(f"{p}={n}," for p, n in sorted(now.items()) if p < partition)
    after = "".join(f",{p}={n}" for p, n in sorted(now.items()) if p > partition)
    last = {row["run"]: n for n, row in enumerate(rows) if row["run"] is not None and row["run_type"] is not None}
    for n, row in enumerate(rows):
        offset, run_id, status = row["log_offset"], row["run_id"], row["status"]
        place, types = (partition, offset), tuple(x for x in (row["run_type"], row["type"]) if x)
        positions = f"{before}{partition}={offset + 1}{after}"
        record = {
            "partition": partition, "offset": offset, "run_id": run_id, "kind": row["kind"], "verdict": row["verdict"],
            "type": row["type"], "reactor": row["reactor"], "at": row["at"], "by": row["by"],
        }  # fmt: skip
        tells_run = last.get(row["run"]) == n
        own = "" if tells_run else positions
        yield Change("record", run_id, status, types, place, own, sent("record", record, own))
        if tells_run:
            run = {
                "run_id": run_id, "type": row["run_type"], "status": status, "owed": row["owed"], "parked": row["parked"],
            }  # fmt: skip
            yield Change("run.changed", run_id, status, types, place, positions, sent("run.changed", run, positions))


def sent(name: str, data: Any, positions: str = "") -> bytes:
    """An event as it goes over the wire."""
    id_ = f"id: {positions}\n" if positions else ""
    return f"event: {name}\n{id_}data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
