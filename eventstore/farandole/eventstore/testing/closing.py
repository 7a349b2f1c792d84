"""What a closed store promises: to say so, everywhere and at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from farandole.eventstore.contract import EventStore, Stored
from farandole.eventstore.errors import StoreClosed, StoreError

from .support import OpenStore, Patient, fresh_name, numbered, record, values

BAD = Stored(0, 0, 0, b"k", b"v", ())


async def _read(store: EventStore) -> None:
    reader = store.reader()
    reader.follow({0: 0})
    await reader.read(wait=60)


async def _own(store: EventStore) -> None:
    async with store.own("kitchen") as member:
        await member.changed()


async def _rejected(store: EventStore) -> None:
    async for _ in store.rejected():
        pass


CALLS: dict[str, Callable[[EventStore], Awaitable[object]]] = {
    "append": lambda s: s.append(0, [record(b"a")]),
    "ends": lambda s: s.ends([0]),
    "fetch": lambda s: s.fetch(0, [0]),
    "read": _read,
    "own": _own,
    "reject": lambda s: s.reject(BAD, "why"),
    "rejected": _rejected,
    "put": lambda s: s.catalogue.put(b"a", b"1"),
    "load": lambda s: s.checkpoints.load(),
    "now": lambda s: s.now(),
}


class Closing(Patient):
    @pytest.mark.parametrize("call", CALLS)
    async def test_a_closed_store_says_so(self, open_store: OpenStore, call: str) -> None:
        store = await open_store()
        await store.append(0, [record(b"a")])
        await store.close()
        with pytest.raises(StoreClosed):
            await self.within(CALLS[call](store))

    async def test_closing_twice_does_nothing(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.close()
        await store.close()

    async def test_a_store_is_closed_at_the_end_of_its_context(self, open_store: OpenStore) -> None:
        async with await open_store() as store:
            await store.append(0, [record(b"a")])
        with pytest.raises(StoreClosed):
            await store.append(0, [record(b"b")])

    async def test_a_waiting_read_ends_when_the_store_is_closed(self, open_store: OpenStore) -> None:
        store = await open_store()
        reader = store.reader()
        reader.follow({0: 0})
        waiting = asyncio.ensure_future(reader.read(wait=10 * self.patience))
        await store.ends([0])
        await store.close()
        with pytest.raises(StoreClosed):
            await self.within(waiting)

    async def test_a_member_that_waits_is_told_when_the_store_is_closed(self, open_store: OpenStore) -> None:
        store = await open_store()
        async with store.own("kitchen") as member:
            await self.owned(member, lambda owned: len(owned) == 4)

            async def wait() -> None:
                while True:
                    await member.changed()

            waiting = asyncio.ensure_future(wait())
            await store.ends([0])
            await store.close()
            with pytest.raises(StoreClosed):
                await self.within(waiting)

    async def test_closing_a_reader_leaves_the_store_open(self, open_store: OpenStore) -> None:
        store = await open_store()
        reader = store.reader()
        reader.follow({0: 0})
        await reader.close()
        with pytest.raises(StoreClosed):
            await reader.read(wait=0.05)
        await store.append(0, [record(b"a")])
        assert values(await self.whole(store, 0)) == [b"a"]

    async def test_appends_in_flight_are_finished_or_fail_when_the_store_is_closed(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store = await open_store(name)
        appends = [asyncio.ensure_future(store.append(0, numbered(2, f"{i}/"))) for i in range(20)]
        await store.ends([0])
        await store.close()
        results = await self.within(asyncio.gather(*appends, return_exceptions=True))
        assert all(isinstance(r, int | StoreError) for r in results)
        found = values(await self.whole(await open_store(name), 0))
        for i, result in enumerate(results):
            if isinstance(result, int):
                assert found[result : result + 2] == [b"%d/0" % i, b"%d/1" % i]
