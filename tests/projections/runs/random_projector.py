"""A projector in a process of its own, for tests that kill it: python random_projector.py DATABASE SEED RECORDS

It projects a random log that is there from the beginning, a few records at a time, and says so once it is at the end.
"""

import asyncio
import sys

from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import is_at_the_end, until

from farandole.projections.runs import Pace, Projector
from farandole.projections.sql import Database


async def main(url: str, seed: int, records: int) -> None:
    log = RecordedLog(a_random_log(seed, records), at_once=9)
    log.checkpoint(0, log.of(0)[records // 3].offset)
    database = Database(url, "farandole_t")
    projector = Projector(log, database, "t", pace=Pace(most=13, wait=0.05, patience=1.0))
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    task = asyncio.create_task(projector.run())
    done = asyncio.create_task(until(is_at_the_end(projector, log), 600))
    await asyncio.wait((task, done), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    sys.stdout.write("done\n")
    sys.stdout.flush()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await projector.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
