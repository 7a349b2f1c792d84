"""Starts orders at an even rate until SIGTERM, as a process of its own: python -m chaos.load JOB

Says the id of each run whose start was acknowledged, one a line; ``? id`` if that is not known.
"""

import asyncio
import json
import signal
import sys
from decimal import Decimal
from typing import Any

from orders.events import OrderPlaced

from farandole.eventstore import StoreError
from farandole.reactors import Choreography
from flow.order_histories import card

from .advice import Advised, advice

_PENDING = 500


async def load(
    url: str, partitions: int, rate: float, first: int, most: int, cards: dict[str, str], advised: bool
) -> None:
    orders = Choreography("orders")
    orders.know(OrderPlaced, Advised)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    pending: set[asyncio.Task[None]] = set()

    async with orders.connect(url, partitions=partitions) as client:
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        print("ready", flush=True)

        async def start(number: int) -> None:
            how = cards.get(str(number)) or card(number)
            order = OrderPlaced(customer=f"c{number}", amount=Decimal(number), address="here", card=how)
            try:
                run = await client.start(order, run_id=f"order-{number}")
                if advised:
                    await run.send(advice(number), confirm=False)
            except StoreError:
                print("?", f"order-{number}", flush=True)
            else:
                print(f"order-{number}", flush=True)

        began = loop.time()
        for n in range(most):
            pending.add(task := asyncio.create_task(start(first + n)))
            task.add_done_callback(pending.discard)
            if len(pending) >= _PENDING:
                await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if (wait := began + (n + 1) / rate - loop.time()) > 0:
                try:
                    await asyncio.wait_for(stop.wait(), wait)
                except TimeoutError:
                    continue
            if stop.is_set():
                break
        if pending:
            await asyncio.wait(pending)


def main() -> None:
    job: dict[str, Any] = json.loads(sys.argv[1])
    asyncio.run(load(**job))


if __name__ == "__main__":
    main()
