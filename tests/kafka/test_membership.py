"""Members of a consumer group: kicked out and back, replaced, leaving or not."""

import asyncio

import pytest

from farandole.eventstore import Ownership, StoreError
from farandole.eventstore.kafka import KafkaOwnership
from farandole.testing.proxy import TcpProxy

from .conftest import Open
from .waiting import PATIENCE, until, within

pytestmark = pytest.mark.kafka
ALL = frozenset(range(4))


async def owns(member: Ownership, count: int) -> None:
    await until(lambda: len(member.owned) == count)


async def test_a_member_that_was_cut_off_loses_its_share_and_gets_it_back(
    opened: Open, kafka: str, through: Open, proxy: TcpProxy
) -> None:
    await opened(kafka)  # whoever is in such a hurry finds the topics made
    store = await through("session=1&request_timeout=0.5")
    async with store.own("kitchen") as member:
        assert await within(member.changed()) == ALL
        async with proxy.silent():
            assert await within(member.changed()) == frozenset()
        proxy.reset()
        assert await within(member.changed()) == ALL
    assert store.stats.rebalances >= 2


async def test_a_member_comes_back_after_an_outage_longer_than_its_session(through: Open, proxy: TcpProxy) -> None:
    store = await through("session=1&request_timeout=1")
    async with store.own("kitchen", "cook") as member:
        assert await within(member.changed()) == ALL
        async with proxy.down():
            assert await within(member.changed()) == frozenset()
        assert await within(member.changed()) == ALL


async def test_a_rebalance_that_changes_nothing_is_not_reported(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=6")
    seen: list[frozenset[int]] = []
    async with store.own("kitchen") as one:
        assert await within(one.changed()) == ALL

        async def watch() -> None:
            while True:
                seen.append(await one.changed())

        watching = asyncio.ensure_future(watch())
        async with store.own("kitchen") as two:
            await owns(two, 2)
            await owns(one, 2)
        await owns(one, 4)
        await until(lambda: len(seen) == 2)
        watching.cancel()
    assert [len(each) for each in seen] == [2, 4], "partitions are kept, or go, but are never all gone for a moment"


async def test_a_share_is_kept_when_another_member_comes(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=6", partitions=4)
    async with store.own("kitchen") as one, store.own("kitchen") as two:
        await owns(one, 2)
        await owns(two, 2)
        had = (one.owned, two.owned)
        async with store.own("kitchen") as three:
            await owns(three, 1)
            await until(lambda: len(one.owned) + len(two.owned) == 3)
            assert one.owned <= had[0] and two.owned <= had[1]


async def test_a_member_whose_name_another_process_took_is_told(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=6")
    async with store.own("kitchen", "cook") as zombie:
        await owns(zombie, 4)
        async with store.own("kitchen", "cook") as member:
            await owns(member, 4)
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(StoreError, match="as cook"):
                    while True:
                        await zombie.changed()
            assert (zombie.owned, member.owned) == (frozenset(), ALL)


async def test_a_static_member_that_stops_keeps_its_share_for_the_session(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=30")
    async with store.own("kitchen", "one") as one:
        async with store.own("kitchen", "two") as two:
            await owns(one, 2)
            await owns(two, 2)
            had = two.owned
        before = store.stats.rebalances
        async with store.own("kitchen", "two") as again:
            await owns(again, 2)
            assert store.stats.rebalances == before + 1, "coming back costs the others no rebalance"
            assert again.owned == had
            assert len(one.owned) == 2


async def test_a_static_member_that_ends_for_good_hands_over_at_once(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=30")
    async with store.own("kitchen", "one") as one:
        async with store.own("kitchen", "two") as two:
            await owns(one, 2)
            await owns(two, 2)
            assert isinstance(two, KafkaOwnership)
            two.leave = True
        await owns(one, 4)
