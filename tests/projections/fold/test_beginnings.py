"""Services start in any order, and clients before them: what came before a reactor's first contract is not forgotten."""

import pytest
from tests.projections.fold.log import END, NO_REACTOR, Log, a_catcher, a_contract, reactors

from farandole.projections.fold import status_of


def inputs(log: Log, reactor: str) -> list[tuple[int, ...]]:
    return [pair.inputs for pair in log.pairs(reactor)]


def settling() -> Log:
    return Log(settle=1000)


def test_a_first_contract_is_owed_what_came_before_it_while_settling() -> None:
    log = settling()
    log.start()
    log.signal("B")
    assert reactors(log.contracts(a_contract("pay", "A"), a_contract("ship", "B|A"))) == ["pay", "ship", "ship"]


def test_so_is_the_first_contract_of_a_later_service() -> None:
    log = settling()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.outcome(log.pair("pay"), "B")
    log.now += 900
    assert reactors(log.contracts(a_contract("tell", "A"), a_contract("ship", "B"))) == ["ship", "tell"]


def test_what_came_before_joins_in_the_order_in_which_it_came() -> None:
    log = settling()
    log.start(type="Z")
    at = len(log.stored)
    for type in ("B", "C", "B", "B", "C"):
        log.signal(type)
    log.contracts(a_contract("join", "B", "C"))
    assert inputs(log, "join") == [(at, at + 1), (at + 2, at + 4)]
    assert [e.offset for queue in log.run().joins[b"join"] for e in queue] == [at + 3]


def test_a_second_contract_of_a_reactor_is_owed_nothing_twice() -> None:
    log = settling()
    log.start()
    log.contracts(a_contract("pay", "A"))
    log.outcome(log.pair("pay"))
    assert reactors(log.contracts(a_contract("pay", "A", version="2"))) == []
    assert reactors(log.contracts(a_contract("charge", "A", renames="pay"))) == []
    assert reactors(log.contracts(a_contract("pay", "A"))) == []


def test_a_first_contract_that_renames_a_reactor_that_never_was_is_a_first_contract() -> None:
    log = settling()
    log.start()
    assert reactors(log.contracts(a_contract("charge", "A", renames="pay"))) == ["charge"]


def test_a_reactor_that_begins_retired_or_takes_failures_is_owed_nothing() -> None:
    log = settling()
    log.start()
    log.contracts(a_contract("gone", "A", state="retired_keep"), a_catcher("refuse", "A"))
    assert log.owed() == []
    assert status_of(log.fold, log.run()).unserved == 1


def test_closed_runs_keep_nothing() -> None:
    log = settling()
    log.start()
    log.cancel()
    assert log.fold.keeping == {}
    assert reactors(log.contracts(a_contract("pay", "A"))) == []


def test_an_ending_run_is_owed_what_it_kept() -> None:
    log = settling()
    log.contracts(a_contract("pay", "A"), a_contract("log", "A"))
    log.start()
    log.outcome(log.pair("pay"), "Done", flags=END)
    assert reactors(log.contracts(a_contract("thank", "Done"))) == ["thank"]


def test_settling_is_over_when_log_time_has_passed_it() -> None:
    log = settling()
    log.start()
    born = log.fold.born
    log.now = born + 1000
    log.signal("B")
    assert log.fold.settling
    log.now += 1
    log.signal("B")
    assert not log.fold.settling


def test_after_settling_a_new_reactor_begins_at_its_contract() -> None:
    log = settling()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.now += 2000
    assert reactors(log.contracts(a_contract("tell", "A"))) == []
    assert reactors(log.signal("A")) == ["pay", "tell"]


def test_what_nobody_ever_named_is_still_owed_to_the_first_that_does() -> None:
    log = settling()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.outcome(log.pair("pay"), "Odd")
    log.now += 2000
    log.signal("Odd")
    assert status_of(log.fold, log.run()).unserved == 2
    assert reactors(log.contracts(a_contract("odd", "Odd"))) == ["odd", "odd"]
    assert status_of(log.fold, log.run()).unserved == 0
    assert log.fold.keeping == {}


def test_it_is_owed_to_all_who_name_it_first_in_one_append() -> None:
    log = Log()
    log.start()
    assert reactors(log.contracts(a_contract("pay", "A"), a_contract("log", "A"))) == ["log", "pay"]
    assert reactors(log.contracts(a_contract("late", "A"))) == []


@pytest.mark.parametrize("settle", [0, 10_000])
def test_a_reactor_that_names_it_only_with_a_later_contract_is_owed_it_too(settle: int) -> None:
    log = Log(settle=settle)
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.signal("Odd")
    log.outcome(log.pair("pay"))
    assert reactors(log.contracts(a_contract("pay", "A|Odd"))) == ["pay"]
    log.signal("Rare")
    assert reactors(log.contracts(a_contract("charge", "Rare|A", renames="pay"))) == ["charge", "charge"]
    assert status_of(log.fold, log.run()).unserved == 0


def test_a_retired_contract_names_nothing() -> None:
    log = Log()
    log.start()
    log.contracts(a_contract("gone", "A", state="retired_drop"))
    assert status_of(log.fold, log.run()).unserved == 1
    assert reactors(log.contracts(a_contract("pay", "A"))) == ["pay"]


def test_of_what_nobody_named_so_many_are_kept_and_the_rest_is_counted() -> None:
    log = Log(kept=3)
    log.start()
    for _ in range(9):
        log.signal("Odd")
    assert status_of(log.fold, log.run()).unserved == 10
    assert reactors(log.contracts(a_contract("odd", "Odd"))) == ["odd", "odd"]


def test_an_event_that_wants_no_reactor_is_kept_only_while_settling() -> None:
    log = settling()
    log.start(flags=NO_REACTOR)
    log.signal("Noted", flags=NO_REACTOR)
    assert status_of(log.fold, log.run()).unserved == 0
    log.now += 2000
    log.signal("Noted", flags=NO_REACTOR)
    assert log.fold.keeping == {}
    assert reactors(log.contracts(a_contract("note", "Noted"))) == []
    assert status_of(log.fold, log.run()).status == "idle"


def test_when_settling_is_over_only_what_nobody_named_stays() -> None:
    log = Log(settle=1000, kept=2)
    log.contracts(a_contract("pay", "A"))
    log.start()
    for type in ("Odd", "A", "Odd", "Odd"):
        log.signal(type)
    log.start(b"s")
    assert set(log.fold.keeping) == {b"r", b"s"}
    log.now += 2000
    log.start(b"t")
    assert set(log.fold.keeping) == {b"r"}
    assert [kept.type for kept in log.run().kept or ()] == [b"t.Odd"] * 2
    assert log.run().unserved == 1


def test_settling_counts_from_a_genesis_that_comes_late() -> None:
    log = Log(genesis=False)
    log.start()
    log.now += 10**9
    log.signal("B")
    assert log.fold.settling
    log.genesis(settle=1000)
    log.now += 1000
    assert reactors(log.contracts(a_contract("pay", "A"), a_contract("ship", "B"))) == ["pay", "ship"]
    log.now += 1
    assert reactors(log.contracts(a_contract("late", "A"))) == []


def test_settling_that_a_setting_shortens_ends_with_the_setting() -> None:
    log = settling()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.setting("settle", 0)
    assert reactors(log.contracts(a_contract("late", "A"))) == []


def test_settling_does_not_begin_again() -> None:
    log = Log(settle=0)
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.setting("settle", 10**9)
    assert reactors(log.contracts(a_contract("late", "A"))) == []
