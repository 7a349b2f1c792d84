"""Stamps of the stores that stamp for themselves never go back, whatever the clock does."""

from pathlib import Path

import pytest

from controls import a_record
from farandole.eventstore import connect


class SetClock:
    """A clock that shows what it was set to."""

    def __init__(self, time: int) -> None:
        self.time = time

    def now(self) -> int:
        return self.time


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_stamp_is_never_lower_than_the_last(kind: str, tmp_path: Path) -> None:
    url = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/log.db"}[kind]
    clock = SetClock(5_000)
    async with await connect(url, "dance", clock=clock) as store:
        for time in (5_000, 7_000, 6_000, 0, 8_000):
            clock.time = time
            await store.append(0, [a_record(), a_record()])
        clock.time = 6_500
        await store.append(1, [a_record()])
        assert [r.time for r in await store.fetch(0, range(0, 10, 2))] == [5_000, 7_000, 7_000, 7_000, 8_000]
        assert [r.time for r in await store.fetch(1, [0])] == [6_500]
        assert await store.now() == 6_500


async def test_another_handle_with_a_slower_clock_stamps_no_lower(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db"
    async with (
        await connect(url, "dance", clock=SetClock(9_000)) as fast,
        await connect(url, "dance", clock=SetClock(1_000)) as slow,
    ):
        for store in (slow, fast, slow, fast, slow):
            await store.append(0, [a_record()])
        assert [r.time for r in await slow.fetch(0, range(5))] == [1_000, 9_000, 9_000, 9_000, 9_000]
