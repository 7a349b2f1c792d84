"""The travel booking of the examples, on virtual time."""

import asyncio

from examples.travel_saga import Agency, FlightBooked, HotelBooked, TripAbandoned, TripAsked, TripBooked, agency, trips

from farandole.testing import Scenario


class Ledger(Agency):
    """An agency that tells what it did."""

    def __init__(self) -> None:
        self.booked: list[str] = []
        self.given_back: list[str] = []

    async def book(self, what: str, to: str, key: str) -> str:
        ref = await super().book(what, to, key)
        self.booked.append(ref)
        return ref

    async def give_back(self, ref: str) -> None:
        self.given_back.append(ref)


class WithoutHurry(Ledger):
    """An agency that takes an hour to find a car."""

    async def book(self, what: str, to: str, key: str) -> str:
        if what == "car":
            await asyncio.sleep(3_600)
        return await super().book(what, to, key)


async def test_a_trip_is_booked() -> None:
    async with Scenario(trips) as s:
        await s.when(TripAsked(to="Arles"))
        s.then(FlightBooked, HotelBooked, TripBooked)
        assert s.status.status == "completed"


async def test_what_was_booked_is_given_back_the_last_first() -> None:
    async with Scenario(trips) as s:
        ledger = Ledger()
        s.replace(agency, ledger)
        await s.when(TripAsked(to="Arles", car=False))
        s.then(TripAbandoned(why="no car is left"))
        assert len(ledger.booked) == 2
        assert ledger.given_back == ledger.booked[::-1]
        assert s.status.status == "completed"


async def test_a_trip_that_is_cancelled_is_given_back() -> None:
    async with Scenario(trips) as s:
        ledger = WithoutHurry()
        s.replace(agency, ledger)
        await s.when(TripAsked(to="Arles"), after="1m")
        await s.cancel("flu", after="1m")
        assert len(ledger.booked) == 2
        assert ledger.given_back == ledger.booked[::-1]
        assert s.status.status == "cancelled"
