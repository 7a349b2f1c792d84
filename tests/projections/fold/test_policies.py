"""Policies say what may be begun; each counts on from the one that it replaces."""

from tests.projections.fold.log import Log, a_contract

from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Kind


def a_log() -> Log:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    return log


def say(log: Log, number: int, *, stopped: bool = True, reactor: str = "pay") -> Verdict:
    content = {"reactor": reactor, "stopped": stopped, "number": number, "reason": "", "by": ""}
    return log.control(Kind.POLICY, content).verdict


def test_a_policy_counts_on_from_the_one_in_force() -> None:
    log = a_log()
    assert [say(log, 2), say(log, 1), say(log, 1), say(log, 2, stopped=False)] == [
        Verdict.SUPERSEDED, Verdict.ADMITTED, Verdict.SUPERSEDED, Verdict.ADMITTED,
    ]  # fmt: skip
    assert log.fold.stopped == {b"pay": (2, False)}


def test_a_policy_of_all_reactors_and_one_of_each_stand_side_by_side() -> None:
    log = a_log()
    say(log, 1, reactor="")
    say(log, 1)
    assert log.fold.stopped == {b"": (1, True), b"pay": (1, True)}


def test_it_names_a_reactor_that_has_a_contract() -> None:
    log = a_log()
    assert say(log, 1, reactor="ship") is Verdict.NO_CONTRACT
    log.contracts(a_contract("pay", "A", state="retired_keep"))
    assert say(log, 1) is Verdict.ADMITTED


def test_it_moves_with_a_reactor_that_gets_another_name() -> None:
    log = a_log()
    say(log, 1)
    log.contracts(a_contract("charge", "A", renames="pay"))
    assert log.fold.stopped == {b"charge": (1, True)}


def test_whoever_acts_on_it_is_told_and_nothing_is_refused_for_it() -> None:
    log = a_log()
    log.start()
    assert say(log, 1) is Verdict.ADMITTED
    out = log.control(
        Kind.POLICY, {"reactor": "pay", "stopped": True, "number": 2, "reason": "again", "by": "ann"}
    )  # fmt: skip
    assert out.more is not None and out.more.policies
    assert log.outcome(log.pair("pay"), "B").verdict is Verdict.ADMITTED


def test_one_that_cannot_be_read_changes_nothing() -> None:
    log = a_log()
    (record,) = log.stored[-1:]
    assert log.put(record._replace(value=b"nonsense")).verdict is Verdict.UNREADABLE  # type: ignore[arg-type]
    assert log.fold.stopped == {}
