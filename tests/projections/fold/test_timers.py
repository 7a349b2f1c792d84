"""Timers: set with an outcome, fired once and not before their time, dropped by what they wait for."""

import pytest
from tests.projections.fold.log import (
    END,
    FINAL,
    Log,
    a_contract,
    a_head,
    a_timer,
    admitted,
    after,
    an_outcome,
    an_outcome_of,
    wire,
)

from farandole.eventstore import Record
from farandole.projections.fold import Applied, Deadline, Result, RunState, StepDeadline, Timer, Verdict, status_of
from farandole.schemas.envelope import Kind


def a_log(*, unless: str = "", **settings: int) -> Log:
    """A log in which `wait` takes an A and `act` a B, and a run is started."""
    log = Log(**settings)
    log.contracts(a_contract("wait", "A", unless=[f"t.{unless}"] if unless else []), a_contract("act", "B"))
    log.start()
    return log


def set_timer(log: Log, *parts: dict[str, object]) -> Applied:
    return log.put(*an_outcome_of(b"r", log.pair("wait"), *(parts or (after("B", 100),))))


def timers(log: Log) -> list[Timer]:
    pending = log.run().pending
    return list((pending.timers or {}).values()) if pending is not None else []


def fire(log: Log, **more: object) -> Applied:
    (timer,) = timers(log)
    return log.put(a_timer(b"r", timer, **more))


def test_a_timer_is_no_event_until_it_fires() -> None:
    log = a_log()
    out = set_timer(log)
    assert out.admitted == []
    assert log.owed() == []
    (timer,) = timers(log)
    assert [(run.id, thing) for run, thing in out.armed] == [(b"r", timer)]
    assert (timer.type, timer.due, timer.offset) == (wire("B"), log.now + 100, out.offset)
    assert status_of(log.fold, log.run()).status == "waiting"
    log.now += 100
    out = fire(log)
    assert [(f.id, f.type, f.offset) for f in out.admitted] == [(b"x" + timer.id, wire("B"), out.offset)]
    assert log.owed() == ["act"]
    assert timers(log) == []


@pytest.mark.parametrize(("late", "verdict"), [(-1, Verdict.NOT_DUE), (0, Verdict.ADMITTED), (1, Verdict.ADMITTED)])
def test_it_is_due_by_log_time_to_the_millisecond(late: int, verdict: Verdict) -> None:
    log = a_log()
    set_timer(log)
    log.now += 100 + late
    assert fire(log).verdict is verdict


def test_it_counts_from_the_record_that_makes_its_outcome_whole() -> None:
    log = a_log()
    first, second = an_outcome_of(b"r", log.pair("wait"), after("B", 100), after("C", 100))
    log.put(first)
    log.now += 50
    log.put(second)
    assert {timer.due for timer in timers(log)} == {log.now + 100}


def test_it_may_have_a_time_of_its_own_or_one_that_is_past() -> None:
    log = a_log()
    set_timer(log, after("B", 100, not_after=log.now + 7), after("C", -5), after("D", not_after=3))
    assert [timer.due - log.now for timer in timers(log)] == [7, 0, 3 - log.now]


def test_it_fires_once() -> None:
    log = a_log()
    set_timer(log)
    (timer,) = timers(log)
    log.now += 100
    assert admitted(log.put(a_timer(b"r", timer)))
    assert log.put(a_timer(b"r", timer)).verdict is Verdict.NOT_PENDING
    assert log.owed() == ["act"]


@pytest.mark.parametrize("forged", [{"id": b"x1"}, {"type": b"t.C"}], ids=str)
def test_what_fires_is_what_was_set(forged: dict[str, bytes]) -> None:
    log = a_log()
    set_timer(log)
    log.now += 100
    assert fire(log, **forged).verdict is Verdict.UNREADABLE
    assert admitted(fire(log))


def test_what_it_says_of_the_end_is_what_was_set_and_not_what_the_record_says() -> None:
    log = a_log()
    set_timer(log)
    log.now += 100
    fire(log, flags=FINAL)
    assert log.run().state is RunState.OPEN


def test_a_timer_may_end_the_run_and_drop_what_is_owed() -> None:
    log = a_log()
    log.signal("B")
    set_timer(log, after("B", 100, flags=FINAL))
    log.now += 100
    out = fire(log)
    assert (out.result, [run.id for run in out.closed]) == (Result.ENDED, [b"r"])


def test_timers_lapse_with_the_result() -> None:
    log = a_log()
    set_timer(log, after("B", 100), after("C", 0))
    timer, _ = timers(log)
    log.signal("B", flags=END)
    log.now += 100
    assert log.put(a_timer(b"r", timer)).verdict is Verdict.RUN_ENDING
    assert log.put(a_timer(b"r", timer), *an_outcome(b"r", log.pair("act"))).closed
    assert log.put(a_timer(b"r", timer)).verdict is Verdict.NO_RUN


def test_an_ending_run_sets_none() -> None:
    log = a_log()
    log.signal("C", flags=END)
    assert set_timer(log).closed


def test_an_end_lets_lapse_what_the_same_outcome_set_before_and_would_set_after() -> None:
    log = a_log()
    log.signal("B")
    set_timer(log, after("B", 100), {"type": wire("C"), "flags": END}, after("D", 100))
    assert timers(log) == []
    assert log.owed() == ["act"]


@pytest.mark.parametrize("name", [b"", b"n" * 256])
def test_a_timer_without_a_type_that_a_record_can_have_is_none(name: bytes) -> None:
    log = a_log()
    assert admitted(set_timer(log, {**after("B", 100), "extra": name}))
    assert timers(log) == []


class TestWhatDropsIt:
    def test_an_event_of_the_type_that_comes_later(self) -> None:
        log = a_log(unless="C")
        set_timer(log)
        (timer,) = timers(log)
        log.signal("D")
        assert timers(log) == [timer]
        log.signal("C")
        log.now += 100
        assert log.put(a_timer(b"r", timer)).verdict is Verdict.NOT_PENDING

    def test_one_that_came_between_the_trigger_and_the_outcome(self) -> None:
        log = a_log(unless="C")
        log.signal("C")
        out = set_timer(log)
        assert timers(log) == []
        assert out.armed == ()

    def test_none_that_came_before_the_trigger(self) -> None:
        log = Log()
        log.contracts(a_contract("wait", "B", unless=["t.C"]))
        log.start()
        log.signal("C")
        log.signal("B")
        set_timer(log)
        assert len(timers(log)) == 1

    def test_one_of_the_same_outcome_as_the_trigger_if_it_stands_behind_it(self) -> None:
        for types, dropped in (("BC", True), ("CB", False)):
            log = Log()
            log.contracts(a_contract("first", "A"), a_contract("wait", "B", unless=["t.C"]))
            log.start()
            log.outcome(log.pair("first"), *types)
            set_timer(log)
            assert (timers(log) == []) is dropped

    def test_one_of_its_own_outcome(self) -> None:
        log = a_log(unless="C")
        set_timer(log, after("B", 100), {"type": wire("C")}, after("D", 100))
        assert timers(log) == []

    def test_one_that_was_kept_for_the_first_contract(self) -> None:
        log = Log(settle=600_000)
        log.start()
        log.signal("C")
        log.contracts(a_contract("wait", "A", unless=["t.C"]))
        set_timer(log)
        assert timers(log) == []

    def test_none_that_was_kept_and_came_before_the_trigger(self) -> None:
        log = Log(settle=600_000)
        log.start(type="D")
        log.signal("C")
        log.signal("A")
        log.contracts(a_contract("wait", "A", unless=["t.C"]))
        set_timer(log)
        assert len(timers(log)) == 1

    def test_one_that_came_before_the_trigger_was_owed_by_hand(self) -> None:
        log = a_log(unless="C")
        log.outcome(log.pair("wait"))
        log.signal("C")
        log.owe(b"x0", "wait", offset=log.run().offset)
        set_timer(log)
        assert timers(log) == []

    def test_one_that_comes_after_its_reactor_was_retired(self) -> None:
        log = a_log(unless="C")
        set_timer(log)
        log.contracts(a_contract("wait", "A", unless=["t.C"], state="retired_keep"))
        log.signal("C")
        assert timers(log) == []


def test_a_run_that_waits_for_a_timer_is_not_idle() -> None:
    log = a_log(expire_after=10)
    set_timer(log)
    log.now += 1_000
    assert log.expire().verdict is Verdict.NOT_DUE
    fire(log)
    log.outcome(log.pair("act"))
    log.now += 9
    assert log.expire().verdict is Verdict.NOT_DUE
    log.now += 1
    assert admitted(log.expire())


def test_a_deadline_ends_a_run_that_has_no_result() -> None:
    log = Log()
    log.contracts(a_contract("wait", "A"))
    out = log.start(delay=50)
    assert [thing for _, thing in out.armed] == [Deadline(log.now + 50)]
    assert status_of(log.fold, log.run()).deadline == log.now + 50
    expiry = Record(b"r", None, a_head(Kind.EXPIRY))
    log.now += 49
    assert log.put(expiry).verdict is Verdict.NOT_DUE
    log.now += 1
    out = log.put(expiry)
    assert (out.result, [run.id for run in out.closed]) == (Result.EXPIRED, [b"r"])


def test_a_run_without_a_deadline_is_never_out_of_time() -> None:
    log = a_log()
    log.now += 10**9
    assert log.put(Record(b"r", None, a_head(Kind.EXPIRY))).verdict is Verdict.NOT_PENDING


def test_a_run_with_a_result_has_no_deadline_any_more() -> None:
    log = Log()
    log.contracts(a_contract("act", "B"))
    log.start(delay=50)
    log.signal("B", flags=END)
    log.now += 50
    assert log.put(Record(b"r", None, a_head(Kind.EXPIRY))).verdict is Verdict.RUN_ENDING


class TestDeadlinesOfSteps:
    """The fold only tells of them."""

    def test_they_count_from_when_the_step_is_owed(self) -> None:
        log = Log()
        log.contracts(a_contract("act", "A", deadline=30))
        out = log.start()
        assert [thing for _, thing in out.armed] == [StepDeadline(log.now + 30, log.pair("act"))]

    def test_a_retry_gives_the_time_anew(self) -> None:
        log = Log()
        log.contracts(a_contract("act", "A", deadline=30))
        log.start()
        log.failure(log.pair("act"))
        log.now += 100
        out = log.retry(log.pair("act").parked)
        assert [thing for _, thing in out.armed] == [StepDeadline(log.now + 30, log.pair("act"))]

    def test_a_contract_that_brings_one_brings_it_to_what_is_owed(self) -> None:
        log = Log()
        log.contracts(a_contract("act", "A"))
        log.start()
        began = log.now
        log.now += 10
        out = log.contracts(a_contract("act", "A", deadline=30))
        assert [thing for _, thing in out.armed] == [StepDeadline(began + 30, log.pair("act"))]
