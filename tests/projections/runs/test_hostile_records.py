"""No record keeps a projector from going on: numbers beyond all bounds, bytes that are no text, ids that come twice."""

from typing import Any

from tests.projections.fold.log import (
    LAST,
    Log,
    a_contract,
    a_failure,
    a_head,
    after,
    an_id,
    an_outcome_of,
    asks,
    otherwise,
    wire,
)
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import COLUMNS, differences
from tests.projections.runs.projecting import projected
from tests.projections.runs.reading import as_read, tables_in

from farandole.eventstore import Record
from farandole.projections.fold import Fold, Pair
from farandole.projections.runs import verify
from farandole.projections.runs.batch import Batch
from farandole.projections.runs.payloads import Payloads
from farandole.projections.runs.rows import Rows
from farandole.projections.sql import Database
from farandole.schemas.envelope import Kind, unpack
from farandole.schemas.system_records import FAILURE

MOST, LEAST = 2**63 - 1, -(2**63)
ODD = b"\x00\xff\xfe odd \xed\xa0\x80"


def refused(log: Log, **more: Any) -> None:
    log.put(Record(b"r", ODD, a_head(Kind.FAILURE, **{"id": b"0" * 32, "causation": b"none", **more})))


def a_log() -> Log:
    """Everything that a writer could put into headers, admitted where that can be, and refused."""
    log = Log()
    log.contracts(a_contract("one", "A"), a_contract("two", "B", deadline=MOST))
    log.start(delay=MOST)
    pair = log.pair("one")
    log.failure(pair, last=False, delay=MOST)
    log.failure(pair, last=False, delay=LEAST)
    refused(log, attempt=2**32 - 1, sent=MOST, not_after=LEAST)
    refused(log, index=2**32 - 2, count=2**32 - 1, sent=LEAST)
    refused(log, reactor=ODD, generation=ODD, causation=ODD, branch=ODD, extra=ODD * 100, type=ODD, source=ODD * 9)
    log.put(Record(ODD, ODD, a_head(Kind.START, type=wire("A"))))
    log.put(Record(b"u", None, a_head(Kind.START, type=ODD, id=b"x" + ODD)))
    log.put(Record(None, ODD, [("fa", ODD)]))
    log.put(Record(b"r", ODD, []))
    parts = (after("B", MOST), after("B", LEAST), asks("Yes", quorum=65535), otherwise("B", MOST), {"type": wire("B")})
    log.put(*an_outcome_of(b"r", pair, *parts))
    # Of the kind of sub-steps, with the value of something else.
    log.put(a_huge_failure(log.pair("two"))._replace(headers=a_head(Kind.SUBSTEP, type=b"farandole.Failure")))
    log.put(a_huge_failure(log.pair("two")))
    return log


def a_huge_failure(pair: Pair) -> Record:
    """One whose fields are longer than what any index takes."""
    record = a_failure(b"r", pair)
    huge = dict.fromkeys(("error", "message", "traceback", "fingerprint"), "é" * 100000)
    return record._replace(value=FAILURE.encode(huge))


def rows_of(log: Log) -> Any:
    from tests.projections.runs.model import apply

    tables: Any = {}
    rows, batch = Rows(Fold(0, 1), Payloads("t")), Batch()
    for record in log.stored:
        rows.take(record, batch)
    rows.settle(batch)
    apply(batch, tables)
    return as_read(tables)


async def test_whatever_a_record_says_the_tables_follow(database: Database) -> None:
    log = a_log()
    store = RecordedLog(log.stored, partitions=1)
    await projected(store, database)
    found = tables_in(database)
    assert len(found["records"]) == len(log.stored)
    assert differences(found, rows_of(log)) == []
    assert (await verify(store, database, "t")).differences == ()


async def test_times_beyond_all_bounds_are_the_last_that_can_be_said(database: Database) -> None:
    await projected(RecordedLog(a_log().stored, partitions=1), database)
    found = tables_in(database)
    retries = [row[COLUMNS["failures"].index("retry")] for row in found["failures"].values()]
    assert max(at for at in retries if at is not None) == MOST
    assert MOST in [row[COLUMNS["timers"].index("due")] for row in found["timers"].values()]


async def test_a_step_whose_id_came_before_is_put_in_its_place(database: Database) -> None:
    """Two events of one id, which only a forger writes: the later pair is the step, in one batch or in two."""
    log = Log()
    log.contracts(a_contract("one", "A"))
    id = an_id()
    log.start(id=id)
    log.outcome(log.pair("one"))
    half = len(log.stored)
    log.signal("A", id=id)
    log.failure(log.pair("one"))
    store = RecordedLog(log.stored[:half], partitions=1)
    await projected(store, database)
    store.add(log.stored[half:])
    await projected(store, database)
    assert differences(tables_in(database), rows_of(log)) == []
    states = [row[COLUMNS["steps"].index("state")] for row in tables_in(database)["steps"].values()]
    assert states == ["parked"]


def test_the_last_failure_of_the_log_is_one() -> None:
    assert unpack(a_log().stored[-1].headers).flags & LAST
