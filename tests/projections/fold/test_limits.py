"""What strangers write is bounded in size and in time, so that no reader remembers it for ever."""

import gc
import tracemalloc

import pytest
from tests.projections.fold.log import Log, a_contract, a_head, control_records

from farandole.eventstore import Record, Stored
from farandole.projections.fold import MOST_CONTRACT, MOST_TOGETHER, Fold, Settings, Verdict
from farandole.schemas.envelope import Kind

DAY = 86_400_000


def growth(log: Log, records: list[Record]) -> int:
    """Bytes of state that more records leave behind in another fold."""
    fold = Fold(0, 1)
    for stored in log.stored:
        fold.apply(stored)
    position = len(log.stored)
    last = log.stored[-1]
    made = [Stored(0, position + n, last.time, *record) for n, record in enumerate(records)]
    gc.collect()
    tracemalloc.start()
    try:
        for stored in made:
            fold.apply(stored)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_command_may_act_for_as_long_as_the_setting_says_and_no_longer() -> None:
    log = Log()
    log.start()
    week = Settings().ahead
    assert week == 7 * DAY
    for not_after in (log.now + week + 1, 2**63 - 1):
        assert log.signal("S", not_after=not_after).verdict is Verdict.TOO_FAR
    assert log.signal("S", not_after=log.now + week).verdict is Verdict.ADMITTED
    log.setting("ahead", 1000)
    assert log.signal("S", not_after=log.now + 1001).verdict is Verdict.TOO_FAR


def test_commands_for_ever_are_remembered_by_nobody() -> None:
    log = Log()
    log.start()
    far = [Record(b"r", b"", a_head(Kind.SIGNAL, not_after=2**63 - 1)) for _ in range(20_000)]
    assert growth(log, far) < 20_000


def test_ids_of_commands_go_when_their_time_has_passed() -> None:
    log = Log()
    log.contracts(a_contract("hear", "Other"))
    log.start()
    for _ in range(1000):
        log.command(Kind.PAUSE, not_after=log.now + 1000)
        log.command(Kind.RESUME, not_after=log.now + 1000)
    assert len(log.fold.commands) == 2000
    log.now += 1001
    log.signal("S")
    assert len(log.fold.commands) == 1


@pytest.mark.parametrize("long", ["id", "type"])
def test_names_are_of_255_bytes(long: str) -> None:
    log = Log()
    for size, verdict in ((255, Verdict.ADMITTED), (256, Verdict.UNREADABLE)):
        name = b"x" * size
        head = a_head(Kind.START, **{long: name})
        assert log.put(Record(b"run-%d" % size, b"", head)).verdict is verdict


def test_ids_of_runs_are_of_255_bytes() -> None:
    log = Log()
    assert log.start(b"r" * 255).verdict is Verdict.ADMITTED
    assert log.start(b"r" * 256).verdict is Verdict.UNREADABLE
    assert log.start(b"r" * 900_000).verdict is Verdict.UNREADABLE


def test_a_contract_is_of_64_kibibytes() -> None:
    log = Log()
    many = {**a_contract("pay", "A"), "takes": [[f"t.{i:040}" for i in range(1400)]]}
    [record] = control_records(Kind.CONTRACT, many)
    assert record.value is not None and len(record.value) < MOST_CONTRACT
    assert log.put(record).verdict is Verdict.ADMITTED
    larger = {**a_contract("post", "A"), "takes": [[f"t.{i:040}" for i in range(1600)]]}
    assert log.put(control_records(Kind.CONTRACT, larger)[0]).verdict is Verdict.UNREADABLE


def test_contracts_that_wait_for_the_rest_of_their_append_are_bounded() -> None:
    log = Log()
    [record] = control_records(Kind.CONTRACT, a_contract("pay", "A"))
    assert record.value is not None

    def part(index: int, count: int) -> Record:
        return Record(None, record.value, a_head(Kind.CONTRACT, append=bytes(16), index=index, count=count))

    for count in (MOST_TOGETHER + 1, 2**32 - 1):
        assert log.put(part(0, count)).verdict is Verdict.UNREADABLE
    assert log.put(part(0, MOST_TOGETHER)).verdict is Verdict.HELD
    assert growth(Log(), [part(n, 2**32 - 1) for n in range(5000)]) < 5_000


def test_a_refused_record_of_any_size_leaves_nothing() -> None:
    log = Log()
    log.start()
    huge = [
        Record(b"k" * 100_000, bytes(100_000), a_head(Kind.SIGNAL, not_after=log.now + 1)),
        Record(b"r", bytes(100_000), a_head(Kind.SIGNAL, type=b"t" * 100_000, not_after=log.now + 1)),
        Record(b"r", b"", [*a_head(Kind.RESUME, not_after=log.now + 1), ("other", bytes(500_000))]),
        Record(None, bytes(900_000), a_head(Kind.CONTRACT)),
    ]
    assert growth(log, huge * 20) < 5_000
