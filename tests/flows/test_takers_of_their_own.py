"""A team takes another team's event by a class of its own, with the fields that it needs and no defaults anywhere."""

import pytest

from farandole.reactors import Choreography, GiveUp, Retry
from farandole.schemas import End, Event, IncompatibleSchema, Start
from farandole.testing import Scenario


class Complained(Start):
    text: str


class Paid(Event):
    order: str
    customer: str
    cents: int


class Closed(End):
    text: str


def support() -> Choreography:
    shop = Choreography("shop", service="support")

    @shop.reactor
    async def pay(complained: Complained) -> Paid:
        return Paid(order=complained.text, customer="ann", cents=950)

    return shop


class Wanted(Event, name="Paid"):
    order: str


class Unsaid(Event, name="Paid"):
    reason: str


def quality(taken: type[Event] = Wanted) -> Choreography:
    shop = Choreography("shop", service="quality")

    async def close(paid: Event) -> Closed:
        order = getattr(paid, "order", "")
        if not order:
            raise GiveUp("no order")
        return Closed(text=f"{order} was paid back")

    close.__annotations__["paid"] = taken
    shop.reactor(retry=Retry(attempts=1))(close)
    return shop


@pytest.mark.parametrize("first", [0, 1])
async def test_it_takes_part_of_the_event(first: int) -> None:
    services = (support(), quality())
    async with Scenario(services[first], services[1 - first]) as s:
        await s.when(Complained(text="7"))
        s.then(Paid(order="7", customer="ann", cents=950), Closed(text="7 was paid back"))


async def test_a_field_that_the_event_does_not_have_is_told_by_a_scenario() -> None:
    with pytest.raises(IncompatibleSchema, match=r"'reason' of shop\.Paid"):
        async with Scenario(support(), quality(Unsaid)) as s:
            await s.when(Complained(text="7"))


async def test_a_team_tries_its_own_part_with_its_own_class() -> None:
    async with Scenario(quality()) as s:
        await s.given(Complained(text="7"))
        await s.when(Wanted(order="7"))
        s.then(Closed(text="7 was paid back"))


async def test_a_parked_step_is_retried_with_the_takers_class() -> None:
    async with Scenario(quality()) as s:
        await s.given(Complained(text=""))
        await s.when(Wanted(order=""))
        s.owes("close")
        await s.retry(edit=Wanted(order="8"))
        s.then(Closed(text="8 was paid back"))


async def test_it_is_retried_with_the_givers_class_where_that_is_known() -> None:
    async with Scenario(support(), quality()) as s:
        await s.when(Complained(text=""))
        s.owes("close")
        await s.retry(edit=Paid(order="8", customer="ann", cents=950))
        s.then(Closed(text="8 was paid back"))
