"""Implicit termination: a run is over when nothing is left to do, though no step says that it was the last.

A run ends with an `End`, so that there is a result. Without one it becomes *idle* once it owes nothing and waits for
nothing; the log's setting `expire_after` says how long it may be idle before it is closed.
"""

from farandole.reactors import Choreography
from farandole.schemas import Event, Start

parties = Choreography("parties")


class PartyPlanned(Start):
    guests: int


class CakeOrdered(Event):
    pieces: int


class CakeEaten(Event, wants_reactor=False): ...


class RoomDecorated(Event, wants_reactor=False): ...


@parties.reactor
async def order_cake(party: PartyPlanned) -> CakeOrdered:
    return CakeOrdered(pieces=party.guests)


@parties.reactor
async def eat(cake: CakeOrdered) -> CakeEaten:
    return CakeEaten()


@parties.reactor
async def decorate(party: PartyPlanned) -> RoomDecorated:
    return RoomDecorated()
