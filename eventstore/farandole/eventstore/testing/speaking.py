"""What is promised of what steps say while they are at work."""

import asyncio

import pytest

from farandole.eventstore.contract import EventStore, NotKept, Reader, Stored
from farandole.eventstore.errors import StoreClosed, StoreError, TooLarge

from .support import Interrupt, OpenStore, Patient, contents, fresh_name, numbered, record, values


def _kept(store: EventStore) -> EventStore:
    if isinstance(store.live, NotKept):
        pytest.skip("this store keeps nothing of what is said live")
    return store


class Speaking(Patient):
    async def test_what_is_said_is_heard_in_order_by_every_reader(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        said = numbered(5)
        ours, theirs = await self._listening(store, 1), await self._listening(other, 1)
        await store.live.append(1, said[:2])
        await store.live.append(1, said[2:])
        for reader in (ours, theirs):
            heard = await self.read(reader, 5)
            assert contents(heard) == contents(said)
            assert [r.offset for r in heard] == sorted({r.offset for r in heard})
            await reader.close()

    async def test_who_comes_late_hears_what_was_said_since_a_time(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, late = await open_store(name), await open_store(name)
        await store.live.append(0, numbered(3, "old"))
        listening = await self._listening(late, 0, time=0)
        old = await self.read(listening, 3)
        await listening.close()
        assert values(old) == [b"old0", b"old1", b"old2"]
        assert all(r.time > 0 for r in old)
        listening = await self._listening(late, 0, time=old[-1].time + 60_000)
        await store.live.append(0, [record(b"new")])
        assert values(await self.read(listening, 1)) == [b"new"]
        await listening.close()

    async def test_partitions_are_heard_apart_and_the_log_stays_as_it_is(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(2, [record(b"event")])
        listening = await self._listening(store, 2)
        await store.live.append(1, [record(b"elsewhere")])
        await store.live.append(2, [record(b"here")])
        assert values(await self.read(listening, 1)) == [b"here"]
        assert values(await self.whole(store, 2)) == [b"event"]
        assert values(await self.whole(store, 1)) == []
        await listening.close()

    async def test_two_choreographies_are_heard_apart(self, open_store: OpenStore) -> None:
        one, two = await open_store(), await open_store()
        listening = await self._listening(one, 0)
        await two.live.append(0, [record(b"two")])
        await one.live.append(0, [record(b"one")])
        assert values(await self.read(listening, 1)) == [b"one"]
        await listening.close()

    async def test_what_is_larger_than_the_log_takes_is_refused(self, open_store: OpenStore) -> None:
        store = _kept(await open_store())
        with pytest.raises(TooLarge):
            await store.live.append(0, [record(b"v" * (store.max_record_bytes + 1))])
        with pytest.raises(ValueError, match="append"):
            await store.live.append(0, [])

    async def test_a_reader_may_be_sent_back_while_it_waits(self, open_store: OpenStore) -> None:
        store = _kept(await open_store())
        begin = await store.live.since(0, 0)
        await store.live.append(0, numbered(2))
        listening = store.live.reader()
        listening.follow({0: begin})
        assert len(await self.read(listening, 2)) == 2
        waiting = asyncio.ensure_future(self.read(listening, 4))
        await asyncio.sleep(0)
        listening.follow({0: begin, 1: await store.live.since(1, 0)})
        await store.live.append(1, numbered(2, "other"))
        assert sorted(v or b"" for v in values(await waiting)) == [b"other0", b"other1", b"v0", b"v1"]
        await listening.close()

    async def test_nothing_is_said_or_heard_once_the_store_is_closed(self, open_store: OpenStore) -> None:
        store = await open_store()
        listening = await self._listening(store, 0)
        waiting = asyncio.ensure_future(listening.read(wait=self.patience))
        await store.close()
        with pytest.raises(StoreClosed):
            await self.within(waiting)
        with pytest.raises(StoreClosed):
            await store.live.append(0, [record(b"late")])
        with pytest.raises(StoreClosed):
            store.live.reader()

    async def test_after_an_outage_it_goes_on(self, open_store: OpenStore, interrupt: Interrupt | None) -> None:
        if interrupt is None:
            pytest.skip("this store has no backend that could go away (fixture interrupt is None)")
        store = await open_store()
        listening = await self._listening(store, 0)
        await store.live.append(0, [record(b"before")])
        async with interrupt():
            said = asyncio.ensure_future(store.live.append(0, [record(b"during")]))
            await asyncio.wait([said], timeout=0.3)
        await asyncio.gather(said, return_exceptions=True)

        async def again() -> None:
            while True:
                try:
                    return await store.live.append(0, [record(b"after")])
                except StoreError:
                    await asyncio.sleep(0)

        await self.within(again())
        heard: list[Stored] = []
        while b"after" not in values(heard):
            for batch in await self.within(listening.read(wait=self.patience)):
                heard += batch
        assert values(heard)[0] == b"before"
        await listening.close()

    async def _listening(self, store: EventStore, partition: int, time: int | None = None) -> Reader:
        _kept(store)
        reader = store.live.reader()
        reader.follow({partition: await store.live.since(partition, await store.now() if time is None else time)})
        return reader
