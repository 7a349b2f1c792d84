"""A run that was idle or failed for as long as the setting says can be closed by a keeper."""

from tests.projections.fold.log import END, Log, a_contract, an_outcome

from farandole.projections.fold import Result, Verdict, status_of


def a_log(**more: int) -> Log:
    log = Log(**{"expire_after": 1000, **more})
    log.contracts(a_contract("pay", "A"))
    return log


def test_an_idle_run_expires() -> None:
    log = a_log()
    log.start(type="Z")
    log.now += 999
    assert log.expire().verdict is Verdict.NOT_DUE
    log.now += 1
    run = log.run()
    out = log.expire()
    assert (out.result, out.closed, status_of(log.fold, run).status) == (Result.EXPIRED, [run], "expired")


def test_a_run_that_owes_something_does_not_expire() -> None:
    log = a_log()
    log.start()
    log.now += 5000
    assert log.expire().verdict is Verdict.NOT_DUE


def test_a_failed_run_expires_and_what_is_parked_is_dropped() -> None:
    log = a_log()
    log.start()
    log.failure(log.pair("pay"))
    log.now += 1000
    out = log.expire()
    assert (out.verdict, len(out.settled), len(out.closed)) == (Verdict.ADMITTED, 1, 1)


def test_a_failed_run_that_is_still_at_work_does_not_expire() -> None:
    log = a_log()
    log.contracts(a_contract("log", "A"))
    log.start()
    log.failure(log.pair("pay"))
    log.now += 1000
    assert log.expire().verdict is Verdict.NOT_DUE


def test_an_ending_run_with_a_parked_step_expires_and_keeps_its_result() -> None:
    log = a_log()
    log.contracts(a_contract("log", "A"))
    run = log.start().run
    assert run is not None
    log.failure(log.pair("log"))
    log.outcome(log.pair("pay"), "Done", flags=END)
    log.now += 1000
    out = log.expire()
    assert (run.result, out.result, out.closed) == (Result.ENDED, Result.NONE, [run])


def test_every_admitted_record_of_a_run_puts_its_expiry_off() -> None:
    log = a_log()
    log.start(type="Z")
    log.now += 999
    log.signal("Y")
    log.now += 999
    assert log.expire().verdict is Verdict.NOT_DUE


def test_a_refused_or_held_record_puts_nothing_off() -> None:
    log = a_log()
    log.start()
    pair = log.pair("pay")
    log.failure(pair)
    log.now += 999
    log.outcome(pair, "B")
    log.put(an_outcome(b"r", pair, "B", "C")[0])
    log.start()
    log.now += 1
    assert log.expire().verdict is Verdict.ADMITTED


def test_nothing_expires_unless_the_setting_says_so() -> None:
    log = a_log(expire_after=0)
    log.start(type="Z")
    log.now += 10**12
    assert log.expire().verdict is Verdict.NOT_DUE


def test_a_run_that_a_signal_or_the_rest_of_a_join_could_move_is_not_idle() -> None:
    log = a_log()
    log.start(type="Z")
    log.contracts(a_contract("hear", "S", signals=["t.S"]))
    log.now += 1000
    assert log.expire().verdict is Verdict.NOT_DUE
    log.contracts(a_contract("hear", "S", signals=["t.S"], state="retired_drop"), a_contract("join", "B", "C"))
    log.signal("B")
    log.now += 1000
    assert log.expire().verdict is Verdict.NOT_DUE
    log.contracts(a_contract("join", "B", "C", state="retired_drop"))
    assert log.expire().verdict is Verdict.ADMITTED


def test_a_run_is_idle_from_the_retirement_that_dropped_what_it_owed() -> None:
    log = a_log()
    log.start()
    log.now += 5000
    log.contracts(a_contract("pay", "A", state="retired_drop"))
    assert log.expire().verdict is Verdict.NOT_DUE
    log.now += 1000
    assert log.expire().verdict is Verdict.ADMITTED


def test_an_expiry_of_nobody_finds_no_run() -> None:
    assert a_log().expire().verdict is Verdict.NO_RUN
