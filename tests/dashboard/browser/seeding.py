"""What has happened in the shop before somebody looks."""

import asyncio
from decimal import Decimal

from farandole.reactors import Client

from .shop import (
    Address,
    LetterCame,
    MembershipBegun,
    OrderPlaced,
    OrderShipped,
    ParcelLeft,
    ReturnAsked,
    StockWanted,
    shop,
)


def order(customer: str = "ann", **more: object) -> OrderPlaced:
    fields = {"amount": Decimal("19.90"), "address": Address(street="Rue de la Roquette 3"), **more}
    return OrderPlaced.model_validate({"customer": customer, **fields})


async def at_work(client: Client, reactor: bytes = b"take_payment") -> None:
    """Wait until a worker's contracts are in force, so that whatever starts is owed at once."""
    partitions = range(client.store.partitions)
    async with asyncio.timeout(120):
        while True:
            await client.follower.up_to_date(partitions)
            if all(client.follower.fold(p).contracts.get(reactor) for p in partitions):
                return
            await asyncio.sleep(0.05)


async def seed(store: str) -> None:
    """Runs of all kinds: shipped, refused, retrying, asking, waiting for a timer, a signal, children, and for nobody."""
    async with shop.connect(store) as client:
        await at_work(client)
        for n, customer in enumerate(("ann", "bob", "cleo", "dora"), 1):
            await client.start(order(customer, items=["lamp", "book"][: n % 3]), run_id=f"order-{n}")
        for n, customer in enumerate(("eve", "fred", "gil"), 5):
            await client.start(order(customer, card="0000"), run_id=f"order-{n}")
        await client.start(order("hal", card="5555"), run_id="order-8")
        await client.start(order("ida", card="9999"), run_id="order-9")
        await _others(client)


async def at_rest(store: str) -> None:
    """One run, of which nothing is left to do."""
    async with shop.connect(store) as client:
        await at_work(client)
        run = await client.start(order(), run_id="order-1")
        await run.result(OrderShipped, timeout="120s")


async def one_question(store: str) -> None:
    """One run that asks."""
    async with shop.connect(store) as client:
        await at_work(client)
        asked = ReturnAsked(order="order-1", customer="ann", amount=Decimal("12.50"), letter="It came in two pieces.")
        await client.start(asked, run_id="return-1")
        async with asyncio.timeout(60):
            while not await client.decisions():
                await asyncio.sleep(0.05)


async def _others(client: Client) -> None:
    for n, letter in enumerate(("The lamp came in two pieces.", "Wrong size."), 1):
        asked = ReturnAsked(order=f"order-{n}", customer="ann", amount=Decimal("12.50"), letter=letter)
        await client.start(asked, run_id=f"return-{n}")
    await client.start(MembershipBegun(customer="jo"), run_id="membership-jo")
    await client.start(ParcelLeft(customer="kim"), run_id="parcel-kim")
    await client.start(StockWanted(shelves=4), run_id="stock-1")
    await client.start(LetterCame(text="Dear shop"), run_id="letter-1")


if __name__ == "__main__":
    import sys

    asyncio.run(seed(sys.argv[1]))
