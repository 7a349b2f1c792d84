"""Three services, three processes, a real broker, and kill -9. The judge reads the topic and shares no code with us."""

import os
import random
import time
from pathlib import Path

import pytest

from .fresh_topics import forget_topics
from .orders_hold import assert_every_order_is_as_it_should_be
from .recovery import report
from .watch import watch
from .workers import OrdersClient, Workers

RUNS = int(os.environ.get("FARANDOLE_CHAOS_RUNS", "10000"))
KILLS = 10
PATIENCE = 300.0


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_every_order_is_complete_and_every_step_done_once_however_often_workers_are_killed(
    kafka: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("FARANDOLE_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    await forget_topics(kafka, "orders")
    url, began = f"kafka://{kafka}", time.monotonic()
    with Workers(url, tmp_path) as workers, OrdersClient(url, RUNS) as client:
        workers.plan(random.Random(seed), KILLS, range(RUNS // 10, RUNS * 9 // 2))
        found = await watch(kafka, workers, client, RUNS, PATIENCE)
    found.conclude()
    print(report(found, workers.kills, time.monotonic() - began, tmp_path / "ledger"))
    print("\n".join(workers.complaints()[:20]))
    assert len(workers.kills) == KILLS * len(workers.all)
    assert_every_order_is_as_it_should_be(found, client.started, tmp_path / "ledger")
