"""Where two rules meet: branches that other things hold, results that let go and undo, and all of it in a checkpoint."""

from typing import Any

import pytest
from tests.projections.fold.checkpointing import again
from tests.projections.fold.log import (
    END,
    Log,
    a_contract,
    a_head,
    a_timer,
    admitted,
    after,
    an_answer,
    an_expiry,
    an_outcome_of,
    asks,
    otherwise,
    wire,
)
from tests.projections.fold.said import a_child, some_news
from tests.projections.fold.snapshot import snapshot

from farandole.eventstore import Record
from farandole.projections.fold import Applied, Pair, Result, StepDeadline, Verdict
from farandole.projections.fold.pending import Pending
from farandole.schemas.envelope import Flag, Kind

FANOUT, CHILD, COMPENSATE, EDITED = int(Flag.FANOUT), int(Flag.CHILD), int(Flag.COMPENSATE), int(Flag.EDITED)
THINGS: dict[str, dict[str, Any]] = {
    "timer": after("C", 100),
    "decision": asks("C"),
    "child": {"type": b"farandole.Child", "flags": CHILD, "extra": a_child(b"t.Asked")},
}
"""Parts of an outcome of which something is waited for."""


def a_log(**more: Any) -> Log:
    """`split` fans out into Bs, of which `one` gives something or not, and `all` gathers Cs and news."""
    log = Log()
    log.contracts(
        a_contract("split", "A", gives=[{"form": "list", "types": ["t.B"]}]),
        a_contract("one", "B", gives=[{"form": "after", "types": ["t.C"]}], unless=["t.X"]),
        {**a_contract("all", "C", form="list", each="t.B", **more), "takes": [["t.C", "child_done:Done"]]},
    )
    log.start()
    log.fan_out(log.pair("split"), "B", "B")
    return log


def pending(log: Log) -> Pending:
    found = log.run().pending
    assert found is not None
    return found


def comes(log: Log, thing: str) -> Applied:
    """What is waited for comes."""
    if thing == "timer":
        (timer,) = (pending(log).timers or {}).values()
        log.now = timer.due
        return log.put(a_timer(b"r", timer))
    if thing == "decision":
        (decision,) = (pending(log).decisions or {}).values()
        return log.put(an_answer(b"r", decision, "C", now=log.now))
    (child,) = pending(log).children or {}
    head = a_head(Kind.CHILD_ENDED, causation=child, extra=some_news(b"t.Done"))
    return log.put(Record(b"r", b"", head))


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_waited_for_in_a_branch_holds_it(thing: str) -> None:
    log = a_log()
    first, second = log.pairs("one")
    log.put(*an_outcome_of(b"r", first, THINGS[thing]))
    log.outcome(second)
    assert log.owed() == []
    assert snapshot(again(log.fold)) == snapshot(log.fold)
    assert admitted(out := comes(log, thing))
    assert [pair.reactor for _, pair in out.owed] == [b"all"]
    assert log.pair("all").inputs == (out.offset,)


@pytest.mark.parametrize("thing", THINGS)
def test_a_fan_out_may_begin_with_what_is_waited_for(thing: str) -> None:
    log = a_log()
    log.start(b"s")
    part = {"index": 0, "branch": b"t.B", **THINGS[thing]}
    part["flags"] |= FANOUT
    log.put(*an_outcome_of(b"s", log.pair("split", b"s"), part))
    assert log.owed(b"s") == []
    state = log.run(b"s").pending
    assert state is not None
    assert len(state.fanouts or ()) == 1


@pytest.mark.parametrize("thing", THINGS)
def test_with_the_result_it_lapses_in_its_branch_as_well(thing: str) -> None:
    log = a_log()
    first, second = log.pairs("one")
    log.put(*an_outcome_of(b"r", first, THINGS[thing]))
    out = log.outcome(second, "End", flags=END)
    assert not pending(log).waits()
    assert [pair.reactor for _, pair in out.owed] == [b"all"]


def test_what_drops_timers_drops_those_of_its_branch_alone() -> None:
    log = a_log()
    first, second = log.pairs("one")
    for pair in (first, second):
        log.put(*an_outcome_of(b"r", pair, after("C", 100)))
    log.signal("X")
    assert not pending(log).timers
    log = a_log()
    log.contracts(a_contract("warn", "D"))
    first, second = log.pairs("one")
    log.put(*an_outcome_of(b"r", first, after("C", 100), {"type": wire("D")}))
    log.put(*an_outcome_of(b"r", second, after("C", 100)))
    log.outcome(log.pair("warn"), "X")
    assert [timer.branch.index for timer in (pending(log).timers or {}).values() if timer.branch] == [1]


def test_the_expiry_of_a_fan_in_is_none_of_a_decision_with_its_id() -> None:
    log = a_log(within=50)
    log.start(b"s")
    ask = {"branch": b"t.B", **asks("C")}
    ask["flags"] |= FANOUT
    over = otherwise("C", 70)
    over["flags"] |= FANOUT
    log.put(*an_outcome_of(b"s", log.pair("split", b"s"), ask, over))
    state = log.run(b"s").pending
    assert state is not None
    (decision,) = (state.decisions or {}).values()
    assert decision.id in (state.fanouts or {})
    log.now += 60
    assert log.expire_fan_in(decision.id, "nobody", b"s").verdict is Verdict.NOT_PENDING
    assert log.put(an_expiry(b"s", decision)).verdict is Verdict.NOT_DUE
    assert admitted(log.expire_fan_in(decision.id, "all", b"s"))
    assert log.pair("all", b"s").parked
    log.now += 60
    assert admitted(log.put(an_expiry(b"s", decision)))
    assert not state.decisions


def test_a_fan_in_has_a_time_of_its_own_step_as_well() -> None:
    log = a_log(deadline=500)
    for pair in log.pairs("one"):
        out = log.outcome(pair)
    assert [type(due) for _, due in out.armed] == [StepDeadline]


def undoing(*, parent: bool = False) -> Log:
    """`step` took an A, can be undone, and waits for a timer, a decision and a child."""
    log = Log()
    log.contracts(a_contract("step", "A", compensates=True), a_contract("end", "E"))
    log.start()
    log.put(*an_outcome_of(b"r", log.pair("step"), {"type": wire("E")}, *THINGS.values()))
    return log


def test_a_result_lets_all_lapse_and_undoes_what_was_done() -> None:
    log = undoing()
    assert pending(log).waits()
    log.outcome(log.pair("end"), "End", flags=END | COMPENSATE)
    assert not pending(log).waits()
    (undo,) = log.pairs("step")
    assert undo.undoes
    (message,) = (pending(log).messages or {}).values()
    assert message.kind == Kind.CANCEL
    log.outcome(undo)
    assert log.owed() == []
    head = a_head(Kind.DELIVERED, causation=message.id, attempt=message.n, extra=bytes(9))
    assert [run.id for run in log.put(Record(b"r", b"", head)).closed] == [b"r"]


def test_a_run_that_waits_does_not_expire_and_one_out_of_time_undoes_nothing() -> None:
    log = Log(expire_after=10)
    log.contracts(a_contract("step", "A", compensates=True))
    log.start(delay=1_000)
    log.put(*an_outcome_of(b"r", log.pair("step"), *THINGS.values()))
    log.now += 500
    assert log.expire().verdict is Verdict.NOT_DUE
    log.now += 500
    out = log.put(Record(b"r", None, a_head(Kind.EXPIRY, type=b"farandole.Expiry")))
    assert out.result is Result.EXPIRED
    assert log.owed() == []
    assert pending(log).stack is None
    assert [message.kind for message in (pending(log).messages or {}).values()] == [Kind.CANCEL]


def test_an_edited_step_counts_what_drops_its_timers_from_when_the_former_was_owed() -> None:
    log = Log()
    log.contracts(a_contract("wait", "A", unless=["t.X"], deadline=500))
    log.start()
    log.failure(log.pair("wait"))
    log.signal("X")
    parked = log.pair("wait")
    out = log.command(Kind.RETRY, type=wire("A"), causation=parked.parked, flags=EDITED, extra=b"\0\3annwhy")
    assert [type(due) for _, due in out.armed] == [StepDeadline]
    log.put(*an_outcome_of(b"r", log.pair("wait"), after("C", 100)))
    assert not pending(log).timers


def test_an_edited_step_stays_in_its_branch() -> None:
    log = a_log()
    first, second = log.pairs("one")
    log.outcome(second)
    log.failure(first)
    parked = log.pair("one")
    log.command(Kind.RETRY, type=wire("B"), causation=parked.parked, flags=EDITED, extra=b"\0\3annwhy")
    edited: Pair = log.pair("one")
    assert edited.branch is parked.branch
    out = log.outcome(edited, "C")
    assert [pair.reactor for _, pair in out.owed] == [b"all"]
