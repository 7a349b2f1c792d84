"""Contracts are compare and set, come into force as a whole, and say what becomes of what is owed."""

from typing import Any

import pytest
from tests.projections.fold.log import END, Log, a_catcher, a_contract, an_outcome, reactors

from farandole.projections.fold import Contract, Verdict, contract_id, status_of
from farandole.schemas import system_records
from farandole.schemas.envelope import Kind


def in_force(log: Log, reactor: str) -> Contract:
    contract = log.fold.contracts.get(reactor.encode())
    assert contract is not None
    return contract


def test_the_first_contract_of_a_reactor_replaces_none() -> None:
    log = Log()
    assert log.contracts(a_contract("pay", "A", replaces="0" * 32)).verdict is Verdict.SUPERSEDED
    assert log.contracts(a_contract("pay", "A", replaces="")).verdict is Verdict.ADMITTED


def test_a_contract_must_replace_the_one_in_force() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    first = in_force(log, "pay").id
    assert log.contracts(a_contract("pay", "B", replaces="")).verdict is Verdict.SUPERSEDED
    assert log.contracts(a_contract("pay", "B", replaces=first)).verdict is Verdict.ADMITTED
    assert log.contracts(a_contract("pay", "C", replaces=first)).verdict is Verdict.SUPERSEDED
    assert in_force(log, "pay").takes == (frozenset([b"t.B"]),)


def test_of_two_releases_that_write_at_once_one_wins() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    old = in_force(log, "pay").id
    written = [a_contract("pay", "A", version=v, replaces=old) for v in ("1", "2")]
    assert [log.contracts(c).verdict for c in written] == [Verdict.ADMITTED, Verdict.SUPERSEDED]


def test_contracts_of_one_append_come_into_force_all_or_none() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    out = log.contracts(a_contract("ship", "A"), a_contract("pay", "A", replaces="no such"))
    assert (out.verdict, out.contracts) == (Verdict.SUPERSEDED, ())
    assert log.fold.contracts.get(b"ship") is None


def test_a_contract_takes_effect_for_new_events_only() -> None:
    log = Log()
    log.start()
    log.contracts(a_contract("pay", "A"), a_contract("ship", "B"))
    assert log.owed() == ["pay"]  # nobody had ever named an A before
    log.outcome(log.pair("pay"), "B")
    log.contracts(a_contract("late", "B"))
    assert log.owed() == ["ship"]
    assert reactors(log.signal("B")) == ["late", "ship"]


def test_what_was_owed_before_stays_owed_under_a_new_contract() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    pair = log.pair("pay")
    log.contracts(a_contract("pay", "B"))
    assert log.pair("pay") is pair
    assert reactors(log.signal("A")) == []


def test_retired_with_drop_a_reactor_owes_nothing_more() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("ship", "A"))
    log.start()
    log.failure(log.pair("pay"))
    out = log.contracts(a_contract("pay", "A", state="retired_drop"))
    assert [pair.reactor for _, pair in out.settled] == [b"pay"]
    assert (log.owed(), log.run().parked) == (["ship"], 0)
    assert reactors(log.signal("A")) == ["ship"]


def test_a_retirement_closes_the_ending_runs_that_it_leaves_with_nothing_owed() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("ship", "A"))
    for run in (b"a", b"b", b"c"):
        log.start(run)
    for run in (b"a", b"c"):
        log.outcome(log.pair("ship", run), "Done", run=run, flags=END)
    out = log.contracts(a_contract("pay", "A", state="retired_drop"))
    assert [run.id for run in out.closed] == [b"a", b"c"]
    assert log.owed(b"b") == ["ship"]


def test_retired_with_keep_a_reactor_owes_what_it_owed() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.contracts(a_contract("pay", "A", state="retired_keep"))
    assert reactors(log.signal("A")) == []
    assert status_of(log.fold, log.run()).owed[0].service == ""
    assert log.outcome(log.pair("pay"), "B").verdict is Verdict.ADMITTED


def test_renamed_a_reactor_keeps_its_place() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("join", "A", "B"))
    log.start()
    log.now += 10
    old = an_outcome(b"r", log.pair("pay"), "C", "C")
    log.put(old[0])
    log.failure(log.pair("pay"), last=False, delay=500)
    since, due = log.pair("pay").since, log.pair("pay").due
    former = log.pair("pay")
    out = log.contracts(a_contract("charge", "A", renames="pay"), a_contract("knot", "A", "B", renames="join"))
    pair = log.pair("charge")
    assert reactors(out) == ["charge"]
    assert (out.settled, former.reactor) == ([(log.run(), former)], b"pay")
    assert (pair.since, pair.due, pair.attempts, pair.unfinished) == (since, due, 1, None)
    assert log.put(*old).verdict is Verdict.NOT_OWED
    assert reactors(log.signal("B")) == ["knot"]
    assert reactors(log.signal("A")) == ["charge"]
    assert log.outcome(pair).verdict is Verdict.ADMITTED


def test_a_parked_step_stays_parked_under_its_new_name() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    log.failure(log.pair("pay"))
    assert log.contracts(a_contract("charge", "A", renames="pay")).owed == []
    assert reactors(log.retry(log.pair("charge").parked)) == ["charge"]


def test_an_outcome_under_the_old_name_is_refused_after_a_rename() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    log.start()
    former = log.pair("pay")
    log.contracts(a_contract("charge", "A", renames="pay"))
    assert log.outcome(former, "B").verdict is Verdict.NOT_OWED
    assert log.outcome(log.pair("charge"), "B").verdict is Verdict.ADMITTED


def test_a_rename_replaces_the_contract_of_the_old_name() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    assert log.contracts(a_contract("charge", "A", renames="pay", replaces="")).verdict is Verdict.SUPERSEDED
    assert log.contracts(a_contract("charge", "A", renames="pay")).verdict is Verdict.ADMITTED
    assert log.fold.contracts.get(b"pay") is None


def test_a_reactor_cannot_take_a_name_that_is_in_force() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("charge", "A"))
    assert log.contracts(a_contract("charge", "A", renames="pay")).verdict is Verdict.SUPERSEDED


@pytest.mark.parametrize(
    "contents",
    [
        [a_contract("pay", "A"), a_contract("pay", "B")],
        [a_contract("b", "A", renames="old"), a_contract("c", "A", renames="old")],
        [a_contract("b", "A", renames="old"), a_contract("old", "A")],
        [a_contract("new", "A", renames="new")],
    ],
)
def test_an_append_that_names_a_reactor_twice_is_refused(contents: list[dict[str, Any]]) -> None:
    log = Log()
    log.contracts(a_contract("old", "A"))
    assert log.contracts(*contents).verdict is Verdict.UNREADABLE
    assert in_force(log, "old")


@pytest.mark.parametrize(
    "content",
    [
        a_contract("", "A"),
        a_contract("p" * 256, "A"),
        a_contract("pay", ""),
        a_contract("pay", "A", ""),
        a_contract("pay", "A", "A|B"),
        {**a_contract("pay", "A"), "takes": [], "forms": []},
        {**a_contract("pay", "A"), "forms": []},
        {**a_contract("pay", "A"), "forms": ["event", "event"]},
        {**a_contract("pay", "A", "B"), "forms": ["event", "failed"]},
        a_catcher("pay", "A", "B"),
        a_contract("pay", "A", form="list"),
        a_contract("pay", "A", state="asleep"),
        a_contract("pay", "A", state="retired_drop", renames="old"),
    ],
)
def test_a_contract_that_nothing_could_fulfil_is_refused(content: dict[str, Any]) -> None:
    log = Log()
    assert log.contracts(content).verdict is Verdict.UNREADABLE
    assert log.fold.frames == {}


def test_a_contract_that_was_in_force_is_remembered() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))
    first = in_force(log, "pay")
    log.contracts(a_contract("pay", "B"))
    assert log.fold.contracts.was_in_force(first)
    assert not log.fold.contracts.was_in_force(Contract.read(system_records.CONTRACT.decode(content_of("C"))))


def content_of(*takes: str) -> bytes:
    return system_records.CONTRACT.encode(a_contract("pay", *takes))


def test_the_id_of_a_contract_does_not_depend_on_what_it_replaces() -> None:
    content = system_records.CONTRACT.decode(content_of("A"))
    assert contract_id(content) == contract_id({**content, "replaces": "f" * 32})
    assert contract_id(content) != contract_id({**content, "version": "2"})


def test_a_value_that_is_no_contract_is_refused() -> None:
    log = Log()
    for schema in (system_records.SETTING, system_records.RELEASED):
        value = schema.encode(
            {"name": "kept", "value": 1, "replaces": 64} if schema is system_records.SETTING else {"member": "m"}
        )
        record = log.stored[0]._replace(value=value)
        headers = [(n, v if n != "fa" else v[:1] + bytes([Kind.CONTRACT]) + v[2:]) for n, v in record.headers]
        assert log.fold.apply(record._replace(offset=9, headers=headers)).verdict is Verdict.UNREADABLE
