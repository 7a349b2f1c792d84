"""A shop for the tests of the command line: some orders go through, some fail, some wait."""

import asyncio
import os
from pathlib import Path

from farandole.reactors import Choreography, GiveUp, Retry, Run
from farandole.schemas import End, Event, Signal, Start

shop = Choreography("shop", service="counter", version="7", owner="ann")
other = Choreography("shop", service="elsewhere")
nothing = "a string"


class Ordered(Start):
    item: str
    count: int = 1


class GiftOrdered(Start):
    to: str


class Wished(Signal):
    words: str


class Paid(Event):
    receipt: str


class Sent(End):
    item: str


def marker(name: str) -> Path:
    """A file by which a handler tells a test that it has begun, or a test a handler to go on."""
    return Path(os.environ.get("SHOP_MARKERS", ".")) / name


@shop.reactor(retry=Retry(attempts=2, first="10ms"))
async def pay(order: Ordered) -> Paid:
    if order.item == "broken" and not marker("mended").exists():
        raise RuntimeError(f"the till is broken,\x1b[31m {order.count} times")
    if order.item == "stolen":
        raise GiveUp("the card is stolen")
    if order.item == "slow":
        marker("begun").touch()
        while not marker("go").exists():
            await asyncio.sleep(0.02)
    return Paid(receipt=f"r-{order.count}")


@shop.reactor
async def send(paid: Paid, run: Run[Ordered]) -> Sent:
    return Sent(item=run.start.item)


@shop.reactor
async def wrap(gift: GiftOrdered, wish: Wished) -> Sent:
    return Sent(item=f"{gift.to}: {wish.words}")


@other.reactor(name="pay")
async def pay_elsewhere(order: Ordered) -> None: ...
