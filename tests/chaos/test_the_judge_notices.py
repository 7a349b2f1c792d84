"""A judge that finds nothing wrong must be one that would: what a cell may have left behind, with one thing wrong each."""

from collections.abc import Sequence
from pathlib import Path
from time import time
from types import SimpleNamespace
from typing import Any

import pytest
from examples.orders.events import OrderPlaced

from checker import Examination
from checker.ids import step_key
from checker.record import Kind, Raw, read_head
from checker.verdict import Verdict
from farandole.eventstore import Record
from farandole.reactors.scribe import Scribe
from farandole.schemas import EventTypes

from .blocking import Lost, losses, wrong_losses
from .broker import TheBroker
from .campaign import campaign
from .cell import Cell, Play
from .effects import charged_too_often, too_many_attempts
from .garbage import wrongly_copied, wrongly_there
from .judge import judge_starts, untried
from .ledger import Note
from .rebuilding import Rebuild, wrong_rebuilds
from .report import summary, table_of
from .trial import Trial

ORDER = OrderPlaced(customer="c", amount=1, address="here")  # type: ignore[arg-type]
SCRIBE = Scribe("orders", "load", EventTypes("orders", [OrderPlaced]), lambda: 0)


def examined(*records: Record) -> Examination:
    found = Examination(1, {})
    found.take(Raw(0, offset, 1000 + offset, *record) for offset, record in enumerate(records))
    return found


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial("none", 1, tmp_path, TheBroker())


def wrong_starts(trial: Trial, records: Sequence[Record], acknowledged: list[str]) -> list[str]:
    load = SimpleNamespace(acknowledged=acknowledged, unsure=[])
    stage: Any = SimpleNamespace(trial=trial, found=examined(*records), loads=[load])
    judge_starts(stage)
    return trial.anomalies


def test_a_start_that_was_acknowledged_and_is_lost(trial: Trial) -> None:
    assert wrong_starts(trial, [SCRIBE.start(b"order-1", ORDER)], ["order-1", "order-2"]) == [
        "I2: order-2 was acknowledged and is no run"
    ]


def test_a_run_that_nobody_started(trial: Trial) -> None:
    assert wrong_starts(trial, [SCRIBE.start(b"order-1", ORDER)], []) == ["I3: nobody started order-1"]


def test_all_starts_as_they_should_be(trial: Trial) -> None:
    assert wrong_starts(trial, [SCRIBE.start(b"order-1", ORDER)], ["order-1"]) == []


def begins(attempt: int, reactor: str = "take_payment") -> Note:
    return Note(0, "payments-a", 1, "begins", (reactor, "order-1", "start", str(attempt)))


@pytest.mark.parametrize(("charged", "calls", "wrong"), [(1, 1, 0), (2, 2, 0), (2, 1, 1)])
def test_an_order_that_was_charged_twice_in_one_call(tmp_path: Path, charged: int, calls: int, wrong: int) -> None:
    found = examined(SCRIBE.start(b"order-1", ORDER))
    (run,) = found.runs
    ledger = tmp_path / "ledger"
    ledger.write_text(f"{step_key(b'order-1', run.start_id, run.start_id, b'take_payment')}\n" * charged)
    assert len(list(charged_too_often(found, [begins(1)] * calls, ledger))) == wrong


@pytest.mark.parametrize(
    ("notes", "wrong"),
    [([begins(n) for n in (1, 2, 3)], 0), ([begins(3), begins(3)], 0), ([begins(n) for n in (1, 2, 3, 4)], 1)],
)
def test_a_step_that_a_worker_began_more_often_than_its_policy_has_it(notes: list[Note], wrong: int) -> None:
    assert len(list(too_many_attempts(examined(), notes, {"take_payment": 3}))) == wrong


@pytest.mark.parametrize(("failures", "wrong"), [(3, 0), (4, 1)])
def test_a_step_that_failed_in_the_log_more_often_than_its_policy_has_it(failures: int, wrong: int) -> None:
    head: Any = SimpleNamespace(kind=3, reactor=b"take_payment", causation=b"start")
    raw = Raw(0, 0, 0, b"order-1", b"", [])
    found: Any = SimpleNamespace(partitions=[SimpleNamespace(records=[(raw, head, Verdict.ADMITTED)] * failures)])
    assert len(list(too_many_attempts(found, [], {"take_payment": 3}))) == wrong


UNREADABLE = Record(b"key", b"value", [("of", b"nobody")])


def a_copy(value: bytes = b"value", offset: int = 0) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    place = [("fa_rejected_partition", b"0"), ("fa_rejected_offset", str(offset).encode())]
    return b"key", value, [("of", b"nobody"), *place]


def test_an_unreadable_record_is_one(trial: Trial) -> None:
    assert read_head(UNREADABLE.headers) is None
    assert wrongly_copied(examined(UNREADABLE), [a_copy()]) == ([], 0)
    assert wrongly_copied(examined(UNREADABLE), [a_copy(), a_copy()]) == ([], 1)


@pytest.mark.parametrize(
    ("copies", "said"),
    [
        ([], "I10: (0, 0) is unreadable, and was not rejected"),
        ([a_copy(b"another value")], "I10: the copy of (0, 0) is not like the original"),
        ([a_copy(), a_copy(offset=7)], "I10: a readable record, (0, 7), was rejected"),
    ],
)
def test_an_unreadable_record_that_is_not_accounted_for(copies: list[Any], said: str) -> None:
    assert wrongly_copied(examined(UNREADABLE), copies)[0] == [said]


@pytest.mark.parametrize(
    ("there", "wrong"),
    [([b"a"], 0), ([b"a", b"b"], 0), ([b"b"], 1), ([b"a", b"a"], 1), ([b"a", b"of somebody else"], 1)],
)
def test_unreadable_records_that_are_lost_doubled_or_of_nobody(there: list[bytes], wrong: int) -> None:
    assert len(list(wrongly_there([b"a"], [b"b"], there))) == wrong


@pytest.mark.parametrize(
    ("took", "starved", "wrong", "not_shown"),
    [(1.9, 0, 0, 0), (2.1, 0, 1, 0), (2.4, 0.5, 0, 0), (3.1, 1.2, 0, 1), (4, 1.2, 1, 0), (90, 500, 0, 1)],
)
def test_a_recovery_that_takes_longer_than_is_promised(
    trial: Trial, took: float, starved: float, wrong: int, not_shown: int
) -> None:
    trial.within("killed", took, starved, 2)
    assert (len(trial.anomalies), len(trial.not_shown)) == (wrong, not_shown)


def test_a_promise_that_was_once_not_shown_to_be_kept_is_told_in_the_report_and_its_table(trial: Trial) -> None:
    for took in (1, 9, 1):
        trial.within("killed", took, took, 2)
    said = {"about": "nothing", **trial.as_dict()}
    assert "9.00 s" in said["not_shown"]["killed"]
    assert "| 0<br>not shown: killed |" in table_of({"none 1": said})
    assert "NOT SHOWN: killed" in summary(said)


async def _nothing(trial: Trial) -> None:
    """Harm that is none."""


async def _starved(trial: Trial) -> None:
    trial.within("killed", 9, 9, 2)


@pytest.mark.parametrize(("does", "code"), [(_nothing, 0), (_starved, 1)])
def test_a_campaign_in_which_a_promise_was_not_shown_to_be_kept_does_not_pass(
    tmp_path: Path, does: Play, code: int
) -> None:
    assert campaign([Cell("none", "nothing", does, None, {}, on_kafka=False)], 1, tmp_path, small=True) == code


def unreadable(trial: Trial, *times: int, planted: bytes = UNREADABLE.value or b"") -> list[str]:
    """Of such records, that came at these times."""
    raws = [Raw(0, n, at, *UNREADABLE) for n, at in enumerate(times)]
    stage: Any = SimpleNamespace(trial=trial, garbage=SimpleNamespace(planted=[planted]))
    return list(untried(stage, raws))


def test_unreadable_records_that_came_only_when_there_was_no_harm(trial: Trial) -> None:
    trial.spans += [(1_000, 2_000), (3_000, 4_000)]
    assert unreadable(trial, 1_500, 3_500, 5_000) == []
    assert trial.figures["unreadable_under_fault"] == 2
    assert unreadable(trial, 999, 2_001, 2_999, 4_001) != []
    assert unreadable(trial, 1_500, planted=b"of somebody else") != []


def test_harm_lasts_from_the_fault_until_what_it_was_done_to_has_recovered(trial: Trial) -> None:
    before = time() * 1000
    assert not trial.under_fault(before)
    trial.fault("kill -9")
    trial.fault("kill -9")
    trial.recovered("killed", 1)
    (span,) = trial.spans
    assert before <= span[0] <= span[1] <= time() * 1000
    trial.recovered("killed", 1)
    assert trial.spans == [span]


def blocked(*pids: int) -> list[Note]:
    return [Note(0, "waits-a", pid, "begins", ("spin", "run-1", "start", "1")) for pid in pids]


def lost(*holders: bytes, run: str = "run-1") -> list[Lost]:
    return [Lost(run, holder, 0) for holder in holders]


@pytest.mark.parametrize(
    ("all", "blocks", "said"),
    [
        (lost(b"b", b"c"), blocked(1, 2, 3), []),
        ([*lost(b"b", b"c"), *lost(b"b", run="run-2")], blocked(1, 2), []),
        (lost(b"b"), blocked(1, 2), ["1 workers were said to be lost at the step, and it is to be parked after 2"]),
        (lost(b"b", b"b"), blocked(1, 2), ["a worker was said to be lost twice at the step"]),
        (lost(b"b", b"c"), blocked(1), ["the step blocked 1 workers, and it is to be parked after 2 losses"]),
        (lost(b"b", b"c"), blocked(1, 2, 3, 4), ["the step blocked 4 workers, and it is to be parked after 2 losses"]),
        (lost(b"b", b"c"), blocked(1, 2, 2), ["the step came 1 times to a worker that it had blocked"]),
        (
            [*lost(b"b", b"c"), *(each for n in range(9) for each in lost(b"b", run=f"other-{n}"))],
            blocked(1, 2),
            ["9 healthy steps were lost along, with 2 workers that had 4 at most"],
        ),
    ],
)
def test_a_step_that_blocks_each_worker_in_turn_and_is_not_parked_as_it_should_be(
    all: list[Lost], blocks: list[Note], said: list[str]
) -> None:
    assert list(wrong_losses(all, blocks, "run-1", 2)) == said


def test_a_loss_that_was_refused_is_none() -> None:
    head: Any = SimpleNamespace(kind=Kind.LOST, extra=b"b")
    raw = Raw(0, 0, 7, b"run-1", b"", [])
    assert losses([(raw, head, Verdict.ADMITTED), (raw, head, Verdict.NOT_DUE), (raw, None, Verdict.UNREADABLE)]) == [
        Lost("run-1", b"b", 7)
    ]


PLACED = "3,000 records in 1.2 s, 2,500 a second; the tables are in place"
DOWN = "error: connecting failed at kafka://127.0.0.1:1?session=10 (ConnectionRefusedError): check that the broker runs"

AGAIN = "the database did not take what was to be written, trying again: postgresql://p@127.0.0.1:1/farandole: refused"
SET_BACK = "error: the tables are further on, or set back: partition 0 at none"


def rebuilt(code: int = 0, *said: str, under_way: str = "", beside: str = "") -> Rebuild:
    return Rebuild({under_way} - {""}, {under_way, beside} - {""}, code, list(said or ([PLACED] if code == 0 else [])))


IN_TIME = rebuilt(under_way="a projector")


@pytest.mark.parametrize(
    ("rebuilds", "wrong"),
    [
        ([IN_TIME], 0),
        ([rebuilt(2, DOWN, under_way="the broker"), IN_TIME], 0),
        ([rebuilt(2, SET_BACK, under_way="PostgreSQL"), IN_TIME], 0),
        ([rebuilt(2, SET_BACK, under_way="the broker"), IN_TIME], 2),
        ([rebuilt(0, AGAIN, PLACED, beside="PostgreSQL"), IN_TIME], 0),
        ([rebuilt(0, AGAIN, PLACED, beside="the broker"), IN_TIME], 1),
        ([rebuilt(0, "████████████████████████ 100%  8 of 8 records, 9 a second", PLACED, under_way="a projector")], 0),
        ([rebuilt()], 1),  # nothing was killed under it
        ([rebuilt(beside="a projector")], 1),  # it was not making tables when that was killed
        ([rebuilt(2, DOWN), IN_TIME], 2),  # nobody killed the broker
        ([rebuilt(2, DOWN, beside="PostgreSQL"), IN_TIME], 2),
        ([rebuilt(1, "error: unexpected KeyError: kafka://", beside="the broker"), IN_TIME], 2),
        ([rebuilt(2, beside="the broker"), IN_TIME], 1),  # it did not say why
        ([rebuilt(0, "Task was destroyed but it is pending!", PLACED), IN_TIME], 1),
        ([rebuilt(0, DOWN, beside="the broker"), IN_TIME], 1),  # it failed, and says that it did not
        ([IN_TIME, rebuilt(2, DOWN, under_way="the broker")], 1),  # none came to its end
        ([], 2),
    ],
)
def test_a_rebuild_under_which_nothing_was_killed_or_that_failed_for_another_reason(
    rebuilds: list[Rebuild], wrong: int
) -> None:
    assert len(list(wrong_rebuilds(rebuilds, ["a projector"]))) == wrong
