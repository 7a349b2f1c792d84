"""A sub-step of a step has one result, however often the step is attempted."""

from tests.projections.fold.log import Log, a_contract, a_head

from farandole.eventstore import Record
from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Kind


def a_log(**settings: int) -> Log:
    log = Log(**settings)
    log.contracts(a_contract("pay", "A"))
    log.start()
    return log


def done(log: Log, name: bytes) -> Verdict:
    pair = log.pair("pay")
    head = a_head(
        Kind.SUBSTEP, causation=pair.trigger, reactor=pair.reactor, generation=pair.generation, extra=name
    )  # fmt: skip
    return log.put(Record(b"r", b"never read", head)).verdict


def test_the_first_result_of_a_name_counts() -> None:
    log = a_log()
    assert [done(log, b"a"), done(log, b"b"), done(log, b"a")] == [
        Verdict.ADMITTED, Verdict.ADMITTED, Verdict.REPEATED,
    ]  # fmt: skip
    work = log.pair("pay").work
    assert work is not None and work.once == {b"a": 3, b"b": 4}


def test_results_outlive_failed_attempts_and_being_parked() -> None:
    log = a_log()
    pair = log.pair("pay")
    done(log, b"a")
    log.failure(pair, last=False)
    log.failure(pair)
    assert done(log, b"b") is Verdict.ADMITTED
    log.retry(pair.parked)
    assert [done(log, b"a"), done(log, b"b")] == [Verdict.REPEATED] * 2


def test_a_step_that_is_owed_again_begins_anew() -> None:
    log = a_log()
    pair = log.pair("pay")
    done(log, b"a")
    log.outcome(pair)
    log.owe(pair.trigger, "pay")
    assert done(log, b"a") is Verdict.ADMITTED


def test_there_is_room_for_so_many() -> None:
    log = a_log(once_most=1)
    assert [done(log, b"a"), done(log, b"b"), done(log, b"a")] == [Verdict.ADMITTED, Verdict.FULL, Verdict.REPEATED]


def test_a_name_has_1_to_255_bytes() -> None:
    log = a_log()
    assert [done(log, b""), done(log, b"n" * 256), done(log, b"n" * 255)] == [
        Verdict.UNREADABLE, Verdict.UNREADABLE, Verdict.ADMITTED,
    ]  # fmt: skip
