"""Travel saga: each booking has its compensation, run backwards when the trip is abandoned."""

from farandole.reactors import Choreography, Failed, Step
from farandole.schemas import End, Event, Start

trips = Choreography("trips")


class TripAsked(Start):
    who: str


class FlightBooked(Event):
    ref: str


class HotelBooked(Event):
    ref: str


class TripBooked(End):
    flight: str
    hotel: str


class TripAbandoned(End, compensate=True):
    why: str


async def cancel_flight(booked: FlightBooked, step: Step) -> None:
    step.log.info("cancel %s", booked.ref)


async def cancel_hotel(booked: HotelBooked) -> None: ...


@trips.reactor(compensate=cancel_flight)
async def book_flight(trip: TripAsked, step: Step) -> FlightBooked:
    return FlightBooked(ref=step.key)


@trips.reactor(compensate=cancel_hotel)
async def book_hotel(flight: FlightBooked, step: Step) -> HotelBooked:
    return HotelBooked(ref=step.key)


@trips.reactor
async def confirm(flight: FlightBooked, hotel: HotelBooked) -> TripBooked:
    return TripBooked(flight=flight.ref, hotel=hotel.ref)


@trips.reactor
async def abandon(failed: Failed) -> TripAbandoned:  # bare: any step of the run
    return TripAbandoned(why=f"{failed.reactor}: {failed.error}")
