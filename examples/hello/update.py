"""A change that is asked for from outside, checked, and answered: a signal, and the event that a reactor makes of it.

There is no call that returns a value of the handler. The answer is an event, and the client reads on until it is there.
"""

from farandole.reactors import Choreography, RunHandle
from farandole.schemas import Event, Signal, Start

carts = Choreography("carts")


class CartOpened(Start, wants_reactor=False): ...


class ItemWanted(Signal):
    request: str
    item: str


class ItemAdded(Event, wants_reactor=False):
    request: str
    item: str


class ItemRefused(Event, wants_reactor=False):
    request: str
    why: str


@carts.reactor
async def add(wanted: ItemWanted) -> ItemAdded | ItemRefused:
    if not wanted.item:
        return ItemRefused(request=wanted.request, why="name the item")
    return ItemAdded(request=wanted.request, item=wanted.item)


async def ask_for(run: RunHandle, request: str, item: str) -> ItemAdded | ItemRefused:
    """Ask, and wait for the answer to this request."""
    await run.send(ItemWanted(request=request, item=item))
    async for recorded in run.events():
        match recorded.event:
            case (ItemAdded() | ItemRefused()) as answer if answer.request == request:
                return answer
    raise LookupError(f"cart {run.id} was closed before it answered")
