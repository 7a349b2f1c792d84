"""Sagas: what a run did is undone, the last step first, when its end says so or it is cancelled."""

import pytest
from tests.typing.apps.a05_saga import FlightBooked, HotelBooked, TripAsked, TripBooked
from tests.typing.apps.a05_saga import trips as travel

from farandole.cli.words import doing
from farandole.projections import State, on
from farandole.reactors import Choreography, CommandRefused, Failed, GiveUp, Retry, RunCancelled, Step
from farandole.schemas import DeclarationError, End, Event, Signal, Start
from farandole.testing import Scenario


async def test_the_travel_saga_books() -> None:
    async with Scenario(travel) as s:
        await s.when(TripAsked(who="ann"))
        s.then(FlightBooked, HotelBooked, TripBooked)
        assert s.status.status == "completed"


class Trip(Start):
    legs: int = 1


class Booked(Event):
    leg: int


class Full(Event, wants_reactor=False):
    leg: int


class Left(Signal): ...


class Failing(Signal): ...


class Paid(Event): ...


class Gone(End):
    legs: int


class Abandoned(End, compensate=True):
    why: str


class Stopped(End, compensate=True, final=True): ...


class Halt(Signal): ...


class Desk:
    """Where bookings are made and cancelled, as seen from outside."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails: set[str] = set()

    def do(self, what: str) -> None:
        if what in self.fails:
            raise GiveUp(f"cannot {what}")
        self.done.append(what)


class Known(State):
    booked: int = 0

    @on
    def was_booked(self, event: Booked) -> None:
        self.booked += 1


def a_saga() -> tuple[Choreography, Desk]:
    trips, desk = Choreography("trips"), Desk()

    @trips.provide
    def the_desk() -> Desk:
        return desk

    async def cancel(booked: Booked, trip: Trip, step: Step, desk: Desk, known: Known) -> None:
        desk.do(f"cancel {booked.leg} of {known.booked}")
        desk.done.append(step.key)
        desk.done.pop()

    @trips.reactor(compensate=cancel)
    async def book(trip: Trip) -> Booked:
        desk.do("book 1")
        return Booked(leg=1)

    async def cancel_next(booked: Booked) -> None:
        desk.do(f"cancel {booked.leg}")

    @trips.reactor(compensate=cancel_next)
    async def book_next(booked: Booked) -> Booked | Full | None:
        if booked.leg == 3:
            return Full(leg=4)
        desk.do(f"book {booked.leg + 1}")
        return Booked(leg=booked.leg + 1)

    def refund(left: Left, paid: Paid) -> None:
        desk.do("refund")

    @trips.reactor(compensate=refund)
    def pay(left: Left) -> Paid:
        desk.do("pay")
        return Paid()

    @trips.reactor
    async def leave(paid: Paid) -> Gone:
        desk.do("leave")
        return Gone(legs=3)

    @trips.reactor
    async def fail(failing: Failing) -> None:
        raise GiveUp("the strike")

    @trips.reactor
    async def halt(halt: Halt) -> Stopped:
        return Stopped()

    @trips.reactor
    async def abandon(failed: Failed) -> Abandoned:
        return Abandoned(why=failed.error)

    return trips, desk


BOOKED = ["book 1", "book 2", "book 3"]
UNDONE = ["cancel 3", "cancel 2", "cancel 1 of 1"]


async def test_what_was_done_is_undone_the_last_first() -> None:
    trips, desk = a_saga()
    async with Scenario(trips) as s:
        await s.when(Trip())
        await s.when(Failing())
        s.then(Abandoned(why="the strike"))
        assert desk.done == [*BOOKED, *UNDONE]
        assert s.status.status == "completed"
        assert [type(e) for e in s.history] == [Trip, Booked, Booked, Booked, Full, Failing, Abandoned]


async def test_another_end_undoes_nothing() -> None:
    trips, desk = a_saga()
    async with Scenario(trips) as s:
        await s.when(Trip())
        await s.when(Left())
        s.then(Gone)
        assert s.status.status == "completed"
        assert desk.done == [*BOOKED, "pay", "leave"]


async def test_a_cancel_undoes_what_was_done() -> None:
    trips, desk = a_saga()
    async with Scenario(trips) as s:
        desk.fails = {"leave"}
        await s.when(Trip())
        await s.cancel("changed my mind")
        assert desk.done == [*BOOKED, *UNDONE]
        assert s.status.status == "cancelled"


async def test_a_final_end_drops_what_is_owed_and_undoes_what_was_done() -> None:
    trips, desk = a_saga()
    async with Scenario(trips) as s:
        await s.when(Trip())
        await s.when(Halt())
        assert desk.done == [*BOOKED, *UNDONE]
        assert s.status.status == "completed"


async def test_a_compensation_that_fails_parks_and_goes_on_once_it_is_retried() -> None:
    trips, desk = a_saga()
    async with Scenario(trips) as s:
        desk.fails = {"cancel 2"}
        await s.when(Trip())
        await s.when(Failing())
        s.owes("book_next")
        assert s.status.status == "failed"
        assert desk.done == [*BOOKED, "cancel 3"]
        (group,) = await s.use(lambda client: client.failures())
        assert (group.reactor, group.undoes, group.steps) == ("book_next", True, 1)
        assert doing(s.status, (), 0) == "undoing book_next failed after 1 attempt"
        desk.fails = set()
        await s.retry("the desk is open")
        assert desk.done == [*BOOKED, *UNDONE]
        assert s.status.status == "completed"


async def test_a_second_cancel_gives_up_the_compensation_that_is_parked_and_goes_on_with_the_next() -> None:
    trips, desk = a_saga()
    async with Scenario(trips) as s:
        desk.fails = {"cancel 2"}
        await s.when(Trip())
        await s.cancel("changed my mind")
        s.owes("book_next")
        await s.cancel("leave that one")
        assert desk.done == [*BOOKED, "cancel 3", "cancel 1 of 1"]
        assert s.status.status == "cancelled"


async def test_expiring_gives_up_all_that_is_not_undone() -> None:
    trips, desk = a_saga()
    async with Scenario(trips, settings={"expire_after": 3_600_000}) as s:
        desk.fails = {"cancel 2"}
        await s.when(Trip())
        await s.cancel()
        await s.passes("2h")
        assert desk.done == [*BOOKED, "cancel 3"]
        assert s.status.status == "cancelled"


async def test_a_run_is_not_cancelled_twice_while_it_is_undone() -> None:
    trips, desk = a_saga()
    async with Scenario(trips) as s:
        await s.when(Trip())
        await s.pause()
        await s.cancel()
        assert desk.done == BOOKED
        with pytest.raises(CommandRefused):
            await s.cancel()
        await s.resume()
        assert desk.done == [*BOOKED, *UNDONE]


async def test_the_steps_key_of_an_undoing_is_its_own_and_the_same_in_each_attempt() -> None:
    trips, keys = Choreography("trips"), []

    def cancel(booked: Booked, step: Step) -> None:
        keys.append((step.key, step.attempt))
        if step.attempt < 3:
            raise OSError

    @trips.reactor(compensate=cancel, retry=Retry(attempts=5, first="1s"))
    async def book(trip: Trip, step: Step) -> Booked:
        keys.append((step.key, step.attempt))
        return Booked(leg=1)

    @trips.reactor
    async def abandon(booked: Booked) -> Abandoned:
        return Abandoned(why="rain")

    async with Scenario(trips) as s:
        await s.when(Trip())
        await s.passes("1m")
        assert s.status.status == "completed"
        (done, first), *undone = keys
        assert first == 1
        assert [attempt for _, attempt in undone] == [1, 2, 3]
        assert {key for key, _ in undone} == {undone[0][0]}
        assert done != undone[0][0]


async def test_a_step_at_work_when_the_run_is_cancelled_is_not_undone() -> None:
    trips, undone = Choreography("trips"), []

    def cancel(booked: Booked) -> None:
        undone.append(booked.leg)

    @trips.reactor(compensate=cancel)
    async def book(trip: Trip) -> Booked:
        return Booked(leg=1)

    @trips.reactor(compensate=cancel, retry=Retry(first="1h", most="1h"))
    async def book_slowly(booked: Booked) -> Booked:
        raise OSError

    async with Scenario(trips) as s:
        await s.when(Trip())
        await s.cancel()
        assert undone == [1]


async def test_many_steps_of_a_loop_are_undone_each_once() -> None:
    trips, undone = Choreography("trips"), []

    def cancel(booked: Booked) -> None:
        undone.append(booked.leg)

    @trips.reactor(compensate=cancel)
    async def book(booked: Booked) -> Booked | Abandoned:
        return Booked(leg=booked.leg + 1) if booked.leg < 200 else Abandoned(why="far")

    @trips.reactor
    async def begin(trip: Trip) -> Booked:
        return Booked(leg=1)

    async with Scenario(trips) as s:
        await s.when(Trip())
        assert s.status.status == "completed"
        assert undone == list(range(200, 1, -1))


def test_a_compensation_returns_nothing() -> None:
    trips = Choreography("trips")

    def cancel(booked: Booked) -> Full:
        return Full(leg=1)

    with pytest.raises(DeclarationError, match=r"^trips\.book: its compensation returns something; write -> None"):

        @trips.reactor(compensate=cancel)
        async def book(trip: Trip) -> Booked: ...


def test_a_compensation_takes_events_by_themselves() -> None:
    trips = Choreography("trips")

    def cancel(booked: Failed[Booked]) -> None: ...

    with pytest.raises(DeclarationError, match=r"^trips\.book: its compensation takes 'booked', which is no event"):

        @trips.reactor(compensate=cancel)
        async def book(trip: Trip) -> Booked: ...


async def test_what_compensates_asks_for_what_is_provided() -> None:
    trips = Choreography("trips")

    def cancel(booked: Booked, desk: Desk) -> None: ...

    @trips.reactor(compensate=cancel)
    async def book(trip: Trip) -> Booked: ...

    with pytest.raises(DeclarationError, match=r"^trips\.book: compensate: nothing provides Desk"):
        trips.load()


async def test_a_client_gets_the_result_before_all_is_undone() -> None:
    trips, desk = a_saga()
    desk.fails = {"cancel 2"}
    async with Scenario(trips) as s:
        await s.when(Trip())
        await s.cancel("changed my mind")
        with pytest.raises(RunCancelled, match="changed my mind"):
            await s.use(lambda client: client.run("run").result())
