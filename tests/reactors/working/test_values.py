"""Recorded values are read once for all who want them, and whoever gives up takes them from nobody."""

import asyncio
import tracemalloc
from collections.abc import Sequence

import pytest
from tests.reactors.working.controls import virtual

from farandole.eventstore import PositionLost, Stored, StoreUnavailable
from farandole.reactors.values import Values


class Shelf:
    """A store of records that can be fetched, when the test lets them be."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.end = 2**62

    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        self.asked.append(tuple(offsets))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if offsets[-1] >= self.end:
            raise PositionLost(f"the log ends at {self.end}")
        return [a_record(offset, partition) for offset in offsets]


def a_record(offset: int, partition: int = 0) -> Stored:
    return Stored(partition, offset, 0, b"run", b"x" * 100, ())


@virtual
async def test_in_the_order_asked_for_and_fetched_in_the_order_of_offsets() -> None:
    shelf = Shelf()
    values = Values(shelf)  # type: ignore[arg-type]
    assert [r.offset for r in await values.get(0, (9, 3, 5, 3))] == [9, 3, 5, 3]
    assert shelf.asked == [(3, 5, 9)]
    assert [r.offset for r in await values.get(0, (5, 3))] == [5, 3]
    assert len(shelf.asked) == 1


@virtual
async def test_what_many_want_at_once_is_fetched_once() -> None:
    shelf = Shelf()
    values = Values(shelf)  # type: ignore[arg-type]
    await asyncio.gather(*(values.get(0, (n, n + 1)) for n in range(100)))
    assert shelf.asked == [tuple(range(101))]


@virtual
async def test_what_is_wanted_while_others_are_fetched_is_fetched_next() -> None:
    shelf = Shelf()
    values = Values(shelf)  # type: ignore[arg-type]
    shelf.gate.clear()
    first = asyncio.ensure_future(values.get(0, (1,)))
    await asyncio.sleep(1)
    second = asyncio.ensure_future(values.get(0, (1, 2)))
    await asyncio.sleep(1)
    shelf.gate.set()
    assert [r.offset for r in await first] == [1]
    assert [r.offset for r in await second] == [1, 2]
    for offset in range(3, 200):  # as each is done the next is wanted
        await values.get(0, (offset,))


@virtual
async def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    shelf = Shelf()
    values = Values(shelf)  # type: ignore[arg-type]
    shelf.gate.clear()
    first, second = (asyncio.ensure_future(values.get(0, (1, 2))) for _ in range(2))
    await asyncio.sleep(1)
    first.cancel()
    await asyncio.sleep(1)
    third = asyncio.ensure_future(values.get(0, (1,)))
    shelf.gate.set()
    assert len(await second) == 2
    assert len(await third) == 1


@pytest.mark.parametrize("error", [StoreUnavailable("away"), PositionLost("gone")])
@virtual
async def test_what_cannot_be_read_now_is_told_and_may_be_asked_for_again(error: Exception) -> None:
    shelf = Shelf()
    values = Values(shelf)  # type: ignore[arg-type]
    shelf.error = error
    with pytest.raises(type(error)):
        await values.get(0, (1, 2))
    shelf.error = None
    assert len(await values.get(0, (1, 2))) == 2


@virtual
async def test_what_is_kept_stays_within_the_budget() -> None:
    shelf = Shelf()
    values = Values(shelf, most_bytes=5000)  # type: ignore[arg-type]
    for offset in range(100):
        values.remember(a_record(offset))
        assert values.bytes <= 5000
    await values.get(0, (99,))
    assert not shelf.asked
    await values.get(0, (0,))
    assert shelf.asked == [(0,)]


@virtual
async def test_closing_leaves_nobody_waiting() -> None:
    shelf = Shelf()
    values = Values(shelf)  # type: ignore[arg-type]
    shelf.gate.clear()
    waiting = asyncio.ensure_future(values.get(0, (1,)))
    await asyncio.sleep(1)
    await values.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 10)


@virtual
async def test_what_the_log_lacks_takes_nothing_else_along() -> None:
    shelf = Shelf()
    shelf.end = 1000
    values = Values(shelf)  # type: ignore[arg-type]
    values.expect(0, (7, 1500))
    wanted = [(n,) for n in range(40)] + [(10**9,), (2**63,), (2**64 - 1,)]
    found = await asyncio.gather(*(values.get(0, each) for each in wanted), return_exceptions=True)
    assert [record.offset for each in found[:40] for record in each] == list(range(40))  # type: ignore[union-attr]
    assert [type(each) for each in found[40:]] == [PositionLost] * 3


@virtual
async def test_headers_and_keys_count_towards_what_is_kept() -> None:
    values = Values(Shelf(), most_bytes=10_000)  # type: ignore[arg-type]
    for offset in range(100):
        values.remember(Stored(0, offset, 0, b"k" * 1000, b"", [("other", b"x" * 1000)]))
    assert values.bytes <= 10_000
    assert len(values._kept) <= 4


@pytest.mark.parametrize(("headers", "size"), [(0, 10), (5, 100), (5, 3000), (8, 400)])
def test_the_budget_is_of_memory_and_not_of_bytes_in_the_log(headers: int, size: int) -> None:
    values = Values(Shelf(), most_bytes=1 << 20)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(4000):
            # As a client makes them: no string or number of one is another's.
            named = [("".join(("ce_", "name", str(n % 9))), bytes(40)) for _ in range(headers)]
            values.remember(Stored(0, 10**6 + n, 10**12 + n, bytes(36), bytes(size), named))
        now, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert values.bytes == pytest.approx(1 << 20, rel=0.02)
    assert now - before == pytest.approx(values.bytes, rel=0.2)
