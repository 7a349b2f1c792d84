"""Milestone: something can be done only while the run is in a certain state, such as before its goods are packed.

What happened up to the trigger decides, and that is the same for whoever looks, however late the step is done.
"""

from farandole.reactors import Choreography, Run
from farandole.schemas import Event, Signal, Start

orders = Choreography("orders")


class OrderPlaced(Start, wants_reactor=False):
    goods: str


class ChangeAsked(Signal):
    goods: str


class PackingBegan(Signal, wants_reactor=False): ...


class OrderChanged(Event, wants_reactor=False):
    goods: str


class ChangeRefused(Event, wants_reactor=False):
    why: str


orders.know(PackingBegan)


@orders.reactor
async def change(asked: ChangeAsked, run: Run[OrderPlaced]) -> OrderChanged | ChangeRefused:
    if await run.events(PackingBegan):
        return ChangeRefused(why="it is being packed")
    return OrderChanged(goods=asked.goods)
