"""A projector in a process of its own, for tests that kill it: python dying_projector.py DATABASE STORE

It projects a log, a few records at a time, and says so once it is at the end. STORE is the URL of a log of orders, or a
file that one is in.
"""

import asyncio
import sys
from pathlib import Path

from tests.projections.custom.shop import Packing, kept, logs_of
from tests.projections.runs.projecting import until

from farandole.eventstore import connect
from farandole.projections.custom.logs import ends_of
from farandole.projections.custom.projector import Pace, ProjectionProjector
from farandole.projections.sql import Database


async def main(url: str, store: str) -> None:
    log = await connect(store, "orders", create=False) if "://" in store else kept(Path(store))
    logs = logs_of(Packing, {"orders": log})
    projector = ProjectionProjector(
        Packing, logs, Database(url, "shop"), pace=Pace(most=3, records=5, wait=0.05, patience=1.0)
    )
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    task = asyncio.create_task(projector.run())
    ends = await ends_of(logs)
    done = asyncio.create_task(until(lambda: projector.has_come_to(ends), 600))
    await asyncio.wait((task, done), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    sys.stdout.write("done\n")
    sys.stdout.flush()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await projector.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
