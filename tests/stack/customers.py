"""The customers of the demonstration, at the stack's log: six orders and no more, or orders without end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from farandole.cli.demo.events import CakeOrdered, MessageChosen
from farandole.cli.demo.shop import CHOREOGRAPHY, Shop
from farandole.reactors import Choreography


@asynccontextmanager
async def customers(store: str, *, mend_after: float) -> AsyncIterator[Shop]:
    """Who orders, sends messages, and has the van mended so many seconds after it broke down."""
    counter = Choreography(CHOREOGRAPHY, service="counter")
    counter.know(CakeOrdered, MessageChosen)
    async with counter.connect(store) as client:
        shop = Shop(client, mend_after=mend_after)
        try:
            await shop.open()
            yield shop
        finally:
            await shop.close()
