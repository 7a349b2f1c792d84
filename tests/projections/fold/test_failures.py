"""A failure counts once per attempt; the last one parks the step, which can still be retried."""

from tests.projections.fold.log import END, Log, a_contract, a_failure, an_outcome, reactors

from farandole.projections.fold import Verdict, status_of


def a_log() -> Log:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    return log


def test_a_failure_that_is_not_the_last_leaves_the_step_owed_and_due_later() -> None:
    log = a_log()
    out = log.failure(log.pair("pay"), last=False, delay=5000)
    pair = log.pair("pay")
    assert reactors(out) == ["pay"]
    assert (pair.attempts, pair.due, pair.parked) == (1, log.now + 5000, b"")
    assert status_of(log.fold, log.run()).status == "retrying"


def test_a_failure_of_an_attempt_that_is_not_the_next_is_refused() -> None:
    log = a_log()
    pair = log.pair("pay")
    for attempt in (0, 2, 2**32 - 1):
        assert log.failure(pair, attempt=attempt).verdict is Verdict.WRONG_ATTEMPT
    assert log.failure(pair, last=False, attempt=1).verdict is Verdict.ADMITTED
    assert log.failure(pair, last=False, attempt=1).verdict is Verdict.WRONG_ATTEMPT
    assert pair.attempts == 1


def test_two_workers_that_fail_together_spend_one_attempt() -> None:
    log = a_log()
    records = [a_failure(b"r", log.pair("pay"), last=False) for _ in range(2)]
    assert [log.put(record).verdict for record in records] == [Verdict.ADMITTED, Verdict.WRONG_ATTEMPT]


def test_the_last_failure_parks_the_step_and_the_run_is_failed() -> None:
    log = a_log()
    out = log.failure(log.pair("pay"))
    assert out.owed == []
    assert [pair.reactor for _, pair in out.settled] == [b"pay"]
    assert out.admitted[0].id == log.pair("pay").parked
    assert status_of(log.fold, log.run()).status == "failed"


def test_an_outcome_or_a_failure_of_a_parked_step_is_late() -> None:
    log = a_log()
    pair = log.pair("pay")
    log.failure(pair)
    assert log.outcome(pair, "B").verdict is Verdict.LATE
    assert log.failure(pair).verdict is Verdict.LATE


def test_a_retry_makes_the_step_owed_again_and_attempts_count_on() -> None:
    log = a_log()
    pair = log.pair("pay")
    log.failure(pair, last=False, delay=60_000)
    log.failure(pair)
    log.now += 1000
    assert reactors(log.retry(pair.parked)) == ["pay"]
    assert (pair.attempts, pair.forgiven, pair.due, log.run().parked) == (2, 2, log.now, 0)
    assert log.failure(pair, attempt=1).verdict is Verdict.WRONG_ATTEMPT
    assert log.outcome(pair, "B").verdict is Verdict.ADMITTED


def test_a_step_can_be_parked_and_retried_many_times() -> None:
    log = a_log()
    pair = log.pair("pay")
    for attempt in range(1, 5):
        log.failure(pair)
        assert log.retry(pair.parked).verdict is Verdict.ADMITTED
        assert pair.attempts == pair.forgiven == attempt


def test_a_retry_of_a_failure_that_parks_nothing_is_refused() -> None:
    log = a_log()
    pair = log.pair("pay")
    log.failure(pair, last=False)
    assert log.retry(b"nonsense").verdict is Verdict.NOT_PARKED
    log.failure(pair)
    failure = pair.parked
    log.retry(failure)
    assert log.retry(failure).verdict is Verdict.NOT_PARKED


def test_a_retry_that_names_no_failure_unparks_nothing() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("log", "A"))
    log.start()
    log.failure(log.pair("pay"))
    assert log.retry(b"").verdict is Verdict.NOT_PARKED
    assert log.run().parked == 1


def test_a_late_outcome_in_two_records_keeps_nothing() -> None:
    log = a_log()
    pair = log.pair("pay")
    log.failure(pair)
    assert [log.put(r).verdict for r in an_outcome(b"r", pair, "B", "C")] == [Verdict.LATE] * 2
    assert not pair.unfinished


def test_a_failure_with_the_flag_of_an_end_ends_nothing() -> None:
    log = a_log()
    record = a_failure(b"r", log.pair("pay"))
    fa = dict(record.headers)["fa"]
    flags = int.from_bytes(fa[2:4], "big") | END
    headers = [(n, v if n != "fa" else fa[:2] + flags.to_bytes(2, "big") + fa[4:]) for n, v in record.headers]
    out = log.put(record._replace(headers=headers))
    assert (out.verdict, out.closed) == (Verdict.ADMITTED, [])
    assert status_of(log.fold, log.run()).status == "failed"
