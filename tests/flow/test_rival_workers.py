"""Two workers for every step, neither of which knows of the other: the log is the arbiter."""

from pathlib import Path

import pytest

from checker.record import Kind
from checker.verdict import Verdict

from .fresh_topics import forget_topics
from .orders_hold import assert_every_order_is_as_it_should_be
from .watch import watch
from .workers import OrdersClient, Workers

RUNS = 300


@pytest.mark.kafka
@pytest.mark.slow
async def test_each_step_has_one_outcome_though_two_workers_do_all_of_them(kafka: str, tmp_path: Path) -> None:
    await forget_topics(kafka, "orders")
    url = f"kafka://{kafka}"
    with Workers(url, tmp_path, members=("one", "rival")) as workers, OrdersClient(url, RUNS) as client:
        found = await watch(kafka, workers, client, RUNS, patience=100)
    heads = [(head, verdict) for part in found.partitions for _, head, verdict in part.records]
    refused = [head for head, verdict in heads if head and head.kind == Kind.OUTCOME and verdict >= Verdict.UNREADABLE]
    print(f"{len(refused)} outcomes were refused")
    assert refused
    assert_every_order_is_as_it_should_be(found, client.started, tmp_path / "ledger")
