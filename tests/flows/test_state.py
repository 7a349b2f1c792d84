"""A state is folded from the run's events, up to the trigger, for each handler anew."""

import pytest
from pydantic import Field

from farandole.projections import State, on
from farandole.reactors import Choreography, Step
from farandole.schemas import End, Event, Signal, Start
from farandole.testing import Scenario

shop = Choreography("shop")


class Ordered(Start):
    address: str


class Moved(Signal):
    address: str


class Asked(Signal): ...


class Told(Event, wants_reactor=False):
    address: str
    moves: int


class Fulfilled(Event): ...


class Shipped(End):
    address: str


class OrderState(State):
    address: str = ""
    past: list[str] = Field(default_factory=list)

    @on
    def ordered(self, event: Ordered) -> None:
        self.address = event.address

    @on
    def moved(self, event: Moved) -> None:
        if not event.address:
            raise ValueError("nowhere")
        self.past.append(self.address)
        self.address = event.address


@shop.reactor
async def tell(asked: Asked, state: OrderState) -> Told:
    state.past.append("what a handler does to its state, nobody else sees")
    return Told(address=state.address, moves=len(state.past) - 1)


@shop.reactor
def ship(done: Fulfilled, state: OrderState, step: Step) -> Shipped:
    return Shipped(address=state.address)


async def test_a_handler_sees_the_run_as_it_was_at_its_trigger() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(address="Paris"))
        await s.when(Asked())
        s.then(Told(address="Paris", moves=0))
        await s.when(Moved(address="Lyon"))
        await s.when(Moved(address="Nice"))
        await s.when(Asked())
        s.then(Told(address="Nice", moves=2))
        await s.when(Fulfilled())
        s.then(Shipped(address="Nice"))


async def test_a_paused_step_sees_no_more_than_was_there_when_it_became_owed() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(address="Paris"))
        await s.pause()
        await s.when(Asked())
        await s.when(Moved(address="Lyon"))
        await s.when(Asked())
        await s.resume()
        s.then(Told(address="Lyon", moves=1))
        assert sorted(t.address for t in s.history if isinstance(t, Told)) == ["Lyon", "Paris"]


async def test_each_run_has_a_state_of_its_own() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(address="Paris"))
        other = s.run("other")
        await other.when(Ordered(address="Oslo"))
        await other.when(Asked())
        other.then(Told(address="Oslo", moves=0))
        await s.when(Asked())
        s.then(Told(address="Paris", moves=0))


async def test_a_method_that_raises_fails_the_step_for_good_and_is_named() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(address="Paris"))
        await s.when(Moved(address=""))
        await s.when(Asked())
        s.owes(tell)
        (failure,) = s.failures()
        assert failure.last
        assert failure.error == "StateFailed"
        assert failure.message == "OrderState.moved failed at Moved: ValueError('nowhere')"


async def test_a_state_of_a_run_that_was_closed_is_not_that_of_the_next_of_its_name() -> None:
    async with Scenario(shop, settings={"dedup_window": 1000}) as s:
        await s.when(Ordered(address="Paris"))
        await s.when(Moved(address="Lyon"))
        await s.when(Fulfilled())
        s.then(Shipped(address="Lyon"))
        await s.passes("1h")
        await s.run("another").when(Ordered(address="Oslo"))
        await s.when(Ordered(address="Rome"))
        await s.when(Asked())
        s.then(Told(address="Rome", moves=0))


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_state_is_known_wherever_the_run_goes_on(workers: int) -> None:
    async with Scenario(shop, workers=workers) as s:
        await s.given(Ordered(address="Paris"), Moved(address="Lyon"))
        await s.when(Asked())
        s.then(Told(address="Lyon", moves=1))
