"""A reader that restored its state holds it in another order than one that lived through the log; both go on equally."""

import copy
from collections.abc import Callable

import pytest
from tests.projections.fold.log import END, Log, a_catcher, a_contract, a_failure, an_outcome, control_records
from tests.projections.fold.snapshot import snapshot

from farandole.projections.fold import Fold
from farandole.schemas.envelope import Kind


def reversed_(fold: Fold) -> Fold:
    """The fold, with everything that carries no order turned round."""
    fold = copy.deepcopy(fold)
    for run in fold.runs.values():
        run.owed = dict(reversed(run.owed.items()))
        run.joins = dict(reversed(run.joins.items())) if run.joins else run.joins
    fold.runs = dict(reversed(fold.runs.items()))
    fold.keeping = dict(reversed(fold.keeping.items()))
    return fold


def retire(log: Log) -> None:
    log.contracts(a_contract("pay", "A", state="retired_drop"))


def begin(log: Log) -> None:
    log.contracts(a_contract("odd", "Odd"), a_contract("join", "Odd", "A"))


def retry(log: Log) -> None:
    log.retry(b"x-b", b"b")


@pytest.mark.parametrize("act", [retire, begin, retry])
def test_it_makes_no_difference(act: Callable[[Log], None]) -> None:
    log = Log(dedup_most=1, join_most=1, settle=10**6)
    log.contracts(
        a_contract("pay", "A"), a_contract("ship", "A"), a_contract("one", "A", "Z"), a_catcher("c", of=["-"])
    )
    log.contracts(a_contract("two", "A|B", "Y"))
    for run in (b"a", b"b", b"c"):
        log.start(run, id=b"x-" + run)
        log.outcome(log.pair("ship", run), "A", "Odd", run=run, flags=END)
        log.put(a_failure(run, log.pairs("pay", run)[0]))
        while ship := log.pairs("ship", run):
            log.put(*an_outcome(run, ship[0]))
    other, position = reversed_(log.fold), len(log.stored)
    act(log)
    log.put(*control_records(Kind.RELEASED, {"member": "m"}))
    for record in log.stored[position:]:
        other.apply(record)
    assert snapshot(other) == snapshot(log.fold)


def test_runs_that_one_record_closes_are_remembered_in_the_order_of_their_starts() -> None:
    log = Log(dedup_most=1)
    log.contracts(a_contract("pay", "A"), a_contract("ship", "A"))
    for run in (b"b", b"a", b"c"):
        log.start(run)
        log.outcome(log.pair("ship", run), "Done", run=run, flags=END)
    other, position = reversed_(log.fold), len(log.stored)
    retire(log)
    other.apply(log.stored[position])
    assert snapshot(other)["closed"] == snapshot(log.fold)["closed"]
    assert b"c" in other.closed
