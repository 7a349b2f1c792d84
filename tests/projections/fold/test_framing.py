"""The events of one outcome count when all of them are there, whatever came between them."""

import tracemalloc

from tests.projections.fold.log import (
    Log,
    a_contract,
    a_failure,
    a_head,
    an_append,
    an_outcome,
    control_records,
    reactors,
)

from farandole.eventstore import Record
from farandole.projections.fold import Verdict
from farandole.projections.fold.framing import UNFINISHED
from farandole.schemas.envelope import Kind


def a_log() -> Log:
    log = Log()
    log.contracts(a_contract("pay", "A"), a_contract("ship", "B"))
    log.start()
    return log


def verdicts(log: Log, *records: Record) -> list[Verdict]:
    return [log.put(record).verdict for record in records]


def test_an_outcome_takes_effect_with_its_last_record() -> None:
    log = a_log()
    first, second = an_outcome(b"r", log.pair("pay"), "B", "C")
    held = log.put(first)
    assert (held.verdict, held.admitted, held.owed) == (Verdict.HELD, [], [])
    assert log.owed() == ["pay"]
    whole = log.put(second)
    assert [fact.type for fact in whole.admitted] == [b"t.B", b"t.C"]


def test_the_records_of_an_outcome_may_come_in_any_order_and_count_in_that_of_their_indices() -> None:
    log = a_log()
    zero, one, two = an_outcome(b"r", log.pair("pay"), "B", "C", "D")
    assert verdicts(log, two, zero) == [Verdict.HELD] * 2
    assert [fact.type for fact in log.put(one).admitted] == [b"t.B", b"t.C", b"t.D"]


def test_the_events_of_two_attempts_never_mix() -> None:
    log = a_log()
    pair = log.pair("pay")
    mine, others = an_outcome(b"r", pair, "B", "C"), an_outcome(b"r", pair, "D", "E")
    assert verdicts(log, mine[0], others[1]) == [Verdict.HELD] * 2
    assert [fact.type for fact in log.put(others[0]).admitted] == [b"t.D", b"t.E"]
    assert log.put(mine[1]).verdict is Verdict.NOT_OWED


def test_an_index_that_is_held_already_is_ignored() -> None:
    log = a_log()
    append, pair = an_append(), log.pair("pay")
    first, second = an_outcome(b"r", pair, "B", "C", append=append)
    again, _ = an_outcome(b"r", pair, "D", "C", append=append)
    assert verdicts(log, first, first, again) == [Verdict.HELD] * 3
    assert [fact.type for fact in log.put(second).admitted] == [b"t.B", b"t.C"]


def test_records_that_disagree_about_the_count_make_no_outcome() -> None:
    log = a_log()
    append, pair = an_append(), log.pair("pay")
    of_three = an_outcome(b"r", pair, "B", "C", "D", append=append)
    of_two = an_outcome(b"r", pair, "B", "C", append=append)
    assert verdicts(log, of_three[2], of_two[0]) == [Verdict.HELD] * 2
    assert [fact.type for fact in log.put(of_two[1]).admitted] == [b"t.B", b"t.C"]


def test_four_unfinished_appends_are_kept_and_the_oldest_goes_first() -> None:
    log = a_log()
    attempts = [an_outcome(b"r", log.pair("pay"), "B", "C") for _ in range(UNFINISHED + 1)]
    for first, _ in attempts:
        log.put(first)
    assert log.put(attempts[0][1]).verdict is Verdict.HELD  # it begins anew, and the second one goes
    assert log.put(attempts[1][1]).verdict is Verdict.HELD
    assert log.put(attempts[3][1]).verdict is Verdict.ADMITTED


def test_nothing_unfinished_is_left_after_the_pair_is_discharged() -> None:
    log = a_log()
    pair = log.pair("pay")
    first, second = an_outcome(b"r", pair, "A", "C")
    log.put(first)
    log.outcome(pair)
    assert log.put(second).verdict is Verdict.NOT_OWED
    assert log.run().owed == {}


def test_an_outcome_of_no_events_goes_ahead_of_one_that_is_unfinished() -> None:
    log = a_log()
    pair = log.pair("pay")
    log.put(an_outcome(b"r", pair, "B", "C")[0])
    assert log.outcome(pair).verdict is Verdict.ADMITTED


def test_an_unfinished_append_outlives_a_failure() -> None:
    log = a_log()
    pair = log.pair("pay")
    first, second = an_outcome(b"r", pair, "B", "C")
    assert verdicts(log, first, a_failure(b"r", pair, last=False), second)[-1] is Verdict.ADMITTED


def test_a_huge_count_costs_nothing() -> None:
    log = a_log()
    pair = log.pair("pay")
    tracemalloc.start()
    try:
        for _ in range(10):
            head = a_head(
                Kind.OUTCOME, id=b"i", causation=pair.trigger, reactor=b"pay", index=2**32 - 2, count=2**32 - 1
            )
            assert log.put(Record(b"r", None, head)).verdict is Verdict.HELD
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_contracts_of_one_append_come_into_force_together() -> None:
    log = Log()
    first, second = control_records(Kind.CONTRACT, a_contract("pay", "A"), a_contract("ship", "A"))
    assert log.put(first).verdict is Verdict.HELD
    assert log.fold.contracts.get(b"pay") is None
    log.put(second)
    assert reactors(log.start()) == ["pay", "ship"]
    assert log.fold.frames == {}


def test_four_unfinished_appends_of_contracts_are_kept() -> None:
    log = Log()
    unfinished = [control_records(Kind.CONTRACT, a_contract(n, "A"), a_contract(n * 2, "A")) for n in "abcde"]
    for first, _ in unfinished:
        log.put(first)
    assert len(log.fold.frames) == UNFINISHED
    assert log.put(unfinished[0][1]).verdict is Verdict.HELD
    assert log.put(unfinished[4][1]).verdict is Verdict.ADMITTED


def test_a_contract_of_its_own_pushes_no_unfinished_append_out() -> None:
    log = Log()
    unfinished = [control_records(Kind.CONTRACT, a_contract(n, "A"), a_contract(n * 2, "A")) for n in "abcd"]
    for first, _ in unfinished:
        log.put(first)
    log.contracts(a_contract("pay", "A"))
    assert log.put(unfinished[0][1]).verdict is Verdict.ADMITTED
