"""Cancel activity: one step is given up, and the run goes on without it.

No record cancels a single step. What is to be given up alone is a run of its own: a child, which can be cancelled like
any other run, and of which the parent is told.
"""

import asyncio

from farandole.reactors import Child, ChildDone, ChildFailed, Choreography
from farandole.schemas import End, Start

trips = Choreography("trips")


class TripPlanned(Start):
    to: str


class VisaWanted(Start):
    to: str


class VisaGranted(End):
    number: str


class TripReady(End):
    visa: str


@trips.reactor
async def plan(trip: TripPlanned) -> Child[VisaWanted]:
    return Child(VisaWanted(to=trip.to), run_id=f"visa for {trip.to}")


@trips.reactor
async def apply(wanted: VisaWanted) -> VisaGranted:
    await asyncio.sleep(3_600)  # an office works on it
    return VisaGranted(number=f"{wanted.to}-1")


@trips.reactor
async def leave(granted: ChildDone[VisaGranted]) -> TripReady:
    return TripReady(visa=granted.end.number)


@trips.reactor
async def leave_without(given_up: ChildFailed[VisaWanted]) -> TripReady:
    return TripReady(visa="none" if given_up.cancelled else f"none: {given_up.error}")
