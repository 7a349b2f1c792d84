"""A fourth service of the order example, whose reactor never works, or makes more than the log takes.

By the environment: CHAOS_PICTURE, bytes that it makes; CHAOS_POISON_SINCE, the first order at which it does not work, and
works for every other one even then.
"""

import os

from orders.events import OrderPlaced

from farandole.reactors import Choreography, Failed, Retry
from farandole.schemas import Event

from .effects import POISON_ATTEMPTS

orders = Choreography("orders", service="poison")


class PictureTaken(Event):
    content: str


@orders.reactor(retry=Retry(attempts=POISON_ATTEMPTS, first="20ms", most="100ms"))
async def take_picture(order: OrderPlaced) -> PictureTaken:
    if size := int(os.environ.get("CHAOS_PICTURE", "0")):
        return PictureTaken(content="x" * size * (10 if order.amount % 2 else 1))
    number, since = int(order.amount), int(os.environ.get("CHAOS_POISON_SINCE", "0"))
    if since and (number < since or number % 2):
        return PictureTaken(content="of the box")
    raise RuntimeError("there is never a picture of this one")


@orders.reactor(of=take_picture)
async def do_without(failed: Failed[OrderPlaced]) -> None:
    pass
