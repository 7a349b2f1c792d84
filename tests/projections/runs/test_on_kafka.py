"""The same on a real Kafka, which is killed while its log is projected to a real PostgreSQL."""

import asyncio

import pytest
from benchmarks import chain_app as app
from benchmarks.restore import START, STEPS
from benchmarks.written_log import append_to, prepare, runs_of
from tests.projections.runs.projecting import until

from farandole.eventstore import connect
from farandole.projections.runs import Pace, Projector, rebuild, verify
from farandole.projections.sql import Database
from farandole.testing.broker import KafkaBroker
from farandole.testing.postgres import PostgresServer

RUNS = 300


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.slow
async def test_the_rows_are_those_of_one_fold_whatever_was_killed(
    kafka_tools: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "projected"
    monkeypatch.setattr(app.chain, "name", name)
    monkeypatch.setattr(app.chain, "service", name)
    with KafkaBroker() as broker, PostgresServer() as server:
        database = Database(server.url, "farandole_chain")
        async with await connect(broker.url, name, partitions=2) as store:
            scribe = await prepare(store, app.chain)
            projector = Projector(store, database, name, pace=Pace(most=100, wait=0.1))
            task = asyncio.create_task(projector.run())
            try:
                for partition in (0, 1):
                    await append_to(store, partition, runs_of(scribe, START, STEPS, RUNS, partition, 2))
                ends = {p: end.next for p, end in (await store.ends((0, 1))).items()}
                for kill, start in ((broker.kill, broker.start), (server.kill, server.start)):
                    seen = sum(place.position for place in projector.places.values())
                    await asyncio.to_thread(kill)
                    await asyncio.to_thread(start)
                    at_the_end = sum(ends.values())
                    await until(
                        lambda seen=seen, end=at_the_end: (
                            (now := sum(place.position for place in projector.places.values())) > seen or now == end
                        )
                    )
                await until(lambda: {p: place.position for p, place in projector.places.items()} == ends)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await projector.close()
            found = await verify(store, database, name)
            assert found.differences == ()
            assert found.progress.done == sum(ends.values())
            assert (await rebuild(store, database, name)).done == sum(ends.values())
            assert (await verify(store, database, name)).differences == ()
        database.close()
