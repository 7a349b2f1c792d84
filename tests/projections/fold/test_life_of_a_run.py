"""A run's life is a table, and each state takes the kinds of record that a table says."""

import pytest
from tests.projections.fold.log import END, FINAL, SOON, Log, a_contract, a_failure, a_head, an_outcome

from farandole.eventstore import Record
from farandole.projections.fold import LIFE, TAKES, Result, Run, RunState, Turn, Verdict, status_of
from farandole.projections.fold.admission import RUN_RULES
from farandole.schemas.envelope import Kind

RUN_KINDS = [kind for kind in Kind if kind in RUN_RULES]
"""Of records that belong to an open run."""


@pytest.mark.parametrize("turn", Turn)
@pytest.mark.parametrize("state", RunState)
def test_a_run_moves_only_as_the_table_says(state: RunState, turn: Turn) -> None:
    run = Run(b"r", b"x1", 0, 0)
    run.state = state
    assert run.turn(turn) is ((state, turn) in LIFE)
    assert run.state is LIFE.get((state, turn), state)


def test_no_state_but_closed_is_a_dead_end() -> None:
    for state in RunState:
        assert any(was is state for was, _ in LIFE) is (state is not RunState.CLOSED)


@pytest.mark.parametrize("kind", RUN_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("state", [RunState.OPEN, RunState.ENDING], ids=lambda state: state.name)
def test_a_state_takes_the_kinds_that_the_table_says(state: RunState, kind: Kind) -> None:
    log = Log(expire_after=1)
    log.contracts(a_contract("pay", "A"), a_contract("ship", "A"))
    log.start()
    if state is RunState.ENDING:
        log.outcome(log.pair("ship"), "Done", flags=END)
    pair = log.pair("pay")
    if kind is Kind.OUTCOME:
        record = an_outcome(b"r", pair, "B")[0]
    elif kind is Kind.FAILURE:
        record = a_failure(b"r", pair)
    else:
        record = Record(b"r", b"", a_head(kind, not_after=log.now + SOON))
    verdict = log.put(record).verdict
    if kind not in TAKES[state]:
        assert verdict is Verdict.RUN_ENDING
    elif kind is not Kind.CANCEL:
        assert verdict is not Verdict.RUN_ENDING


@pytest.mark.parametrize("kind", RUN_KINDS, ids=lambda kind: kind.name)
def test_nothing_but_a_start_is_taken_for_a_run_that_is_not_there(kind: Kind) -> None:
    id = b"derived" if kind in (Kind.OUTCOME, Kind.FAILURE) else b"x1"
    log = Log()
    for key in (None, b"", b"nobody"):
        assert log.put(Record(key, b"", a_head(kind, id=id, not_after=log.now))).verdict is Verdict.NO_RUN


def test_a_run_that_owes_nothing_stays_open() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.outcome(log.pair("pay"))
    assert log.run().state is RunState.OPEN
    assert status_of(log.fold, log.run()).status == "idle"


def test_a_run_is_closed_with_the_record_that_leaves_it_owing_nothing() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    run = log.start().run
    assert run is not None
    out = log.outcome(log.pair("pay"), "Done", flags=END)
    assert out.closed == [run]
    assert (run.state, run.result, run.end, out.result) == (RunState.CLOSED, Result.ENDED, b"t.Done", Result.ENDED)
    assert status_of(log.fold, run).status == "completed"
    assert log.fold.runs == {}


def test_a_signal_that_is_an_end_ends_the_run() -> None:
    log = Log()
    log.start()
    out = log.signal("Done", flags=END)
    assert (out.result, len(out.closed)) == (Result.ENDED, 1)


def test_every_status_is_reached() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("ship", "B"), a_contract("tell", "C"))

    def status() -> str:
        return status_of(log.fold, log.run()).status

    log.start()
    assert status() == "running"
    log.failure(log.pair("pay"), last=False, delay=10)
    assert status() == "retrying"
    log.now += 10
    log.command(Kind.PAUSE)
    assert status() == "paused"
    log.command(Kind.RESUME)
    log.outcome(log.pair("pay"), "B", "C", "Odd")
    log.outcome(log.pair("tell"))
    log.failure(log.pair("ship"))
    assert status() == "failed"
    log.retry(log.pair("ship").parked)
    log.outcome(log.pair("ship"))
    assert status() == "unserved"
    log.contracts(a_contract("odd", "Odd"))
    log.signal("C")
    log.outcome(log.pair("odd"), "Done", flags=END)
    assert status() == "ending"
    run = log.run()
    log.outcome(log.pair("tell"), "Done", flags=FINAL)
    assert status_of(log.fold, run).status == "completed"


def test_names_that_are_no_text_can_be_shown() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start(b"\xff", id=b"x\xff")
    shown = status_of(log.fold, log.run(b"\xff"))
    assert (shown.run_id, shown.owed[0].trigger) == ("\ufffd", "x\ufffd")
    assert "pay" in repr(log.pair("pay", b"\xff"))
