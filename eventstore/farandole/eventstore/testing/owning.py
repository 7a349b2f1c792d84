"""What a consumer group promises: each partition has one member, and none is without one for long."""

import asyncio

from .support import OpenStore, Patient, fresh_name

ALL = frozenset(range(4))


class Owning(Patient):
    async def test_a_single_member_owns_all_partitions(self, open_store: OpenStore) -> None:
        store = await open_store()
        async with store.own("kitchen") as member:
            assert await self.within(member.changed()) == ALL
            assert member.owned == ALL

    async def test_nothing_is_owned_outside_the_context(self, open_store: OpenStore) -> None:
        store = await open_store()
        member = store.own("kitchen")
        assert member.owned == frozenset()
        async with member:
            await self.owned(member, ALL.__eq__)
        assert member.owned == frozenset()

    async def test_two_members_share(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        async with store.own("kitchen") as one:
            await self.owned(one, ALL.__eq__)
            async with other.own("kitchen") as two:
                shares = await self.settled(one, two, partitions=4)
                assert sorted(len(s) for s in shares) == [2, 2]

    async def test_leaving_hands_over(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        async with store.own("kitchen") as one:
            async with other.own("kitchen") as two:
                await self.settled(one, two, partitions=4)
            await self.owned(one, ALL.__eq__)

    async def test_closing_the_store_hands_over(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other = await open_store(name), await open_store(name)
        async with store.own("kitchen") as one, other.own("kitchen") as two:
            await self.settled(one, two, partitions=4)
            await other.close()
            await self.owned(one, ALL.__eq__)
            assert two.owned == frozenset()

    async def test_more_members_than_partitions_leave_some_idle(self, open_store: OpenStore) -> None:
        name = fresh_name()
        handles = [await open_store(name, partitions=2) for _ in range(3)]
        async with handles[0].own("s") as one, handles[1].own("s") as two, handles[2].own("s") as three:
            shares = await self.settled(one, two, three, partitions=2)
            assert sorted(len(s) for s in shares) == [0, 1, 1]

    async def test_whoever_asks_is_told_who_is_a_member(self, open_store: OpenStore) -> None:
        name = fresh_name()
        store, other, asker = await open_store(name), await open_store(name), await open_store(name)
        assert await asker.members("kitchen") == frozenset()
        async with store.own("kitchen", "cook-1") as one:
            await self.owned(one, ALL.__eq__)
            (alone,) = await asker.members("kitchen") or {""}
            async with other.own("kitchen") as two:
                await self.settled(one, two, partitions=4)
                both = await asker.members("kitchen") or frozenset()
                assert len(both) == 2
                assert "cook-1" in alone and alone in both
                assert await asker.members("delivery") == frozenset()
            await self.owned(one, ALL.__eq__)
            assert await asker.members("kitchen") == frozenset({alone})

    async def test_services_own_apart_from_each_other(self, open_store: OpenStore) -> None:
        store = await open_store()
        async with store.own("kitchen") as one, store.own("delivery") as two:
            assert await self.owned(one, ALL.__eq__) == await self.owned(two, ALL.__eq__)

    async def test_a_static_member_that_comes_back_gets_its_partitions_back(self, open_store: OpenStore) -> None:
        # Its first process is taken to have died without leaving: the second comes while the first never left.
        name = fresh_name()
        first, other, again = await open_store(name), await open_store(name), await open_store(name)
        before = first.own("kitchen", "cook-1")
        async with other.own("kitchen", "cook-2") as two:
            await before.__aenter__()
            had, kept = await self.settled(before, two, partitions=4)
            async with again.own("kitchen", "cook-1") as after:
                assert await self.owned(after, lambda owned: len(owned) == 2) == had
                assert two.owned == kept
        await asyncio.gather(before.__aexit__(None, None, None), return_exceptions=True)

    async def test_a_member_may_join_again(self, open_store: OpenStore) -> None:
        store = await open_store()
        for _ in range(2):
            async with store.own("kitchen", "cook") as member:
                await self.owned(member, ALL.__eq__)
