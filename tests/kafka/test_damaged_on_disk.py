"""A byte that turns over on a broker's disk: its partition is served no more, and says so; the others go on.

Workers and clients alike.
"""

import asyncio
import secrets

import pytest

from farandole.eventstore import PartitionCorrupt, connect, partition_of
from farandole.reactors import Choreography, Client
from farandole.schemas import End, Start
from farandole.testing.broker import KafkaBroker

from .waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


class Begun(Start):
    word: str = ""


class Done(End): ...


def dance() -> Choreography:
    made = Choreography(f"dance_{secrets.token_hex(6)}")

    @made.reactor
    async def finish(begun: Begun) -> Done:
        return Done()

    return made


def a_run(partition: int) -> str:
    """The id of a new run of one of two partitions."""
    while partition_of((run_id := secrets.token_hex(8)).encode(), 2) != partition:
        pass
    return run_id


async def done(client: Client, partition: int) -> None:
    run = await client.start(Begun(word="sound"), run_id=a_run(partition))
    await run.result(Done, timeout="60s")


async def stop(broker: KafkaBroker) -> None:
    """Stop it in order: one that was killed would look for damage itself, and cut it off."""
    await asyncio.to_thread(broker.stop, timeout=90)


async def test_a_damaged_batch_stops_its_partition_alone(
    second_broker: KafkaBroker, caplog: pytest.LogCaptureFixture
) -> None:
    choreography = dance()
    async with choreography.connect(second_broker.url, partitions=2) as client:
        lost = (await client.start(Begun(word="to-be-damaged"), run_id=a_run(0))).id
    await stop(second_broker)
    [segment] = (second_broker.home / "log" / f"{choreography.name}.events-0").glob("*.log")
    damaged = bytearray(sound := segment.read_bytes())
    damaged[sound.index(b"to-be-damaged")] ^= 1
    segment.write_bytes(damaged)
    await asyncio.to_thread(second_broker.start)
    async with choreography.work(second_broker.url) as client:
        await until(lambda: "partition 0 is served no more" in caplog.text)
        assert f"{choreography.name}.events/0 is corrupt at offset 1" in caplog.text
        for _ in range(5):
            await done(client, 1)
        with pytest.raises(PartitionCorrupt, match=f"{choreography.name}.events/0 is corrupt at offset 1"):
            await client.run(lost).result(Done, timeout="60s")
        for _ in range(5):
            await done(client, 1)
    store = await connect(second_broker.url, choreography.name)
    assert (await store.ends([0]))[0].next == 2, "nothing was written to what cannot be read"
    await store.close()
    await stop(second_broker)
    segment.write_bytes(sound)
    await asyncio.to_thread(second_broker.start)
    async with choreography.work(second_broker.url) as client:
        await client.run(lost).result(Done, timeout="60s")
        await done(client, 0)
