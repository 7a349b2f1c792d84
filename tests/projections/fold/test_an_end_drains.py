"""An `End` fixes the result; what is owed is still done."""

from tests.projections.fold.log import END, FINAL, Log, a_contract, an_outcome, reactors

from farandole.projections.fold import Result, RunState, Verdict


def a_log(**settings: int) -> Log:
    log = Log(**settings)
    log.contracts(
        a_contract("pay", "A"), a_contract("log", "A"), a_contract("thank", "Done"), a_contract("again", "Loop")
    )
    log.start()
    return log


def test_what_is_owed_when_a_run_ends_is_still_done() -> None:
    log = a_log()
    out = log.outcome(log.pair("pay"), "Sold", flags=END)
    assert (out.result, out.closed, log.run().state) == (Result.ENDED, [], RunState.ENDING)
    assert log.owed() == ["log"]
    assert len(log.outcome(log.pair("log")).closed) == 1


def test_what_the_end_itself_owes_is_done() -> None:
    log = a_log()
    log.outcome(log.pair("log"))
    assert reactors(log.outcome(log.pair("pay"), "Done", flags=END)) == ["thank"]
    assert len(log.outcome(log.pair("thank"), "Thanked").closed) == 1


def test_a_later_end_changes_no_result() -> None:
    log = a_log()
    log.outcome(log.pair("pay"), "Sold", flags=END)
    run = log.run()
    out = log.outcome(log.pair("log"), "Done", flags=FINAL)
    assert (run.end, out.result) == (b"t.Sold", Result.NONE)
    assert reactors(out) == ["thank"]


def test_the_first_of_two_ends_in_one_outcome_counts() -> None:
    log = a_log()
    records = an_outcome(b"r", log.pair("pay"), "Sold", "Lost", flags=END)
    first = records[0]
    fa = dict(first.headers)["fa"]
    records[0] = first._replace(headers=[*first.headers, ("fa", fa[:3] + b"\x01" + fa[4:])])
    log.put(*records)
    assert log.run().end == b"t.Sold"


def test_a_final_end_drops_what_is_owed() -> None:
    log = a_log()
    out = log.outcome(log.pair("pay"), "A", "Done", flags=FINAL)
    assert out.owed == []
    assert sorted(pair.reactor for _, pair in out.settled) == [b"log", b"log", b"pay", b"pay"]
    assert len(out.closed) == 1


def test_what_comes_after_a_final_end_in_its_outcome_is_owed() -> None:
    log = a_log()
    end, after = an_outcome(b"r", log.pair("pay"), "Done", "Loop")
    fa = dict(end.headers)["fa"]
    end = end._replace(headers=[*end.headers, ("fa", fa[:3] + bytes([FINAL]) + fa[4:])])
    assert reactors(log.put(end, after)) == ["again"]
    assert log.run().state is RunState.ENDING


def test_a_cycle_does_not_drain_for_ever() -> None:
    log = a_log(drain=3)
    log.outcome(log.pair("log"))
    log.outcome(log.pair("pay"), "Loop", "Sold", flags=END)
    hops = 0
    while b"r" in log.fold.runs:
        assert log.pair("again").hops == hops
        log.outcome(log.pair("again"), "Loop")
        hops += 1
    assert hops == 4


def test_an_ending_run_takes_no_signal() -> None:
    log = a_log()
    log.outcome(log.pair("pay"), "Sold", flags=END)
    assert log.signal("A").verdict is Verdict.RUN_ENDING


def test_a_parked_step_keeps_its_run_ending_until_it_is_retried() -> None:
    log = a_log()
    log.failure(log.pair("log"))
    log.outcome(log.pair("pay"), "Sold", flags=END)
    assert log.run().state is RunState.ENDING
    log.retry(log.pair("log").parked)
    assert len(log.outcome(log.pair("log")).closed) == 1


def test_a_half_full_join_keeps_no_run_from_closing() -> None:
    log = a_log()
    log.contracts(a_contract("join", "B", "C"))
    log.signal("B")
    log.outcome(log.pair("log"))
    assert len(log.outcome(log.pair("pay"), "Sold", flags=END).closed) == 1
