"""`owe`: a reactor owes an outcome of an event anew, in a generation of its own."""

import pytest
from tests.projections.fold.log import END, Log, a_catcher, a_contract, an_outcome

from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Kind


def a_log() -> Log:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("both", "A", "B"), a_catcher("refuse", of=["both"]))
    log.start(id=b"x-start")
    return log


def test_the_command_is_the_generation_of_the_pair() -> None:
    log = a_log()
    log.outcome(log.pair("pay"))
    out = log.owe(b"x-start", "pay", offset=2, id=b"x-owe")
    ((_, pair),) = out.owed
    assert pair.key == (b"x-start", b"pay", b"x-owe")
    assert (pair.inputs, pair.types) == ((2,), (b"t.A",))


def test_no_outcome_of_another_generation_answers_it() -> None:
    log = a_log()
    first = log.pair("pay")
    log.outcome(first, "B")
    log.owe(b"x-start", "pay")
    again = log.pair("pay")
    assert log.outcome(first, "B").verdict is Verdict.NOT_OWED
    ids = [dict(an_outcome(b"r", pair, "B")[0].headers)["ce_id"] for pair in (first, again)]
    assert ids[0] != ids[1]
    assert log.outcome(again, "B").verdict is Verdict.ADMITTED


def test_what_is_owed_still_and_what_is_owed_anew_are_two_pairs() -> None:
    log = a_log()
    log.owe(b"x-start", "pay")
    assert len(log.pairs("pay")) == 2


@pytest.mark.parametrize("reactor", ["nobody", "both", "refuse"])
def test_only_a_reactor_of_single_events_can_be_owed(reactor: str) -> None:
    assert a_log().owe(b"x-start", reactor).verdict is Verdict.NO_CONTRACT


def test_a_retired_reactor_is_owed_nothing() -> None:
    log = a_log()
    log.contracts(a_contract("pay", "A", state="retired_keep"))
    assert log.owe(b"x-start", "pay").verdict is Verdict.NO_CONTRACT


def test_it_names_an_event_with_its_offset_and_its_type() -> None:
    log = a_log()
    for more in ({"causation": b""}, {"extra": b""}, {"extra": bytes(7)}, {"extra": bytes(8)}):
        assert log.owe(b"x-start", "pay", **more).verdict is Verdict.UNREADABLE


def test_an_ending_run_owes_nothing_anew() -> None:
    log = a_log()
    log.signal("B")
    log.outcome(log.pair("pay"), "Done", flags=END)
    assert log.owe(b"x-start", "pay").verdict is Verdict.RUN_ENDING


def test_a_generation_that_is_still_owed_is_not_owed_again_when_its_id_is_forgotten() -> None:
    log = a_log()
    log.owe(b"x-start", "pay", id=b"x-owe")
    pair = log.pairs("pay")[1]
    log.failure(pair)
    log.now += 10_000_000
    assert log.owe(b"x-start", "pay", id=b"x-owe").verdict is Verdict.REPEATED
    assert log.pairs("pay")[1] is pair


def test_owing_is_a_command_with_a_time() -> None:
    log = a_log()
    assert log.owe(b"x-start", "pay", not_after=log.now - 1).verdict is Verdict.TOO_LATE
    assert log.command(Kind.OWE, not_after=0).verdict is Verdict.UNREADABLE
