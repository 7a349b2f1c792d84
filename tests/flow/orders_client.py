"""Starts orders, as a process of its own: python -m flow.orders_client URL COUNT PARTITIONS

One in ten pays with a card that is declined. Ends with the ids of the runs whose start was acknowledged, one a line.
"""

import asyncio
import sys
from decimal import Decimal

from orders.events import OrderPlaced

from farandole.reactors import Choreography

from .order_histories import card

AT_ONCE = 100


async def start(url: str, count: int, partitions: int) -> list[str]:
    orders = Choreography("orders")
    orders.know(OrderPlaced)
    numbers, started = iter(range(count)), []

    async with orders.connect(url, partitions=partitions) as client:

        async def some() -> None:
            for number in numbers:
                order = OrderPlaced(customer=f"c{number}", amount=Decimal(number), address="here", card=card(number))
                run = await client.start(order, run_id=f"order-{number}")
                started.append(run.id)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return started


if __name__ == "__main__":
    print("\n".join(asyncio.run(start(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))))
