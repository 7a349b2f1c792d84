"""The service that bakes, which takes its time, and decorates, which waits for the customer's message."""

import asyncio
import time

from farandole.reactors import Choreography, Step

from .events import CakeBaked, CakeDecorated, CakeOrdered, MessageChosen

bakery = Choreography("bakery", service="kitchen", owner="demo")

BAKING = {"lemon": 0.8, "carrot": 1.2, "chocolate": 1.6}
"""Seconds in the oven."""


@bakery.reactor(concurrency=4)
def bake(order: CakeOrdered, step: Step) -> CakeBaked:  # a plain function: it runs in a thread
    time.sleep(BAKING.get(order.cake, 1.0))
    return CakeBaked(oven=1 + int(step.key[0], 16) % 4)


@bakery.reactor
async def decorate(baked: CakeBaked, wish: MessageChosen) -> CakeDecorated:
    await asyncio.sleep(0.2)
    return CakeDecorated(message=wish.message)
