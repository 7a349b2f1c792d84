"""What is past costs nothing, and what waits costs little."""

import gc
import tracemalloc
from collections.abc import Callable

from tests.projections.fold.log import END, Log, a_contract

from farandole.projections.fold import Fold

RUNS = 2000


def bytes_each(log: Log, act: Callable[[bytes], None], count: int = RUNS) -> float:
    """Bytes of fold state that one more of something takes: the records are made first, then folded by another fold."""
    fold, before = Fold(0, 1), len(log.stored)
    for record in log.stored:
        fold.apply(record)
    for i in range(count):
        act(b"%032d" % i)
    gc.collect()
    tracemalloc.start()
    try:
        for record in log.stored[before:]:
            fold.apply(record)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / count
    finally:
        tracemalloc.stop()


def test_an_open_run_that_waits_takes_less_than_a_kibibyte() -> None:
    log = Log()
    log.contracts(a_contract("ask", "A"), a_contract("go_on", "Answered", signals=["t.Answered"]))

    def wait(run: bytes) -> None:
        log.start(run)
        log.outcome(log.pair("ask", run), run=run)

    assert bytes_each(log, wait) <= 1024


def test_an_open_run_with_a_half_full_join_takes_less_than_a_kibibyte_and_a_half() -> None:
    log = Log()
    log.contracts(a_contract("join", "A", "B"))
    assert bytes_each(log, lambda run: (log.start(run), None)[1]) <= 1536


def test_an_open_run_that_owes_a_step_takes_less_than_a_kibibyte_and_a_half() -> None:
    log = Log()
    log.contracts(a_contract("ask", "A"))
    assert bytes_each(log, lambda run: (log.start(run), None)[1]) <= 1536


def test_a_run_of_many_events_takes_no_more_than_one_of_few() -> None:
    log = Log()
    log.contracts(a_contract("step", "A|B"))
    log.start()

    def step(_: bytes) -> None:
        log.outcome(log.pair("step"), "B")

    assert bytes_each(log, step) <= 4


def test_an_outcome_that_can_be_undone_takes_320_bytes_at_most() -> None:
    log = Log()
    log.contracts(a_contract("step", "A|B", compensates=True))
    log.start()

    def step(_: bytes) -> None:
        log.outcome(log.pair("step"), "B")

    assert bytes_each(log, step) <= 320


def test_a_closed_run_takes_a_hundred_bytes_at_most() -> None:
    log = Log()
    log.contracts(a_contract("pay", "A"))

    def run(run: bytes) -> None:
        log.start(run)
        log.outcome(log.pair("pay", run), "Done", run=run, flags=END)

    assert bytes_each(log, run) <= 128


def test_names_of_types_that_nobody_reuses_do_not_pile_up() -> None:
    log = Log()
    log.start()
    log.setting("kept", 0)
    for i in range(10_050):
        log.fold.intern(b"t.%d" % i)
    assert len(log.fold._names) < 10_050
