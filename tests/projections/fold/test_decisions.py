"""Decisions: the first answer decides, or enough of one kind; whatever comes later is refused."""

from typing import Any

import pytest
from tests.projections.fold.log import (
    END,
    HASH,
    Log,
    a_contract,
    a_timer,
    admitted,
    an_answer,
    an_expiry,
    an_outcome_of,
    asks,
    otherwise,
    wire,
)

from farandole.projections.fold import Applied, Decision, Verdict, status_of


def a_log(*parts: dict[str, Any], **settings: int) -> Log:
    """A log in which `ask` asks when a run starts, and `yes` and `no` take the answers."""
    log = Log(**settings)
    log.contracts(a_contract("ask", "A"), a_contract("yes", "B"), a_contract("no", "C|D"))
    log.start()
    log.put(*an_outcome_of(b"r", log.pair("ask"), *(parts or (asks("B", "C"), otherwise("D", 100)))))
    return log


def decisions(log: Log) -> list[Decision]:
    pending = log.run().pending
    return list((pending.decisions or {}).values()) if pending is not None else []


def decide(log: Log, type: str, by: str = "", decision: Decision | None = None, **more: Any) -> Applied:
    decision = decision or decisions(log)[0]
    return log.put(an_answer(b"r", decision, type, by, now=log.now, **more))


def test_a_question_waits() -> None:
    log = a_log()
    (decision,) = decisions(log)
    assert (decision.answers, decision.quorum, decision.hash) == ((wire("B"), wire("C")), 1, HASH)
    assert decision.otherwise is not None
    assert decision.otherwise.due == log.now + 100
    status = status_of(log.fold, log.run())
    assert (status.status, status.timers, status.decisions[0].expires) == ("waiting", (), log.now + 100)
    assert log.owed() == []


def test_the_first_answer_decides() -> None:
    log = a_log()
    (decision,) = decisions(log)
    out = decide(log, "B", "ann")
    assert [(fact.type, fact.offset) for fact in out.admitted] == [(wire("B"), out.offset)]
    assert log.owed() == ["yes"]
    assert decisions(log) == []
    assert decide(log, "C", "bob", decision).verdict is Verdict.NOT_PENDING
    log.now += 100
    assert log.put(an_expiry(b"r", decision)).verdict is Verdict.NOT_PENDING
    assert log.owed() == ["yes"]


def test_an_answer_counts_past_the_time_as_long_as_nobody_closed_the_question() -> None:
    log = a_log()
    log.now += 5_000
    assert admitted(decide(log, "B"))


def test_nobody_answers() -> None:
    log = a_log()
    (decision,) = decisions(log)
    log.now += 99
    assert log.put(an_expiry(b"r", decision)).verdict is Verdict.NOT_DUE
    log.now += 1
    out = log.put(an_expiry(b"r", decision))
    assert [(fact.id, fact.type) for fact in out.admitted] == [(b"x" + decision.otherwise.id, wire("D"))]  # type: ignore[union-attr]
    assert log.owed() == ["no"]
    assert decide(log, "B", "", decision).verdict is Verdict.NOT_PENDING


@pytest.mark.parametrize("forged", [{"id": b"x1"}, {"type": b"t.B"}], ids=str)
def test_what_comes_without_an_answer_is_what_was_said(forged: dict[str, bytes]) -> None:
    log = a_log()
    log.now += 100
    assert log.put(an_expiry(b"r", decisions(log)[0], **forged)).verdict is Verdict.UNREADABLE


def test_what_comes_without_an_answer_is_no_timer() -> None:
    log = a_log()
    log.now += 100
    (decision,) = decisions(log)
    assert decision.otherwise is not None
    assert log.put(a_timer(b"r", decision.otherwise)).verdict is Verdict.NOT_PENDING


def test_a_question_may_be_open_for_ever() -> None:
    log = a_log(asks("B"))
    log.now += 10**9
    (decision,) = decisions(log)
    record = an_answer(b"r", decision, "B", now=log.now)
    assert decision.otherwise is None
    assert admitted(log.put(record))


def test_an_answer_is_to_what_is_asked() -> None:
    log = a_log()
    other = HASH[::-1] + b"\3ann"
    assert decide(log, "B", extra=other).verdict is Verdict.OTHER_SUBJECT


def test_only_what_is_offered_can_be_answered() -> None:
    log = a_log()
    assert decide(log, "D").verdict is Verdict.NOT_OFFERED


@pytest.mark.parametrize("extra", [b"", HASH, HASH + b"\4ann"], ids=len)
def test_an_answer_says_who_gives_it(extra: bytes) -> None:
    assert decide(a_log(), "B", extra=extra).verdict is Verdict.UNREADABLE


class TestQuorums:
    def test_so_many_must_give_the_same_answer(self) -> None:
        log = a_log(asks("B", "C", quorum=2))
        assert [decide(log, type, by).admitted for type, by in (("B", "ann"), ("C", "bob"))] == [[], []]
        assert status_of(log.fold, log.run()).decisions[0].votes == (("ann", "t.B"), ("bob", "t.C"))
        out = decide(log, "C", "eve")
        assert [fact.type for fact in out.admitted] == [wire("C")]
        assert decisions(log) == []

    def test_a_person_counts_once(self) -> None:
        log = a_log(asks("B", "C", quorum=2))
        decide(log, "B", "ann")
        assert decide(log, "B", "ann").verdict is Verdict.REPEATED
        assert decide(log, "C", "ann").verdict is Verdict.REPEATED

    def test_those_without_a_name_are_different_people(self) -> None:
        log = a_log(asks("B", quorum=2))
        decide(log, "B")
        assert status_of(log.fold, log.run()).decisions[0].votes == (("", "t.B"),)
        assert len(decide(log, "B").admitted) == 1

    def test_votes_are_no_answer_when_the_time_is_over(self) -> None:
        log = a_log(asks("B", "C", quorum=2), otherwise("D", 100))
        decide(log, "B", "ann")
        log.now += 100
        assert [fact.type for fact in log.put(an_expiry(b"r", decisions(log)[0])).admitted] == [wire("D")]


def test_questions_lapse_with_the_result() -> None:
    log = a_log()
    (decision,) = decisions(log)
    log.signal("B", flags=END)
    assert decide(log, "C", "", decision).verdict is Verdict.RUN_ENDING
    log.cancel()
    assert status_of(log.fold, log.run()).decisions == ()


def test_what_an_outcome_says_comes_without_an_answer_is_of_the_question_before() -> None:
    log = a_log(otherwise("D", 1), asks("B"), asks("C"), {"type": wire("E")}, otherwise("D", 2), otherwise("D", 3))
    one, two = decisions(log)
    assert one.otherwise is None
    assert two.otherwise is not None
    assert two.otherwise.due == log.now + 2
    assert len(log.run().pending.timers or {}) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("extra", [b"", bytes(17)], ids=len)
def test_a_question_that_cannot_be_read_waits_for_its_time(extra: bytes) -> None:
    log = a_log({**asks("B"), "extra": extra}, otherwise("D", 100))
    (decision,) = decisions(log)
    assert (decision.answers, decision.quorum, decision.hash) == ((), 1, bytes(16))
    assert decide(log, "B").verdict is Verdict.NOT_OFFERED
    log.now += 100
    assert admitted(log.put(an_expiry(b"r", decision)))


def test_a_run_that_asks_is_not_idle() -> None:
    log = a_log(asks("B"), expire_after=10)
    log.now += 1_000
    assert log.expire().verdict is Verdict.NOT_DUE
