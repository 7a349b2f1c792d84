"""Cancel against complete: whichever comes first in the log."""

from tests.projections.fold.log import END, Log, a_contract

from farandole.projections.fold import Result, Verdict, status_of


def a_log() -> Log:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("log", "A"))
    log.start()
    return log


def test_a_cancel_drops_what_is_owed_and_closes_the_run() -> None:
    log = a_log()
    run = log.run()
    out = log.cancel()
    assert (out.result, run.result, out.closed) == (Result.CANCELLED, Result.CANCELLED, [run])
    assert len(out.settled) == 2
    assert status_of(log.fold, run).status == "cancelled"


def test_an_outcome_after_a_cancel_is_refused() -> None:
    log = a_log()
    pair = log.pair("pay")
    log.cancel()
    assert log.outcome(pair, "Done", flags=END).verdict is Verdict.NO_RUN


def test_a_cancel_after_an_end_is_refused() -> None:
    log = a_log()
    log.outcome(log.pair("pay"), "Done", flags=END)
    assert log.cancel().verdict is Verdict.RUN_ENDING
    assert log.owed() == ["log"]
    log.outcome(log.pair("log"))
    assert log.cancel().verdict is Verdict.NO_RUN


def test_a_cancel_of_an_ending_run_with_a_parked_step_drops_it_and_the_result_stays() -> None:
    log = a_log()
    run = log.run()
    log.failure(log.pair("log"))
    log.outcome(log.pair("pay"), "Done", flags=END)
    out = log.cancel()
    assert (out.verdict, out.result, run.result, out.closed) == (Verdict.ADMITTED, Result.NONE, Result.ENDED, [run])
    assert run.parked == 0
