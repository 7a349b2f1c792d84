"""What deleting the beginning of a partition promises: it is gone, and all else stays where it was."""

import pytest

from farandole.eventstore.errors import PositionLost

from .support import OpenStore, Patient, fresh_name, numbered, record, values


class Truncating(Patient):
    @pytest.mark.parametrize("before", [1, 4, 5, 9, 10])
    async def test_what_lies_below_is_gone_and_the_rest_stays(self, open_store: OpenStore, before: int) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        await store.append(1, numbered(5, "a"))
        await store.append(1, numbered(5, "b"))
        await store.append(2, numbered(3))
        held = (await self.whole(store, 1))[before:]
        await store.truncate(1, before)
        for handle in (store, other, await open_store(name)):
            ends = await handle.ends([1, 2])
            assert (ends[1].first, ends[1].next, ends[2].first) == (before, 10, 0)
            assert await self.within(handle.fetch(1, [r.offset for r in held])) == held
            with pytest.raises(PositionLost):
                await self.within(handle.fetch(1, [before - 1]))
            if held:
                assert await self.read_from(handle, 1, before, len(held)) == held

    async def test_a_reader_that_begins_below_has_lost_its_position(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(6))
        await store.truncate(0, 4)
        async with self.reading(store, 0, start=1) as reader:
            with pytest.raises(PositionLost):
                while True:
                    assert await self.within(reader.read(wait=self.patience)) == []
            reader.follow({0: 4})
            assert values(await self.read(reader, 2)) == [b"v4", b"v5"]

    async def test_offsets_and_stamps_go_on_where_everything_was_deleted(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        await store.append(0, numbered(3))
        [last] = await store.fetch(0, [2])
        await store.truncate(0, 3)
        assert (await other.ends([0]))[0] == (3, 3)
        assert await other.append(0, [record(b"other")]) == 3
        assert await store.append(0, [record(b"one")]) == 4
        found = await self.read_from(await open_store(name), 0, 3, 2)
        assert values(found) == [b"other", b"one"]
        assert last.time <= found[0].time <= found[1].time

    async def test_a_reader_beyond_goes_on_undisturbed(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        await store.append(0, numbered(4))
        async with self.reading(other, 0) as reader:
            await self.read(reader, 4)
            await store.truncate(0, 4)
            await store.append(0, [record(b"next")])
            assert values(await self.read(reader, 1)) == [b"next"]

    async def test_deleting_again_or_less_does_nothing(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(5))
        for before in (3, 3, 1, 0):
            await store.truncate(0, before)
        assert (await store.ends([0]))[0] == (3, 5)
        assert values(await self.read_from(store, 0, 3, 2)) == [b"v3", b"v4"]

    async def test_what_is_not_there_yet_cannot_be_deleted(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, numbered(2))
        with pytest.raises(ValueError, match="ends at offset 2"):
            await store.truncate(0, 3)
        assert (await store.ends([0]))[0] == (0, 2)
