"""A reader skips nothing and repeats nothing; what it cannot read on from, it says."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from tests.chaos.starvation import Starvation

from controls import a_record, some_records
from farandole.eventstore import PositionLost, StoreError, StoreUnavailable
from farandole.testing.broker import KafkaBroker
from farandole.testing.proxy import TcpProxy

from .conftest import Open
from .waiting import PATIENCE, insist, read, until, within

pytestmark = pytest.mark.kafka


async def test_a_reader_comes_out_of_a_black_hole_with_new_connections(
    opened: Open, kafka: str, through: Open, proxy: TcpProxy
) -> None:
    await opened(kafka)  # whoever is in such a hurry finds the topics made
    store = await through("request_timeout=0.3")
    reader = store.reader()
    reader.follow({0: 0})
    await store.append(0, some_records(2))
    assert len(await read(reader, 2)) == 2
    async with proxy.silent():
        async with asyncio.timeout(PATIENCE):
            while not store.stats.reader_rebuilds:
                assert await reader.read(wait=0.1) == []
    proxy.reset()
    await insist(store, [a_record(b"after")])
    found = await read(reader, 1)
    assert (found[0].offset, found[0].value) == (2, b"after")


async def test_a_log_out_of_reach_is_told_after_a_while_and_reading_goes_on_later(
    through: Open, proxy: TcpProxy
) -> None:
    store = await through("patience=0.5")
    reader = store.reader()
    reader.follow({0: 0})
    await store.append(0, some_records(1))
    await read(reader, 1)
    async with proxy.down():
        with pytest.raises(StoreUnavailable, match="advertised address"):
            async with asyncio.timeout(PATIENCE):
                while True:
                    assert await reader.read(wait=0.1) == []
    await insist(store, [a_record(b"after")])

    async def go_on() -> bytes | None:
        while True:
            try:
                for batch in await reader.read():
                    return batch[0].value
            except StoreUnavailable:
                continue

    assert await within(go_on()) == b"after"


async def test_a_topic_made_anew_is_a_lost_position_though_the_offset_is_there(
    opened: Open, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So short a pause cannot hide a new log from a reader that goes on; here it is not to look before the log has grown.
    monkeypatch.setattr("farandole.eventstore.kafka.reader.PAUSE", 0)
    store = await opened(kafka)
    await store.append(0, some_records(3))
    reader = store.reader()
    reader.follow({0: 0})
    await read(reader, 3)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics([f"{name}.events"])
    await admin.close()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                other = await opened(kafka)
                await other.append(0, some_records(9, "other"))
                break
            except StoreError:
                continue
    with pytest.raises(PositionLost, match="another log"):
        await read(reader, 1)
    reader.follow({0: 0})
    assert [r.value for r in await read(reader, 9)] == [b"other%d" % i for i in range(9)]


async def test_a_corrupt_batch_is_named_and_not_passed_over(
    opened: Open, kafka: str, kafka_broker: KafkaBroker, name: str
) -> None:
    store = await opened(kafka)
    await store.append(0, [a_record(b"good")])
    await store.append(0, [a_record(b"evil" * 100)])
    [segment] = (kafka_broker.home / "log" / f"{name}.events-0").glob("*.log")
    at = segment.read_bytes().index(b"evil")
    with segment.open("r+b") as file:
        file.seek(at)
        file.write(b"EVIL")
    reader = store.reader()
    reader.follow({0: 0})
    with pytest.raises(StoreError, match=rf"{name}.events/0 is corrupt at offset 1"):
        await read(reader, 2)


async def test_records_of_other_clients_are_read_whatever_their_headers(opened: Open, kafka: str, name: str) -> None:
    store = await opened(kafka)
    async with AIOKafkaProducer(bootstrap_servers=kafka, compression_type="gzip") as other:
        sent = await other.send_and_wait(f"{name}.events", b"v", b"k", 1, headers=[("none", None), ("a", b"1")])
    reader = store.reader()
    reader.follow({1: 0})
    [found] = await read(reader, 1)
    assert (found.offset, found.value, list(found.headers)) == (sent.offset, b"v", [("none", b""), ("a", b"1")])


async def test_following_new_partitions_takes_no_longer_than_a_long_poll(opened: Open, kafka: str) -> None:
    store = await opened(kafka)
    await store.append(1, some_records(1))
    reader = store.reader()
    reader.follow({0: 0})
    assert await reader.read(wait=0.05) == []
    reader.follow({0: 0, 1: 0})
    begun, starvation = asyncio.get_running_loop().time(), Starvation()
    await read(reader, 1)
    # No promise is about the time in which the machine was busy with something else.
    assert asyncio.get_running_loop().time() - begun < 2 + starvation.seconds


async def test_closing_one_reader_leaves_others(opened: Open, kafka: str) -> None:
    store = await opened(kafka)
    one, two = store.reader(), store.reader()
    one.follow({0: 0})
    two.follow({0: 0})
    waiting = asyncio.ensure_future(read(two, 1))
    await one.close()
    await store.append(0, some_records(1))
    assert len(await within(waiting)) == 1
    await until(lambda: store.stats.read_records == 1)
