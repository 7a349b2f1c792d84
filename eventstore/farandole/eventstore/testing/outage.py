"""What is promised when the backend goes away and comes back."""

import asyncio

import pytest

from farandole.eventstore.contract import EventStore, Record
from farandole.eventstore.errors import AppendUnknown, NotAppended, StoreUnavailable

from .support import Interrupt, OpenStore, Patient, fresh_name, numbered, record


def _needed(interrupt: Interrupt | None) -> Interrupt:
    if interrupt is None:
        pytest.skip("this store has no backend that could go away (fixture interrupt is None)")
    return interrupt


class Outage(Patient):
    async def test_an_append_during_an_outage_succeeds_later_or_says_what_became_of_it(
        self, open_store: OpenStore, interrupt: Interrupt | None
    ) -> None:
        outage = _needed(interrupt)
        store = await open_store()
        await store.append(0, numbered(2, "before/"))
        async with outage():
            appends = [asyncio.ensure_future(store.append(0, numbered(3, f"{i}/"))) for i in range(6)]
            await asyncio.wait(appends, timeout=0.5)
        results = await self.within(asyncio.gather(*appends, return_exceptions=True))
        after = await self._recovered(store, numbered(1, "after/"))
        found = [r.value or b"" for r in await self.whole(store, 0)]
        assert found[:2] == [b"before/0", b"before/1"]
        assert found[after] == b"after/0"
        for i, result in enumerate(results):
            parts = [b"%d/%d" % (i, n) for n in range(3)]
            there = [v for v in found if v in parts]
            if isinstance(result, int):
                assert found[result : result + 3] == parts
            else:
                assert isinstance(result, NotAppended | AppendUnknown), repr(result)
                assert str(result)
            assert there == parts or (there == [] and not isinstance(result, int))
            assert not (isinstance(result, NotAppended) and there), "NotAppended is certain"

    async def test_a_reader_goes_on_after_an_outage(self, open_store: OpenStore, interrupt: Interrupt | None) -> None:
        outage = _needed(interrupt)
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        await store.append(0, numbered(2))
        async with self.reading(other, 0) as reader:
            await self.read(reader, 2)
            async with outage():
                try:
                    assert await self.within(reader.read(wait=0.2)) == []
                except StoreUnavailable as away:
                    assert str(away)
            offset = await self._recovered(store, [record(b"after")])

            async def go_on() -> int:
                while True:
                    try:
                        for batch in await reader.read(wait=1):
                            if batch[-1].value == b"after":
                                return batch[-1].offset
                    except StoreUnavailable:
                        continue

            assert await self.within(go_on()) == offset

    async def _recovered(self, store: EventStore, records: list[Record]) -> int:
        """Append to partition 0, again and again while the backend still refuses."""

        async def insist() -> int:
            while True:
                try:
                    return await store.append(0, records)
                except (NotAppended, AppendUnknown):
                    await asyncio.sleep(0)

        return await self.within(insist())
