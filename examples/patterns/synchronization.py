"""Synchronization: a step begins once all of several are done. Its parameters say which."""

from farandole.reactors import Choreography
from farandole.schemas import End, Event, Start

orders = Choreography("orders")


class OrderPlaced(Start):
    goods: str


class OrderPaid(Event):
    receipt: str


class OrderPacked(Event):
    box: str


class OrderShipped(End):
    box: str
    receipt: str


@orders.reactor
async def take_payment(order: OrderPlaced) -> OrderPaid:
    return OrderPaid(receipt=f"paid for {order.goods}")


@orders.reactor
async def pack(order: OrderPlaced) -> OrderPacked:
    return OrderPacked(box=f"box of {order.goods}")


@orders.reactor
async def ship(paid: OrderPaid, packed: OrderPacked) -> OrderShipped:
    return OrderShipped(box=packed.box, receipt=paid.receipt)
