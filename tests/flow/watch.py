"""Reads the log of the order example while it grows, and kills workers by how long it is."""

import asyncio
from typing import Protocol

from checker import Examination, Raw, Topics

from .workers import REACTORS, OrdersClient, Workers


async def watch(bootstrap: str, workers: Workers, client: OrdersClient, runs: int, patience: float) -> Examination:
    """Let the client start once all contracts are in force, and wait until every run is closed and every kill done.

    Raises:
        TimeoutError: that took longer than so many seconds.
        RuntimeError: a process is not as it should be.
    """
    async with asyncio.timeout(patience), await topics_of(bootstrap, workers) as topics:
        records = await contracts(topics, workers)
        found = Examination(topics.partitions, await topics.table())
        found.take(records)
        client.start()
        while not client.done or workers.to_die or found.closed < runs:
            found.take(await topics.read())
            workers.kill_what_is_due(found.records)
            workers.check()
        found.take(await topics.catch_up())
        return found


class Checked(Protocol):
    """Workers that can be asked whether they are as they should be."""

    def check(self) -> None: ...


async def topics_of(bootstrap: str, workers: Checked, choreography: str = "orders") -> Topics:
    """The topics, as soon as the first worker made them."""
    while True:
        workers.check()
        topics = Topics(bootstrap, choreography)
        try:
            async with topics:
                await topics.table()
            return Topics(bootstrap, choreography)
        except LookupError:
            await asyncio.sleep(0.1)


async def contracts(topics: Topics, workers: Checked, reactors: int = REACTORS) -> list[Raw]:
    """Read until every reactor's contract is in every partition."""
    records: list[Raw] = []
    while sum(dict(raw.headers)["ce_type"] == b"farandole.Contract" for raw in records) < reactors * topics.partitions:
        workers.check()
        records += await topics.read()
    return records
