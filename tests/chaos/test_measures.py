"""What the campaign measures is what it says."""

from collections.abc import Mapping

import pytest

from .awaited import BegunAnew, taken_over
from .bounds import ALLOWED, Bound, verdict
from .crew import Death
from .ledger import Note
from .starvation import Starvation, Thread


def begins(at: int, pid: int) -> Note:
    return Note(at, "m", pid, "begins", ("dig", "r", "x"))


def test_a_step_is_taken_over_from_a_worker_that_died_while_it_had_it_and_not_before_or_afterwards() -> None:
    again = [BegunAnew(begins(1_000, 7), begins(9_500, 8))]

    def after(*deaths: int, pid: int = 7) -> list[float]:
        return taken_over(again, [Death("s", "m", pid, at) for at in deaths])

    assert after(2_000) == [7.5]
    assert after(500, 2_000, 30_000) == [7.5]
    assert after(30_000) == []
    assert after(2_000, pid=8) == []


def starved(passed: float, **waited: float) -> float:
    """Of threads that waited so long while so many seconds passed; each had waited a second before."""
    clock, waits = 0.0, dict[Thread, float]()
    for name in waited:
        waits[1, name] = 1.0

    def read() -> Mapping[Thread, float]:
        return dict(waits)

    measure = Starvation(read, lambda: clock)
    clock = passed
    for name, seconds in waited.items():
        waits[1, name] += seconds
    return measure.seconds


def test_what_many_waited_for_a_core_at_the_same_time_is_counted_once() -> None:
    assert starved(10, worker=2, load=3, broker=1) == 3
    assert starved(10) == 0


def test_nobody_waited_for_a_core_longer_than_the_time_that_has_passed() -> None:
    assert starved(10, broker=500) == 10


def test_this_machine_tells_how_long_its_threads_wait_for_a_core() -> None:
    assert 0 <= Starvation().seconds < 1


@pytest.mark.parametrize(
    ("took", "waited", "said"),
    [
        (30, 0, Bound.KEPT),
        (31, 0, Bound.BROKEN),
        (30 * (1 + ALLOWED), 20, Bound.KEPT),
        (30 * (1 + ALLOWED), 5, Bound.BROKEN),
        (50, 25, Bound.NOT_SHOWN),
        (50, 500, Bound.NOT_SHOWN),
    ],
)
def test_a_promise_of_30_s_that_took_so_long_while_somebody_had_no_core(
    took: float, waited: float, said: Bound
) -> None:
    assert verdict(took, waited, 30) is said
