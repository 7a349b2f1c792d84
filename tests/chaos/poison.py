"""A fourth service of the order example, whose reactor never works, or makes more than the log takes."""

import os

from orders.events import OrderPlaced

from farandole.reactors import Choreography, Failed, Retry
from farandole.schemas import Event

orders = Choreography("orders", service="poison")


class PictureTaken(Event):
    content: str


@orders.reactor(retry=Retry(attempts=3, first="20ms", most="100ms"))
async def take_picture(order: OrderPlaced) -> PictureTaken:
    if size := int(os.environ.get("CHAOS_PICTURE", "0")):
        return PictureTaken(content="x" * size * (10 if order.amount % 2 else 1))
    raise RuntimeError("there is never a picture")


@orders.reactor(of=take_picture)
async def do_without(failed: Failed[OrderPlaced]) -> None:
    pass
