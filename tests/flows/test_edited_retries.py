"""A parked step is retried with another input: the step gets the edited event, and the history stays as it was."""

import pytest

from farandole.reactors import Choreography, CommandRefused, GiveUp, Retry, Run
from farandole.schemas import Encrypt, End, Event, PayloadCodec, Signal, Start
from farandole.testing import Scenario


class Ordered(Start):
    amount: int


class Billed(Event):
    amount: int


class Packed(Signal):
    box: str


class Nudged(Signal):
    n: int


class Shipped(End):
    amount: int
    box: str
    nudges: int = 0


def a_shop(*, ordered: bool = False, codec: PayloadCodec | None = None) -> tuple[Choreography, list[object]]:
    shop, seen = Choreography("shop", codec=codec), []

    @shop.reactor(retry=Retry(attempts=2, first="1s"))
    async def bill(order: Ordered) -> Billed:
        seen.append(order.amount)
        if order.amount < 0:
            raise ValueError("less than nothing")
        return Billed(amount=order.amount)

    @shop.reactor
    async def ship(billed: Billed, packed: Packed, run: Run[Ordered]) -> Shipped:
        seen.append(packed.box)
        if packed.box == "":
            raise GiveUp("there is no such box")
        return Shipped(amount=billed.amount, box=packed.box, nudges=len(await run.events(Nudged)))

    @shop.reactor(ordered=ordered, retry=Retry(attempts=1))
    async def note(nudged: Nudged) -> None:
        seen.append(nudged.n)
        if nudged.n < 0:
            raise ValueError

    return shop, seen


async def test_a_parked_step_is_done_with_another_input() -> None:
    shop, seen = a_shop()
    async with Scenario(shop) as s:
        await s.when(Ordered(amount=-5))
        await s.passes("1m")
        s.owes("bill")
        assert await s.retry("a typing error", by="ann", edit=Ordered(amount=5)) == 1
        s.then(Billed(amount=5))
        assert seen == [-5, -5, 5]
        assert s.history == [Ordered(amount=-5), Billed(amount=5)]


async def test_what_is_encrypted_is_edited_too() -> None:
    shop, _ = a_shop(codec=Encrypt({"a": bytes(range(32))}, active="a"))
    async with Scenario(shop) as s:
        await s.when(Ordered(amount=-5))
        await s.passes("1m")
        await s.retry(edit=Ordered(amount=5))
        s.then(Billed(amount=5))
        assert "retry with Ordered(amount=5)" in str(s)


async def test_its_attempts_begin_anew_and_it_may_be_edited_again() -> None:
    shop, seen = a_shop()
    async with Scenario(shop) as s:
        await s.when(Ordered(amount=-5))
        await s.passes("1m")
        await s.retry(edit=Ordered(amount=-6))
        await s.passes("1m")
        s.owes("bill")
        assert seen == [-5, -5, -6, -6]
        await s.retry(edit=Ordered(amount=6))
        s.then(Billed(amount=6))


async def test_one_input_of_a_join_is_edited_and_the_history_ends_where_it_did() -> None:
    shop, seen = a_shop()
    async with Scenario(shop) as s:
        await s.when(Ordered(amount=5))
        await s.when(Nudged(n=1))
        await s.when(Packed(box=""))
        await s.when(Nudged(n=2))
        s.owes("ship")
        await s.retry(edit=Packed(box="b-7"))
        s.then(Shipped(amount=5, box="b-7", nudges=1))
        assert seen[-1] == "b-7"


async def test_an_edit_of_an_edit_still_stands_where_the_event_stood() -> None:
    shop, _ = a_shop()
    async with Scenario(shop) as s:
        await s.when(Ordered(amount=5))
        await s.when(Packed(box=""))
        await s.when(Nudged(n=2))
        await s.retry(edit=Packed(box=""))
        await s.retry(edit=Packed(box="b-8"))
        s.then(Shipped(amount=5, box="b-8", nudges=0))


async def test_an_ordered_step_keeps_its_place_when_it_is_edited() -> None:
    shop, seen = a_shop(ordered=True)
    async with Scenario(shop) as s:
        await s.when(Ordered(amount=5))
        for n in (1, -2, 3, 4):
            await s.when(Nudged(n=n))
        assert seen == [5, 1, -2]
        await s.retry(edit=Nudged(n=-3))
        assert seen == [5, 1, -2, -3]
        await s.retry(edit=Nudged(n=2))
        assert seen == [5, 1, -2, -3, 2, 3, 4]


async def test_what_no_parked_step_took_is_refused() -> None:
    shop, _ = a_shop()
    async with Scenario(shop) as s:
        await s.when(Ordered(amount=5))
        with pytest.raises(CommandRefused, match="no parked step took a Ordered"):
            await s.retry(edit=Ordered(amount=6))
        await s.when(Packed(box=""))
        with pytest.raises(CommandRefused, match="no parked step took a Ordered"):
            await s.retry(edit=Ordered(amount=6))


async def test_of_several_parked_steps_one_is_named() -> None:
    shop, _ = a_shop()

    @shop.reactor(retry=Retry(attempts=1))
    async def count(order: Ordered) -> None:
        if order.amount < 0:
            raise ValueError

    async with Scenario(shop) as s:
        await s.when(Ordered(amount=-5))
        await s.passes("1m")
        with pytest.raises(ValueError, match=r"parked steps of bill, count took a Ordered; say which by reactor="):
            await s.retry(edit=Ordered(amount=5))
        await s.retry(edit=Ordered(amount=5), reactor="count")
        s.owes("bill")
