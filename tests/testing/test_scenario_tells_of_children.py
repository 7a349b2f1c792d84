"""The story of a run tells of the runs that it started, and of what became of them."""

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography, GiveUp
from farandole.schemas import End, Event, Start
from farandole.testing import Scenario


class Ordered(Start):
    dishes: tuple[str, str]


class Cooking(Start):
    dish: str


class Cooked(End):
    dish: str


class Served(Event, wants_reactor=False):
    dish: str


class Sorry(Event, wants_reactor=False):
    dish: str


orders, kitchen = Choreography("orders"), Choreography("kitchen")


@orders.reactor
async def hand_over(order: Ordered) -> tuple[Child[Cooking], Child[Cooking]]:
    one, two = order.dishes
    return Child(Cooking(dish=one), "kitchen", run_id=one), Child(Cooking(dish=two), "kitchen", run_id=two)


@orders.reactor
async def serve(done: ChildDone[Cooked]) -> Served:
    return Served(dish=done.end.dish)


@orders.reactor
async def apologise(failed: ChildFailed[Cooking]) -> Sorry:
    return Sorry(dish=failed.start.dish)


@kitchen.reactor
async def cook(cooking: Cooking) -> Cooked | None:
    if cooking.dish == "stew":
        return None
    if cooking.dish == "unicorn":
        raise GiveUp("out of stock")
    return Cooked(dish=cooking.dish)


async def test_the_end_and_the_failure_of_a_child() -> None:
    async with Scenario(orders, kitchen) as s:
        await s.when(Ordered(dishes=("soup", "unicorn")), after="1m")
        lines = str(s).splitlines()
    told = {line[line.index("s  ") + 3 :] for line in lines[1:-1]}
    assert told == {
        "the test   Ordered(dishes=('soup', 'unicorn'))",
        "hand_over  starts Cooking as run 'soup' of kitchen",
        "hand_over  starts Cooking as run 'unicorn' of kitchen",
        "kitchen    ChildDone[Cooked] of run 'soup' of kitchen",
        "serve      Served(dish='soup')",
        "kitchen    ChildFailed[Cooking] of run 'unicorn' of kitchen: GiveUp: out of stock",
        "apologise  Sorry(dish='unicorn')",
    }


async def test_a_child_that_is_waited_for_and_cancelled() -> None:
    async with Scenario(orders, kitchen) as s:
        await s.when(Ordered(dishes=("soup", "stew")), after="1m")
        assert "  waits for Cooking, run 'stew'" in str(s).splitlines()
        await s.run("stew", kitchen).cancel("burnt", after="1m")
        assert "ChildFailed[Cooking] of run 'stew' of kitchen: cancelled" in str(s)
