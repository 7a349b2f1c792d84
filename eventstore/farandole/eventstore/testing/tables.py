"""What the catalogue, the checkpoints and the rejected records promise."""

import pytest

from farandole.eventstore.errors import TooLarge
from farandole.eventstore.rejection import OFFSET, PARTITION, REASON, TOPIC

from .support import OpenStore, Patient, fresh_name, record


class Tables(Patient):
    async def test_a_table_is_empty_at_first(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert await store.catalogue.load() == {}
        assert await store.checkpoints.load() == {}

    async def test_a_table_keeps_the_last_value_of_each_key(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.catalogue.put(b"a", b"1")
        await store.catalogue.put(b"b", b"")
        await store.catalogue.put(b"a", bytes(range(256)))
        assert await store.catalogue.load() == {b"a": bytes(range(256)), b"b": b""}

    async def test_putting_none_removes_a_key(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.checkpoints.put(b"a", b"1")
        await store.checkpoints.put(b"b", b"2")
        await store.checkpoints.put(b"a", None)
        await store.checkpoints.put(b"never there", None)
        assert await store.checkpoints.load() == {b"b": b"2"}

    async def test_the_tables_are_apart(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.catalogue.put(b"a", b"catalogue")
        await store.checkpoints.put(b"a", b"checkpoints")
        assert await store.catalogue.load() == {b"a": b"catalogue"}
        assert await store.checkpoints.load() == {b"a": b"checkpoints"}

    async def test_another_handle_loads_what_was_put(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        for i in range(3):
            await store.catalogue.put(b"a", b"%d" % i)
            assert await other.catalogue.load() == {b"a": b"%d" % i}
        await other.catalogue.put(b"a", None)
        assert await store.catalogue.load() == {}

    async def test_what_was_loaded_does_not_change(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.catalogue.put(b"a", b"1")
        loaded = await store.catalogue.load()
        await store.catalogue.put(b"a", b"2")
        assert loaded == {b"a": b"1"}

    async def test_a_scan_gives_the_keys_that_begin_so(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        for key in (b"3/1", b"3/2", b"3", b"30/1", b"4/1", b"\xff\xff"):
            await store.checkpoints.put(key, b"old")
        await store.checkpoints.put(b"3/1", b"new")
        await store.checkpoints.put(b"3/2", None)
        assert await other.checkpoints.scan(b"3/") == {b"3/1": b"new"}
        assert await other.checkpoints.scan(b"\xff") == {b"\xff\xff": b"old"}
        assert await other.checkpoints.scan(b"none") == {}
        assert await other.checkpoints.scan(b"") == await store.checkpoints.load()

    async def test_entries_are_picked_by_their_keys(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        for key in (b"1", b"2", b"3"):
            await store.checkpoints.put(key, b"old")
        await store.checkpoints.put(b"2", b"new")
        await store.checkpoints.put(b"3", None)
        assert await other.checkpoints.pick([b"2", b"3", b"none"]) == {b"2": b"new"}
        assert await other.checkpoints.pick([]) == {}

    async def test_a_part_of_a_table_keeps_up_with_it(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        part = other.checkpoints.part(b"m/")
        assert await part.load() == {}
        await store.checkpoints.put(b"m/1", b"1")
        await store.checkpoints.put(b"c/1", b"1")
        assert await part.load() == {b"m/1": b"1"}
        await part.put(b"m/2", b"2")
        await store.checkpoints.put(b"m/1", None)
        assert await part.load() == {b"m/2": b"2"}
        assert await part.scan(b"m/3") == {}
        assert await part.pick([b"c/1", b"m/2"]) == {b"m/2": b"2"}
        assert await store.checkpoints.scan(b"m/") == {b"m/2": b"2"}

    async def test_an_entry_too_large_is_refused(self, open_store: OpenStore) -> None:
        store = await open_store()
        with pytest.raises(TooLarge):
            await store.catalogue.put(b"a", bytes(store.max_record_bytes + 1))
        assert await store.catalogue.load() == {}

    async def test_a_rejected_record_is_kept_with_the_reason_and_where_it_was(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(1, [record(b"good")])
        original = record(b"bad", key=None, headers=(("odd", b"1"), ("odd", b"2")))
        offset = await store.append(1, [original])
        [bad] = await store.fetch(1, [offset])
        await store.reject(bad, "header fa is missing: ü")
        [copy] = [r async for r in store.rejected()]
        assert (copy.key, copy.value) == (None, b"bad")
        assert list(copy.headers)[:2] == list(original.headers)
        added = dict(list(copy.headers)[2:])
        assert added[REASON].decode() == "header fa is missing: ü"
        assert (added[PARTITION], added[OFFSET]) == (b"1", b"%d" % offset)
        assert added[TOPIC].endswith(b".events")

    async def test_a_record_is_rejected_once_for_each_offset(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        await store.append(0, [record(b"a"), record(b"a")])
        one, two = await store.fetch(0, [0, 1])
        for handle, bad in ((store, one), (store, one), (other, one), (other, two)):
            await handle.reject(bad, "why")
        assert sorted(dict(r.headers)[OFFSET] for r in [r async for r in other.rejected()]) == [b"0", b"1"]
