"""Deferred choice: several ways are open, and the first thing that happens outside takes one; the others are closed.

The log puts what happens in an order, and `run.events` shows it up to the trigger: so whoever looks finds the same one
first. Where people choose, an `Ask` says it in one line, with a deadline.
"""

from farandole.reactors import Choreography, Run
from farandole.schemas import End, Signal, Start

rides = Choreography("rides")


class RideWanted(Start, wants_reactor=False):
    to: str


class CarCame(Signal):
    plate: str


class BikeCame(Signal):
    colour: str


class DroveOff(End):
    plate: str


class RodeOff(End):
    colour: str


@rides.reactor
async def drive(car: CarCame, run: Run[RideWanted]) -> DroveOff | None:
    first, *_ = await run.events(CarCame, BikeCame)
    return DroveOff(plate=car.plate) if isinstance(first, CarCame) else None


@rides.reactor
async def ride(bike: BikeCame, run: Run[RideWanted]) -> RodeOff | None:
    first, *_ = await run.events(CarCame, BikeCame)
    return RodeOff(colour=bike.colour) if isinstance(first, BikeCame) else None
