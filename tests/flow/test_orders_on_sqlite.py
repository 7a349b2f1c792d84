"""The same on one machine without a broker: three processes share a SQLite file, and are killed with -9."""

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from checker import Examination, Raw
from farandole.eventstore import connect

from .orders_hold import assert_every_order_is_as_it_should_be
from .recovery import report
from .workers import REACTORS, OrdersClient, Workers

RUNS = 300
KILLS = 3
PARTITIONS = 4
PATIENCE = 100.0


@pytest.mark.slow
async def test_orders_on_sqlite_are_complete_however_often_workers_are_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("FARANDOLE_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    url, began = f"sqlite:///{tmp_path}/orders.db", time.monotonic()
    # The store is asked for bytes alone: what they mean is for the checker to say.
    async with await connect(url, "orders", partitions=PARTITIONS) as store:
        reader = store.reader()
        reader.follow(dict.fromkeys(range(store.partitions), 0))

        async def more() -> list[Raw]:
            return [Raw(*record) for batch in await reader.read(wait=0.2) for record in batch]

        with Workers(url, tmp_path, PARTITIONS) as workers, OrdersClient(url, RUNS, PARTITIONS) as client:
            workers.plan(random.Random(seed), KILLS, range(RUNS // 10, RUNS * 9 // 2))
            async with asyncio.timeout(PATIENCE):
                records: list[Raw] = []
                while _contracts(records) < REACTORS * PARTITIONS:
                    workers.check()
                    records += await more()
                found = Examination(store.partitions, await store.catalogue.load())
                found.take(records)
                client.start()
                while not client.done or workers.to_die or found.closed < RUNS:
                    found.take(await more())
                    workers.kill_what_is_due(found.records)
                    workers.check()
        await reader.close()
    found.conclude()
    print(report(found, workers.kills, time.monotonic() - began, tmp_path / "ledger"))
    print("\n".join(workers.complaints()[:20]))
    assert len(workers.kills) == KILLS * len(workers.all)
    assert_every_order_is_as_it_should_be(found, client.started, tmp_path / "ledger")


def _contracts(records: list[Raw]) -> int:
    return sum(dict(raw.headers)["ce_type"] == b"farandole.Contract" for raw in records)
