"""Appends are certain, certainly not, or unknown: whatever happens to the network and the broker."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from controls import a_record, some_records
from farandole.eventstore import AppendError, AppendUnknown, NotAppended, Record, TooLarge
from farandole.testing.broker import KafkaBroker
from farandole.testing.proxy import TcpProxy

from .conftest import Open
from .waiting import insist, until, whole, within

pytestmark = pytest.mark.kafka
HASTY = "append_timeout=2"
"""Gives up soon, and still not before a busy machine has had the first append acknowledged."""


def parts(i: int) -> list[bytes]:
    return [b"%d/%d" % (i, n) for n in range(3)]


async def test_a_lost_acknowledgement_is_unknown_and_the_same_bytes_go_in_again(through: Open, proxy: TcpProxy) -> None:
    store = await through(HASTY)
    at = await insist(store, [a_record(b"before")])
    before = store.stats.unknown, store.stats.producer_rebuilds
    proxy.hold_answers = True
    with pytest.raises(AppendUnknown, match="append the same bytes again"):
        await within(store.append(0, some_records(2)))
    proxy.hold_answers = False
    proxy.reset()
    again = await insist(store, some_records(2))
    assert [r.value for r in await whole(store)][at:] == [b"before", b"v0", b"v1", b"v0", b"v1"]
    assert again == at + 3
    assert (store.stats.unknown, store.stats.producer_rebuilds) == (before[0] + 1, before[1] + 1)


async def test_appends_queued_behind_an_unknown_one_go_in_order(through: Open, proxy: TcpProxy) -> None:
    store = await through(HASTY)
    at = await insist(store, [a_record(b"before")])
    proxy.hold_answers = True
    first = asyncio.ensure_future(store.append(0, [a_record(b"first")]))
    sent = proxy.requests
    await until(lambda: proxy.requests > sent)
    later = [asyncio.ensure_future(store.append(0, [a_record(b"%d" % i)])) for i in range(5)]
    with pytest.raises(AppendUnknown):
        await within(first)
    proxy.hold_answers = False
    proxy.reset()
    await within(asyncio.gather(*later, return_exceptions=True))
    last = await insist(store, [a_record(b"last")])
    found = [r.value for r in await whole(store)]
    assert found[at : at + 2] == [b"before", b"first"]
    assert found[last] == b"last"
    assert found[at + 2 : last] == sorted(v for v in found[at + 2 : last] if v), "in the order of the calls"
    for i, each in enumerate(later):
        assert each.exception() or found[each.result()] == b"%d" % i


async def test_a_black_hole_tears_no_batch_and_reorders_nothing(through: Open, proxy: TcpProxy) -> None:
    store = await through(f"{HASTY}&request_timeout=1")
    await insist(store, [a_record(b"before")])
    async with proxy.silent():
        lost = [asyncio.ensure_future(store.append(0, [a_record(v) for v in parts(i)])) for i in range(4)]
        results = await within(asyncio.gather(*lost, return_exceptions=True))
    assert all(isinstance(r, AppendUnknown | NotAppended) for r in results), results
    proxy.reset()
    await insist(store, [a_record(b"after")])
    found = [r.value for r in await whole(store)]
    assert found[0] == b"before" and found[-1] == b"after"
    for i, result in enumerate(results):
        there = [v for v in found if v in parts(i)]
        assert there in ([], parts(i))
        assert not (there and isinstance(result, NotAppended)), "not appended is certain"


async def test_resets_lose_and_double_nothing(through: Open, proxy: TcpProxy) -> None:
    store = await through()
    appends = []
    for i in range(200):
        appends.append(asyncio.ensure_future(store.append(i % 2, [a_record(b"%d" % i)])))
        if i % 40 == 20:
            await asyncio.wait(appends, return_when=asyncio.FIRST_COMPLETED)
            proxy.reset()
    offsets = await within(asyncio.gather(*appends))
    for p in range(2):
        assert [r.value for r in await whole(store, p)] == [b"%d" % i for i in range(p, 200, 2)]
    assert len(set(zip([i % 2 for i in range(200)], offsets, strict=True))) == 200


async def test_torn_and_slow_packets_change_nothing(through: Open, proxy: TcpProxy) -> None:
    proxy.slice, proxy.delay = 97, 0.0002
    store = await through()
    await within(asyncio.gather(*(store.append(0, some_records(5, f"{i}/")) for i in range(5))))
    assert [r.value for r in await whole(store)] == [b"%d/%d" % (i, n) for i in range(5) for n in range(5)]


async def test_what_was_never_sent_is_certainly_not_appended(through: Open, proxy: TcpProxy) -> None:
    store = await through(HASTY)
    async with proxy.down():
        with pytest.raises(NotAppended, match="was not sent"):
            await within(store.append(0, [a_record()]))
    await insist(store, [a_record(b"after")])
    assert [r.value for r in await whole(store)] == [b"after"]
    assert (store.stats.not_appended, store.stats.unknown) == (1, 0)


async def test_a_batch_that_the_broker_refuses_hurts_no_later_one(opened: Open, kafka: str, name: str) -> None:
    store = await opened(kafka)
    await store.append(0, [a_record()])
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    topic = ConfigResource(ConfigResourceType.TOPIC, f"{name}.events", {"max.message.bytes": "2000"})
    topic.configs |= {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
    await admin.alter_configs([topic])
    await admin.close()

    async def refused() -> bool:
        try:
            await store.append(0, [a_record(bytes(5000))])
        except TooLarge as e:
            assert "max.message.bytes" in str(e)
            return True
        return False

    async with asyncio.timeout(20):
        while not await refused():
            pass
    offsets = [await within(store.append(p, [a_record(b"small")])) for p in (0, 1, 0)]
    assert offsets[2] == offsets[0] + 1
    assert store.stats.producer_rebuilds >= 1


async def test_something_that_is_no_record_fails_its_caller_only(opened: Open, kafka: str) -> None:
    store = await opened(kafka)
    bad = Record(b"k", "text", [])  # type: ignore[arg-type]
    results = await within(
        asyncio.gather(
            store.append(0, [a_record(b"a")]),
            store.append(0, [a_record(b"torn"), bad]),
            store.append(0, [a_record(b"b")]),
            return_exceptions=True,
        )
    )
    assert isinstance(results[1], TypeError)
    assert [r.value for r in await whole(store)] == [b"a", b"b"]


async def test_nothing_acknowledged_is_lost_when_the_broker_is_killed(
    second_broker: KafkaBroker, opened: Open, name: str
) -> None:
    store = await opened(second_broker.bootstrap)
    acked: dict[int, tuple[int, int]] = {}
    unknown: set[int] = set()
    stop = asyncio.Event()

    async def write(k: int) -> None:
        i = k
        while not stop.is_set():
            try:
                acked[i] = (i % 4, await store.append(i % 4, [a_record(b"%d" % i)]))
            except AppendError:
                unknown.add(i)
            i += 8

    writers = [asyncio.ensure_future(write(k)) for k in range(8)]
    reader = store.reader()
    reader.follow(dict.fromkeys(range(4), 0))
    seen: list[tuple[int, int]] = []

    async def follow() -> None:
        while True:
            for batch in await reader.read():
                seen.extend((r.partition, r.offset) for r in batch)

    following = asyncio.ensure_future(follow())
    await until(lambda: len(acked) > 200)
    await asyncio.to_thread(second_broker.kill)
    before = len(acked)
    await asyncio.to_thread(second_broker.start)
    await until(lambda: len(acked) > before + 200)
    stop.set()
    await within(asyncio.gather(*writers))
    found = {(r.partition, r.offset): int(r.value or b"") for p in range(4) for r in await whole(store, p)}
    assert all(found.get(place) == i for i, place in acked.items())
    assert not {i for i in found.values() if i not in acked} - unknown
    assert len(found) == len(set(found.values())), "an idempotent producer doubles nothing"
    await until(lambda: len(seen) >= len(found))
    following.cancel()
    assert sorted(seen) == sorted(found)
    await reader.close()
