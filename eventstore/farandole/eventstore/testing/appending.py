"""What an append promises: order, whole batches, exact bytes, a refusal before anything is sent."""

import asyncio

import pytest

from farandole.eventstore.contract import Ends, Record
from farandole.eventstore.errors import StoreMisconfigured, TooLarge
from farandole.eventstore.partitioner import partition_of
from farandole.schemas.envelope import Header

from .support import OpenStore, Patient, content, contents, fresh_name, next_of, numbered, record, values

EXACT: dict[str, Record] = {
    "ordinary": record(b"value"),
    "empty value": record(b""),
    "no value": record(None),
    "empty key": record(b"value", key=b""),
    "no key": record(b"value", key=None),
    "nothing at all": Record(None, None, ()),
    "no headers": record(b"value", headers=()),
    "empty header": record(b"value", headers=(("a", b""),)),
    "repeated headers": record(b"value", headers=(("b", b"1"), ("a", b"2"), ("b", b"3"), ("b", b"1"))),
    "header name beyond ASCII": record(b"value", headers=(("schlüssel-鍵", b"\x00"),)),
    "all byte values": record(bytes(range(256)), key=bytes(range(255, -1, -1))),
}


class Appending(Patient):
    async def test_a_new_log_is_empty(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert store.partitions == 4
        assert await store.ends(range(4)) == {p: Ends(0, 0) for p in range(4)}

    async def test_append_returns_the_offset_of_its_first_record(self, open_store: OpenStore) -> None:
        store = await open_store()
        for count in (1, 3, 2):
            expected = await next_of(store, 1)
            assert await store.append(1, numbered(count)) == expected
        assert (await store.ends([1]))[1].next == 6
        assert (await store.ends([0]))[0].next == 0

    async def test_a_batch_is_read_in_the_order_given(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.append(0, [record(b"before")])
        batch = numbered(20)
        first = await store.append(0, batch)
        found = await self.read_from(store, 0, first, 20)
        assert contents(found) == contents(batch)
        assert [r.offset for r in found] == sorted({r.offset for r in found})
        assert found[0].offset == first

    @pytest.mark.parametrize("kind", EXACT)
    async def test_a_record_keeps_its_bytes_exactly(self, open_store: OpenStore, kind: str) -> None:
        store = await open_store()
        first = await store.append(2, [EXACT[kind]])
        [read] = await self.read_from(store, 2, first, 1)
        [fetched] = await store.fetch(2, [first])
        assert content(read) == content(fetched) == content(EXACT[kind])

    async def test_a_caller_may_change_its_headers_after_appending(self, open_store: OpenStore) -> None:
        store = await open_store()
        headers: list[Header] = [("a", b"1")]
        first = await store.append(0, [Record(b"k", b"v", headers)])
        headers.append(("b", b"2"))
        [found] = await self.read_from(store, 0, first, 1)
        assert list(found.headers) == [("a", b"1")]

    async def test_concurrent_appends_are_taken_in_the_order_of_the_calls(self, open_store: OpenStore) -> None:
        store = await open_store()
        appends = [asyncio.ensure_future(store.append(3, [record(b"%d" % i)])) for i in range(200)]
        offsets = await self.within(asyncio.gather(*appends))
        assert offsets == sorted(offsets)
        found = await self.whole(store, 3)
        assert values(found) == [b"%d" % i for i in range(200)]
        assert [r.offset for r in found] == offsets

    async def test_concurrent_appends_to_all_partitions_do_not_mix(self, open_store: OpenStore) -> None:
        store = await open_store()
        await self.within(asyncio.gather(*(store.append(i % 4, [record(b"%d" % i)]) for i in range(100))))
        for p in range(4):
            assert values(await self.whole(store, p)) == [b"%d" % i for i in range(p, 100, 4)]

    async def test_every_batch_is_whole_to_a_reader_who_races_its_append(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        sizes = [1 + i % 7 for i in range(60)]

        async def write() -> None:
            await asyncio.gather(
                *(
                    (store, other)[i % 2].append(0, [record(b"%d/%d" % (i, n)) for n in range(size)])
                    for i, size in enumerate(sizes)
                )
            )

        async with self.reading(other, 0) as reader:
            found, _ = await asyncio.gather(self.read(reader, sum(sizes)), self.within(write()))
        parts: dict[bytes, list[bytes]] = {}
        for value in values(found):
            assert value is not None
            append, _, index = value.partition(b"/")
            parts.setdefault(append, []).append(index)
        assert parts == {b"%d" % i: [b"%d" % n for n in range(size)] for i, size in enumerate(sizes)}

    async def test_an_append_larger_than_a_batch_is_split_in_order(self, open_store: OpenStore) -> None:
        store = await open_store()
        large = [record(b"%06d" % i + bytes(store.max_record_bytes // 20)) for i in range(50)]
        first = await self.within(store.append(0, large))
        found = await self.read_from(store, 0, first, 50)
        assert [v and v[:6] for v in values(found)] == [b"%06d" % i for i in range(50)]

    async def test_the_same_bytes_appended_again_are_two_records(self, open_store: OpenStore) -> None:
        # A lost acknowledgement is answered by appending the same bytes; the fold refuses the copy, the log keeps it.
        store = await open_store()
        batch = numbered(3)
        await store.append(0, batch)
        await store.append(0, batch)
        assert values(await self.whole(store, 0)) == [b"v0", b"v1", b"v2"] * 2

    async def test_the_largest_record_is_taken_and_one_byte_more_is_not(self, open_store: OpenStore) -> None:
        store = await open_store()
        largest = Record(None, bytes(store.max_record_bytes), ())
        first = await self.within(store.append(0, [largest]))
        with pytest.raises(TooLarge):
            await self.within(store.append(0, [Record(b"k", largest.value, ())]))
        [found] = await self.read_from(store, 0, first, 1)
        assert found.value == largest.value

    async def test_a_batch_with_a_record_too_large_leaves_nothing_and_the_store_goes_on(
        self, open_store: OpenStore
    ) -> None:
        store = await open_store()
        others = [asyncio.ensure_future(store.append(0, [record(b"a")])) for _ in range(3)]
        with pytest.raises(TooLarge) as refused:
            await self.within(
                store.append(0, [record(b"b"), Record(b"key", b"value", [("h", bytes(store.max_record_bytes))])])
            )
        assert f"{store.max_record_bytes:,}" in str(refused.value)
        await self.within(asyncio.gather(*others))
        await store.append(0, [record(b"c")])
        assert values(await self.whole(store, 0)) == [b"a", b"a", b"a", b"c"]

    async def test_a_cancelled_append_is_whole_or_not_there_and_hurts_no_other(self, open_store: OpenStore) -> None:
        store = await open_store()
        appends = [asyncio.ensure_future(store.append(0, numbered(3, f"{i}/"))) for i in range(9)]
        await store.ends([0])
        for i in (0, 4, 8):
            appends[i].cancel()
        await asyncio.gather(*appends, return_exceptions=True)
        await store.append(0, [record(b"last")])
        found = values(await self.whole(store, 0))
        assert found.pop() == b"last"
        appended = [v.partition(b"/")[0] for v in found if v][::3]
        assert found == [b"%b/%d" % (i, n) for i in appended for n in range(3)]
        assert {b"1", b"2", b"3", b"5", b"6", b"7"} <= set(appended)

    async def test_records_are_stamped_with_the_log_time(self, open_store: OpenStore) -> None:
        store = await open_store()
        before = await store.now()
        await store.append(0, [record(b"a")])
        await store.append(0, numbered(2))
        after = await store.now()
        stamps = [r.time for r in await self.whole(store, 0)]
        assert before - 2000 <= min(stamps) <= max(stamps) <= after + 2000

    async def test_another_number_of_partitions_is_refused_with_the_cure(self, open_store: OpenStore) -> None:
        name = fresh_name()
        await open_store(name, partitions=4)
        with pytest.raises(StoreMisconfigured) as refused:
            await open_store(name, partitions=3)
        assert "4" in str(refused.value) and "3" in str(refused.value)

    async def test_a_run_is_in_the_partition_that_any_kafka_client_would_choose(self, open_store: OpenStore) -> None:
        store = await open_store()
        keys = [b"21", b"foobar", b"abc", b""]  # Kafka's own test vectors for murmur2, and the empty key
        assert [store.partition_of(k) for k in keys] == [partition_of(k, 4) for k in keys]
        assert partition_of(b"21", 2**31) == -973932308 & 0x7FFFFFFF
        assert partition_of(b"foobar", 2**31) == -790332482 & 0x7FFFFFFF
