"""What an end undoes: section 18 of the protocol."""

import pytest
from tests.projections.fold.log import END, FINAL, SOON, Log, a_catcher, a_contract, wire

from farandole.eventstore import Record
from farandole.projections.fold import UNDO, Pair, Verdict
from farandole.schemas.envelope import Flag, Kind

UNDOES = END | int(Flag.COMPENSATE)


def a_log(*more: dict, **settings: int) -> Log:
    """A log in which an A makes ``one`` owed, whose B makes ``two`` owed, and both can be undone."""
    log = Log(**settings)
    log.contracts(
        a_contract("one", "A", compensates=True),
        a_contract("two", "B", compensates=True),
        a_contract("end", "C"),
        *more,
    )
    log.start()
    return log


def undone(log: Log) -> list[tuple[str, tuple[bytes, ...]]]:
    """The compensations that the run owes, each with the types of what it takes."""
    return [(p.reactor.decode(), p.types) for p in log.run().owed.values() if p.undoes]


def test_the_last_outcome_is_undone_first_and_the_next_when_that_is_done() -> None:
    log = a_log()
    log.outcome(log.pair("one"), "B")
    log.outcome(log.pair("two"), "C")
    log.outcome(log.pair("end"), "Z", flags=UNDOES)
    assert undone(log) == [("two", (wire("B"), wire("C")))]
    log.outcome(log.pair("two"))
    assert undone(log) == [("one", (wire("A"), wire("B")))]
    out = log.outcome(log.pair("one"))
    assert [run.id for run in out.closed] == [b"r"]


def test_a_compensation_is_a_pair_of_its_outcomes_first_id() -> None:
    log = a_log()
    out = log.outcome(log.pair("one"), "B", "D")
    first = out.admitted[0].id
    log.cancel()
    (pair,) = log.pairs("one")
    assert pair.key == (first, b"one", UNDO)
    assert pair.inputs == (log.run().offset, *(fact.offset for fact in out.admitted))


def test_an_outcome_of_nothing_can_be_undone() -> None:
    log = a_log()
    log.outcome(log.pair("one"))
    log.cancel()
    assert undone(log) == [("one", (wire("A"),))]


def test_an_end_without_the_flag_undoes_nothing() -> None:
    log = a_log()
    log.outcome(log.pair("one"), "C")
    out = log.outcome(log.pair("end"), "Z", flags=END)
    assert out.closed


def test_what_is_owed_comes_first_and_what_it_does_is_undone_as_well() -> None:
    log = a_log(a_contract("late", "A", compensates=True))
    log.outcome(log.pair("one"), "C")
    log.outcome(log.pair("end"), "Z", flags=UNDOES)
    assert undone(log) == []
    log.outcome(log.pair("late"), "D")
    assert undone(log) == [("late", (wire("A"), wire("D")))]


def test_a_final_end_drops_what_is_owed_and_undoes_what_was_done() -> None:
    log = a_log(a_contract("late", "A"))
    log.outcome(log.pair("one"), "C")
    log.outcome(log.pair("end"), "Z", flags=FINAL | UNDOES)
    assert log.owed() == ["one"]
    assert undone(log) == [("one", (wire("A"), wire("C")))]


def test_the_step_that_gives_the_end_is_undone_too() -> None:
    log = a_log()
    log.outcome(log.pair("one"), "Z", flags=UNDOES)
    assert undone(log) == [("one", (wire("A"), wire("Z")))]


def test_a_failed_compensation_parks_and_nobody_catches_it() -> None:
    log = a_log(a_catcher("catch"))
    log.outcome(log.pair("one"), "B")
    log.cancel()
    log.failure(log.pair("one"))
    assert log.owed() == ["one"]
    assert log.run().parked == 1
    log.retry(log.pair("one").parked)
    assert not log.pair("one").parked
    assert log.outcome(log.pair("one")).closed


def test_a_cancel_gives_up_the_parked_compensation_and_goes_on() -> None:
    log = a_log()
    log.outcome(log.pair("one"), "B")
    log.outcome(log.pair("two"), "C")
    log.cancel()
    log.failure(log.pair("two"))
    assert log.cancel().verdict is Verdict.ADMITTED
    assert undone(log) == [("one", (wire("A"), wire("B")))]
    assert log.cancel().verdict is Verdict.RUN_ENDING


def test_a_cancel_of_a_run_that_ended_otherwise_undoes_nothing() -> None:
    log = a_log()
    log.outcome(log.pair("one"), "C")
    log.failure(log.pair("end"))
    log.signal("Z", flags=END)
    assert log.cancel().closed


def test_an_expire_gives_all_up() -> None:
    log = a_log(expire_after=100)
    log.outcome(log.pair("one"), "B")
    log.outcome(log.pair("two"), "C")
    log.cancel()
    log.failure(log.pair("two"))
    log.now += 100
    assert log.expire().closed


@pytest.mark.parametrize(("state", "left"), [("retired_drop", ["one"]), ("retired_keep", ["two"])])
def test_retirement_drops_what_would_be_undone_or_keeps_it(state: str, left: list[str]) -> None:
    log = a_log()
    log.outcome(log.pair("one"), "B")
    log.outcome(log.pair("two"), "C")
    log.contracts(a_contract("two", "B", compensates=True, state=state))
    log.cancel()
    assert log.owed() == left


def test_a_reactor_that_is_retired_and_kept_still_does_what_can_be_undone() -> None:
    log = a_log()
    log.contracts(*(a_contract(r, t, compensates=True, state="retired_keep") for r, t in (("one", "A"), ("two", "B"))))
    log.outcome(log.pair("one"), "D")
    log.cancel()
    assert undone(log) == [("one", (wire("A"), wire("D")))]


def test_what_a_renamed_reactor_did_is_undone_under_its_new_name() -> None:
    log = a_log()
    log.outcome(log.pair("one"), "D")
    log.contracts(a_contract("uno", "A", compensates=True, renames="one"))
    log.cancel()
    assert log.owed() == ["uno"]


def test_the_failure_that_a_step_was_owed_for_is_not_handed_to_what_undoes_it() -> None:
    log = a_log(a_catcher("catch", of=["end"], compensates=True))
    log.outcome(log.pair("one"), "C")
    log.failure(log.pair("end"))
    log.outcome(log.pair("catch"), "D")
    log.cancel()
    assert undone(log) == [("catch", (wire("C"), wire("D")))]


# ── with another input ───────────────────────────────────────────────────────────────────────────────────────────────


def edited(
    log: Log, pair: Pair, type: str, place: int = 0, *, extra: bytes | None = None, failure: bytes | None = None
):  # type: ignore[no-untyped-def]
    return log.command(
        Kind.RETRY, type=wire(type), flags=int(Flag.EDITED), causation=pair.parked if failure is None else failure,
        extra=bytes((place, 3)) + b"annwhy" if extra is None else extra,
    )  # fmt: skip


def parked(log: Log, reactor: str) -> Pair:
    log.failure(log.pair(reactor))
    return log.pair(reactor)


def test_an_edited_step_is_owed_anew_with_the_record_as_its_input() -> None:
    log = a_log()
    pair = parked(log, "one")
    out = edited(log, pair, "A")
    new = log.pair("one")
    assert out.verdict is Verdict.ADMITTED
    assert (new.trigger, new.inputs, new.attempts, new.parked) == (pair.trigger, (out.offset,), 0, b"")
    assert new.generation == out.envelope.id
    assert new.at == pair.at
    assert log.run().parked == 0
    assert not out.admitted


def test_an_outcome_of_the_former_input_is_refused() -> None:
    log = a_log()
    pair = parked(log, "one")
    edited(log, pair, "A")
    assert log.outcome(pair, "B").verdict is Verdict.NOT_OWED


def test_what_was_edited_is_handed_to_what_undoes_it() -> None:
    log = a_log()
    offset = edited(log, parked(log, "one"), "A").offset
    log.outcome(log.pair("one"), "D")
    log.cancel()
    assert log.pair("one").inputs[0] == offset


@pytest.mark.parametrize(
    ("type", "place", "extra", "verdict"),
    [
        ("B", 0, None, Verdict.UNREADABLE),
        ("A", 1, None, Verdict.UNREADABLE),
        ("A", 0, b"", Verdict.UNREADABLE),
        ("A", 0, b"\0", Verdict.UNREADABLE),
        ("A", 0, b"\0\7who", Verdict.UNREADABLE),
        ("A", 0, b"\0\0", Verdict.ADMITTED),
    ],
)
def test_an_edit_says_which_input_and_who(type: str, place: int, extra: bytes | None, verdict: Verdict) -> None:
    log = a_log()
    assert edited(log, parked(log, "one"), type, place, extra=extra).verdict is verdict


def test_one_input_of_a_join_is_edited() -> None:
    log = a_log(a_contract("both", "D", "E"))
    log.signal("D")
    log.signal("E")
    pair = parked(log, "both")
    out = edited(log, pair, "E", 1)
    assert log.pair("both").inputs == (pair.inputs[0], out.offset)


def test_compensations_reactors_of_failures_and_overflowed_events_are_not_edited() -> None:
    log = a_log(a_catcher("catch", of=["end"]), a_contract("both", "D", "E"), join_most=1)
    log.outcome(log.pair("one"), "C")
    log.failure(log.pair("end"))
    assert edited(log, parked(log, "catch"), "C").verdict is Verdict.NO_CONTRACT
    log.signal("D")
    log.signal("D")
    assert edited(log, log.pair("both"), "D").verdict is Verdict.NO_CONTRACT
    log.cancel()
    assert edited(log, parked(log, "one"), "A").verdict is Verdict.NO_CONTRACT


def test_what_is_not_parked_is_not_edited() -> None:
    log = a_log()
    assert edited(log, log.pair("one"), "A", failure=b"no such").verdict is Verdict.NOT_PARKED


def test_an_edit_acts_once() -> None:
    log = a_log()
    pair = parked(log, "one")
    head = edited(log, pair, "A").envelope
    assert head is not None
    again = log.stored[-1]
    assert log.put(Record(again.key, again.value, again.headers)).verdict is Verdict.REPEATED
    assert log.now + SOON >= head.not_after
