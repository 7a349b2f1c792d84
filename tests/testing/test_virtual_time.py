"""Virtual time jumps, is deterministic, and says when nothing can go on."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from controls import a_record
from farandole.eventstore import LoopClock, Stored, connect
from farandole.testing import Deadlock, VirtualTimeLoop, run_virtual


def test_a_year_of_waiting_takes_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(365 * 86_400)
        return asyncio.get_running_loop().time()

    began = time.process_time()
    assert run_virtual(main()) == pytest.approx(365 * 86_400)
    assert time.process_time() - began < 5


def test_timers_go_off_in_their_order() -> None:
    async def main() -> list[float]:
        seen: list[float] = []

        async def at(delay: float) -> None:
            await asyncio.sleep(delay)
            seen.append(delay)

        await asyncio.gather(*(at(d) for d in (3, 0.5, 40_000, 1, 0.25)))
        return seen

    assert run_virtual(main()) == [0.25, 0.5, 1, 3, 40_000]


def test_far_off_timers_still_become_due() -> None:
    async def main() -> int:
        await asyncio.sleep(100 * 365 * 86_400)
        for _ in range(1000):
            await asyncio.sleep(0.001)
        return round(asyncio.get_running_loop().time())

    assert run_virtual(main()) == 100 * 365 * 86_400 + 1


def test_a_timeout_goes_off() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.Event().wait()

    run_virtual(main())


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(5, lambda: None)
        assert await asyncio.to_thread(sum, range(1_000_000)) == 499_999_500_000
        timer.cancel()
        return loop.time()

    assert run_virtual(main()) == 0


def test_a_deadlock_says_who_waits_where() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        await asyncio.create_task(forever(), name="the forgotten one")

    with pytest.raises(Deadlock, match=r"the forgotten one waits in .*forever, line \d+"):
        run_virtual(main())


def test_what_is_left_behind_is_cancelled() -> None:
    ended: list[str] = []

    async def main() -> None:
        async def background() -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                ended.append("cancelled")

        task = asyncio.create_task(background())
        await asyncio.sleep(1)
        assert not task.done()

    run_virtual(main())
    assert ended == ["cancelled"]


def test_the_loop_clock_tells_virtual_time() -> None:
    async def main() -> tuple[int, int]:
        clock = LoopClock(epoch=1_000_000)
        before = clock.now()
        await asyncio.sleep(90.5)
        return before, clock.now()

    assert run_virtual(main()) == (1_000_000, 1_090_500)


def test_a_store_in_memory_lives_on_virtual_time_and_is_the_same_each_time() -> None:
    async def main() -> list[Sequence[Stored]]:
        async with await connect("memory://", "dance", partitions=2, clock=LoopClock()) as store:

            async def write() -> None:
                for i in range(20):
                    await asyncio.sleep(60)
                    await store.append(i % 2, [a_record(b"%d" % i)])

            async def read() -> list[Sequence[Stored]]:
                reader = store.reader()
                reader.follow({0: 0, 1: 0})
                found: list[Sequence[Stored]] = []
                while len(found) < 20:
                    found += await reader.read(wait=25)
                return found

            return (await asyncio.gather(read(), write()))[0]

    first = run_virtual(main())
    assert first == run_virtual(main())
    assert [b[0].time - first[0][0].time for b in first] == [60_000 * i for i in range(20)]


def test_the_loop_is_an_event_loop_like_any_other() -> None:
    loop = VirtualTimeLoop()
    try:
        loop.call_later(3600, loop.stop)
        loop.run_forever()
        assert loop.time() == 3600
    finally:
        loop.close()
