"""Signals: typed events that come into an open run from outside, as often as they like, in the order of the log."""

from farandole.reactors import Choreography, Run
from farandole.schemas import End, Signal, Start

greetings = Choreography("greetings")


class DoorOpened(Start, wants_reactor=False): ...


class GuestCame(Signal, wants_reactor=False):
    name: str


class DoorShut(Signal): ...


class AllGreeted(End):
    texts: list[str]


greetings.know(GuestCame)


@greetings.reactor
async def greet_all(shut: DoorShut, run: Run[DoorOpened]) -> AllGreeted:
    return AllGreeted(texts=[f"Hello, {guest.name}!" for guest in await run.events(GuestCame)])
