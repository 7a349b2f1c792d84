"""The client's known faults, provoked where they could reach us. `docs/client-faults.md` lists all of them."""

import asyncio
import subprocess
import sys
import time
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from controls import some_records
from farandole.eventstore import AppendError, Ownership, Record
from farandole.eventstore.kafka import KafkaOwnership, KafkaStore
from farandole.eventstore.kafka.reader import IN_ALL, KafkaReader
from farandole.testing.broker import KafkaBroker
from farandole.testing.proxy import TcpProxy

from .conftest import Open
from .tls import REAUTHENTICATE
from .waiting import PATIENCE, insist, read, until, whole, within

pytestmark = pytest.mark.kafka
ALL = frozenset(range(4))


def inside(store: KafkaStore) -> Any:
    """The client's producer, as it is now."""
    session = store._producer._current
    assert session is not None
    return session.producer


async def owns(member: Ownership, *partitions: int) -> None:
    await until(lambda: member.owned == frozenset(partitions))


async def test_the_producer_is_idempotent_waits_for_all_replicas_and_has_no_transactions(
    opened: Open, kafka: str
) -> None:
    store = await opened(kafka)
    await store.append(0, some_records(1))
    producer = inside(store)
    assert producer._sender._acks == -1
    assert producer._txn_manager is not None and producer._txn_manager.transactional_id is None


async def test_a_member_reads_no_record_and_commits_no_offset(opened: Open, kafka: str, name: str) -> None:
    store = await opened(kafka, "session=6")
    reader = store.reader()
    reader.follow(dict.fromkeys(range(4), 0))
    async with store.own("kitchen") as member:
        assert await within(member.changed()) == ALL
        await within(asyncio.gather(*(store.append(p, some_records(500, f"{p}/")) for p in range(4))))
        found = await read(reader, 2000)
        assert len({(r.partition, r.offset) for r in found}) == 2000
        assert isinstance(member, KafkaOwnership)
        assert not member._consumer._fetcher._records, "what the group's consumer is given stays with the broker"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    assert await admin.list_consumer_group_offsets(f"{name}.kitchen") == {}
    await admin.close()


async def test_a_member_is_never_put_out_for_slow_polling_and_has_time_to_drain(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=6")
    async with store.own("kitchen") as member:
        assert await within(member.changed()) == ALL
        assert isinstance(member, KafkaOwnership)
        coordinator = member._consumer._coordinator
        assert coordinator._max_poll_interval == 2**31 / 1000 - 0.001
        assert coordinator._rebalance_timeout_ms == 60_000
        assert coordinator._enable_auto_commit is False


async def test_a_loop_that_was_blocked_for_longer_than_the_session_gets_its_share_back(
    opened: Open, kafka: str
) -> None:
    store = await opened(kafka, "session=1")
    async with store.own("kitchen") as member:
        assert await within(member.changed()) == ALL
        before = store.stats.rebalances
        time.sleep(2.5)  # what a handler that blocks the event loop does
        await until(lambda: store.stats.rebalances > before and member.owned == ALL)


async def test_nobody_who_is_cancelled_while_waiting_spoils_the_waiting_of_others(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=6")
    reader = store.reader()
    reader.follow({0: 0})
    async with store.own("kitchen") as one:
        assert await within(one.changed()) == ALL
        for _ in range(50):
            for waiting in (asyncio.ensure_future(one.changed()), asyncio.ensure_future(reader.read(wait=5))):
                await asyncio.sleep(0)
                waiting.cancel()
        async with store.own("kitchen") as two:
            assert len(await within(one.changed())) == 2
            assert len(await within(two.changed())) == 2
        assert await within(one.changed()) == ALL
    await store.append(0, some_records(3))
    assert len(await read(reader, 3)) == 3


async def test_a_member_without_a_share_takes_over_from_one_that_ends(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "session=6", partitions=1)
    async with store.own("kitchen") as idle:
        async with store.own("kitchen", "one") as busy:
            # Whoever has the partition, the other one stands by.
            await until(lambda: len(idle.owned) + len(busy.owned) == 1)
            assert isinstance(busy, KafkaOwnership)
            busy.leave = True
        await owns(idle, 0)


async def test_member_reader_and_producer_come_back_after_the_broker_was_killed(
    second_broker: KafkaBroker, opened: Open
) -> None:
    store = await opened(second_broker.bootstrap, "session=2")
    reader = store.reader()
    reader.follow(dict.fromkeys(range(4), 0))
    async with store.own("kitchen") as member:
        assert await within(member.changed()) == ALL
        await asyncio.to_thread(second_broker.kill)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.append(0, some_records(1, "lost")), 0.2)
        await asyncio.to_thread(second_broker.start)
        await insist(store, some_records(2, "after"))
        async with asyncio.timeout(PATIENCE):
            while b"after1" not in [r.value for batch in await reader.read() for r in batch]:
                pass
        before = store.stats.rebalances
        async with store.own("kitchen") as other:
            await until(lambda: store.stats.rebalances >= before + 2 and len(member.owned | other.owned) == 4)
            await until(lambda: len(member.owned) == len(other.owned) == 2)
        await owns(member, *ALL)


async def test_what_waits_to_be_read_is_bounded(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "fetch_bytes=20000")
    for p in range(4):
        await within(asyncio.gather(*(store.append(p, some_records(10, "x" * 1000)) for _ in range(40))))
    reader = store.reader()
    assert isinstance(reader, KafkaReader)
    reader.follow(dict.fromkeys(range(4), 0))
    most = found = 0
    while found < 1600:
        found += sum(map(len, await within(reader.read())))
        for _ in range(20):
            await asyncio.sleep(0)
        most = max(most, sum(len(chunk.data) for chunk in reader._ready))
    # A broker may send the batch with which the limit is passed.
    assert most <= (IN_ALL + 1) * 20_000 + 4 * 15_000


async def test_headers_keep_their_order_and_repeats_and_a_missing_value_is_empty(opened: Open, kafka: str) -> None:
    store = await opened(kafka)
    headers = [("b", b"1"), ("a", b""), ("b", b"2"), ("", b"nameless"), ("\N{SNOWMAN}", bytes(range(256)))]
    await store.append(0, [Record(b"k", b"v", headers)])
    [found] = await whole(store)
    assert list(found.headers) == headers


@pytest.mark.parametrize("how", ["down", "silent"])
async def test_closing_a_store_does_not_wait_for_brokers_that_are_away(
    through: Open, proxy: TcpProxy, how: str
) -> None:
    store = await through("session=6&request_timeout=2")
    await store.append(0, some_records(1))
    reader = store.reader()
    reader.follow({0: 0})
    await read(reader, 1)
    async with store.own("kitchen", "cook") as member:
        assert await within(member.changed()) == ALL
        async with proxy.down() if how == "down" else proxy.silent():
            lost = asyncio.ensure_future(store.append(0, some_records(1)))
            await asyncio.sleep(0)
            async with asyncio.timeout(20):
                await store.close()
                with pytest.raises(Exception, match=r"closed|append"):
                    await lost


@pytest.mark.usefixtures("login")
async def test_brokers_that_end_connections_which_do_not_log_in_again_stop_nothing(
    second_broker: KafkaBroker, opened: Open
) -> None:
    reauth = second_broker.listeners["REAUTH"].port
    store = await opened(f"127.0.0.1:{reauth}", f"ca={second_broker.home / 'ca.pem'}&session=6")
    reader = store.reader()
    reader.follow({0: 0})
    loop = asyncio.get_running_loop()
    async with store.own("kitchen") as member:
        assert await within(member.changed()) == ALL
        await store.append(0, [Record(b"k", b"first", [])])
        [first] = [c for c in inside(store).client._conns.values() if c.connected()][:1]
        until_third = loop.time() + 3 * REAUTHENTICATE
        appended = [b"first"]
        found: list[bytes | None] = []
        while loop.time() < until_third or len(found) < len(appended):
            if loop.time() < until_third:
                appended.append(b"%d" % len(appended))
                await insist(store, [Record(b"k", appended[-1], [])])
            found += [r.value for batch in await within(reader.read(wait=0.1)) for r in batch]
        assert list(dict.fromkeys(found)) == appended, "in order; a repeated append is a record of its own"
        assert not first.connected()
        assert member.owned == ALL


OPTIMISED = """
import asyncio, sys
from farandole.eventstore import Record, TooLarge, connect

async def main():
    assert False, "python -O leaves assertions out"
    async with await connect(sys.argv[1], sys.argv[2], partitions=2) as store:
        async with store.own("kitchen") as member:
            await asyncio.wait_for(member.changed(), 20)
            await asyncio.gather(*(store.append(i % 2, [Record(b"k", b"%d" % i, [])]) for i in range(200)))
            try:
                await store.append(0, [Record(b"k", bytes(store.max_record_bytes + 1), [])])
            except TooLarge:
                print("refused")
        reader, found = store.reader(), []
        reader.follow({0: 0, 1: 0})
        while len(found) < 200:
            found += [int(r.value) for batch in await reader.read() for r in batch]
        print(sorted(found) == list(range(200)))

asyncio.run(main())
"""


async def test_everything_works_without_assertions_too(kafka: str, name: str) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-O", "-c", OPTIMISED, f"kafka://{kafka}?session=6", name],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["refused", "True"], "")


async def test_a_producer_that_has_given_up_by_itself_is_replaced(opened: Open, kafka: str) -> None:
    store = await opened(kafka, "append_timeout=3")
    await store.append(0, some_records(1))
    producer = inside(store)
    producer._sender._sender_task.cancel()
    await asyncio.wait([producer._sender._sender_task])
    with pytest.raises(AppendError, match="append"):
        await within(store.append(0, some_records(1, "lost")))
    await insist(store, some_records(1, "again"))
    assert [r.value for r in await whole(store)] == [b"v0", b"again0"]
    assert store.stats.producer_rebuilds == 1
