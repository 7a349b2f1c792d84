"""What readers promise: each record once, in order, from any position, while others append."""

import asyncio

import pytest

from farandole.eventstore.errors import PositionLost

from .support import OpenStore, Patient, contents, fresh_name, next_of, numbered, record, values


class Reading(Patient):
    async def test_a_reader_without_news_returns_empty_handed(self, open_store: OpenStore) -> None:
        store = await open_store()
        async with self.reading(store, 0, 1, 2, 3) as reader:
            assert await self.within(reader.read(wait=0.05)) == []

    async def test_a_reader_that_follows_nothing_returns_empty_handed(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, [record(b"a")])
        async with self.reading(store) as reader:
            assert await self.within(reader.read(wait=0.05)) == []

    async def test_a_waiting_reader_is_woken_by_an_append(self, open_store: OpenStore) -> None:
        store = await open_store()
        async with self.reading(store, 0, 1) as reader:
            waiting = asyncio.ensure_future(reader.read(wait=10 * self.patience))
            await store.append(1, [record(b"a")])
            [batch] = await self.within(waiting)
            assert values(batch) == [b"a"]

    async def test_a_reader_sees_what_another_handle_appends(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        async with self.reading(other, 0) as reader:
            for i in range(5):
                await store.append(0, numbered(2, f"{i}/"))
                assert values(await self.read(reader, 2)) == [b"%d/0" % i, b"%d/1" % i]

    async def test_reading_while_appending_gives_each_record_once_and_in_order(self, open_store: OpenStore) -> None:
        store = await open_store()

        async def write() -> None:
            for i in range(100):
                await store.append(i % 2, [record(b"%d/%d" % (i, n)) for n in range(3)])

        async with self.reading(store, 0, 1) as reader:
            found, _ = await asyncio.gather(self.read(reader, 300), self.within(write()))
        for p in (0, 1):
            assert [r.value for r in found if r.partition == p] == [
                b"%d/%d" % (i, n) for i in range(p, 100, 2) for n in range(3)
            ]

    async def test_two_readers_do_not_disturb_each_other(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(4))
        async with self.reading(store, 0) as one, self.reading(store, 0, start=2) as two:
            assert values(await self.read(one, 4)) == [b"v0", b"v1", b"v2", b"v3"]
            assert values(await self.read(two, 2)) == [b"v2", b"v3"]

    async def test_a_reader_may_begin_inside_a_batch(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(10))
        assert values(await self.read_from(store, 0, 7, 3)) == [b"v7", b"v8", b"v9"]

    async def test_following_goes_on_for_what_stays_and_ends_for_what_goes(self, open_store: OpenStore) -> None:
        store = await open_store()
        for p in range(3):
            await store.append(p, numbered(2, f"{p}/"))
        async with self.reading(store, 0, 1) as reader:
            assert sorted(v for v in values(await self.read(reader, 4)) if v) == [b"0/0", b"0/1", b"1/0", b"1/1"]
            reader.follow({1: 2, 2: 0})
            for p in range(3):
                await store.append(p, [record(b"%d/2" % p)])
            found = await self.read(reader, 4)
            assert [r.value for r in found if r.partition == 1] == [b"1/2"]
            assert [r.value for r in found if r.partition == 2] == [b"2/0", b"2/1", b"2/2"]
            reader.follow({0: 2})
            assert values(await self.read(reader, 1)) == [b"0/2"]

    async def test_following_an_earlier_offset_reads_again(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(3))
        async with self.reading(store, 0) as reader:
            await self.read(reader, 3)
            reader.follow({0: 1})
            assert values(await self.read(reader, 2)) == [b"v1", b"v2"]

    async def test_following_something_else_after_an_empty_read_is_heeded(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(1, [record(b"a")])
        async with self.reading(store, 0) as reader:
            assert await self.within(reader.read(wait=0.05)) == []
            reader.follow({1: 0})
            assert values(await self.read(reader, 1)) == [b"a"]

    async def test_a_cancelled_read_loses_nothing(self, open_store: OpenStore) -> None:
        store = await open_store()
        async with self.reading(store, 0) as reader:
            for i in range(5):
                waiting = asyncio.ensure_future(reader.read(wait=self.patience))
                await store.ends([0])
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                if waiting.cancelled():
                    await store.append(0, [record(b"%d" % i)])
                    assert values(await self.read(reader, 1)) == [b"%d" % i]

    async def test_a_position_beyond_the_end_is_lost(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(2))
        async with self.reading(store, 0, start=9) as reader:
            with pytest.raises(PositionLost):
                while True:
                    assert await self.within(reader.read(wait=self.patience)) == []

    async def test_a_reader_goes_on_after_a_lost_position(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(2))
        async with self.reading(store, 0, start=9) as reader:
            with pytest.raises(PositionLost):
                while True:
                    assert await self.within(reader.read(wait=self.patience)) == []
            reader.follow({0: 0})
            assert values(await self.read(reader, 2)) == [b"v0", b"v1"]

    async def test_records_are_fetched_by_their_offsets(self, open_store: OpenStore) -> None:
        store = await open_store()
        batch = numbered(10)
        for r in batch:
            await store.append(1, [r])
        found = await self.within(store.fetch(1, [0, 3, 4, 9]))
        assert contents(found) == contents(batch[i] for i in (0, 3, 4, 9))
        assert [(r.partition, r.offset) for r in found] == [(1, 0), (1, 3), (1, 4), (1, 9)]
        assert found[1] in await self.whole(store, 1)
        assert await store.fetch(1, []) == []

    async def test_fetching_what_is_not_yet_there_is_a_lost_position(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(2))
        with pytest.raises(PositionLost):
            await self.within(store.fetch(0, [1, 2]))

    async def test_the_log_outlives_its_handles(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store = await open_store(name)
        await store.append(0, numbered(3))
        found = await self.whole(store, 0)
        await store.close()
        again = await open_store(name)
        assert await self.whole(again, 0) == found
        assert await again.append(0, [record(b"more")]) == await next_of(again, 0) - 1
