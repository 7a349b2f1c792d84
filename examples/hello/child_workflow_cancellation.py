"""Cancelling a run cancels its children, and theirs. `detach=True` lets a child go its own way."""

from farandole.reactors import Child, Choreography
from farandole.schemas import End, Event, Signal, Start

tours = Choreography("tours")


class TourPlanned(Start):
    towns: tuple[str, str]


class ConcertPlanned(Start):
    town: str


class PosterPrinted(Start):
    towns: tuple[str, str]


class CurtainFell(Signal):
    applause: int


class HallBooked(Event, wants_reactor=False):
    town: str


class ConcertGiven(End):
    applause: int


@tours.reactor
async def plan(tour: TourPlanned) -> tuple[Child[ConcertPlanned], Child[ConcertPlanned]]:
    first, second = tour.towns
    return Child(ConcertPlanned(town=first), run_id=first), Child(ConcertPlanned(town=second), run_id=second)


@tours.reactor
async def advertise(tour: TourPlanned) -> Child[PosterPrinted]:
    return Child(PosterPrinted(towns=tour.towns), run_id="poster", detach=True)


@tours.reactor
async def book(concert: ConcertPlanned) -> HallBooked:
    return HallBooked(town=concert.town)


@tours.reactor
async def bow(fell: CurtainFell) -> ConcertGiven:
    return ConcertGiven(applause=fell.applause)
