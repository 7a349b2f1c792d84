"""A join takes the nth of each of its events; what is unmatched is kept."""

from tests.projections.fold.log import END, NO_REACTOR, Log, a_catcher, a_contract, reactors

from farandole.projections.fold import Verdict, status_of


def a_log(*takes: str, **settings: int) -> Log:
    log = Log(**settings)
    log.contracts(a_contract("join", *takes), a_contract("work", "W"))
    log.start(type="Begun", flags=NO_REACTOR)
    return log


def inputs(log: Log) -> list[tuple[int, ...]]:
    return [pair.inputs for pair in log.pairs("join")]


def at(log: Log, type: str) -> int:
    """Signal an event and return its offset."""
    log.signal(type)
    return len(log.stored) - 1


def test_a_join_is_owed_when_each_of_its_events_is_there() -> None:
    log = a_log("B", "C")
    assert reactors(log.signal("B")) == []
    out = log.signal("C")
    assert reactors(out) == ["join"]
    assert log.pair("join").trigger == out.admitted[0].id


def test_its_inputs_stand_in_the_order_of_its_parameters() -> None:
    log = a_log("B", "C", "D")
    c, d, b = at(log, "C"), at(log, "D"), at(log, "B")
    assert inputs(log) == [(b, c, d)]
    assert log.pair("join").types == (b"t.B", b"t.C", b"t.D")


def test_the_nth_of_one_joins_the_nth_of_the_other() -> None:
    log = a_log("B", "C")
    b1, b2, c1, b3, c2, c3 = (at(log, type) for type in ("B", "B", "C", "B", "C", "C"))
    assert inputs(log) == [(b1, c1), (b2, c2), (b3, c3)]
    assert not log.run().joins


def test_a_parameter_of_several_types_takes_them_in_one_queue() -> None:
    log = a_log("B|D", "C")
    d, b, c1, c2 = (at(log, type) for type in ("D", "B", "C", "C"))
    assert inputs(log) == [(d, c1), (b, c2)]


def test_the_events_of_one_outcome_join_each_other() -> None:
    log = a_log("B", "C")
    log.signal("W")
    assert reactors(log.outcome(log.pair("work"), "B", "C", "B")) == ["join"]


def test_a_run_with_a_half_full_join_waits() -> None:
    log = a_log("B", "C")
    log.signal("B")
    assert status_of(log.fold, log.run()).status == "waiting"


def test_runs_do_not_join_each_other() -> None:
    log = a_log("B", "C")
    log.start(b"s", type="Begun")
    log.signal("B")
    assert reactors(log.signal("C", b"s")) == []


def test_an_ending_run_still_joins_what_it_still_does() -> None:
    log = a_log("B", "C")
    log.signal("B")
    log.signal("W")
    log.signal("W")
    first, second = log.pairs("work")
    log.outcome(first, "Done", flags=END)
    assert reactors(log.outcome(second, "C")) == ["join"]


def test_an_event_for_which_there_is_no_room_is_parked() -> None:
    log = a_log("B", "C", join_most=2)
    for _ in range(2):
        log.signal("B")
    out = log.signal("B")
    (pair,) = log.pairs("join")
    assert out.owed == []
    assert out.settled == [(log.run(), pair)]
    assert (pair.parked, pair.inputs, log.run().parked) == (out.admitted[0].id, (len(log.stored) - 1,), 1)
    assert status_of(log.fold, log.run()).status == "failed"


def test_what_overflowed_is_retried_by_its_own_id_and_joins_anew() -> None:
    log = a_log("B", "C", join_most=1)
    b1 = at(log, "B")
    b2 = at(log, "B")
    overflowed = log.pair("join").parked
    assert log.retry(overflowed).verdict is Verdict.ADMITTED  # there is still no room
    assert log.pair("join").parked == overflowed
    c1 = at(log, "C")
    assert log.retry(overflowed).verdict is Verdict.ADMITTED
    assert log.run().parked == 0
    c2 = at(log, "C")
    assert inputs(log) == [(b1, c1), (b2, c2)]


def test_what_overflowed_from_two_joins_is_retried_in_both() -> None:
    log = Log(join_most=0)
    log.contracts(a_contract("one", "A", "B"), a_contract("two", "A", "C"))
    log.start(id=b"x-start")
    assert log.run().parked == 2
    log.setting("join_most", 5)
    assert log.retry(b"x-start").verdict is Verdict.ADMITTED
    assert log.run().owed == {}
    assert [reactors(log.signal("B")), reactors(log.signal("C"))] == [["one"], ["two"]]


def test_what_overflowed_from_the_join_of_a_retired_reactor_stays_parked() -> None:
    log = a_log("B", "C", join_most=0)
    log.signal("B")
    log.contracts(a_contract("join", "B", "C", state="retired_keep"))
    assert log.retry(log.pair("join").parked).verdict is Verdict.NO_CONTRACT
    assert log.run().parked == 1


def test_no_reactor_of_failures_catches_an_overflow() -> None:
    log = Log(join_most=0)
    log.contracts(a_contract("join", "A", "B"), a_catcher("refuse"))
    log.start()
    assert log.owed() == ["join"]


def test_an_ending_run_closes_when_its_last_overflow_is_retried_and_joins_nothing() -> None:
    log = a_log("B", "C", join_most=0)
    log.signal("B")
    overflowed = log.pair("join").parked
    log.signal("W")
    log.outcome(log.pair("work"), "Done", flags=END)
    log.setting("join_most", 5)
    assert [run.id for run in log.retry(overflowed).closed] == [b"r"]


def test_what_is_held_goes_on_under_the_parameters_of_a_new_contract() -> None:
    log = a_log("B", "C")
    b1, b2 = at(log, "B"), at(log, "B")
    log.contracts(a_contract("join", "C", "D", "B"))
    c, d = at(log, "C"), at(log, "D")
    assert inputs(log) == [(c, d, b1)]
    assert [event.offset for queue in log.run().joins[b"join"] for event in queue] == [b2]


def test_what_is_held_is_owed_if_the_new_contract_takes_it_alone() -> None:
    log = a_log("B", "C")
    b = at(log, "B")
    out = log.contracts(a_contract("join", "B"))
    assert reactors(out) == ["join"]
    assert inputs(log) == [(b,)]
    assert not log.run().joins


def test_what_the_new_contract_does_not_name_is_let_go() -> None:
    log = a_log("B", "C")
    log.signal("B")
    log.contracts(a_contract("join", "C", "D"))
    assert not log.run().joins
    assert inputs(log) == []


def test_what_overflowed_goes_on_under_the_new_parameters_too() -> None:
    log = a_log("B", "C", join_most=1)
    b1, b2 = at(log, "B"), at(log, "B")
    log.contracts(a_contract("join", "B"))
    assert inputs(log) == [(b1,), (b2,)]
    assert log.run().parked == 0


def test_a_contract_that_becomes_one_of_failures_lets_go_of_what_was_held() -> None:
    log = a_log("B", "C")
    log.signal("B")
    log.contracts(a_catcher("join", "B"))
    assert not log.run().joins


def test_a_join_renamed_with_other_parameters_goes_on_under_them() -> None:
    log = a_log("B", "C")
    b = at(log, "B")
    log.contracts(a_contract("knot", "C", "D", "B", renames="join"))
    c, d = at(log, "C"), at(log, "D")
    assert [pair.inputs for pair in log.pairs("knot")] == [(c, d, b)]


def test_what_a_retired_join_keeps_goes_on_when_it_is_active_again() -> None:
    log = a_log("B", "C")
    b = at(log, "B")
    log.contracts(a_contract("join", "C", "B", "D", state="retired_keep"))
    log.signal("C")
    log.contracts(a_contract("join", "C", "B", "D"))
    c, d = at(log, "C"), at(log, "D")
    assert inputs(log) == [(c, b, d)]
