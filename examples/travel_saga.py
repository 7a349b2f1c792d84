"""A travel booking: flight, hotel and car, one after the other; if one cannot be had, the others are given back.

farandole work examples.travel_saga:trips --store kafka://localhost:9092
"""

from farandole.reactors import Choreography, Failed, GiveUp, Retry, Run, Step
from farandole.schemas import End, Event, Start

trips = Choreography("trips")


class TripAsked(Start):
    to: str
    car: bool = True


class FlightBooked(Event):
    ref: str


class HotelBooked(Event):
    ref: str


class TripBooked(End):
    car: str


class TripAbandoned(End, compensate=True):
    why: str


class Agency:
    """Whoever sells. It knows each order by its key, so that the same one twice is one booking."""

    async def book(self, what: str, to: str, key: str) -> str:
        if to == "Atlantis" and what == "hotel":
            raise GiveUp("there is no hotel in Atlantis")
        return f"{what}:{key}"

    async def give_back(self, ref: str) -> None: ...


@trips.provide
def agency() -> Agency:
    return Agency()


async def give_back_flight(booked: FlightBooked, agency: Agency) -> None:
    await agency.give_back(booked.ref)


async def give_back_hotel(booked: HotelBooked, agency: Agency) -> None:
    await agency.give_back(booked.ref)


@trips.reactor(compensate=give_back_flight)
async def book_flight(trip: TripAsked, step: Step, agency: Agency) -> FlightBooked:
    return FlightBooked(ref=await agency.book("flight", trip.to, step.key))


@trips.reactor(compensate=give_back_hotel)
async def book_hotel(flight: FlightBooked, run: Run[TripAsked], step: Step, agency: Agency) -> HotelBooked:
    return HotelBooked(ref=await agency.book("hotel", run.start.to, step.key))


@trips.reactor(retry=Retry(attempts=3, first="100ms"))
async def book_car(hotel: HotelBooked, run: Run[TripAsked], step: Step, agency: Agency) -> TripBooked:
    if not run.start.car:
        raise GiveUp("no car is left")
    return TripBooked(car=await agency.book("car", run.start.to, step.key))


@trips.reactor
async def abandon(failed: Failed) -> TripAbandoned:
    return TripAbandoned(why=failed.error)
