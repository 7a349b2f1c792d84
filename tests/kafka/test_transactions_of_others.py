"""Transactional producers are not supported, but one that strays into the topic must not stop anybody."""

import secrets

import pytest
from aiokafka import AIOKafkaProducer

from farandole.reactors import Choreography
from farandole.schemas import End, Start

pytestmark = pytest.mark.kafka


class Begun(Start): ...


class Done(End): ...


async def test_a_commit_marker_at_the_end_of_a_partition_holds_up_neither_worker_nor_client(kafka: str) -> None:
    dance = Choreography(f"dance_{secrets.token_hex(6)}")

    @dance.reactor
    async def finish(begun: Begun) -> Done:
        return Done()

    url = f"kafka://{kafka}"
    async with dance.connect(url, partitions=2) as client:
        await client.start(Begun(), run_id="before")
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=secrets.token_hex(6))
    await producer.start()
    for partition in range(2):
        async with producer.transaction():
            await producer.send_and_wait(f"{dance.name}.events", b"stray", partition=partition)
    await producer.stop()
    async with dance.connect(url) as client:
        assert (await client.run("before").status()).status == "unserved"
    async with dance.work(url) as client:
        await client.run("before").result(Done, timeout="60s")
        after = await client.start(Begun(), run_id="after")
        await after.result(Done, timeout="60s")
