"""What failed for good is seen by cause, and all of one cause is retried at once."""

import pytest

from farandole.cli.words import doing
from farandole.reactors import Choreography, GiveUp, Retry
from farandole.schemas import Event, Signal, Start
from farandole.testing import Scenario


class Ordered(Start):
    amount: int


class Paid(Event, wants_reactor=False): ...


class Packed(Event, wants_reactor=False): ...


class Nudged(Signal): ...


def check(amount: int) -> None:
    if amount < 0:
        raise ValueError(f"{amount} is less than nothing")


def a_shop() -> tuple[Choreography, set[str]]:
    shop, mended = Choreography("shop"), set[str]()

    @shop.reactor(retry=Retry(attempts=1))
    async def pay(order: Ordered) -> Paid:
        if "pay" not in mended:
            check(order.amount)
            raise ConnectionError(f"the bank does not answer for {order.amount}")
        return Paid()

    @shop.reactor(retry=Retry(attempts=1))
    async def pack(order: Ordered) -> Packed:
        if order.amount > 100 and "pack" not in mended:
            raise GiveUp("no box is so large")
        return Packed()

    return shop, mended


async def filled(s: Scenario) -> None:
    for n, amount in enumerate((1, 2, -3, 400)):
        await s.run(f"run-{n}").when(Ordered(amount=amount))
        await s.passes("1m")


async def test_failures_are_grouped_by_reactor_and_cause() -> None:
    shop, _ = a_shop()
    async with Scenario(shop) as s:
        await filled(s)
        bank, *others = await s.use(lambda client: client.failures())
        assert (bank.reactor, bank.error, bank.steps) == ("pay", "ConnectionError", 3)
        assert bank.runs == ("run-3", "run-1", "run-0")
        assert bank.message == "the bank does not answer for 400"
        assert bank.last - bank.first == 180_000
        assert {(g.reactor, g.error.rpartition(".")[2], g.steps) for g in others} == {
            ("pack", "GiveUp", 1),
            ("pay", "ValueError", 1),
        }
        assert len({g.fingerprint for g in (bank, *others)}) == 3


async def test_all_of_one_cause_are_retried_and_no_others() -> None:
    shop, mended = a_shop()
    async with Scenario(shop) as s:
        await filled(s)
        bank, *_ = await s.use(lambda client: client.failures())
        mended.add("pay")
        done = await s.use(lambda client: client.retry("it is back", by="ann", fingerprint=bank.fingerprint[:8]))
        assert done == 3
        left = await s.use(lambda client: client.failures())
        assert {(g.reactor, g.steps) for g in left} == {("pack", 1), ("pay", 1)}
        assert "it is back" in str(s.run("run-0"))


async def test_some_of_a_reactor_are_retried_the_oldest_first() -> None:
    shop, mended = a_shop()
    async with Scenario(shop) as s:
        await filled(s)
        mended.update(("pay", "pack"))
        assert await s.use(lambda client: client.retry(reactor="pay", limit=2)) == 2
        left = await s.use(lambda client: client.failures())
        assert sorted(run for g in left for run in g.runs) == ["run-2", "run-3", "run-3"]
        assert await s.use(lambda client: client.retry()) == 3
        assert await s.use(lambda client: client.failures()) == []
        assert await s.use(lambda client: client.retry()) == 0


async def test_what_went_on_since_is_not_listed() -> None:
    shop, mended = a_shop()
    async with Scenario(shop) as s:
        await filled(s)
        mended.update(("pay", "pack"))
        await s.run("run-0").retry()
        await s.run("run-1").cancel()
        left = await s.use(lambda client: client.failures())
        assert {run for g in left for run in g.runs} == {"run-2", "run-3"}


async def test_a_beginning_that_several_causes_share_is_refused() -> None:
    shop, _ = a_shop()
    async with Scenario(shop) as s:
        await filled(s)
        with pytest.raises(ValueError, match="several causes begin with : "):
            await s.use(lambda client: client.retry(fingerprint=""))
        assert await s.use(lambda client: client.retry(fingerprint="no such")) == 0


async def test_events_that_found_no_room_are_a_cause_too() -> None:
    shop = Choreography("shop")

    @shop.reactor
    async def pair(order: Ordered, nudged: Nudged) -> Paid:
        return Paid()

    async with Scenario(shop, settings={"join_most": 1}) as s:
        await s.when(Ordered(amount=1))
        for _ in range(3):
            await s.when(Nudged())
        (group,) = await s.use(lambda client: client.failures())
        assert (group.fingerprint, group.steps, group.runs) == ("overflowed", 1, ("run",))
        assert doing(s.status, (), 0) == "pair has no room for more events that wait for others"
