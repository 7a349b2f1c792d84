"""Markup and scripts wherever somebody outside can write: ids of runs, fields, questions' subjects, reasons, errors."""

import asyncio
from decimal import Decimal
from pathlib import Path

from .seeding import order
from .shop import Denied, LetterCame, ReturnAsked, shop

VECTORS = tuple((Path(__file__).parent / "vectors.txt").read_text().splitlines())


async def hostile(store: str) -> None:
    """All of these, in each place that there is for them."""
    everything = "\n".join(VECTORS)
    async with shop.connect(store) as client:
        for n, vector in enumerate(VECTORS):
            # The error's message quotes the customer, and so do its traceback and what groups of failures show.
            await client.start(order(vector, card="0000", items=[vector, everything]), run_id=f"{n} {vector}"[:200])
        for n, vector in enumerate(VECTORS[:6]):
            asked = ReturnAsked(order=vector, customer=vector, amount=Decimal(1), letter=everything)
            await client.start(asked, run_id=f"asked {n} {vector}"[:200])
        answered = client.run(f"asked 0 {VECTORS[0]}"[:200])
        async with asyncio.timeout(120):
            while not (asked := [each for each in await client.decisions() if each.run_id == answered.id]):
                await asyncio.sleep(0.05)
        await answered.decide(asked[0], Denied(reason=everything), by=VECTORS[3], via=VECTORS[4])
        letter = await client.start(LetterCame(text=everything), run_id="hostile/letter?x=1#y")
        await letter.pause(everything[:900], by=VECTORS[0])
        await letter.resume(VECTORS[1], by=VECTORS[2])
