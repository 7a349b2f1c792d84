"""What is due comes up at its time, and in its order; the log's clock is estimated from what the log shows."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from tests.reactors.working.controls import virtual

from farandole.reactors.keeping.due import Due
from farandole.reactors.keeping.logclock import LogClock


def milliseconds() -> int:
    return round(asyncio.get_running_loop().time() * 1000)


@virtual
async def test_what_is_due_comes_up_at_its_time_the_earliest_first() -> None:
    due, began = Due[str](milliseconds), milliseconds()
    for wait, name in ((500, "b"), (100, "a"), (500, "c"), (900, "d")):
        due.add(began + wait, name)
    assert (await due.next(10), milliseconds() - began) == (["a"], 100)
    assert (await due.next(10), milliseconds() - began) == (["b", "c"], 500)
    assert (await due.next(10), milliseconds() - began) == (["d"], 900)


@virtual
async def test_something_earlier_ends_the_wait_for_something_later() -> None:
    due, began = Due[str](milliseconds), milliseconds()
    due.add(began + 60_000, "late")
    waiting = asyncio.create_task(due.next(10))
    await asyncio.sleep(1)
    due.add(began + 2_000, "early")
    assert await waiting == ["early"]
    assert milliseconds() - began == 2_000


@virtual
async def test_what_is_overdue_comes_up_at_once_some_at_a_time() -> None:
    due = Due[int](milliseconds)
    for n in range(5):
        due.add(-n, n)
    assert [await due.next(2) for _ in range(3)] == [[4, 3], [2, 1], [0]]


@virtual
async def test_what_is_dropped_never_comes_up() -> None:
    due, began = Due[int](milliseconds), milliseconds()
    for n in range(10):
        due.add(began + n, n)
    due.drop(lambda n: n % 2 == 0)
    await asyncio.sleep(1)
    assert await due.next(10) == [1, 3, 5, 7, 9]
    assert len(due) == 0


def test_the_logs_clock_is_ours_until_the_log_shows_otherwise() -> None:
    now = 1_000_000
    clock = LogClock(lambda: now)
    assert clock.now() == 1_000
    clock.seen(1_200)
    clock.seen(900)
    assert clock.now() == 1_200
    now = 2_000_000
    assert clock.now() == 2_200
    clock.told(1_500)
    assert clock.now() == 1_500


@given(phase=st.integers(0, 999), log=st.integers(0, 10**6), waits=st.lists(st.integers(0, 10**4), max_size=20))
def test_the_logs_clock_is_never_thought_to_be_later_than_it_is(phase: int, log: int, waits: list[int]) -> None:
    """Both tick in whole milliseconds, not at the same moment."""
    now = phase
    clock = LogClock(lambda: now)
    clock.told((now + log) // 1000)
    for wait in waits:
        now += wait
        assert clock.now() <= (now + log) // 1000
