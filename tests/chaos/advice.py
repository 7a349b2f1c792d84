"""What a model said of an order: signals that tell of a use of models, and of which nothing follows."""

from decimal import Decimal

from farandole.eventstore import connect
from farandole.schemas import EventTypes, Signal, Usage, register


class Advised(Signal, wants_reactor=False):
    usage: Usage


def advice(number: int) -> Advised:
    """Of an order; of every seventh, nobody knows what it cost."""
    cost = None if number % 7 == 0 else Decimal(number + 1) / 1_000_000
    return Advised(usage=Usage(model=f"m{number % 3}", agent="clerk", input_tokens=number, output_tokens=7, cost=cost))


async def introduce(url: str) -> None:
    """Bring it into the catalogue of orders, before anybody reads that who reads it once."""
    async with await connect(url, "orders", create=False) as store:
        await register(store.catalogue, EventTypes("orders", [Advised]))
