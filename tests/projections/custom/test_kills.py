"""Projectors of a projection, PostgreSQL and Kafka are killed while rows are written (SIGKILL): each event counts once."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.projections.custom.shop import OrderPlaced, Packing, a_log, expected, keep, logs_of, orders, packing
from tests.projections.runs.projecting import until

from farandole.eventstore import connect
from farandole.projections.custom.logs import ends_of
from farandole.projections.custom.projector import Pace, ProjectionProjector
from farandole.projections.custom.space import ProjectionTables, database_of
from farandole.projections.custom.verifying import verify_projection
from farandole.projections.sql import Database, DatabaseError
from farandole.testing.broker import KafkaBroker
from farandole.testing.postgres import PostgresServer

PROGRAM = Path(__file__).parent / "dying_projector.py"
ROOT = Path(__file__).parents[3]
RUNS = 40
KILLS = 4


@pytest.fixture
def log(tmp_path: Path) -> str:
    """A file with a log."""
    keep(tmp_path / "log", RUNS)
    return str(tmp_path / "log")


def a_projector(url: str, store: str) -> "subprocess.Popen[str]":
    """One that begins to write."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), url, store],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), *sys.path])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def has_come_to(database: Database, records: int) -> None:
    """Wait until the tables have so many records."""
    tables = ProjectionTables(database_of(database), Packing)
    deadline = time.monotonic() + 60
    while True:
        try:
            found = sum(place.position for place in tables.places().values())
        except DatabaseError:
            found = 0  # not made yet, or away just now
        if found >= records:
            return
        assert time.monotonic() < deadline
        time.sleep(0.002)


def ends_well(process: "subprocess.Popen[str]") -> bool:
    out, _ = process.communicate(timeout=100)
    return out == "done\n" and process.returncode == 0


def places(seed: int) -> list[int]:
    log = a_log(runs=RUNS)
    return sorted(Random(seed).sample(range(sum(len(log.of(p)) for p in (0, 1))), KILLS))


@pytest.mark.slow
def test_a_projector_that_is_killed_again_and_again(database_url: str, database: Database, log: str) -> None:
    for records in places(51):
        process = a_projector(database_url, log)
        has_come_to(database, records)
        process.kill()
        process.communicate()
    assert ends_well(a_projector(database_url, log))
    assert packing(database) == expected(RUNS)


@pytest.mark.slow
def test_two_projectors_of_which_one_is_killed(database_url: str, database: Database, log: str) -> None:
    one, other = a_projector(database_url, log), a_projector(database_url, log)
    has_come_to(database, places(52)[1])
    one.kill()
    one.communicate()
    assert ends_well(other)
    assert packing(database) == expected(RUNS)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_database_that_is_killed_while_it_is_written_to(postgres_server: PostgresServer, log: str) -> None:
    with PostgresServer() as server:
        url = f"{server.url}?schema=shop_killed"
        database = Database(url, "shop")
        process = a_projector(url, log)
        for records in places(53):
            has_come_to(database, records)
            server.kill()
            server.start()
        assert ends_well(process)
        assert packing(database) == expected(RUNS)
        database.close()


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.postgres
async def test_on_kafka_whoever_is_killed(kafka_tools: None, postgres_server: PostgresServer) -> None:
    with KafkaBroker() as broker, PostgresServer() as server:
        url = f"{server.url}?schema=shop_on_kafka"
        database = Database(url, "shop")
        async with orders.work(broker.url, partitions=2) as client:
            runs = [
                await client.start(
                    OrderPlaced(customer="ann", items=["book", "pen", "cup"][: n % 4]), run_id=f"order-{n}"
                )
                for n in range(RUNS)
            ]
            for run in runs:
                await run.result(timeout="60s")
            process = await asyncio.to_thread(a_projector, url, broker.url)
            await asyncio.to_thread(has_come_to, database, 20)
            process.kill()
            await asyncio.to_thread(process.communicate)
        store = await connect(broker.url, "orders", create=False)
        async with store:
            await killed(broker, server, database, store)
        database.close()


async def killed(broker: KafkaBroker, server: PostgresServer, database: Database, store: Any) -> None:
    """Project on while the broker and the database are killed, and look at what came of it."""
    logs = logs_of(Packing, {"orders": store})
    ends = await ends_of(logs)
    projector = ProjectionProjector(Packing, logs, database, pace=Pace(most=5, records=10, wait=0.1))
    task = asyncio.create_task(projector.run())
    try:
        for kill, start in ((broker.kill, broker.start), (server.kill, server.start)):
            await asyncio.to_thread(kill)
            await asyncio.to_thread(start)
        await until(lambda: task.done() or projector.has_come_to(ends))
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await projector.close()
    assert packing(database) == [
        [(run, number, what.replace("ben", "ann")) for run, number, what in expected(RUNS)[0]],
        expected(RUNS)[1],
    ]
    assert (await verify_projection(Packing, logs, database)).differences == ()
