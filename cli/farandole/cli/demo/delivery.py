"""The service that delivers, with a van that breaks down on steep streets."""

import asyncio
from collections import Counter

from farandole.reactors import Choreography, Retry, Run, Step

from .events import CakeDecorated, CakeDelivered, CakeOrdered, PaymentTaken

bakery = Choreography("bakery", service="delivery", owner="demo")

STEEP_STREET = "Steep Hill"
ATTEMPTS = 2


class Van:
    """Gets up a steep street only after it has failed as often as a step is tried, and somebody had it mended."""

    def __init__(self) -> None:
        self._tried: Counter[str] = Counter()

    async def drive(self, street: str, key: str) -> str:
        """Bring a cake to a street.

        Raises:
            RuntimeError: the van broke down.
        """
        await asyncio.sleep(0.4)
        self._tried[key] += 1
        if street == STEEP_STREET and self._tried[key] <= ATTEMPTS:
            raise RuntimeError(f"the van broke down in {street}")
        return f"12 {street}"


@bakery.provide
def van() -> Van:
    return Van()


@bakery.reactor(retry=Retry(attempts=ATTEMPTS, first="500ms"))
async def deliver(
    paid: PaymentTaken, decorated: CakeDecorated, run: Run[CakeOrdered], step: Step, van: Van
) -> CakeDelivered:
    return CakeDelivered(at_door=await van.drive(run.start.street, step.key))


@bakery.reactor
async def thank(delivered: CakeDelivered, step: Step) -> None:
    step.log.info("thank you; the cake is at %s", delivered.at_door)
