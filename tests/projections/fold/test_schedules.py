"""Schedules tick: once each, in their order, and start runs as their overlap says."""

import pytest
from tests.projections.fold.log import Log, a_head, an_id
from tests.projections.fold.said import a_tick, some_news

from farandole.eventstore import Record
from farandole.projections.fold import Applied, Schedule, Verdict
from farandole.schemas.envelope import Flag, Kind

SKIP, ALLOW, QUEUE, REPLACE = range(4)
OF_SCHEDULE = int(Flag.OF_SCHEDULE)


def tick(log: Log, ms: int, overlap: int = SKIP, *, name: bytes = b"night", id: bytes | None = None) -> Applied:
    head = a_head(Kind.TICK, id=id or an_id(), extra=a_tick(ms, overlap=overlap))
    return log.put(Record(name, b"", head))


def hears(log: Log, child: bytes, kind: Kind = Kind.CHILD_ENDED, flags: int = 0) -> Applied:
    head = a_head(kind, causation=child, flags=OF_SCHEDULE, extra=some_news(b"t.Done", flags=flags))
    return log.put(Record(b"night", b"", head))


def night(log: Log) -> Schedule:
    return log.fold.schedules[b"night"]


def starts(log: Log) -> list[tuple[bytes, int]]:
    return [(m.key, m.kind) for m in (night(log).messages or {}).values()]


def at(second: int) -> bytes:
    return b"night@1970-01-01T00:%02d:%02dZ" % divmod(second, 60)


def test_a_tick_owes_the_start_of_a_run_that_is_named_for_it() -> None:
    log = Log()
    assert tick(log, 61_000, id=b"xabc").verdict is Verdict.ADMITTED
    assert starts(log) == [(at(61), Kind.START)]
    assert list(night(log).children or ()) == [b"abc"]


def test_ticks_ascend() -> None:
    log = Log()
    tick(log, 10_000)
    assert tick(log, 10_000).verdict is Verdict.SUPERSEDED
    assert tick(log, 9_000).verdict is Verdict.SUPERSEDED
    assert tick(log, 10_001).verdict is Verdict.ADMITTED


def test_no_tick_comes_before_its_time() -> None:
    log = Log()
    assert tick(log, log.now + 1).verdict is Verdict.NOT_DUE
    assert log.fold.schedules == {}
    assert tick(log, log.now).verdict is Verdict.ADMITTED


def test_there_is_room_for_so_many_schedules() -> None:
    log = Log(schedules_most=1)
    tick(log, 1_000)
    assert tick(log, 1_000, name=b"day").verdict is Verdict.FULL
    assert tick(log, 2_000).verdict is Verdict.ADMITTED


@pytest.mark.parametrize(
    "extra", [b"", a_tick(1)[:9], a_tick(1, overlap=4), a_tick(253_402_300_800_000), a_tick(1, b"t" * 256)]
)
def test_a_tick_that_does_not_fit_is_unreadable(extra: bytes) -> None:
    log = Log()
    assert log.put(Record(b"night", b"", a_head(Kind.TICK, extra=extra))).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize("name", [None, b"", b"n" * 235])
def test_a_schedules_name_leaves_room_for_a_tick_behind_it(name: bytes | None) -> None:
    log = Log()
    assert log.put(Record(name, b"", a_head(Kind.TICK, extra=a_tick(1)))).verdict is Verdict.UNREADABLE


def test_the_last_second_that_has_a_name_ticks() -> None:
    log = Log()
    log.now = 253_402_300_799_999
    assert tick(log, log.now).verdict is Verdict.ADMITTED


@pytest.mark.parametrize(
    ("overlap", "messages"),
    [
        (SKIP, [(at(1), Kind.START)]),
        (ALLOW, [(at(1), Kind.START), (at(2), Kind.START)]),
        (QUEUE, [(at(1), Kind.START)]),
        (REPLACE, [(at(1), Kind.CANCEL), (at(2), Kind.START)]),
    ],
)
def test_overlap_decides_while_a_run_is_open(overlap: int, messages: list[tuple[bytes, int]]) -> None:
    log = Log()
    tick(log, 1_000, overlap, id=b"x1")
    tick(log, 2_000, overlap, id=b"x2")
    assert starts(log) == messages


def test_a_tick_that_waits_is_the_newest_and_starts_once_no_run_is_left() -> None:
    log = Log()
    tick(log, 1_000, QUEUE, id=b"x1")
    tick(log, 2_000, QUEUE, id=b"x2")
    tick(log, 3_000, QUEUE, id=b"x3")
    assert hears(log, b"1").verdict is Verdict.ADMITTED
    assert starts(log) == [(at(3), Kind.START)]
    assert night(log).waiting is None
    hears(log, b"3", Kind.CHILD_FAILED, flags=2)
    assert starts(log) == []


def test_a_start_that_was_refused_lets_the_next_tick_start() -> None:
    log = Log()
    tick(log, 1_000, id=b"x1")
    head = a_head(Kind.DELIVERED, causation=b"1", attempt=0, flags=OF_SCHEDULE, extra=bytes([20]) + bytes(8))
    assert log.put(Record(b"night", b"", head)).verdict is Verdict.ADMITTED
    tick(log, 2_000)
    assert starts(log) == [(at(2), Kind.START)]


def test_a_run_of_it_is_heard_of_once_and_a_parked_step_is_none_of_its_business() -> None:
    log = Log()
    tick(log, 1_000, id=b"x1")
    assert hears(log, b"1", Kind.CHILD_FAILED, flags=1).verdict is Verdict.NOT_TAKEN
    assert hears(log, b"1").verdict is Verdict.ADMITTED
    assert hears(log, b"1").verdict is Verdict.NOT_PENDING


def test_a_run_of_the_same_name_is_another_matter() -> None:
    log = Log()
    log.start(b"night")
    tick(log, 1_000, id=b"x1")
    plain = a_head(Kind.CHILD_ENDED, causation=b"1", extra=some_news(b"t.Done"))
    assert log.put(Record(b"night", b"", plain)).verdict is Verdict.NOT_PENDING
    assert hears(log, b"1").verdict is Verdict.ADMITTED


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        (b"night", Verdict.ADMITTED),
        (b"", Verdict.UNREADABLE),
        (None, Verdict.UNREADABLE),
        (b"n" * 235, Verdict.UNREADABLE),
    ],
)
def test_what_people_do_to_a_schedule_is_admitted_and_changes_nothing(name: bytes | None, verdict: Verdict) -> None:
    log = Log()
    assert log.put(Record(name, b"whatever", a_head(Kind.SCHEDULE))).verdict is verdict
    assert (log.fold.schedules, log.fold.runs) == ({}, {})


def test_what_people_do_to_a_schedule_belongs_where_it_ticks() -> None:
    log = Log(partitions=16)
    verdicts = [log.put(Record(f"n{n}".encode(), None, a_head(Kind.SCHEDULE))).verdict for n in range(64)]
    assert set(verdicts) == {Verdict.ADMITTED, Verdict.MISROUTED}
